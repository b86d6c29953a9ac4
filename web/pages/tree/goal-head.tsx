/** The goal as a whole: what it is, how far, what it took of what it may take, why it is held, and what came out. */
import { ChevronDown, ChevronUp, Flag } from 'lucide-react'
import type { ReactNode } from 'react'
import { isOver, titleOf, WATCHING_CAP } from '../../../core/contract/task.ts'
import { useNow } from '../../banyan.ts'
import type { Totals } from '../../data/roll-up.ts'
import type { Goal, TreeStore } from '../../data/tree-store.ts'
import { useNode, useNodePart, useTreePart } from '../../data/use-tree.ts'
import { count, duration } from '../../format.ts'
import { treePath } from '../../route.ts'
import { Link } from '../../ui/link.tsx'
import { LongText } from '../../ui/long-text.tsx'
import { moneyWords } from '../../ui/money.tsx'
import { Popover } from '../../ui/popover.tsx'
import { Status } from '../../ui/status.tsx'
import { tree } from '../../words/tree.ts'
import { usd } from '../../words/words.ts'
import { RaiseBudget } from './raise-budget.tsx'
import { WatchdogSwitch } from './watchdog-switch.tsx'

const words = tree.head

export function GoalHead({ store, goal, result }: { store: TreeStore; goal: Goal; result: ReactNode }) {
  const title = titleOf(goal.goal)
  return (
    <header className="goal-head">
      <h1 title={title}>{title}</h1>
      <div className="goal-facts">
        <Stand store={store} rootId={goal.id} />
        <Spent store={store} rootId={goal.id} />
        <WatchdogSwitch store={store} goal={goal} />
        {goal.model && <span title={words.model}>{goal.model}</span>}
        {goal.mode === 'step' && <span>{words.step}</span>}
        {goal.forkedFrom && (
          <span>
            {words.forked} <Link to={treePath(goal.forkedFrom)}>{goal.forkedFrom}</Link>
          </span>
        )}
      </div>
      <StateBar store={store} rootId={goal.id} />
      {goal.goal.trim() !== title && (
        <details className="whole">
          <summary>{words.whole}</summary>
          <LongText text={goal.goal} />
        </details>
      )}
      {goal.pausedReason !== null && (
        <div className="held" role="status">
          <p>
            <strong>{words.held}:</strong> {goal.pausedReason}
          </p>
          <RaiseBudget treeId={goal.id} />
        </div>
      )}
      {result}
    </header>
  )
}

/** How it stands, in parts that draw with the facts while the rest of the head does not. */
function Stand({ store, rootId }: { store: TreeStore; rootId: string }) {
  const node = useNodePart(store, rootId, (root) => root?.node)
  const over = node === undefined || isOver(node.status)
  const now = useNow(!over)
  if (!node) return null
  return (
    <>
      <Status task={node} />
      <Progress store={store} rootId={rootId} open={!over} />
      <span className="grow" />
      <span title={words.elapsed}>{duration((over ? node.updatedAt : now) - node.createdAt)}</span>
    </>
  )
}

/** In the order in which a person wants to know. */
const GROUPS = [
  ['failed', 'bad', ['failed', 'dead']],
  ['running', 'run', ['assigned', 'active']],
  ['waiting', 'wait', ['waiting']],
  ['held', 'stop', ['paused']],
  ['queued', 'idle', ['pending', 'backlog']],
  ['stopped', 'stop', ['cancelled']],
  ['done', 'good', ['done']],
] as const
/** From what is over to what is to come. */
const ALONG = ['done', 'failed', 'stopped', 'running', 'waiting', 'held', 'queued'] as const

type Tally = { name: (typeof GROUPS)[number][0]; tone: (typeof GROUPS)[number][1]; n: number }
const tallied = (total: Totals): Tally[] =>
  GROUPS.map(([name, tone, statuses]) => ({ name, tone, n: statuses.reduce((sum, status) => sum + total.counts[status], 0) })).filter(
    ({ n }) => n > 0,
  )

