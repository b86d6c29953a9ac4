/** Everything that a person needs to decide one item. The agent's own words stand apart and are marked as its own. */
import type { WaitingReview } from '../../../core/contract/live.ts'
import type { PlanItem } from '../../../core/contract/plan.ts'
import type { Review } from '../../../core/contract/review.ts'
import { useLive } from '../../banyan.ts'
import { useGoalWords } from '../../data/use-home.ts'
import { preview } from '../../format.ts'
import { treePath } from '../../route.ts'
import { Badge } from '../../ui/badge.tsx'
import { CopyButton } from '../../ui/copy-button.tsx'
import { Data } from '../../ui/data.tsx'
import { DiffView } from '../../ui/diff-view.tsx'
import { LineDiff } from '../../ui/line-diff.tsx'
import { Link } from '../../ui/link.tsx'
import { LongText } from '../../ui/long-text.tsx'
import { RelativeTime } from '../../ui/relative-time.tsx'
import { reviews as words } from '../../words/reviews.ts'
import { dayAndTime, usd, wholeNumber } from '../../words/words.ts'
import { planPath } from '../composer/started.ts'
import { AgentWords } from './agent-words.tsx'
import type { Place } from './decision.tsx'
import { type Budget, type Effect, riskWords, undoWords } from './effect.ts'
import { KindIcon, RiskBadge } from './marks.tsx'
import { firstLine, shortTitle } from './queue.ts'
import { SelfChangeItem } from './self-change.tsx'

const { item: say } = words

export function ItemHead({ review, effect, place }: { review: Review; effect: Effect; place: Place }) {
  const goal = useGoalWords(review.treeId)
  return (
    <header className="review-head">
      <div className="review-marks">
        <span className="review-kind">
          <KindIcon kind={review.kind} /> {words.kinds[review.kind]}
        </span>
        <RiskBadge risk={review.risk} />
        {review.taint.length > 0 && <Badge tone="bad">{say.tainted}</Badge>}
        {review.escalatedAt !== null && <Badge tone="bad">{say.overdue}</Badge>}
        <span className="dim">
          <RelativeTime at={review.createdAt} />
        </span>
        <span className="grow" />
        <CopyButton text={`${location.origin}/reviews/${encodeURIComponent(review.id)}`} label={say.permalink} />
      </div>
      <h2 tabIndex={-1} className="review-title">
        {review.kind === 'in_doubt' && effect.command !== null ? say.cutOff : shortTitle(review.title, effect.command)}
      </h2>
      {place !== 'task' && (
        <p className="dim review-goal">
          {say.goal}: <Link to={treePath(review.treeId, review.taskId)}>{goal ? preview(firstLine(goal), 90) : review.treeId}</Link>
        </p>
      )}
    </header>
  )
}

/** What would happen, drawn from data. `named`: a landmark of its own; where several items stand on a page only their own names are. */
export function WhatHappens({ review, effect, named, keys }: { review: Review; effect: Effect; named: boolean; keys: boolean }) {
  const { command, grave, rows, files, plan, budget, server, change, said, rest } = effect
  return (
    <section className="review-what" aria-label={named ? (review.kind === 'question' ? say.asked : say.asks) : undefined}>
      {command !== null && <Command command={command} grave={grave} />}
      {rows.length > 0 && (
        <dl className="review-rows">
          {rows.map((row) => (
            <div key={row.name} className={row.warn ? 'warn' : undefined}>
              <dt>{row.name}</dt>
              <dd>{row.code ? <code>{row.value}</code> : row.value}</dd>
            </div>
          ))}
        </dl>
      )}
      {files.map((file) => file.note && <p key={`${file.path} note`} className="dim">{`${file.path}: ${file.note}`}</p>)}
      {files.length > 0 && <DiffView files={files} />}
      {plan !== null && (
        <>
          <h3>{say.plan}</h3>
          <Plan items={plan} />
          <p>
            <Link to={planPath(review.treeId)}>{say.planPage}</Link>
          </p>
        </>
      )}
      {budget !== null && <BudgetTable budget={budget} />}
      {server !== null && <ServerTools server={server} />}
      {change !== null && <SelfChangeItem review={review} change={change} keys={keys} />}
      {said !== null && <AgentWords text={said} />}
      {rest !== null && (
        <details className="review-rest" open={command === null && rows.length < 2 && said === null && files.length === 0}>
          <summary>{say.data}</summary>
          <Data value={rest} />
        </details>
      )}
    </section>
  )
}

/** What a server offers in place of what was approved. Its words are text, whatever they ask for. */
function ServerTools({ server }: { server: NonNullable<Effect['server']> }) {
  return (
    <div className="stack">
      <p>
        {say.serverTools} <Link to={`/settings/servers?server=${encodeURIComponent(server.name)}`}>{say.serverPage(server.name)}</Link>
      </p>
      {server.changes.map((one) => (
        <section key={one.tool} className="stack" aria-label={one.tool}>
          <h3>
            <code>{one.tool}</code> <Badge tone={one.state === 'gone' ? 'stop' : 'you'}>{say.serverStates[one.state] ?? one.state}</Badge>
          </h3>
          {one.problem !== null && <p className="field-warning">{one.problem}</p>}
          {one.diff !== null ? <LineDiff text={one.diff} label={say.serverDiff(one.tool)} /> : <LongText text={one.description} />}
        </section>
      ))}
    </div>
  )
}

