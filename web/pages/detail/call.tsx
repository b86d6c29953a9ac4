/** One tool call: what it was given and answered, what it used, and who let it. */
import { Download, RotateCcw } from 'lucide-react'
import { type ReactNode, useState } from 'react'
import { readCommand } from '../../../core/contract/answers.ts'
import { ROUTES } from '../../../core/contract/api.ts'
import type { CallDetail } from '../../../core/contract/api-look.ts'
import type { Event } from '../../../core/contract/event.ts'
import { pathOf } from '../../api.ts'
import { useNow } from '../../banyan.ts'
import type { TaskState } from '../../data/data.ts'
import { duration, size } from '../../format.ts'
import { useRead } from '../../read.ts'
import { AnsiText } from '../../ui/ansi-text.tsx'
import { Badge } from '../../ui/badge.tsx'
import { Button } from '../../ui/button.tsx'
import { EmptyState } from '../../ui/empty-state.tsx'
import { ErrorState } from '../../ui/error-state.tsx'
import { Select } from '../../ui/select.tsx'
import { Skeleton } from '../../ui/skeleton.tsx'
import { detail } from '../../words/detail.ts'
import { dayAndTime } from '../../words/words.ts'
import type { DetailAddress } from './address.ts'
import { shortOf } from './entry-row.tsx'
import { JsonTree } from './json-tree.tsx'
import { TryCall } from './try-call.tsx'
import type { History } from './use-history.ts'

const words = detail.call
/** Calls that can be chosen from: the newest. */
const CHOICE = 300

export function Call(props: { taskId: string; state: TaskState; history: History; address: DetailAddress }) {
  const { taskId, history, address } = props
  const calls = [...history.messages.values()]
    .sort((a, b) => a.n - b.n)
    .flatMap((message) => (message.role === 'assistant' ? message.calls : []))
    .slice(-CHOICE)
  const chosen = address.search.call ?? (calls.length > 0 ? shortOf(calls.at(-1)!.id) : undefined)
  if (chosen === undefined) return <EmptyState title={words.none}>{words.noneHow}</EmptyState>
  const options = calls.map((call) => ({ value: shortOf(call.id), label: `${shortOf(call.id)} · ${call.tool}` }))
  if (!options.some((one) => one.value === chosen)) options.unshift({ value: chosen, label: chosen })
  return (
    <section className="stack" aria-label={words.label}>
      {options.length > 1 && (
        <Select label={words.choose} value={chosen} options={options.reverse()} choose={(call) => address.set({ call })} />
      )}
      <OneCall key={chosen} taskId={taskId} callId={chosen} facts={history.facts} />
    </section>
  )
}

function OneCall({ taskId, callId, facts }: { taskId: string; callId: string; facts: readonly Event[] }) {
  const [full, setFull] = useState(false)
  const [trying, setTrying] = useState(false)
  const params = { id: taskId, callId }
  const { data: call, error, refetch } = useRead(ROUTES.call, { params, query: full ? { full: '1' } : {} }, { follow: true })
  if (error) return <ErrorState title={words.gone} cause={error.message} retry={() => void refetch()} />
  if (!call) return <Skeleton lines={6} label={detail.reading} />
  const command = call.output && !call.output.cut ? readCommand(call.output.text) : null
  const raw = pathOf(ROUTES.call.path, params, { raw: '1' })
  const input = parsed(call.input.json)
  const used = facts.find((fact) => fact.type === 'network.used' && fact.callId === call.id)
  return (
    <div className="stack">
      <Facts call={call} facts={facts} />
      <Part
        title={words.arguments}
        act={
          <Button small onClick={() => setTrying(true)}>
            <RotateCcw aria-hidden="true" /> {words.again}
          </Button>
        }
      >
        {input === undefined ? <pre className="text">{call.input.json}</pre> : <JsonTree value={input} />}
        {call.input.cut && <p className="dim">{words.cut(size(call.input.json.length), size(call.input.bytes))}</p>}
      </Part>
      {used?.type === 'network.used' && used.use.total > 0 && <Connections use={used.use} />}
      <Part
        title={words.answer}
        act={
          call.output && call.output.bytes > 0 ? (
            <a className="button" href={raw} download>
              <Download aria-hidden="true" /> {words.download} ({size(call.output.bytes)})
            </a>
          ) : null
        }
      >
        {!call.output && <p className="dim">{call.state === 'ended' ? words.neverAnswered : words.noAnswer}</p>}
        {call.output && command && (
          <>
            <h4>{words.stdout}</h4>
            {command.stdout === '' ? <p className="dim">{words.empty}</p> : <AnsiText text={command.stdout} />}
            {command.stderr !== '' && (
              <>
                <h4>{words.stderr}</h4>
                <AnsiText text={command.stderr} />
              </>
            )}
          </>
        )}
        {call.output && !command && (call.output.text === '' ? <p className="dim">{words.empty}</p> : <AnsiText text={call.output.text} />)}
        {call.output?.cut && (
          <p className="dim">
            {words.cut(size(call.output.text.length), size(call.output.bytes))}{' '}
            {call.output.bytes <= 2_000_000 && (
              <button type="button" className="quiet small" onClick={() => setFull(true)}>
                {words.whole}
              </button>
            )}
          </p>
        )}
      </Part>
      {trying && <TryCall tool={call.tool} input={input ?? {}} close={() => setTrying(false)} />}
    </div>
  )
}

