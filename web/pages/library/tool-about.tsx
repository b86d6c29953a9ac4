/** What a tool is and how its calls went: where it comes from, what it may do, its arguments, its figures and its last errors. */
import { duration } from '../../format.ts'
import { Badge } from '../../ui/badge.tsx'
import { Link } from '../../ui/link.tsx'
import { LongText } from '../../ui/long-text.tsx'
import { Markdown } from '../../ui/markdown.tsx'
import { RelativeTime } from '../../ui/relative-time.tsx'
import { library } from '../../words/library.ts'
import { type DetailOf, entryPath, useEntries } from './entries.ts'
import { MadeAbout } from './made-about.tsx'
import { argsOf } from './schema.ts'

const words = library.tool

export function ToolAbout({ item }: { item: DetailOf['tool'] }) {
  const agents = useEntries('agent').data?.items
  const owners = agents?.filter((agent) => agent.tools.includes(item.name)) ?? []
  return (
    <div className="form-two">
      <div className="stack">
        <p>{item.description}</p>
        {item.inputSchema === null && <p className="field-warning">{words.noFile}</p>}
        <section className="card stack">
          <h2>{words.schema}</h2>
          <Arguments item={item} />
        </section>
        {item.made && <MadeAbout item={item} made={item.made} />}
        {item.words && (
          <section className="card stack">
            <h2>{words.words}</h2>
            <Markdown text={item.words} />
          </section>
        )}
      </div>
      <div className="stack">
        <section className="card stack">
          <dl className="facts-list">
            {item.origin === 'server' ? (
              <Fact name={words.origin}>
                <Link to={`/settings/servers?server=${encodeURIComponent(serverOf(item.name))}`}>{words.server(serverOf(item.name))}</Link>
              </Fact>
            ) : (
              item.inputSchema && <Fact name={words.origin}>{item.made ? library.made.origin : <code>{words.file(item.name)}</code>}</Fact>
            )}
            {item.permission && (
              <Fact name={words.permission}>
                <Badge tone={PERMISSION_TONES[item.permission]}>{item.permission}</Badge> {words.permissions[item.permission]}
              </Fact>
            )}
            {item.inputSchema && <Fact name={words.effect}>{item.effect === null ? words.dependsEffect : words.effects[item.effect]}</Fact>}
            {item.requires === 'web' && <Fact name={words.requires}>{words.requiresWeb}</Fact>}
            <Fact name={words.who}>
              {item.core ? (
                library.byAll
              ) : owners.length === 0 ? (
                library.byAgents(0)
              ) : (
                <span className="owners">
                  {owners.map((agent) => (
                    <Link key={agent.id} to={entryPath('agent', agent.id)}>
                      {agent.name}
                    </Link>
                  ))}
                </span>
              )}
            </Fact>
          </dl>
        </section>
        <Figures stats={item.stats} />
      </div>
    </div>
  )
}
/** The server in `mcp__server__tool`; its name holds no underscore. */
const serverOf = (tool: string): string => tool.split('__')[1] ?? ''
const PERMISSION_TONES = { read: 'good', write: 'wait', exec: 'you', network: 'run', self: 'bad' } as const

function Fact({ name, children }: { name: string; children: React.ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}

function Arguments({ item }: { item: DetailOf['tool'] }) {
  const args = argsOf(item.inputSchema)
  if (args.length === 0) return <p className="dim">{words.noArguments}</p>
  return (
    <>
      <ul className="arguments">
        {args.map((arg) => (
          <li key={arg.name}>
            <p className="argument">
              <code>{arg.name}</code> <span className="facts">{arg.type}</span>{' '}
              <Badge tone={arg.required ? 'you' : 'idle'}>{arg.required ? words.required : words.optional}</Badge>
              {arg.preset !== '' && (
                <span className="facts">
                  {words.preset} <code>{arg.preset}</code>
                </span>
              )}
            </p>
            {arg.about && <p className="dim">{arg.about}</p>}
          </li>
        ))}
      </ul>
      <details>
        <summary>{words.asJson}</summary>
        <LongText text={JSON.stringify(item.inputSchema, null, 2)} />
      </details>
    </>
  )
}

function Figures({ stats }: { stats: DetailOf['tool']['stats'] }) {
  return (
    <section className="card stack">
      <h2>{words.figures}</h2>
      {stats.calls === 0 ? (
        <p className="dim">{words.none}</p>
      ) : (
        <>
          <dl className="figures">
            <div>
              <dd>{stats.calls}</dd>
              <dt>{words.callCount}</dt>
            </div>
            <div className={stats.failures > 0 ? 'tone-bad' : ''}>
              <dd>{stats.failures}</dd>
              <dt>{words.failures}</dt>
            </div>
            {stats.p50Ms !== null && (
              <div>
                <dd>{duration(stats.p50Ms)}</dd>
                <dt>{words.p50}</dt>
              </div>
            )}
            {stats.p95Ms !== null && (
              <div>
                <dd>{duration(stats.p95Ms)}</dd>
                <dt>{words.p95}</dt>
              </div>
            )}
          </dl>
          <p className="facts">{words.figuresHow}</p>
        </>
      )}
      {stats.lastErrors.length > 0 && (
        <>
          <h3>{words.lastErrors}</h3>
          <ul className="errors">
            {stats.lastErrors.map((error) => (
              <li key={`${error.taskId}/${error.callId}`}>
                <p className="facts">
                  <RelativeTime at={error.at} /> · <Link to={`/t/${encodeURIComponent(error.taskId)}`}>{words.task}</Link>
                </p>
                <LongText text={error.text} shown={400} />
              </li>
            ))}
          </ul>
        </>
      )}
    </section>
  )
}
