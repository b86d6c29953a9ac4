/** Everything that happened to a task, in order, quick however long it is, and live. */
import { ArrowDown, ListFilter } from 'lucide-react'
import { useCallback, useEffect, useMemo, useRef, useState } from 'react'
import { isOver } from '../../../core/contract/task.ts'
import { useActions } from '../../actions.ts'
import type { TaskState } from '../../data/data.ts'
import { preview } from '../../format.ts'
import { Button } from '../../ui/button.tsx'
import { DropdownMenu } from '../../ui/dropdown-menu.tsx'
import { EmptyState } from '../../ui/empty-state.tsx'
import { ErrorState } from '../../ui/error-state.tsx'
import { detail } from '../../words/detail.ts'
import { dayAndTime } from '../../words/words.ts'
import type { DetailAddress } from './address.ts'
import { type Entry, type EntryKind, entriesOf, isShown, KINDS, placeOf } from './entries.ts'
import { EntryRow } from './entry-row.tsx'
import { factWords } from './fact-words.ts'
import { RerunDialog } from './rerun-dialog.tsx'
import { type ListHandle, ScrollingList } from './scrolling-list.tsx'
import type { History } from './use-history.ts'

const words = detail.timeline
/** Places of the jump list; more are no help. */
const JUMPS = 60
/** Frames in which lines around a place are measured. */
const SETTLES = 8
/** Pixels of a line before it is measured. */
const ESTIMATE = { message: 96, call: 44, fact: 36, gap: 60 }

export function Timeline({
  taskId,
  state,
  history,
  address,
}: {
  taskId: string
  state: TaskState
  history: History
  address: DetailAddress
}) {
  const { messages, total, facts, load } = history
  const all = useMemo(() => entriesOf({ messages, total, facts, running: state.calls }), [messages, total, facts, state.calls])
  const kinds = useMemo(() => kindsOf(address.search.k), [address.search.k])
  const entries = useMemo(() => (kinds.size === KINDS.length ? all : all.filter((entry) => isShown(entry, kinds))), [all, kinds])
  const [rerun, setRerun] = useState<number | null>(null)
  const list = useRef<ListHandle>(null)
  const over = state.task === null || isOver(state.task.status)
  const speaking = state.speaking !== ''
  const count = entries.length + (speaking ? 1 : 0)
  const follow = useFollow(list, entries, state.speaking.length, history.ready, !over)

  const seen = useCallback(
    (from: number, to: number) => {
      for (let i = from; i <= to; i++) {
        const entry = entries[i]
        if (entry?.type === 'gap') load(entry.from)
      }
    },
    [entries, load],
  )
  useShownEvent(address.event, entries, list, load)

  const toggle = (kind: EntryKind) => {
    const next = KINDS.filter((one) => (one === kind ? !kinds.has(one) : kinds.has(one)))
    address.set({ k: next.length === KINDS.length ? '' : next.length === 0 ? kind : next.join('.') })
  }
  useActions([
    ...KINDS.map((kind, i) => ({
      id: `detail.kind.${kind}`,
      label: words.only(words.kinds[kind]),
      group: detail.acts.group,
      keys: String(i + 1),
      run: () => toggle(kind),
    })),
    { id: 'detail.start', label: words.start, group: detail.acts.group, run: () => list.current?.scrollTo(0, 'start') },
    { id: 'detail.end', label: words.end, group: detail.acts.group, run: () => list.current?.toEnd() },
  ])

  const jumps = useMemo(() => jumpsOf(entries), [entries])
  return (
    <section className="detail-timeline" aria-label={words.label}>
      <div className="timeline-tools">
        {/* biome-ignore lint/a11y/useSemanticElements: a fieldset cannot be laid out in a line of tools everywhere */}
        <div className="kind-filter" role="group" aria-label={words.filter}>
          {KINDS.map((kind, i) => (
            <button key={kind} type="button" className={`chip chip-${kind}`} aria-pressed={kinds.has(kind)} onClick={() => toggle(kind)}>
              {words.kinds[kind]}
              <span className="chip-key" aria-hidden="true">
                {i + 1}
              </span>
            </button>
          ))}
        </div>
        {entries.length > 8 && (
          <DropdownMenu
            trigger={
              <Button look="quiet" small>
                <ListFilter aria-hidden="true" /> {words.jump}
              </Button>
            }
            items={[
              { kind: 'act', label: words.start, run: () => list.current?.scrollTo(0, 'start') },
              ...jumps.map(({ index, label }) => ({ kind: 'act' as const, label, run: () => list.current?.scrollTo(index) })),
              { kind: 'act', label: words.end, run: () => list.current?.toEnd() },
            ]}
          />
        )}
      </div>
      {history.fault && <ErrorState title={words.readFailed} cause={history.fault} retry={history.again} />}
      {count === 0 && all.length === 0 && !history.fault && <EmptyState title={words.nothing}>{words.nothingHow}</EmptyState>}
      {count === 0 && all.length > 0 && (
        <EmptyState title={words.noneOf} act={<Button onClick={() => address.set({ k: '' })}>{words.all}</Button>} />
      )}
      {count > 0 && (
        <ScrollingList
          count={count}
          keyOf={(i) => entries[i]?.key ?? 'speaking'}
          estimate={(i) => {
            const entry = entries[i]
            return entry === undefined
              ? ESTIMATE.message
              : entry.type === 'gap'
                ? (entry.to - entry.from + 1) * ESTIMATE.gap
                : ESTIMATE[entry.type]
          }}
          label={words.label}
          handle={list}
          atEnd={follow.sawEnd}
          seen={seen}
          row={(i) => {
            const entry = entries[i]
            return entry ? (
              <EntryRow
                entry={entry}
                taskId={taskId}
                over={over}
                address={address}
                chosen={isChosen(entry, address.event)}
                rerun={setRerun}
              />
            ) : (
              <Speaking text={state.speaking} />
            )
          }}
        />
      )}
      {follow.fresh > 0 && (
        <button type="button" className="primary fresh" onClick={follow.toEnd}>
          {words.fresh(follow.fresh)} <ArrowDown aria-hidden="true" />
        </button>
      )}
      {rerun !== null && <RerunDialog taskId={taskId} from={rerun} close={() => setRerun(null)} />}
    </section>
  )
}

