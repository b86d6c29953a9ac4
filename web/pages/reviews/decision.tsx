/**
 * One item of the queue: what it is, and what a person may do with it. Used by the queue and wherever an item stands beside its task.
 * A decision is held back for a few seconds, in which it can be undone (`outbox.ts`); an edited one is checked and sent at once.
 */
import { Ellipsis } from 'lucide-react'
import { useEffect, useMemo, useRef, useState } from 'react'
import type { WaitingReview } from '../../../core/contract/live.ts'
import { DECISIONS_OF, type DecisionWord, type Review } from '../../../core/contract/review.ts'
import { type Action, useActions } from '../../actions.ts'
import { useBanyan } from '../../banyan.ts'
import { useConnection } from '../../data/use-connection.ts'
import { useOutbox } from '../../data/use-outbox.ts'
import { sentence } from '../../live.ts'
import { decisionOf } from '../../outbox.ts'
import { useToast } from '../../toasts.ts'
import { Button } from '../../ui/button.tsx'
import { DropdownMenu, type MenuItem } from '../../ui/dropdown-menu.tsx'
import { IconButton } from '../../ui/icon-button.tsx'
import { useNarrow } from '../../ui/narrow.ts'
import { reviews as words } from '../../words/reviews.ts'
import { dayAndTime } from '../../words/words.ts'
import { Always } from './always.tsx'
import { Comment } from './comment.tsx'
import { Edit } from './edit.tsx'
import { effectOf } from './effect.ts'
import { Facts, ItemHead, WhatHappens } from './item.tsx'
import { useKeptWords } from './kept-words.ts'
import { KeyOf } from './marks.tsx'
import { Outcome, Refused } from './outcome.tsx'
import { choicesIn } from './queue.ts'
import './reviews.css'

/** Whose hand decided: after a key the next item comes by itself, after a click nothing moves under the pointer. */
export type Hand = 'key' | 'pointer'
type Open = 'none' | 'edit' | 'always' | Exclude<DecisionWord, 'approve'>
/** Where it stands: alone in the queue; beside its task, so the way there is left out; on a page that shows it with others. */
export type Place = 'queue' | 'task' | 'page'

const KEYS = { approve: 'a', reject: 'r', changes: 'c', answer: 'q', edit: 'e', snooze: 's', always: 'w' } as const
const NEEDS_WORDS: ReadonlySet<DecisionWord> = new Set(['answer', 'changes'])
/** A second press within this approves what is of high risk. */
const ARMED_MS = 4_000

export function Decision({
  review,
  keys = false,
  place = 'queue',
  onDecided,
}: {
  review: Review | WaitingReview
  /** It listens to the keyboard: only where it is the one item on the page. */
  keys?: boolean
  place?: Place
  onDecided?: (by: Hand) => void
}) {
  const sent = useOutbox()
  const effect = useMemo(() => effectOf(review), [review])
  const pending = review.state === 'decided' ? undefined : decisionOf(sent, review.id)
  const refusal = sent.refused[review.id]
  return (
    <article
      className={`review-item${pending || review.state === 'decided' ? ' is-decided' : ''}${place === 'queue' ? '' : ' card is-card'}`}
      aria-label={review.title}
    >
      <ItemHead review={review} effect={effect} place={place} />
      {refusal && <Refused review={review} refusal={refusal} />}
      <WhatHappens review={review} effect={effect} named={place === 'queue'} keys={keys} />
      {place === 'queue' ? (
        <Facts review={review} effect={effect} />
      ) : (
        <details className="review-more-facts">
          <summary>{words.item.facts}</summary>
          <Facts review={review} effect={effect} />
        </details>
      )}
      {pending || review.state === 'decided' ? (
        <Outcome review={review} pending={pending ?? null} named={place === 'queue'} />
      ) : (
        <Bar key={review.id} review={review} keys={keys} place={place} said={effect.said} onDecided={onDecided} />
      )}
    </article>
  )
}

