/** Asks before an entry is removed, and says who will miss it. */
import type { UsedBy } from '../../../core/contract/api-registry.ts'
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx'
import { library } from '../../words/library.ts'

export function RemoveDialog(props: {
  name: string
  open: boolean
  setOpen: (open: boolean) => void
  used: UsedBy | null
  onYes: () => void
}) {
  const users = props.used?.agents.length ?? 0
  return (
    <ConfirmDialog
      open={props.open}
      setOpen={props.setOpen}
      title={library.removeAsk(props.name)}
      yes={library.remove}
      onYes={props.onYes}
      {...(props.used?.system ? { word: props.name } : {})}
    >
      {props.used?.system && <p>{library.removeSystem}</p>}
      {users > 0 && <p>{library.removeUsers(users)}</p>}
      <p className="dim">{library.removeHow}</p>
    </ConfirmDialog>
  )
}
