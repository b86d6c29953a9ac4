/** Going back to a message and on from there: what that touches is told before it is done. */
import { useState } from 'react'
import { ROUTES } from '../../../core/contract/api.ts'
import { useRead, useWrite } from '../../read.ts'
import { useToast } from '../../toasts.ts'
import { Button } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { Fault } from '../../ui/notice.tsx'
import { Skeleton } from '../../ui/skeleton.tsx'
import { detail } from '../../words/detail.ts'
import { useRerunWords } from '../tree/rerun-words.tsx'

const words = detail.rerun
/** Names that are listed; the rest is a number. */
const LISTED = 8

export function RerunDialog({ taskId, from, close }: { taskId: string; from: number; close: () => void }) {
  const look = useRead(ROUTES.rerunPreview, { params: { id: taskId }, query: { from: String(from) } })
  const rerun = useWrite(ROUTES.rerun, [ROUTES.taskFiles])
  const toast = useToast()
  const { body, fields } = useRerunWords(taskId, from, look.data?.replaces ?? null)
  const [restore, setRestore] = useState(false)
  const files = look.data?.files ?? []
  const stops = look.data?.stops ?? []
  const send = () =>
    rerun.mutate(
      {
        params: { id: taskId },
        body: { from, ...body, ...(restore ? { restoreFiles: true } : {}) },
      },
      {
        onSuccess: () => {
          toast(words.did, { tone: 'good' })
          close()
        },
      },
    )
  return (
    <Dialog sends open setOpen={(open) => !open && close()} title={words.title(from)} description={words.about}>
      <div className="stack">
        {fields}
        {look.isPending && <Skeleton lines={2} label={words.looking} />}
        {look.error && <Fault again={() => void look.refetch()}>{look.error.message}</Fault>}
        {look.data && files.length === 0 && <p className="dim">{words.noFiles}</p>}
        {files.length > 0 && (
          <div>
            <p>{words.files(files.length)}</p>
            <ul className="names">
              {files.slice(0, LISTED).map((path) => (
                <li key={path}>
                  <code>{path}</code>
                </li>
              ))}
            </ul>
            <label className="check">
              <input type="checkbox" checked={restore} onChange={(event) => setRestore(event.target.checked)} /> {words.restore}
            </label>
          </div>
        )}
        {stops.length > 0 && (
          <div>
            <p>{words.stops(stops.length)}</p>
            <ul className="names">
              {stops.slice(0, LISTED).map((task) => (
                <li key={task.id}>{task.title}</li>
              ))}
            </ul>
          </div>
        )}
        {rerun.error && <Fault>{rerun.error.message}</Fault>}
        <div className="actions">
          <Button look="primary" disabled={rerun.isPending || look.isPending} onClick={send}>
            {words.yes}
          </Button>
          <Button onClick={close}>{words.no}</Button>
        </div>
      </div>
    </Dialog>
  )
}
