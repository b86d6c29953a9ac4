/** Keeps a goal with its settings as a template; one of the same name is replaced only when that is said. */
import { useState } from 'react'
import { ROUTES } from '../../../core/contract/api.ts'
import { useWrite } from '../../read.ts'
import { useToast } from '../../toasts.ts'
import { Button } from '../../ui/button.tsx'
import { Field } from '../../ui/field.tsx'
import { composer as words } from '../../words/composer.ts'
import { type Draft, sendingOf } from './draft.ts'

const NAME = /^[a-z][a-z0-9_-]{0,63}$/

export function KeepTemplate({ draft, there, kept }: { draft: Draft; there: readonly string[]; kept: (name: string) => void }) {
  const [name, setName] = useState(draft.template ?? '')
  const [about, setAbout] = useState('')
  const save = useWrite(ROUTES.saveTemplate, [ROUTES.templates])
  const toast = useToast()
  const taken = there.includes(name)
  const keep = () => {
    // The goal is kept with its places, not as it is filled in; files belong to one goal.
    const sending = sendingOf({ ...draft, template: undefined, attachments: [] }, false)
    if (!sending.ok) return toast(sending.wrong.why, { tone: 'bad' })
    const { attachments: _, plan: _plan, ...body } = sending.body
    save.mutate(
      { params: { id: name }, body: { ...body, description: about.trim() } },
      {
        onSuccess: () => {
          toast(words.templateSaved(name), { tone: 'good' })
          kept(name)
        },
      },
    )
  }
  return (
    <details className="keep-template">
      <summary>{words.templateKeep}</summary>
      <Field
        label={words.templateName}
        hint={taken ? words.templateThere(name) : words.templateNameHint}
        error={save.error ? save.error.message : name !== '' && !NAME.test(name) ? words.templateNameHint : null}
      >
        {(id, described) => (
          <input id={id} {...described} value={name} autoComplete="off" onChange={(event) => setName(event.target.value)} />
        )}
      </Field>
      <Field label={words.templateAbout} optional>
        {(id) => <input id={id} value={about} maxLength={1_000} autoComplete="off" onChange={(event) => setAbout(event.target.value)} />}
      </Field>
      <Button small disabled={!NAME.test(name) || save.isPending} onClick={keep}>
        {taken ? words.templateReplace : words.templateSave}
      </Button>
    </details>
  )
}
