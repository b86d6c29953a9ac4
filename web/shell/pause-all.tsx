/** Holds everything, or lets it go on. Whether it is held is read from the server again whenever facts come in. */
import { Pause, Play } from 'lucide-react'
import { useState } from 'react'
import { ROUTES } from '../../core/contract/api.ts'
import { useActions } from '../actions.ts'
import { useRead, useWrite } from '../read.ts'
import { useToast } from '../toasts.ts'
import { ConfirmDialog } from '../ui/confirm-dialog.tsx'
import { IconButton } from '../ui/icon-button.tsx'
import { Link } from '../ui/link.tsx'
import { shell } from '../words/shell.ts'

export function PauseAll() {
  const { data } = useRead(ROUTES.system, undefined, { follow: true })
  const pause = useWrite(ROUTES.pauseAll, [ROUTES.system])
  const resume = useWrite(ROUTES.resumeAll, [ROUTES.system])
  const [asking, setAsking] = useState(false)
  const toast = useToast()
  const held = Boolean(data?.paused)
  const failed = (fault: Error) => toast(fault.message, { tone: 'bad' })
  const goOn = () => resume.mutate({}, { onSuccess: () => toast(shell.pause.doneResumed), onError: failed })
  const label = held ? shell.pause.resume : shell.pause.all
  const act = () => (held ? goOn() : setAsking(true))
  useActions([{ id: 'pause.all', label, group: shell.keys.actions, run: act }])
  return (
    <>
      <IconButton
        className={held ? 'pause-all held' : 'pause-all'}
        icon={held ? Play : Pause}
        label={label}
        disabled={!data || pause.isPending || resume.isPending}
        onClick={act}
      />
      <ConfirmDialog
        open={asking}
        setOpen={setAsking}
        title={shell.pause.ask}
        yes={shell.pause.yes}
        no={shell.pause.no}
        look="primary"
        onYes={() => pause.mutate({}, { onSuccess: () => toast(shell.pause.donePaused, { undo: goOn }), onError: failed })}
      >
        {shell.pause.meaning}
      </ConfirmDialog>
    </>
  )
}

/** That nothing begins, and because of what or whom; and what of the machine is nearly used up. */
export function HeldNotice() {
  const { data } = useRead(ROUTES.system, undefined, { follow: true })
  return (
    <>
      {data?.safeMode && (
        <p className="held-notice">
          {shell.safeMode} <Link to="/evolution">{shell.safeModeLook}</Link>
        </p>
      )}
      {data?.paused && <p className="held-notice">{shell.pause.paused(data.paused.by, data.paused.comment)}</p>}
      {data?.alerts?.map((alert) => (
        <p key={alert.what} className="held-notice" role="status">
          <Link to="/system">{alert.words}</Link>
        </p>
      ))}
    </>
  )
}