function Bar({
  review,
  keys,
  place,
  said,
  onDecided,
}: {
  review: Review
  keys: boolean
  place: Place
  said: string | null
  onDecided: ((by: Hand) => void) | undefined
}) {
  const { outbox } = useOutbox()
  const { api } = useBanyan()
  const { stale } = useConnection()
  const toast = useToast()
  const kept = useKeptWords(review.id)
  const narrow = useNarrow()
  const [open, setOpen] = useState<Open>(kept.begun ?? 'none')
  // What was begun is shown again, but the keys stay with the page until it is chosen.
  const [asked, setAsked] = useState(false)
  const [snoozing, setSnoozing] = useState(false)
  const [armed, setArmed] = useState(false)
  const bar = useRef<HTMLElement>(null)
  const may = DECISIONS_OF[review.kind]
  const mayEdit = (review.kind === 'permission' && review.callId !== null) || review.kind === 'budget' || review.kind === 'plan'
  const choices = useMemo(() => (review.kind === 'question' && said !== null ? choicesIn(said) : []), [review.kind, said])
  useEffect(() => {
    if (!armed) return
    const timer = setTimeout(() => setArmed(false), ARMED_MS)
    return () => clearTimeout(timer)
  }, [armed])

  const decide = (decision: DecisionWord, by: Hand, text = '', remember?: { scope: (typeof review.offers)[number]['scope'] }) => {
    if (stale) return toast(words.stale, { tone: 'bad' })
    const isNew = outbox.put([review], decision, { ...(text.trim() ? { comment: text.trim() } : {}), ...(remember ? { remember } : {}) })
    if (isNew) onDecided?.(by)
  }
  const write = (word: Exclude<DecisionWord, 'approve'>) => {
    setAsked(true)
    setOpen(word)
    bar.current?.querySelector('textarea')?.focus()
  }
  const start = (word: DecisionWord, by: Hand) => {
    if (word !== 'approve') return write(word)
    if (review.risk === 'high' && !armed) return setArmed(true)
    decide('approve', by)
  }
  const snooze = async (until: Date | null) => {
    try {
      await api.snooze(review.id, until?.toISOString() ?? null)
      toast(until ? words.decide.snoozed(dayAndTime(until.getTime())) : words.decide.woken, {
        ...(until
          ? { undo: () => void api.snooze(review.id, null).catch((fault: unknown) => toast(sentence(fault), { tone: 'bad' })) }
          : {}),
      })
      onDecided?.('key')
    } catch (fault) {
      toast(sentence(fault), { tone: 'bad' })
    }
  }
  const label = (word: DecisionWord) => words.acts[review.kind][word] ?? words.done[word]
  const group = words.keys.group
  const actions: Action[] = [
    ...may.map((word) => ({ id: `review.${word}`, label: label(word), group, keys: KEYS[word], run: () => start(word, 'key') })),
    ...(mayEdit ? [{ id: 'review.edit', label: words.decide.editTitle, group, keys: KEYS.edit, run: () => setOpen('edit') }] : []),
    { id: 'review.snooze', label: words.decide.snooze, group, keys: KEYS.snooze, run: () => setSnoozing(true) },
    ...(review.offers.length > 0
      ? [{ id: 'review.always', label: words.decide.always, group, keys: KEYS.always, run: () => setOpen('always') }]
      : []),
    ...choices.map((choice, i) => ({
      id: `review.choice.${i + 1}`,
      label: words.keys.choice(i + 1),
      group,
      keys: String(i + 1),
      keyOnly: true,
      run: () => answerWith(choice),
    })),
  ]
  useActions(keys ? actions : [])
  const answerWith = (choice: string) => {
    kept.keep('answer', choice)
    write('answer')
  }
  const close = () => {
    kept.close()
    setOpen('none')
    bar.current?.querySelector<HTMLElement>('button')?.focus({ preventScroll: true })
  }

  // One row of buttons fits on a phone: what is chosen less often is in its menu.
  const inRow = may.length > 2 ? may.filter((word) => !NEEDS_WORDS.has(word)) : may
  const others: MenuItem[] = [
    ...may
      .filter((word) => !inRow.includes(word))
      .map((word) => ({ kind: 'act' as const, label: label(word), run: () => start(word, 'pointer') })),
    ...(mayEdit ? [{ kind: 'act' as const, label: words.decide.edit, run: () => setOpen('edit') }] : []),
    ...(review.offers.length > 0 ? [{ kind: 'act' as const, label: words.decide.always, run: () => setOpen('always') }] : []),
    ...(mayEdit || review.offers.length > 0 || inRow !== may ? [{ kind: 'line' as const }] : []),
  ]

  const rest = (
    <>
      {mayEdit && !narrow && (
        <Button disabled={stale} aria-keyshortcuts={keys ? KEYS.edit : undefined} onClick={() => setOpen('edit')}>
          {words.decide.edit}
          {keys && <KeyOf id="review.edit" keys={KEYS.edit} />}
        </Button>
      )}
      {review.offers.length > 0 && (!narrow || open === 'always') && (
        <Always
          review={review}
          open={open === 'always'}
          setOpen={(isOpen) => setOpen(isOpen ? 'always' : 'none')}
          keys={keys ? KEYS.always : null}
          disabled={stale}
          done={(remember) => decide('approve', 'pointer', '', remember)}
        />
      )}
      <DropdownMenu
        open={snoozing}
        setOpen={setSnoozing}
        trigger={
          narrow ? (
            <IconButton icon={Ellipsis} label={words.decide.more} className="review-others" disabled={stale} />
          ) : (
            <Button disabled={stale} aria-keyshortcuts={keys ? KEYS.snooze : undefined}>
              {words.decide.snooze}
              {keys && <KeyOf id="review.snooze" keys={KEYS.snooze} />}
            </Button>
          )
        }
        items={[
          ...(narrow ? others : []),
          ...snoozeTimes(new Date()).map(([label, until]) => ({
            kind: 'act' as const,
            label: narrow ? words.decide.snoozeFor(label) : label,
            run: () => void snooze(until),
          })),
          ...(review.state === 'snoozed' ? [{ kind: 'act' as const, label: words.decide.wake, run: () => void snooze(null) }] : []),
        ]}
      />
    </>
  )
  if (open === 'edit') return <Edit review={review} close={close} done={() => onDecided?.('pointer')} />
  return (
    <section className="review-bar" aria-label={place === 'queue' ? words.decide.bar : undefined} ref={bar}>
      {choices.length > 0 && open !== 'answer' && (
        <ul className="review-choices" aria-label={words.item.choices}>
          {choices.map((choice, i) => (
            <li key={choice}>
              <Button onClick={() => answerWith(choice)}>
                {keys && <KeyOf id={`review.choice.${i + 1}`} keys={String(i + 1)} />} {choice}
              </Button>
            </li>
          ))}
        </ul>
      )}
      {open !== 'none' && open !== 'always' && (
        <Comment
          key={open}
          word={open}
          send={label(open)}
          needed={NEEDS_WORDS.has(open)}
          value={kept.text}
          focus={asked}
          change={(text) => kept.keep(open, text)}
          close={close}
          done={(by) => decide(open, by, kept.text)}
        />
      )}
      {open === 'none' || open === 'always' ? (
        <div className="review-buttons">
          {(narrow ? inRow : may).map((word, i) => (
            <Button
              key={word}
              // Nothing is urged where a second time may do harm.
              look={word === 'reject' ? 'danger' : i === 0 && review.kind !== 'in_doubt' ? 'primary' : 'plain'}
              className={word === 'approve' && armed ? 'armed' : ''}
              disabled={stale}
              aria-keyshortcuts={keys ? KEYS[word] : undefined}
              onClick={(event) => start(word, event.detail === 0 ? 'key' : 'pointer')}
            >
              {word === 'approve' && armed ? words.decide.again : label(word)}
              {keys && <KeyOf id={`review.${word}`} keys={KEYS[word]} />}
            </Button>
          ))}
          {narrow ? rest : <div className="review-side">{rest}</div>}
        </div>
      ) : null}
      {stale && <p className="dim">{words.stale}</p>}
    </section>
  )
}

/** Times to put an item off until, each after `now`, in the reader's own time zone. */
export function snoozeTimes(now: Date): [label: string, until: Date][] {
  const { snoozes } = words.decide
  const at9 = (days: number) => new Date(now.getFullYear(), now.getMonth(), now.getDate() + days, 9)
  const toMonday = (8 - now.getDay()) % 7 || 7
  return [
    [snoozes.hour, new Date(now.getTime() + 3_600_000)],
    [snoozes.hours, new Date(now.getTime() + 4 * 3_600_000)],
    [snoozes.tomorrow, at9(1)],
    [snoozes.week, at9(toMonday)],
  ]
}