function Command({ command, grave }: { command: string; grave: string | null }) {
  const long = command.length > 4_000
  return (
    <div className="review-command">
      {long ? <LongText text={command} /> : <pre>{grave === null ? command : marked(command, grave)}</pre>}
      <CopyButton text={command} />
    </div>
  )
}
/** The words of the grave part as they stand in the command; one that is not found word for word is named beside the risk only. */
function marked(command: string, grave: string) {
  const pattern = grave
    .split(/\s+/)
    .map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
    .join('(\\s+)(?:-\\S+\\s+)*')
  const found = new RegExp(`(?<![\\w-])${pattern}(?![\\w-])`).exec(command)
  if (!found) return command
  return (
    <>
      {command.slice(0, found.index)}
      <mark title={say.grave}>{found[0]}</mark>
      {command.slice(found.index + found[0].length)}
    </>
  )
}

function Plan({ items }: { items: readonly PlanItem[] }) {
  const names = new Map(items.map((one) => [one.id, one.title]))
  return (
    <ol className="review-plan">
      {items.map((one) => (
        <li key={one.id}>
          <p>
            <strong>{one.title}</strong> {one.agent && <code>{one.agent}</code>} {one.askMe && <Badge tone="you">{say.asksFirst}</Badge>}
            {one.after.length > 0 && <span className="dim"> {say.after(one.after.map((id) => names.get(id) ?? id).join(', '))}</span>}
          </p>
          {one.instruction !== one.title && <p className="plain dim">{preview(one.instruction, 400)}</p>}
          {one.children.length > 0 && <Plan items={one.children} />}
        </li>
      ))}
    </ol>
  )
}

const amount = (limit: string, value: number): string => (/micros$/i.test(limit) ? usd(value) : wholeNumber(value))
function BudgetTable({ budget }: { budget: Budget }) {
  const { limit, used, cap, limits, raised, day } = budget
  const part = cap > 0 ? Math.min(1, used / cap) : 1
  const name = (limit: string) => words.limits[limit] ?? limit
  const rows = Object.entries(limits).map(([key, now]) => ({ key, now, raisedTo: raised[key] ?? now }))
  const same = rows.filter((row) => row.now === row.raisedTo)
  return (
    <div className="review-budget">
      <p>
        <strong>{name(limit)}</strong>: {amount(limit, used)} / {amount(limit, cap)}
      </p>
      <meter min={0} max={1} high={0.8} optimum={0} value={part} aria-label={`${name(limit)}: ${say.used}`} />
      <table>
        <thead>
          <tr>
            <th scope="col">{say.cap}</th>
            <th scope="col">{say.now}</th>
            <th scope="col">{say.raised}</th>
          </tr>
        </thead>
        <tbody>
          {day !== null && (
            <tr className="changes">
              <th scope="row">{name('dailyMicros')}</th>
              <td>{usd(cap)}</td>
              <td>{usd(day)}</td>
            </tr>
          )}
          {rows
            .filter((row) => row.now !== row.raisedTo)
            .map(({ key, now, raisedTo }) => (
              <tr key={key} className="changes">
                <th scope="row">{name(key)}</th>
                <td>{amount(key, now)}</td>
                <td>{amount(key, raisedTo)}</td>
              </tr>
            ))}
        </tbody>
      </table>
      {same.length > 0 && (
        <details>
          <summary>{say.sameLimits(same.length)}</summary>
          <dl className="review-rows">
            {same.map(({ key, now }) => (
              <div key={key}>
                <dt>{name(key)}</dt>
                <dd>{amount(key, now)}</dd>
              </div>
            ))}
          </dl>
        </details>
      )}
    </div>
  )
}

/** Why it is asked, what is at stake, who waits. */
export function Facts({ review, effect }: { review: Review | WaitingReview; effect: Effect }) {
  const expiry = useLive((state) => state.system?.reviewExpiry)
  const waiting = 'waiting' in review ? review.waiting : []
  const risk = riskWords(review, effect)
  return (
    <dl className="review-facts">
      <div>
        <dt>{say.why}</dt>
        <dd>{review.reason ? sentenceOf(review.reason) : effect.server !== null ? say.serverWhy : say.whyOf[review.kind]}</dd>
      </div>
      {review.taint.length > 0 && (
        <div className="warn">
          <dt>{say.taint}</dt>
          <dd>{review.taint.map((one) => words.taints[one]).join(', ')}</dd>
        </div>
      )}
      <div>
        <dt>{say.risk}</dt>
        <dd>
          <strong>{words.risks[review.risk]}</strong> {risk.join(' ')}
        </dd>
      </div>
      <div>
        <dt>{say.reversible}</dt>
        <dd>{undoWords(review, effect)}</dd>
      </div>
      {review.state !== 'decided' && (
        <>
          <div>
            <dt>{say.waiting}</dt>
            <dd>
              {waiting.length === 0
                ? say.waitingNone
                : waiting.map((one, i) => (
                    <span key={one.id}>
                      {i > 0 && ' › '}
                      <Link to={treePath(review.treeId, one.id)}>{preview(one.title, 60)}</Link>
                    </span>
                  ))}
            </dd>
          </div>
          <div>
            <dt>{say.due}</dt>
            <dd>
              {review.expiresAt === null ? (
                say.noDue
              ) : (
                <>
                  <RelativeTime at={review.expiresAt} />; {say.expiry[expiry ?? 'park']}.
                </>
              )}
            </dd>
          </div>
        </>
      )}
      {review.snoozedUntil !== null && review.state === 'snoozed' && (
        <div>
          <dt>{say.snoozed}</dt>
          <dd>{dayAndTime(review.snoozedUntil)}</dd>
        </div>
      )}
    </dl>
  )
}
const sentenceOf = (reason: string): string => `${reason.charAt(0).toUpperCase()}${reason.slice(1)}${/[.!?]$/.test(reason) ? '' : '.'}`
