/** Everything about one task: how it is, what can be done, what it asks, what came out, and how it came to that. */
import { useMemo } from 'react'
import { type CheckedEvidence, isOver, type Spend, type Task, type Verdict } from '../../core/contract/task.ts'
import { useLive, useNow } from '../banyan.ts'
import { isHeldBelow, openReviews } from '../fold.ts'
import { count, counted, duration, money, size } from '../format.ts'
import { treePath } from '../route.ts'
import { Link } from '../ui/link.tsx'
import { Markdown } from '../ui/markdown.tsx'
import { Status } from '../ui/status.tsx'
import { ReviewCard, TAINT_WORDS } from './review-card.tsx'
import { Story } from './story.tsx'
import { TaskControls } from './task-controls.tsx'

export function TaskDetail({ task, total, tasks }: { task: Task; total: Spend; tasks: Readonly<Record<string, Task>> }) {
  const reviews = useLive((state) => state.lists.reviews)
  const asked = useMemo(
    () => openReviews(reviews).filter((review) => review.treeId === task.treeId && (review.taskId === task.id || task.parentId === null)),
    [reviews, task.treeId, task.id, task.parentId],
  )
  const over = isOver(task.status)
  const now = useNow(!over || asked.length > 0)
  const parent = task.parentId === null ? undefined : tasks[task.parentId]
  const after = over ? [] : task.after.filter((id) => tasks[id] && tasks[id].status !== 'done')
  return (
    <article className="task" aria-label={task.title}>
      <header>
        <h2>{task.title}</h2>
        <p className="facts">
          <Status task={task} />
          <span>
            {task.agent}
            {task.kind !== 'work' && ` (${task.kind})`}
          </span>
          <span>{duration((over ? Date.parse(task.updatedAt) : now) - Date.parse(task.createdAt))}</span>
          {task.attempt > 1 && <span>attempt {task.attempt}</span>}
          {parent && (
            <span>
              below <Link to={treePath(task.treeId, parent.id)}>{parent.title}</Link>
            </span>
          )}
        </p>
        {task.taint.length > 0 && (
          <p className="why">
            Has read text from {task.taint.map((one) => TAINT_WORDS[one]).join(' and ')}: what reaches out of its workspace needs you.
          </p>
        )}
        {task.note && <p className={`why ${over ? '' : 'tone-you'}`}>{task.note}</p>}
        {after.length > 0 && (
          <p className="why">
            Waits for{' '}
            {after.map((id, i) => (
              <span key={id}>
                {i > 0 && ', '}
                <Link to={treePath(task.treeId, id)}>{tasks[id]!.title}</Link>
              </span>
            ))}
          </p>
        )}
        {task.wakeAt && !over && Date.parse(task.wakeAt) > now && (
          <p className="why">Goes on in {duration(Date.parse(task.wakeAt) - now)}</p>
        )}
      </header>
      <TaskControls task={task} heldBelow={isHeldBelow(tasks, task.id)} />
      {asked.map((review) => (
        <ReviewCard key={review.id} review={review} now={now} inTree={review.taskId === task.id} />
      ))}
      {task.result !== null && task.result !== '' && (
        <section aria-label="Result">
          <h3>Result</h3>
          <div className="framed">
            <Markdown text={task.result} />
          </div>
        </section>
      )}
      {task.evidence.length > 0 && <Evidence evidence={task.evidence} />}
      {task.verdict && <Judged verdict={task.verdict} />}
      <Spent own={task.spend} total={total} />
      <Story task={task} />
    </article>
  )
}

function Evidence({ evidence }: { evidence: readonly CheckedEvidence[] }) {
  return (
    <section aria-label="Evidence">
      <h3>Evidence</h3>
      <ul className="evidence">
        {evidence.map((one, i) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: the list is written once and never reordered
          <li key={i}>
            <span className={`status tone-${one.ok ? 'good' : 'bad'}`}>
              <span className="shape" role="img" aria-label={one.ok ? 'checked' : 'not as claimed'}>
                {one.ok ? '✓' : '✕'}
              </span>
            </span>{' '}
            {one.kind === 'file' && (
              <>
                file <code>{one.path}</code>
                {one.bytes !== undefined && <span className="dim"> {size(one.bytes)}</span>}
              </>
            )}
            {one.kind === 'command' && (
              <>
                command <code>{one.command}</code> <span className="dim">exit {one.exitCode}</span>
              </>
            )}
            {one.kind === 'link' &&
              (/^https?:\/\//i.test(one.url) ? (
                <a href={one.url} rel="noopener noreferrer" target="_blank">
                  {one.url}
                </a>
              ) : (
                <code>{one.url}</code>
              ))}
            {one.problem && <span className="problem"> {one.problem}</span>}
          </li>
        ))}
      </ul>
    </section>
  )
}

function Judged({ verdict }: { verdict: Verdict }) {
  return (
    <section aria-label="Verdict">
      <h3>Verdict</h3>
      <p>
        <span className={`status tone-${verdict.passed ? 'good' : 'bad'}`}>
          <span className="shape" aria-hidden="true">
            {verdict.passed ? '✓' : '✕'}
          </span>
          <span className="word">{verdict.passed ? 'passed' : 'not passed'}</span>
        </span>
        {verdict.score !== undefined && ` · ${verdict.score} of 100`}
        {verdict.by && <span className="dim"> · by {verdict.by}</span>}
      </p>
      <p className="plain">{verdict.reasons}</p>
    </section>
  )
}

function Spent({ own, total }: { own: Spend; total: Spend }) {
  if (total.turns === 0 && total.tokens === 0) return null
  const line = (spend: Spend) =>
    [counted(spend.turns, 'turn'), spend.tokens > 0 && `${count(spend.tokens)} tokens`, money(spend)].filter(Boolean).join(' · ')
  return (
    <p className="facts spent">
      <span>Own: {line(own)}</span>
      {total.turns !== own.turns && <span>With everything below: {line(total)}</span>}
    </p>
  )
}
