/** One line of the timeline. */
import {
  Bot,
  ChevronRight,
  Ellipsis,
  FileText,
  Flag,
  Globe,
  KeyRound,
  type LucideIcon,
  MessageSquare,
  Route,
  Scissors,
  TriangleAlert,
  Wrench,
} from 'lucide-react'
import { memo, type ReactNode, useState } from 'react'
import { ROUTES } from '../../../core/contract/api.ts'
import type { MessagePreview } from '../../../core/contract/live.ts'
import { tokensOf } from '../../../core/contract/task.ts'
import { pathOf } from '../../api.ts'
import { useBanyan } from '../../banyan.ts'
import { count, duration, preview, size } from '../../format.ts'
import { useToast } from '../../toasts.ts'
import { useAct } from '../../ui/act.ts'
import { DropdownMenu } from '../../ui/dropdown-menu.tsx'
import { LongText } from '../../ui/long-text.tsx'
import { Markdown } from '../../ui/markdown.tsx'
import { moneyWords } from '../../ui/money.tsx'
import { Fault } from '../../ui/notice.tsx'
import { Drawn } from '../../ui/shape.tsx'
import { visible } from '../../visible.ts'
import { detail } from '../../words/detail.ts'
import { kit } from '../../words/kit.ts'
import { dayAndTime, usd } from '../../words/words.ts'
import type { DetailAddress } from './address.ts'
import type { Assistant, Entry } from './entries.ts'
import { factWords } from './fact-words.ts'

const words = detail.timeline

type Props = { entry: Entry; taskId: string; over: boolean; address: DetailAddress; chosen: boolean; rerun: (n: number) => void }

