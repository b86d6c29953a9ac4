/** How a task came to where it is: every message, every tool call with its answer, and the words a model is saying just now. */
import { useEffect, useRef, useState } from 'react'
import type { StoredMessage, ToolCall } from '../../core/contract/message.ts'
import { isOver, type Task, tokensOf } from '../../core/contract/task.ts'
import { useBanyan, useLive } from '../banyan.ts'
import { count, dollars, duration, preview } from '../format.ts'
import { sentence } from '../live.ts'
import { pairs } from '../messages.ts'
import { useAct } from '../ui/act.ts'
import { Data } from '../ui/data.tsx'
import { LongText } from '../ui/long-text.tsx'
import { Markdown } from '../ui/markdown.tsx'
import { Fault, Loading } from '../ui/notice.tsx'

/** Messages drawn at once; earlier ones on demand. */
const SHOWN = 100

export function Story({ task }: { task: Task }) {
  const { messages, reading, fault } = useMessages(task.id)
  const speaking = useLive((state) => state.speaking[task.id] ?? '')
  const [most, setMost] = useState(SHOWN)
  const entries = pairs(messages)
  const hidden = Math.max(0, entries.length - most)
  return (
    <section aria-label="Story">
      <h3>Story</h3>
      {fault && <Fault>{fault}</Fault>}
      {reading && messages.length === 0 && <Loading what="the messages" />}
      {hidden > 0 && (
        <button type="button" className="quiet" onClick={() => setMost(most + SHOWN * 5)}>
          Show {Math.min(hidden, SHOWN * 5)} earlier messages
        </button>
      )}
      <ol className="story">
        {entries.slice(hidden).map(({ message, answers }) => (
          <li key={message.n} className={`said said-${message.role}`}>
            <Said message={message} answers={answers} over={isOver(task.status)} />
          </li>
        ))}
        {speaking && (
          <li className="said said-assistant speaking" aria-hidden="true">
            <p className="who">writing…</p>
            <p className="plain">{speaking}</p>
          </li>
        )}
      </ol>
    </section>
  )
}

function Said({ message, answers, over }: { message: StoredMessage; answers: ReadonlyMap<string, Answer>; over: boolean }) {
  switch (message.role) {
    case 'system':
      return <Prompt message={message} />
    case 'user':
      return (
        <>
          <p className="who">{WHO[message.from]}</p>
          <LongText text={message.text} shown={2_000} />
          {message.rewindTo !== undefined && (
            <p className="dim">Goes back to message {message.rewindTo}: what came after it is no longer seen.</p>
          )}
        </>
      )
    case 'assistant':
      return (
        <>
          <p className="who">
            {message.model || message.provider}
            <span className="dim">
              {message.usage && tokensOf(message.usage) > 0 && ` · ${count(tokensOf(message.usage))} tokens`}
              {message.costMicros === null ? ' · unpriced' : message.costMicros > 0 && ` · ${dollars(message.costMicros)}`}
              {message.latencyMs >= 100 && ` · ${duration(message.latencyMs)}`}
            </span>
          </p>
          {message.text && <Markdown text={message.text} />}
          {message.calls.map((call) => (
            <Call key={call.id} call={call} answer={answers.get(call.id)} over={over} />
          ))}
        </>
      )
    case 'tool':
      return (
        <details className="call">
          <summary>
            {message.isError ? '✕' : '✓'} {message.tool}
          </summary>
          <LongText text={message.text} />
        </details>
      )
    case 'compaction':
      return (
        <details className="call">
          <summary>
            {message.how === 'cleared' ? 'Old tool results are no longer sent' : 'Older messages were summarised'} to fit the model:{' '}
            {count(message.dropped.messages)} messages, {count(message.dropped.tokens)} tokens
          </summary>
          {message.text && <LongText text={message.text} />}
        </details>
      )
  }
}
const WHO = { person: 'You', parent: 'The task above', system: 'Banyan', child: 'A subtask' }

type Answer = { text: string; isError: boolean }
function Call({ call, answer, over }: { call: ToolCall; answer: Answer | undefined; over: boolean }) {
  const state = answer ? (answer.isError ? 'bad' : 'good') : over ? 'stop' : 'run'
  const word = { bad: 'failed', good: 'answered', stop: 'never answered', run: 'under way' }[state]
  const shape = { bad: '✕', good: '✓', stop: '⊘', run: '▶' }[state]
  return (
    <details className="call">
      <summary>
        <span className={`status tone-${state}`}>
          <span className="shape" role="img" aria-label={word}>
            {shape}
          </span>
        </span>{' '}
        <strong>{call.tool}</strong> <span className="dim">{preview(short(call.input), 90)}</span>
      </summary>
      <Data value={call.input} />
      {answer ? <LongText text={answer.text} /> : <p className="dim">{over ? 'There is no answer.' : 'No answer yet.'}</p>}
    </details>
  )
}
function short(input: unknown): string {
  if (typeof input !== 'object' || input === null) return String(input ?? '')
  return Object.values(input)
    .map((value) => (typeof value === 'string' ? value : JSON.stringify(value)))
    .join(' · ')
}

function Prompt({ message }: { message: Extract<StoredMessage, { role: 'system' }> }) {
  const { api } = useBanyan()
  const [text, setText] = useState<string | null>(null)
  const { busy, fault, act } = useAct()
  const names = [
    `${message.agent} version ${message.agentVersion}`,
    message.documents.length > 0 && `documents ${message.documents.map((one) => one.name).join(', ')}`,
    message.tools.length > 0 && `${message.tools.length} tools`,
  ]
  return (
    <>
      <p className="who">
        System prompt <span className="dim">{names.filter(Boolean).join(' · ')}</span>{' '}
        {text === null && (
          <button
            type="button"
            className="quiet small"
            disabled={busy}
            onClick={() => void act(async () => setText((await api.prompt(message.promptHash)).text))}
          >
            Show
          </button>
        )}
      </p>
      {fault && <Fault>{fault}</Fault>}
      {text !== null && <LongText text={text} />}
    </>
  )
}

/** The task's history so far; new messages are read as they are told of. */
function useMessages(taskId: string): { messages: readonly StoredMessage[]; reading: boolean; fault: string | null } {
  const { api } = useBanyan()
  const newest = useLive((state) => state.written[taskId] ?? 0)
  const reads = useLive((state) => state.reads)
  const [messages, setMessages] = useState<readonly StoredMessage[]>([])
  const [reading, setReading] = useState(true)
  const [fault, setFault] = useState<string | null>(null)
  const last = useRef(0)
  // biome-ignore lint/correctness/useExhaustiveDependencies: `newest` and `reads` say that there is more to read; they are not read themselves
  useEffect(() => {
    let wanted = true
    const read = async () => {
      try {
        for (let more = true; more && wanted; ) {
          const { items, nextCursor } = await api.messages(taskId, last.current)
          if (!wanted) return
          const fresh = items.filter((message) => message.n > last.current)
          last.current = fresh.at(-1)?.n ?? last.current
          if (fresh.length > 0) setMessages((known) => [...known, ...fresh])
          more = nextCursor !== null && fresh.length > 0
        }
        setFault(null)
      } catch (cause) {
        if (wanted) setFault(sentence(cause))
      }
      if (wanted) setReading(false)
    }
    void read()
    return () => {
      wanted = false
    }
  }, [api, taskId, newest, reads])
  return { messages, reading, fault }
}
