/** The versions of one entry beside each other: who and what made each, how it did, and the way back with one press. */
import { ROUTES } from '../../../core/contract/api.ts'
import type { Score, Scores } from '../../../core/contract/api-scores.ts'
import { duration } from '../../format.ts'
import { useRead } from '../../read.ts'
import { Badge } from '../../ui/badge.tsx'
import { Button } from '../../ui/button.tsx'
import { Link } from '../../ui/link.tsx'
import { moneyWords } from '../../ui/money.tsx'
import { Rate } from '../../ui/rate.tsx'
import { Reading } from '../../ui/reading.tsx'
import { scores as words } from '../../words/scores.ts'
import { Author } from './author.tsx'
import type { Kind } from './entries.ts'

type Version = Scores['versions'][number]
type Props = {
  kind: Kind
  id: string
  newest: number
  busy: boolean
  pathOf: (version: number) => string
  restore: (version: number) => void
}

export function VersionScores(props: Props) {
  const read = useRead(ROUTES.scores, { query: { [props.kind]: props.id } }, { follow: true, keep: true })
  return (
    <section className="card stack version-scores" aria-labelledby="version-scores">
      <h2 id="version-scores">{words.title}</h2>
      <Reading read={read} label={words.reading} failed={words.failed} lines={3}>
        {({ days, items, versions }) => (
          <>
            <p className="dim">{words.about(days, props.kind)}</p>
            <Table {...props} items={items} versions={versions} />
            <Wrong items={items} />
          </>
        )}
      </Reading>
    </section>
  )
}

function Table({
  kind,
  items,
  versions,
  newest,
  busy,
  pathOf,
  restore,
}: Props & { items: readonly Score[]; versions: readonly Version[] }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keys
    <section className="score-scroll" tabIndex={0} aria-label={words.table}>
      <table className="score-table">
        <thead>
          <tr>
            <th scope="col">{words.version}</th>
            <th scope="col">{words.madeBy}</th>
            <th scope="col">{words.success}</th>
            {kind !== 'tool' && <th scope="col">{words.score}</th>}
            {kind !== 'tool' && <th scope="col">{words.cost}</th>}
            <th scope="col">{words.time}</th>
            <th scope="col">
              <span className="hidden">{words.act}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {versions.map((version) => {
            const score = items.find((one) => one.version === version.version)
            return (
              <tr key={version.version} aria-current={version.version === newest ? 'true' : undefined}>
                <th scope="row">
                  <Link to={pathOf(version.version)}>{version.version}</Link>{' '}
                  {version.version === newest && <Badge tone="good">{words.current}</Badge>}
                </th>
                <td>
                  <Author name={version.author} /> <Made cause={version.cause} />
                </td>
                <td>
                  <Rate score={score} />
                </td>
                {kind !== 'tool' && <td>{score?.score != null && words.points(score.score, score.scored)}</td>}
                {kind !== 'tool' && <td className="money">{score && costOf(score)}</td>}
                <td>{score?.p50Ms != null && score.p95Ms != null && words.times(duration(score.p50Ms), duration(score.p95Ms))}</td>
                <td>
                  {version.version !== newest && (
                    <Button small disabled={busy} onClick={() => restore(version.version)} title={words.restoreOf(version.version)}>
                      {words.restore}
                    </Button>
                  )}
                </td>
              </tr>
            )
          })}
        </tbody>
      </table>
    </section>
  )
}

function Made({ cause }: Pick<Version, 'cause'>) {
  if (cause === null) return null
  if (cause.kind === 'restore') return <span className="dim">{words.causes.restore(cause.version)}</span>
  if (cause.kind === 'task') return <Link to={`/t/${encodeURIComponent(cause.taskId)}`}>{words.causes.task}</Link>
  return <Link to={`/evolution#${encodeURIComponent(cause.lesson)}`}>{words.causes.lesson}</Link>
}

/** Of one task, on average: versions did not do equally many. */
const costOf = ({ costMicros, unpricedCalls, n }: Score): string =>
  costMicros === 0 && unpricedCalls === 0 ? '' : moneyWords({ costMicros: Math.round(costMicros / Math.max(1, n)), unpricedCalls })

function Wrong({ items }: { items: readonly Score[] }) {
  const wrong = items.filter((item) => item.errors.length > 0)
  if (wrong.length === 0) return null
  return (
    <details>
      <summary>{words.wrong}</summary>
      {wrong.map((item) => (
        <section key={item.version} className="stack">
          <h3>{words.wrongWith(item.version ?? 0)}</h3>
          <ul className="errors">
            {item.errors.map((error) => (
              <li key={error.pattern}>
                {words.often(error.times)} <code>{error.pattern}</code>{' '}
                <Link to={`/t/${encodeURIComponent(error.taskId)}`}>{words.task}</Link>
              </li>
            ))}
          </ul>
        </section>
      ))}
    </details>
  )
}