function Facts({ call, facts }: { call: CallDetail; facts: readonly Event[] }) {
  const going = call.endedAt === null && call.begunAt !== null
  const now = useNow(going)
  const policy = facts.findLast((fact) => fact.type === 'policy.decided' && fact.callId === call.id)
  const head = call.output ? headOf(call.output.text) : {}
  const took = call.begunAt ? (call.endedAt ? Date.parse(call.endedAt) : now) - Date.parse(call.begunAt) : null
  const state = call.ok === null ? (call.state === 'ended' ? 'stop' : 'run') : call.ok ? 'good' : 'bad'
  const rows: [string, ReactNode][] = [
    [words.tool, <code key="tool">{call.tool}</code>],
    [
      words.state,
      <Badge key="state" tone={state}>
        {detail.timeline.callState[state]}
      </Badge>,
    ],
    [words.began, call.begunAt && dayAndTime(call.begunAt)],
    [words.duration, took !== null && duration(took)],
    [words.attempts, call.attempts > 1 && String(call.attempts)],
    [words.waits, call.waits],
    [words.effect, call.effect],
    [words.exit, head['exit code']],
    [words.isolation, head.isolation],
    [words.time, head.time],
    [words.network, head.network],
    [
      words.policy,
      policy?.type === 'policy.decided'
        ? [
            detail.fact.policy[policy.verdict as 'ask'](policy.tool),
            policy.reason,
            policy.rule === null ? detail.fact.noRule : detail.fact.rule(policy.rule),
            call.approved && words.approved,
          ]
            .filter(Boolean)
            .join(' · ')
        : call.approved
          ? words.approved
          : words.allowed,
    ],
  ]
  return (
    <dl className="fact-list">
      {rows.map(([name, value]) =>
        value ? (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ) : null,
      )}
    </dl>
  )
}

/** The lines with which the answer of a command begins; a program's own output comes after them and cannot be one. */
function headOf(text: string): Record<string, string> {
  const head: Record<string, string> = {}
  if (!text.startsWith('exit code: ')) return head
  for (const line of text.slice(0, 4_000).split('\n')) {
    const found = /^(exit code|isolation|time|network): (.*)$/.exec(line)
    if (!found) break
    head[found[1]!] = found[2]!
  }
  return head
}

function Connections({ use }: { use: Extract<Event, { type: 'network.used' }>['use'] }) {
  return (
    <Part title={words.network}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard */}
      <div className="table-scroll" tabIndex={0}>
        <table>
          <thead>
            <tr>
              <th scope="col">{words.connection.host}</th>
              <th scope="col">{words.connection.verdict}</th>
              <th scope="col">{words.connection.sent}</th>
              <th scope="col">{words.connection.received}</th>
            </tr>
          </thead>
          <tbody>
            {use.connections.map((one, i) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: connections have no name and are told once
              <tr key={i}>
                <td>
                  <code>{`${one.host}:${one.port}`}</code>
                </td>
                <td>
                  {words.connection.verdicts[one.verdict]}
                  {one.why && <span className="dim"> {one.why}</span>}
                </td>
                <td>{size(one.up)}</td>
                <td>{size(one.down)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Part>
  )
}

export function Part({ title, act, children }: { title: string; act?: ReactNode; children: ReactNode }) {
  return (
    <section className="detail-part" aria-label={title}>
      <div className="part-head">
        <h3>{title}</h3>
        {act}
      </div>
      {children}
    </section>
  )
}

/** undefined: cut, so it cannot be read. */
function parsed(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    return undefined // the preview ends in the middle of it
  }
}
