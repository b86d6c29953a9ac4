/** What a fact of a task means to a person, who did it, and which kind of line it is. Pure. */
import type { Event } from '../../../core/contract/event.ts'
import { networkWords } from '../../../core/contract/network.ts'
import { detail } from '../../words/detail.ts'
import type { EntryKind } from './entries.ts'

const words = detail.fact

export type FactWords = {
  text: string
  by: string | null
  more: string | null
  tone: 'idle' | 'run' | 'wait' | 'you' | 'good' | 'bad' | 'stop'
}

/** Null: the line would say nothing that the messages do not. */
export function kindOfFact(event: Event): EntryKind | null {
  switch (event.type) {
    case 'task.moved':
      if (event.to === 'failed' || event.to === 'dead') return 'faults'
      if (event.to === 'pending') return event.attempt > 0 || isEnd(event.from) ? 'control' : null
      return event.to === 'assigned' || event.to === 'active' ? null : 'control'
    case 'policy.decided':
      return event.verdict === 'allow' ? null : 'decisions'
    case 'review.opened':
    case 'review.decided':
    case 'review.changed':
      return 'decisions'
    case 'model.fault':
      return 'faults'
    case 'task.created':
    case 'task.controlled':
    case 'task.granted':
    case 'task.tainted':
    case 'outside.claimed':
    case 'outside.lapsed':
    case 'task.watched':
    case 'sweep.repaired':
      return 'control'
    case 'secret.used':
    case 'network.used':
      return 'tools'
    default:
      return null
  }
}
const isEnd = (status: string): boolean => ['done', 'failed', 'cancelled', 'dead'].includes(status)

export function factWords(event: Event, when: (at: string) => string): FactWords {
  const plain = (text: string, more: string | null = null, tone: FactWords['tone'] = 'idle', by: string | null = null): FactWords => ({
    text,
    by,
    more,
    tone,
  })
  switch (event.type) {
    case 'task.created':
      return plain(words.created[event.task.origin])
    case 'task.moved':
      return moved(event)
    case 'task.controlled':
      return plain(pick(words.controlled, event.verb) ?? words.controlledOther(event.verb), event.comment, 'stop', event.by)
    case 'policy.decided': {
      const text = (words.policy[event.verdict as 'allow' | 'ask' | 'deny'] ?? words.policy.ask)(event.tool)
      const more = [event.reason, event.rule === null ? words.noRule : words.rule(event.rule), words.risk(String(event.risk))].join(' · ')
      return plain(text, more, event.verdict === 'deny' ? 'bad' : 'you')
    }
    case 'model.fault':
      return plain(
        words.modelFault(event.model || event.provider),
        `${event.message} · ${event.retryAt === null ? words.noRetry : words.retryAt(when(event.retryAt))}`,
        'bad',
      )
    case 'review.opened':
      return plain(words.asked(event.review.title), event.review.reason, 'you')
    case 'review.decided': {
      const { decision, title, comment, decidedBy } = event.review
      return plain(
        (pick(words.decided, decision ?? 'none') ?? words.decided.none)(title),
        comment,
        decision === 'reject' ? 'bad' : 'good',
        decidedBy,
      )
    }
    case 'review.changed':
      return plain(words.changed(event.review.title), null, 'wait')
    case 'task.granted':
      return plain(words.granted([...event.documents, ...event.tools].join(', ')))
    case 'task.tainted':
      return plain(words.tainted(event.taint.map((one) => detail.taints[one]).join(detail.and)), null, 'you')
    case 'secret.used':
      return plain(words.secret(event.names.join(', ')))
    case 'network.used':
      return plain(words.network(networkWords(event.use)))
    case 'outside.claimed':
      return plain(words.claimed(event.agent))
    case 'outside.lapsed':
      return plain(words.lapsed(event.agent), null, 'wait')
    case 'task.watched':
      return plain(
        words.watched(event.watch?.rung ?? null),
        event.words,
        event.watch === null ? 'good' : 'you',
        event.by === 'watchdog' ? null : event.by,
      )
    case 'sweep.repaired':
      return plain(words.repaired(event.what), null, 'wait')
    default:
      return plain(event.type)
  }
}

function moved(event: Extract<Event, { type: 'task.moved' }>): FactWords {
  const { to, reason, note, attempt, from } = event
  const by = null
  switch (to) {
    case 'backlog':
      return { text: words.moved.backlog, more: note, by, tone: 'idle' }
    case 'waiting':
      return {
        text: pick(words.moved.waiting, reason ?? 'other') ?? words.moved.waiting.other,
        more: note,
        by,
        tone: reason === 'review' ? 'you' : 'wait',
      }
    case 'paused':
      return { text: pick(words.moved.paused, reason ?? 'other') ?? words.moved.paused.other, more: note, by, tone: 'stop' }
    case 'done':
      return { text: words.moved.done, more: note, by, tone: 'good' }
    case 'failed':
      return { text: pick(words.moved.failed, reason ?? 'other') ?? words.moved.failed.other, more: note, by, tone: 'bad' }
    case 'cancelled':
      return { text: pick(words.moved.cancelled, reason ?? 'other') ?? words.moved.cancelled.other, more: note, by, tone: 'stop' }
    case 'dead':
      return { text: words.moved.dead, more: note, by, tone: 'bad' }
    default:
      return { text: isEnd(from) ? words.reopened : attempt > 0 ? words.retry(attempt + 1) : words.queued, more: note, by, tone: 'wait' }
  }
}
/** The word for a name that came from outside; a name that only looks like one of ours finds nothing. */
const pick = <T extends object>(table: T, name: string): T[keyof T] | undefined =>
  Object.hasOwn(table, name) ? table[name as keyof T] : undefined
