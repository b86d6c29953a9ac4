/** Goes back to a point of a task's history: where, with which words, with or without its files; and what that would touch. */
import { useState } from 'react'
import { ROUTES } from '../../../core/contract/api.ts'
import type { MessagePreview } from '../../../core/contract/live.ts'
import { useTask } from '../../data/use-task.ts'
import { preview } from '../../format.ts'
import { useRead, useWrite } from '../../read.ts'
import { useToast } from '../../toasts.ts'
import { Button } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { Field } from '../../ui/field.tsx'
import { Fault } from '../../ui/notice.tsx'
import { Select } from '../../ui/select.tsx'
import { Skeleton } from '../../ui/skeleton.tsx'
import { tree } from '../../words/tree.ts'
import type { Scope } from './moves.ts'
import { useRerunWords } from './rerun-words.tsx'

const words = tree.rerun
const POINTS = 100

export function RerunDialog({ taskId, scope, shut, fork }: { taskId: string; scope: Scope; shut: () => void; fork: () => void }) {
  const { messages } = useTask(taskId)
  const [from, setFrom] = useState('1')
  const [files, setFiles] = useState('keep')
  const touches = useRead(ROUTES.rerunPreview, { params: { id: taskId }, query: { from } })
  const { body, fields } = useRerunWords(taskId, Number(from), touches.data?.replaces ?? null)
  const rerun = useWrite(ROUTES.rerun, [ROUTES.taskFiles])
  const toast = useToast()
  const points = messages.filter((one) => one.role !== 'system' && one.n > 1).slice(-POINTS)
  const send = async () => {
    const task = await rerun
      .mutateAsync({
        params: { id: taskId },
        body: { scope, from: Number(from), restoreFiles: files === 'restore', ...body },
      })
      .catch(() => null) // told below the form
    if (!task) return
    shut()
    toast(tree.act.did.rerun(task.title))
  }
  return (
    <Dialog sends open setOpen={shut} title={words.title} description={words.about}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault()
          void send()
        }}
      >
        <Field label={words.from}>
          {(id) => (
            <Select
              id={id}
              value={from}
              choose={setFrom}
              options={[{ value: '1', label: words.start }, ...points.map((one) => ({ value: String(one.n), label: pointWords(one) }))]}
            />
          )}
        </Field>
        {fields}
        <Field label={words.files}>
          {(id) => (
            <Select
              id={id}
              value={files}
              choose={setFiles}
              options={[
                { value: 'keep', label: words.keep },
                { value: 'restore', label: words.restore },
              ]}
            />
          )}
        </Field>
        {touches.data ? (
          <div className="touches" role="status">
            <p>{touches.data.files.length === 0 ? words.noFiles : words.touched(touches.data.files.length)}</p>
            {touches.data.files.length > 0 && (
              <ul className="touched">
                {touches.data.files.map((path) => (
                  <li key={path}>
                    <code>{path}</code>
                  </li>
                ))}
              </ul>
            )}
            {touches.data.stops.length > 0 && (
              <>
                <p>{words.stops(touches.data.stops.length)}</p>
                <ul className="touched">
                  {touches.data.stops.map((one) => (
                    <li key={one.id}>{one.title}</li>
                  ))}
                </ul>
              </>
            )}
          </div>
        ) : touches.error ? (
          <Fault>{touches.error.message}</Fault>
        ) : (
          <Skeleton lines={1} label={words.looking} />
        )}
        {rerun.error && <Fault>{rerun.error.message}</Fault>}
        <div className="actions">
          <Button look="primary" type="submit" disabled={rerun.isPending}>
            {words.yes}
          </Button>
          <Button onClick={shut}>{words.no}</Button>
          <Button look="quiet" onClick={fork}>
            {words.other}
          </Button>
        </div>
      </form>
    </Dialog>
  )
}

function pointWords(one: MessagePreview): string {
  const text =
    one.role === 'system' ? one.agent : one.text || (one.role === 'assistant' ? one.calls.map((call) => call.tool).join(', ') : '')
  return words.message(one.n, words.who[one.role], preview(text, 60))
}
