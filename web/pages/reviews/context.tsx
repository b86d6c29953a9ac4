/** Beside an item: where its task is in the goal, what the agent said before it asked, and how alike ones were decided. */
import { useEffect, useState } from 'react'
import { ROUTES } from '../../../core/contract/api.ts'
import type { WaitingReview } from '../../../core/contract/live.ts'
import { useTask } from '../../data/use-task.ts'
import { useTree } from '../../data/use-tree.ts'
import { preview } from '../../format.ts'
import { useRead } from '../../read.ts'
import { treePath } from '../../route.ts'
import { Button } from '../../ui/button.tsx'
import { Link } from '../../ui/link.tsx'
import { Money } from '../../ui/money.tsx'
import { RelativeTime } from '../../ui/relative-time.tsx'
import { Skeleton } from '../../ui/skeleton.tsx'
import { StatusIcon } from '../../ui/status-icon.tsx'
import { reviews as words } from '../../words/reviews.ts'
import { AgentWords } from './agent-words.tsx'
import { DecidedMark } from './outcome.tsx'
import { reviewPath } from './queue.ts'

/** Who walks through the queue by key must not make the server read a tree for each item that flies by. */
const SETTLE_MS = 300

export function Context({ review, selectAlike, alike }: { review: WaitingReview; alike: number; selectAlike: () => void }) {
  const settled = useSettled(review.id)
  return (
    <aside className="review-context" aria-label={words.item.tree}>
      <section>
        <h3>{words.item.tree}</h3>
        {settled ? (
          <Path key={review.treeId} treeId={review.treeId} taskId={review.taskId} />
        ) : (
          <Skeleton lines={3} label={words.item.tree} />
        )}
      </section>
      {settled && review.callId !== null && <Before taskId={review.taskId} callId={review.callId} />}
      {alike > 0 && (
        <section>
          <p>{words.batch.alike(alike)}.</p>
          <Button small onClick={selectAlike}>
            {words.batch.selectAlike}
          </Button>
        </section>
      )}
      {settled && review.signature !== null && <Similar id={review.id} signature={review.signature} />}
    </aside>
  )
}

function useSettled(id: string): boolean {
  const [settled, setSettled] = useState<string | null>(null)
  useEffect(() => {
    const timer = setTimeout(() => setSettled(id), SETTLE_MS)
    return () => clearTimeout(timer)
  }, [id])
  return settled === id
}

function Path({ treeId, taskId }: { treeId: string; taskId: string }) {
  const { store, state, fault, head } = useTree(treeId)
  if (state === 'loading') return <Skeleton lines={3} label={words.item.tree} />
  if (fault) return <p className="dim">{fault}</p>
  const path = store.path(taskId)
  return (
    <>
      <ol className="review-path">
        {path.map((id, level) => {
          const view = store.view(id)
          if (!view) return null
          return (
            <li key={id} className={id === taskId ? 'is-here' : undefined} data-level={Math.min(level, 6)}>
              <StatusIcon task={view.node} />
              <Link to={treePath(treeId, id)}>{preview(view.node.title, 70)}</Link>
              <span className="dim">
                {view.node.agent} <Money spend={view.total.spend} />
              </span>
            </li>
          )
        })}
      </ol>
      {head && (
        <p className="dim">
          {words.item.spent}: {head.spend.turns === 0 ? words.item.nothing : <Money spend={head.spend} />} ·{' '}
          {words.item.calls(head.spend.turns)}
        </p>
      )}
    </>
  )
}

/** What the agent wrote in the message that holds the call. */
function Before({ taskId, callId }: { taskId: string; callId: string }) {
  const { messages } = useTask(taskId)
  const said = messages.find((one) => one.role === 'assistant' && one.calls.some((call) => call.id === callId))
  if (said?.role !== 'assistant' || said.text.trim() === '') return null
  return <AgentWords text={said.text} by={said.model} />
}

function Similar({ id, signature }: { id: string; signature: string }) {
  const { data } = useRead(ROUTES.reviews, { query: { signature, order: 'decided', state: 'decided', limit: '6' } })
  const others = (data?.items ?? []).filter((one) => one.id !== id).slice(0, 5)
  return (
    <section>
      <h3>{words.item.similar}</h3>
      {others.length === 0 ? (
        <p className="dim">{words.item.similarNone}</p>
      ) : (
        <ul className="review-similar">
          {others.map((one) => (
            <li key={one.id}>
              <Link to={reviewPath(one.id, { tab: 'done' })}>
                {one.decision && <DecidedMark decision={one.decision} />}
                <span className="dim">
                  {' '}
                  {one.decidedBy} {one.decidedAt && <RelativeTime at={one.decidedAt} />}
                </span>
              </Link>
              {one.comment && <p className="dim">“{preview(one.comment, 90)}”</p>}
            </li>
          ))}
        </ul>
      )}
    </section>
  )
}
