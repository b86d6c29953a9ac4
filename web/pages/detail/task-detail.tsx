/** What the details of a task show until each has a tab of its own: what it asks, what came out, and how it came to that. */
import { useEffect, useMemo } from 'react'
import { useBanyan, useLive, useNow } from '../../banyan.ts'
import { useTask } from '../../data/use-task.ts'
import { openReviews } from '../../fold.ts'
import { ReviewCard } from '../../parts/review-card.tsx'
import { Story } from '../../parts/story.tsx'
import { Markdown } from '../../ui/markdown.tsx'
import { Skeleton } from '../../ui/skeleton.tsx'
import { Status } from '../../ui/status.tsx'
import { kit } from '../../words/kit.ts'
import { tree } from '../../words/tree.ts'

export function TaskDetail({ treeId, taskId }: { treeId: string; taskId: string }) {
  const { live } = useBanyan()
  const { task } = useTask(taskId)
  const reviews = useLive((state) => state.lists.reviews)
  const asked = useMemo(() => openReviews(reviews).filter((review) => review.taskId === taskId), [reviews, taskId])
  const now = useNow()
  useEffect(() => {
    live.open(treeId)
    return () => live.open(null)
  }, [live, treeId])
  if (!task) return <Skeleton lines={6} label={kit.loading} />
  return (
    <article className="task" aria-label={task.title}>
      <h2>{task.title}</h2>
      <p className="facts">
        <Status task={task} />
        <span>{task.agent}</span>
      </p>
      {task.note && <p className="why">{task.note}</p>}
      {asked.map((review) => (
        <ReviewCard key={review.id} review={review} now={now} inTree />
      ))}
      {task.result && (
        <section aria-label={tree.head.result}>
          <h3>{tree.head.result}</h3>
          <div className="framed">
            <Markdown text={task.result} />
          </div>
        </section>
      )}
      <Story task={task} />
    </article>
  )
}