export const EntryRow = memo(function EntryRow(props: Props) {
  const { entry } = props
  if (entry.type === 'gap')
    return (
      <div className="entry entry-gap" style={{ minHeight: `${Math.min(400, (entry.to - entry.from + 1) * 60)}px` }}>
        <span className="entry-mark" />
        <p className="dim">{words.gap(entry.to - entry.from + 1)}</p>
      </div>
    )
  const event = entry.type === 'fact' ? `f${entry.event.seq}` : String(entry.type === 'call' ? entry.n : entry.message.n)
  const said = saidBy(props)
  return (
    <div className={`entry entry-${entry.kind} ${entry.type}-entry`} data-chosen={props.chosen || undefined} data-event={event}>
      <span className={`entry-mark tone-${said.tone}`}>{said.icon}</span>
      <div className="entry-body">{said.body}</div>
      <div className="entry-side">
        <time dateTime={new Date(entry.at).toISOString()} title={dayAndTime(entry.at)}>
          {new Date(entry.at).toLocaleTimeString(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit' })}
        </time>
        <More {...props} event={event} />
      </div>
    </div>
  )
})

function More({ entry, address, rerun, event }: Props & { event: string }) {
  const toast = useToast()
  const copy = () =>
    void Promise.resolve(navigator.clipboard?.writeText(address.linkTo(event)))
      .then(() => toast(navigator.clipboard ? kit.copied : kit.notCopied, navigator.clipboard ? {} : { tone: 'bad' }))
      .catch(() => toast(kit.notCopied, { tone: 'bad' }))
  const n = entry.type === 'message' ? entry.message.n : entry.type === 'call' ? entry.n : null
  return (
    <DropdownMenu
      trigger={
        <button type="button" className="quiet icon entry-more" aria-label={words.more}>
          <Ellipsis aria-hidden="true" />
        </button>
      }
      items={[
        { kind: 'act', label: words.link, run: copy },
        ...(entry.type === 'call'
          ? [{ kind: 'act' as const, label: words.openCall, run: () => address.set({ tab: 'call', call: shortOf(entry.call.id) }, 'push') }]
          : []),
        ...(n !== null ? [{ kind: 'act' as const, label: words.rerun, run: () => rerun(n) }] : []),
      ]}
    />
  )
}
/** `…/12a` → `12a`. */
export const shortOf = (callId: string): string => callId.slice(callId.lastIndexOf('/') + 1)

const FACT_ICONS: Readonly<Record<string, LucideIcon>> = {
  'model.fault': TriangleAlert,
  'review.opened': Flag,
  'review.decided': Flag,
  'review.changed': Flag,
  'policy.decided': Flag,
  'secret.used': KeyRound,
  'network.used': Globe,
}
type Said = { icon: ReactNode; tone: string; body: ReactNode }
const icon = (Icon: LucideIcon) => <Icon aria-hidden="true" />

function saidBy({ entry, taskId, over, address }: Props): Said {
  if (entry.type === 'gap') return { icon: null, tone: 'idle', body: null }
  if (entry.type === 'fact') {
    const { text, by, more, tone } = factWords(entry.event, dayAndTime)
    return {
      icon: icon(FACT_ICONS[entry.event.type] ?? (tone === 'bad' ? TriangleAlert : Route)),
      tone,
      body: (
        <p className="entry-fact">
          {by !== null && <strong>{by} </strong>}
          <span>{text}</span>
          {more && <span className="dim entry-note"> {preview(more, 400)}</span>}
        </p>
      ),
    }
  }
  if (entry.type === 'call') {
    const { call, answer, running, turn } = entry
    const state = answer ? (answer.isError ? 'bad' : 'good') : over ? 'stop' : 'run'
    return {
      icon: icon(Wrench),
      tone: state,
      body: (
        <>
          <button type="button" className="call-line" onClick={() => address.set({ tab: 'call', call: shortOf(call.id) }, 'push')}>
            <span className={`status tone-${state}`}>
              <span className="shape" role="img" aria-label={words.callState[state]}>
                <Drawn shape={{ bad: '✕', good: '✓', stop: '⊘', run: '▶' }[state]} />
              </span>
            </span>
            <strong>{visible(call.tool)}</strong>
            <span className="dim call-args">{preview(shortInput(call.input), 160)}</span>
            {running && running.attempts > 1 && <span className="badge">{words.attempts(running.attempts)}</span>}
            {turn && <Turn message={turn} />}
            <ChevronRight aria-hidden="true" />
          </button>
          {answer && answer.text !== '' && <p className="call-answer dim">{preview(firstOf(answer.text), 220)}</p>}
        </>
      ),
    }
  }
  return messageSaid(entry.message, taskId, address)
}

function messageSaid(message: MessagePreview, taskId: string, address: DetailAddress): Said {
  switch (message.role) {
    case 'system':
      return {
        icon: icon(FileText),
        tone: 'idle',
        body: (
          <p className="entry-fact">
            {words.prompt(message.agent, message.agentVersion)}{' '}
            <span className="dim">{words.promptOf(message.documents.length, message.tools.length)}</span>{' '}
            <button type="button" className="quiet small" onClick={() => address.set({ tab: 'context', n: String(message.n) }, 'push')}>
              {words.openContext}
            </button>
          </p>
        ),
      }
    case 'user':
      return {
        icon: icon(MessageSquare),
        tone: message.from === 'person' ? 'you' : 'idle',
        body: (
          <>
            <p className="entry-head">
              <strong>{words.who[message.from]}</strong>
            </p>
            <Whole message={message} taskId={taskId}>
              {(text) => <p className="plain">{text}</p>}
            </Whole>
            {message.rewindTo !== undefined && <p className="dim">{words.rewind(message.rewindTo)}</p>}
          </>
        ),
      }
    case 'assistant':
      return {
        icon: icon(Bot),
        tone: 'run',
        body: (
          <>
            <p className="entry-head">
              <strong>{message.model || message.provider}</strong> <Turn message={message} />
            </p>
            {(message.usage?.reasoning ?? 0) > 0 && <Thinking taskId={taskId} n={message.n} tokens={message.usage!.reasoning} />}
            <Whole message={message} taskId={taskId}>
              {(text) => <Markdown text={text} />}
            </Whole>
          </>
        ),
      }
    case 'tool':
      return {
        icon: icon(Wrench),
        tone: message.isError ? 'bad' : 'idle',
        body: (
          <>
            <p className="entry-head">
              <strong>{message.tool}</strong> <span className="dim">{words.stray}</span>
            </p>
            <p className="call-answer dim">{preview(firstOf(message.text), 220)}</p>
          </>
        ),
      }
    case 'compaction': {
      const { messages, tokens } = message.dropped
      return {
        icon: icon(Scissors),
        tone: 'wait',
        body: (
          <>
            <p className="entry-fact">{message.how === 'cleared' ? words.cleared(messages, tokens) : words.summarised(messages, tokens)}</p>
            {message.text && <LongText text={message.text} shown={400} />}
          </>
        ),
      }
    }
  }
}

/** What a turn cost and how long it took. */
function Turn({ message }: { message: Assistant }) {
  const { usage, costMicros, latencyMs } = message
  const parts = [
    usage && tokensOf(usage) > 0 && words.tokens(count(tokensOf(usage))),
    costMicros === null ? moneyWords({ costMicros: 0, unpricedCalls: 1 }) : costMicros > 0 && usd(costMicros),
    latencyMs >= 100 && duration(latencyMs),
  ].filter((part) => typeof part === 'string')
  return parts.length > 0 ? <span className="dim turn-facts">{parts.join(' · ')}</span> : null
}

/** A text of which only the beginning came: the rest is read when somebody wants it. */
function Whole({
  message,
  taskId,
  children,
}: {
  message: MessagePreview & { text: string }
  taskId: string
  children: (text: string) => ReactNode
}) {
  const { api } = useBanyan()
  const { busy, fault, act } = useAct()
  const [whole, setWhole] = useState<string | null>(null)
  const params = { id: taskId, n: String(message.n) }
  const { bytes } = message
  if (bytes === undefined || whole !== null) return children(whole ?? message.text)
  return (
    <>
      {children(message.text)}
      <p className="entry-acts">
        {bytes <= 2_000_000 && (
          <button
            type="button"
            className="quiet small"
            disabled={busy}
            onClick={() => void act(async () => setWhole((await api.call(ROUTES.message, { params, query: { full: '1' } })).text))}
          >
            {words.showAll(size(bytes))}
          </button>
        )}
        <a href={pathOf(ROUTES.message.path, params, { raw: '1' })} download>
          {words.download}
        </a>
      </p>
      {fault && <Fault>{fault}</Fault>}
    </>
  )
}

/** Folded, and read only when it is opened. */
function Thinking({ taskId, n, tokens }: { taskId: string; n: number; tokens: number }) {
  const { api } = useBanyan()
  const { fault, act } = useAct()
  const [text, setText] = useState<string | null>(null)
  const read = async () => {
    const { items } = await api.call(ROUTES.messages, { params: { id: taskId }, query: { after: String(n - 1), limit: '1' } })
    const [message] = items
    setText(message?.role === 'assistant' ? thoughtsIn(message.thinking) : '')
  }
  return (
    <details className="thinking" onToggle={(event) => event.currentTarget.open && text === null && void act(read)}>
      <summary className="dim">{words.thinking(tokens)}</summary>
      {fault && <Fault>{fault}</Fault>}
      {text !== null && (text === '' ? <p className="dim">{words.sealed}</p> : <LongText text={text} />)}
    </details>
  )
}
/** Words in blocks of whatever shape a provider gives them; '' when they are sealed. */
function thoughtsIn(thinking: unknown): string {
  if (typeof thinking === 'string') return thinking
  if (Array.isArray(thinking)) return thinking.map(thoughtsIn).filter(Boolean).join('\n\n')
  if (typeof thinking !== 'object' || thinking === null) return ''
  const { thinking: words, text, summary, reasoning } = thinking as Record<string, unknown>
  return [words, text, summary, reasoning].map(thoughtsIn).filter(Boolean).join('\n')
}

function shortInput(input: unknown): string {
  if (typeof input !== 'object' || input === null) return String(input ?? '')
  return Object.values(input)
    .map((value) => (typeof value === 'string' ? value : JSON.stringify(value)))
    .join(' · ')
}
/** Enough for one line: reading a megabyte for it would cost a frame. */
const firstOf = (text: string): string => text.slice(0, 600)
