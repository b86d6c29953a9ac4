/** Exactly what a turn was sent beside its history, with sizes; and what differs from an earlier turn's. */
import { ROUTES } from '../../../core/contract/api.ts'
import { count } from '../../format.ts'
import { useRead } from '../../read.ts'
import { CopyButton } from '../../ui/copy-button.tsx'
import { DiffView } from '../../ui/diff-view.tsx'
import { EmptyState } from '../../ui/empty-state.tsx'
import { ErrorState } from '../../ui/error-state.tsx'
import { Field } from '../../ui/field.tsx'
import { LongText } from '../../ui/long-text.tsx'
import { Select } from '../../ui/select.tsx'
import { Skeleton } from '../../ui/skeleton.tsx'
import { detail } from '../../words/detail.ts'
import { dayAndTime } from '../../words/words.ts'
import type { DetailAddress } from './address.ts'
import { Part } from './call.tsx'
import type { History } from './use-history.ts'

const words = detail.context
/** Letters of a token, roughly. */
const LETTERS = 4

const tokens = (text: string) => (
  <span className="dim" title={words.aboutHint}>
    {words.about(count(Math.ceil(text.length / LETTERS)))}
  </span>
)

export function Context({ taskId, history, address }: { taskId: string; history: History; address: DetailAddress }) {
  const { n, m } = address.search
  const { data, error, refetch } = useRead(ROUTES.sentContext, { params: { id: taskId }, query: n ? { n } : {} })
  const turns = [...history.messages.values()].filter((message) => message.role === 'system').sort((a, b) => b.n - a.n)
  if (error?.status === 404) return <EmptyState title={words.none}>{words.noneHow}</EmptyState>
  if (error) return <ErrorState title={words.failed} cause={error.message} retry={() => void refetch()} />
  if (!data) return <Skeleton lines={8} label={detail.reading} />
  const options = turns.map((turn) => ({ value: String(turn.n), label: words.which(turn.n, dayAndTime(turn.at)) }))
  return (
    <section className="stack" aria-label={detail.tab.context}>
      {options.length > 1 && (
        <div className="field-line">
          <Field label={words.turn}>
            {(id) => <Select id={id} value={String(data.n)} options={options} choose={(value) => address.set({ n: value })} />}
          </Field>
          <Field label={words.compare}>
            {(id) => (
              <Select
                id={id}
                value={m ?? 'none'}
                options={[{ value: 'none', label: words.nothing }, ...options.filter((one) => one.value !== String(data.n))]}
                choose={(value) => address.set({ m: value === 'none' ? '' : value })}
              />
            )}
          </Field>
        </div>
      )}
      <p className="facts">
        <span>
          {words.agent} <strong>{data.agent}</strong> <span className="dim">{words.version(data.agentVersion)}</span>
        </span>
        <span className="dim">{words.which(data.n, dayAndTime(data.at))}</span>
        {tokens(data.prompt)}
      </p>
      {m && <Compared taskId={taskId} n={m} prompt={data.prompt} />}
      <Part title={words.instruction} act={tokens(data.instruction)}>
        <LongText text={data.instruction} />
      </Part>
      <Part title={words.prompt} act={<CopyButton text={data.prompt} />}>
        <LongText text={data.prompt} shown={6_000} />
      </Part>
      <Part title={words.documents(data.documents.length)}>
        {data.documents.length === 0 && <p className="dim">{words.noDocuments}</p>}
        {data.documents.map((one) => (
          <details key={one.name} className="change">
            <summary>
              <span className="grow">{one.name}</span> <span className="dim">{words.version(one.version)}</span>{' '}
              {one.text !== null && tokens(one.text)}
            </summary>
            {one.text === null ? <p className="dim">{words.gone}</p> : <LongText text={one.text} />}
          </details>
        ))}
      </Part>
      <Part title={words.tools(data.tools.length)}>
        {data.tools.length === 0 && <p className="dim">{words.noTools}</p>}
        <ul className="change-list">
          {data.tools.map((tool) => (
            <li key={tool.name}>
              <span>
                <code>{tool.name}</code> <span className="dim">{words.version(tool.version)}</span> {tool.description}
              </span>
            </li>
          ))}
        </ul>
      </Part>
    </section>
  )
}

function Compared({ taskId, n, prompt }: { taskId: string; n: string; prompt: string }) {
  const { data, error } = useRead(ROUTES.sentContext, { params: { id: taskId }, query: { n } })
  if (error) return <ErrorState title={words.failed} cause={error.message} />
  if (!data) return <Skeleton lines={3} label={detail.reading} />
  return (
    <Part title={words.differs}>
      {data.prompt === prompt ? (
        <p className="dim">{words.same}</p>
      ) : (
        <DiffView files={[{ path: words.prompt, before: data.prompt, after: prompt }]} />
      )}
    </Part>
  )
}