function kindsOf(text: string | undefined): ReadonlySet<EntryKind> {
  const named = KINDS.filter((kind) => text?.split('.').includes(kind))
  return new Set(named.length > 0 ? named : KINDS)
}
const isChosen = (entry: Entry, event: string | null): boolean => event !== null && entry.type !== 'gap' && placeOf([entry], event) === 0

/** What is being said now. Not read out: it would be said again and again while it grows. */
function Speaking({ text }: { text: string }) {
  return (
    <div className="entry entry-words speaking" aria-hidden="true">
      <span className="entry-mark" />
      <div className="entry-body">
        <p className="entry-head dim">{words.writing}</p>
        <p className="plain">{text}</p>
      </div>
    </div>
  )
}

/** Stays at the end for who scrolled there; otherwise counts what came out of sight. What stands on top is not scrolled away unasked. */
function useFollow(list: { current: ListHandle | null }, entries: readonly Entry[], spoken: number, ready: boolean, live: boolean) {
  const near = useRef(false)
  const went = useRef(false)
  const now = useRef({ entries, spoken })
  /** Time of the newest that was in sight, or there at first, and whether something was being said: only what comes after is new. */
  const known = useRef({ at: 0, speaking: false })
  const begun = useRef(false)
  const [fresh, setFresh] = useState(0)
  const look = useCallback(() => {
    const { entries, spoken } = now.current
    const later = entries.filter((entry) => entry.type !== 'gap' && entry.at > known.current.at).length
    setFresh(later + (spoken > 0 && !known.current.speaking ? 1 : 0))
  }, [])
  const know = useCallback(() => {
    const { entries, spoken } = now.current
    known.current = { at: entries.at(-1)?.at ?? 0, speaking: spoken > 0 }
    setFresh(0)
  }, [])
  useEffect(() => {
    now.current = { entries, spoken }
    if (!begun.current || !live) know()
    else if (!near.current) look()
    else if (went.current) list.current?.toEnd()
    begun.current = ready
  }, [entries, spoken, ready, live, list, know, look])
  const sawEnd = useCallback(
    (is: boolean, scrolled: boolean) => {
      near.current = is
      went.current = scrolled
      if (is) know()
    },
    [know],
  )
  return {
    fresh,
    sawEnd,
    toEnd: () => {
      know()
      list.current?.toEnd()
    },
  }
}

/** Brings the event of the address into sight, once, when it has been read. */
function useShownEvent(
  event: string | null,
  entries: readonly Entry[],
  list: { current: ListHandle | null },
  load: (n: number) => void,
): void {
  const done = useRef<string | null>(null)
  useEffect(() => {
    if (event === null || done.current === event) return
    const index = placeOf(entries, event)
    const entry = entries[index]
    if (!entry) return
    if (entry.type === 'gap') return load(Number(event))
    // Lines are measured as they come into sight, so the place is looked for again until it has settled.
    let frame = 0
    let tries = 0
    const look = () => {
      list.current?.scrollTo(index)
      tries += list.current ? 1 : 0
      if (tries < SETTLES) frame = requestAnimationFrame(look)
      else done.current = event
    }
    frame = requestAnimationFrame(look)
    return () => cancelAnimationFrame(frame)
  }, [event, entries, list, load])
}

/** What a person looks for in a long history: what was said to the agent, questions, faults and turns of its course. */
function jumpsOf(entries: readonly Entry[]): { index: number; label: string }[] {
  const places = entries.flatMap((entry, index) => {
    const when = (text: string) => ({ index, label: `${preview(text, 70)}` })
    if (entry.type === 'message' && entry.message.role === 'user') return [when(`${words.who[entry.message.from]}: ${entry.message.text}`)]
    if (entry.type === 'message' && entry.message.role === 'compaction')
      return [when(words.summarised(entry.message.dropped.messages, entry.message.dropped.tokens))]
    if (entry.type === 'call' && entry.kind === 'faults') return [when(`${entry.call.tool}: ${words.callState.bad}`)]
    if (entry.type === 'fact' && entry.kind !== 'tools') return [when(factWords(entry.event, dayAndTime).text)]
    return []
  })
  if (places.length <= JUMPS) return places
  const step = places.length / JUMPS
  return Array.from({ length: JUMPS }, (_, i) => places[Math.floor(i * step)]!)
}