/** How many tasks are in each state, in words. Never a part of a whole that nobody knows yet. */
function Progress({ store, rootId, open }: { store: TreeStore; rootId: string; open: boolean }) {
  const total = useNode(store, rootId)?.total
  if (!total) return null
  return (
    <>
      {total.needsYou > 0 && (
        <span className="tally tone-you">
          <Flag aria-hidden="true" /> {words.needYou(total.needsYou)}
        </span>
      )}
      {tallied(total).map(({ name, tone, n }) => (
        <span key={name} className={name === 'failed' || name === 'running' ? `tally tone-${tone}` : ''}>
          {words.states[name](n)}
        </span>
      ))}
      <span title={open ? words.mayGrow : ''}>{words.tasks(total.tasks)}</span>
    </>
  )
}

/** The same as one bar, over the whole width. */
function StateBar({ store, rootId }: { store: TreeStore; rootId: string }) {
  const total = useNode(store, rootId)?.total
  if (!total) return null
  const tallies = tallied(total)
  return (
    <div className="state-bar" aria-hidden="true">
      {ALONG.map((name) => {
        const found = tallies.find((one) => one.name === name)
        return found && <span key={name} className={`tone-${found.tone}`} style={{ flexGrow: found.n }} />
      })}
    </div>
  )
}

/** Money against its limit; the other limits one click away. */
function Spent({ store, rootId }: { store: TreeStore; rootId: string }) {
  const head = useTreePart(store, (tree) => tree.head)
  if (!head) return null
  const { spend, limits } = head
  const parts = [
    ['cost', spend.costMicros / Math.max(1, limits.costMicros), words.spent(moneyWords(spend), usd(limits.costMicros))],
    ['tokens', spend.tokens / limits.tokens, words.tokens(count(spend.tokens), count(limits.tokens))],
    ['turns', spend.turns / limits.turns, words.turns(count(spend.turns), count(limits.turns))],
    ['tasks', head.taskCount / limits.tasks, words.taskCap(count(head.taskCount), count(limits.tasks))],
  ] as const
  const most = parts.reduce((a, b) => (b[1] > a[1] ? b : a))
  return (
    <Popover
      label={words.caps}
      trigger={
        <button type="button" className="quiet small goal-spent" title={words.spentHint}>
          <span className={`budget-bar ${level(most[1])}`} aria-hidden="true">
            <span style={{ width: `${Math.min(100, most[1] * 100)}%` }} />
          </span>
          {parts[0][2]}
          {most[1] >= 0.8 && <span className="hidden">{words.near}</span>}
        </button>
      }
    >
      <p className="empty-title">{words.caps}</p>
      <ul className="caps">
        {parts.map(([name, part, text]) => (
          <li key={name}>
            <span>{text}</span>
            <span className={`budget-bar ${level(part)}`} aria-hidden="true">
              <span style={{ width: `${Math.min(100, part * 100)}%` }} />
            </span>
          </li>
        ))}
      </ul>
      <Watching store={store} rootId={rootId} />
      {spend.unpricedCalls > 0 && <p className="dim">{words.unpricedHint(spend.unpricedCalls)}</p>}
    </Popover>
  )
}

/** How much of the goal's tokens went into looking at its results. */
function Watching({ store, rootId }: { store: TreeStore; rootId: string }) {
  const total = useNode(store, rootId)?.total
  if (!total || total.spend.tokens === 0) return null
  const share = total.watching / total.spend.tokens
  return (
    <p className="dim" title={words.watchingHint}>
      {words.watching(Math.ceil(share * 100), WATCHING_CAP.share * 100)}
    </p>
  )
}
const level = (part: number): string => (part >= 1 ? 'full' : part >= 0.8 ? 'near' : '')

export function FoldButton({ open, set }: { open: boolean; set: (open: boolean) => void }) {
  return (
    <button type="button" className="quiet small" aria-expanded={open} onClick={() => set(!open)}>
      {open ? <ChevronUp aria-hidden="true" /> : <ChevronDown aria-hidden="true" />} {open ? words.hideResult : words.showResult}
    </button>
  )
}
