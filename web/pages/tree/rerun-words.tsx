/** What is other than before in a rerun: the words at the point to which it goes back, and the model. */
import { type ReactNode, useState } from 'react'
import { ROUTES } from '../../../core/contract/api.ts'
import { useTask } from '../../data/use-task.ts'
import { useRead } from '../../read.ts'
import { Combobox } from '../../ui/combobox.tsx'
import { Field } from '../../ui/field.tsx'
import { tree } from '../../words/tree.ts'

const words = tree.rerun
const AS_BEFORE = ''

/**
 * `from`: the number of the message. `replaces`: what a message would take the place of there, as the server says; null: nothing, it is
 * said beside. Words that can be replaced are in the field to be edited, and are sent only when they were.
 */
export function useRerunWords(
  taskId: string,
  from: number,
  replaces: 'instruction' | 'words' | null,
): { body: { message?: string; model?: string }; fields: ReactNode } {
  const { task, messages } = useTask(taskId)
  const models = useRead(ROUTES.models, { query: { ready: '1' } })
  const [typed, setTyped] = useState<{ from: number; text: string } | null>(null)
  const [model, setModel] = useState(AS_BEFORE)
  const there = messages.find((one) => one.n === from)
  // A message of which only a part was read cannot be edited here.
  const before =
    replaces === 'instruction'
      ? (task?.instruction ?? '')
      : replaces === 'words' && there?.role === 'user' && there.bytes === undefined
        ? there.text
        : ''
  const text = typed?.from === from ? typed.text : before
  const message = text.trim()
  const isOther = message !== '' && message !== before.trim()
  const own = task?.model ?? null
  return {
    body: { ...(isOther ? { message } : {}), ...(model === AS_BEFORE ? {} : { model }) },
    fields: (
      <>
        <Field
          label={before === '' ? words.words : words.edited[replaces ?? 'words']}
          hint={before === '' ? words.wordsHint : words.editedHint}
        >
          {(id, about) => (
            <textarea
              id={id}
              {...about}
              rows={before === '' ? 3 : 5}
              value={text}
              onChange={(event) => setTyped({ from, text: event.target.value })}
            />
          )}
        </Field>
        <Field label={words.model} hint={words.modelHint}>
          {(id) => (
            <Combobox
              id={id}
              label={words.model}
              value={model}
              options={[
                { value: AS_BEFORE, label: own === null ? words.asBefore : words.asBeforeWith(own) },
                ...(own === null ? [] : [{ value: 'default', label: words.ofGoal }]),
                ...(models.data?.items ?? []).map((one) => ({ value: one.id, label: one.id })),
              ]}
              choose={setModel}
            />
          )}
        </Field>
      </>
    ),
  }
}
