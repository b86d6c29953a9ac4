/** What does not go on by itself: why, and the one act that mends it. */
import { useQueryClient } from '@tanstack/react-query'
import { HeartPulse } from 'lucide-react'
import { useState } from 'react'
import { ROUTES } from '../../../core/contract/api.ts'
import type { DeadTask } from '../../../core/contract/api-system.ts'
import type { Reason } from '../../../core/contract/task.ts'
import { useBanyan } from '../../banyan.ts'
import { useRead } from '../../read.ts'
import { treePath } from '../../route.ts'
import { useToast } from '../../toasts.ts'
import { useAct } from '../../ui/act.ts'
import { Button } from '../../ui/button.tsx'
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx'
import { EmptyState } from '../../ui/empty-state.tsx'
import { Link } from '../../ui/link.tsx'
import { LongText } from '../../ui/long-text.tsx'
import { Fault } from '../../ui/notice.tsx'
import { ReadAge } from '../../ui/read-age.tsx'
import { Reading } from '../../ui/reading.tsx'
import { RelativeTime } from '../../ui/relative-time.tsx'
import { StatusIcon } from '../../ui/status-icon.tsx'
import { system } from '../../words/system.ts'

const words = system.dead
const EVERY_MS = 10_000

export function Dead() {
  const [limit, setLimit] = useState(50)
  const read = useRead(ROUTES.dead, { query: { limit: String(limit) } }, { follow: true, every: EVERY_MS })
  return (
    <div className="system-part">
      <div className="part-head">
        <span className="grow" />
        <ReadAge at={read.dataUpdatedAt} every={EVERY_MS} again={() => void read.refetch()} />
      </div>
      <Reading read={read} label={system.reading} failed={words.failed} effect={system.effect}>
        {({ items, nextCursor }) =>
          items.length === 0 ? (
            <EmptyState icon={HeartPulse} title={words.none}>
              {words.noneHow}
            </EmptyState>
          ) : (
            <>
              <ul className="stack">
                {items.map((task) => (
                  <DeadItem key={task.taskId} task={task} />
                ))}
              </ul>
              {nextCursor && limit < 200 && <Button onClick={() => setLimit(200)}>{words.older}</Button>}
            </>
          )
        }
      </Reading>
    </div>
  )
}

function DeadItem({ task }: { task: DeadTask }) {
  const { api } = useBanyan()
  const queries = useQueryClient()
  const toast = useToast()
  const { busy, fault, act } = useAct()
  const [asking, setAsking] = useState(false)
  const mend = async () => {
    if (!(await act(() => api.mend(task.action)))) return
    toast(words.done(task.title), { tone: 'good' })
    await queries.invalidateQueries({ queryKey: [ROUTES.dead.path] })
  }
  const putAway = async () => {
    if (!(await act(() => api.mend(task.discard)))) return
    toast(words.discarded(task.title), { tone: 'good' })
    await queries.invalidateQueries({ queryKey: [ROUTES.dead.path] })
  }
  return (
    <li className="dead-item card">
      <div className="dead-head">
        <StatusIcon task={{ status: task.status, reason: task.reason as Reason | null, attempt: 0 }} withWord />
        <Link to={treePath(task.treeId, task.taskId)} className="dead-title">
          {task.title}
        </Link>
        <Button onClick={() => void mend()} disabled={busy}>
          {task.action.label}
        </Button>
        <Button look="quiet" onClick={() => setAsking(true)} disabled={busy}>
          {words.discard}
        </Button>
        <ConfirmDialog
          open={asking}
          setOpen={setAsking}
          title={words.ask}
          yes={words.yes}
          no={words.no}
          look="primary"
          onYes={() => void putAway()}
        >
          {words.meaning}
        </ConfirmDialog>
      </div>
      <p>{(task.reason && words.reasons[task.reason]) || (task.note ? '' : words.noNote)}</p>
      {task.note && <LongText text={task.note} shown={600} />}
      <p className="dim dead-facts">
        {task.agent} · {words.attempts(task.attempts)} · <RelativeTime at={task.at} />
      </p>
      {fault && <Fault>{fault}</Fault>}
    </li>
  )
}
