/** Takes a change back that has landed: says first what that does. */
import { useState } from 'react'
import { ROUTES } from '../../../core/contract/api.ts'
import type { Change } from '../../../core/contract/change.ts'
import { useRead, useWrite } from '../../read.ts'
import { useGo } from '../../route.ts'
import { useToast } from '../../toasts.ts'
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx'
import { Field } from '../../ui/field.tsx'
import { evolution } from '../../words/evolution.ts'
import { changePath } from './paths.ts'

const words = evolution.undo
const LANDED = new Set<Change['state']>(['merged', 'restarting', 'watching', 'kept'])
export const mayUndo = (change: Pick<Change, 'state'>): boolean => LANDED.has(change.state)

export function UndoDialog({ change, open, setOpen }: { change: Change; open: boolean; setOpen: (open: boolean) => void }) {
  const [why, setWhy] = useState('')
  const keeper = useRead(ROUTES.selfState).data?.keeper ?? true
  const undo = useWrite(ROUTES.rollbackChange, [ROUTES.changes, ROUTES.change])
  const toast = useToast()
  const go = useGo()
  const act = () =>
    undo.mutate(
      { params: { id: change.id }, body: why.trim() === '' ? {} : { comment: why.trim() } },
      {
        onSuccess: (back) => {
          toast(words.done)
          go(changePath(back.id))
        },
        onError: (fault) => toast(fault.message, { tone: 'bad' }),
      },
    )
  const busy = change.state === 'restarting' || change.state === 'watching'
  return (
    <ConfirmDialog open={open} setOpen={setOpen} title={words.ask} yes={words.yes} onYes={act}>
      <div className="stack">
        <p>
          <strong>{change.title}</strong>
        </p>
        <ul className="undo-list">
          <li>{words.commit(change.files.length, change.landed ?? 'main')}</li>
          <li>{keeper ? words.restart : words.noKeeper}</li>
          {busy && <li>{words.watching}</li>}
          <li>{words.data}</li>
          <li>{words.stands}</li>
        </ul>
        <Field label={words.why} optional>
          {(id) => <textarea id={id} rows={2} maxLength={2_000} value={why} onChange={(event) => setWhy(event.target.value)} />}
        </Field>
      </div>
    </ConfirmDialog>
  )
}
