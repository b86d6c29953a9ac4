/** Facts as lines that a person reads. Pure. */
import { ACCESS_WORDS } from '../../core/contract/access.ts'
import type { Event } from '../../core/contract/event.ts'
import { heldText, releasedText } from '../../core/contract/holds.ts'
import { labelOf, lessonLabelOf } from '../../core/contract/label.ts'
import { networkWords } from '../../core/contract/network.ts'
import { watchText } from '../../core/contract/watch.ts'
import type { Paint } from './terminal.ts'
import { counted, money, oneLine, short } from './words.ts'

/** What a fact says, without its time and place. */
export function tell(event: Event, paint: Paint): string {
  switch (event.type) {
    case 'tree.created':
      return `${paint('bold', 'goal')} ${oneLine(event.tree.goal)} (from ${oneLine(event.tree.submittedBy, 40)}${event.tree.mode === 'step' ? ', step by step' : ''})`
    case 'tree.paused':
      return paint('you', `held: ${oneLine(event.reason)}`)
    case 'tree.resumed':
      return 'goes on'
    case 'task.created': {
      const { task } = event
      const label = labelOf(task)
      return `${paint(label.tone, label.shape)} new: ${oneLine(task.title)} (${oneLine(task.agent, 40)})`
    }
    case 'task.moved': {
      const label = labelOf({ status: event.to, reason: event.reason, attempt: event.attempt })
      const more = event.note ?? event.outcome?.summary ?? event.outcome?.result ?? null
      return `${paint(label.tone, `${label.shape} ${label.word}`)}${more ? `: ${oneLine(more)}` : ''}`
    }
    case 'message.added':
      return [
        `${event.role} ${event.n}:`,
        ...(event.text.trim() ? [oneLine(event.text)] : []),
        ...(event.calls?.length ? [paint('dim', `→ ${oneLine(event.calls.join(', '))}`)] : []),
      ].join(' ')
    case 'call.began':
      return `${oneLine(event.tool, 60)} begins${event.attempt > 1 ? `, try ${event.attempt}` : ''}`
    case 'call.ended':
      return `${oneLine(event.tool, 60)} ${event.ok ? 'ended' : paint('bad', 'failed')} after ${Math.round(event.ms)} ms`
    case 'model.called':
      return paint(
        event.outcome === 'ok' ? 'dim' : 'bad',
        `${oneLine(`${event.provider}/${event.model}`, 80)}: ${counted(event.spend.tokens, 'token')}, ${money(event.spend)}, ${short(event.latencyMs)} ms${event.outcome === 'ok' ? '' : ` (${event.outcome})`}`,
      )
    case 'model.fault':
      return `${paint('bad', `${oneLine(`${event.provider}/${event.model}`, 80)} ${oneLine(event.kind, 40)}`)}: ${oneLine(event.message)}${event.retryAt ? `; again at ${timeOf(event.retryAt)}` : ''}`
    case 'review.opened':
      return `${paint('you', '⚑ waits for you')} (${event.review.kind}): ${oneLine(event.review.title)}`
    case 'review.decided':
      return `${event.review.decision ?? 'decided'} by ${oneLine(event.review.decidedBy ?? 'nobody', 40)}: ${oneLine(event.review.title)}`
    case 'review.changed': {
      const { review } = event
      const words =
        review.state === 'snoozed'
          ? `put off until ${timeOf(review.snoozedUntil ?? '')}`
          : review.escalatedAt
            ? 'overdue'
            : 'back in the queue'
      return `${paint('you', words)}: ${oneLine(review.title)}`
    }
    case 'lesson.moved':
      return `lesson ${lessonLabelOf(event.state).word}${event.by ? ` by ${oneLine(event.by, 40)}` : ''}: ${oneLine(event.title)}`
    case 'change.moved': {
      const { change } = event
      return `${paint(change.state === 'refused' || change.state === 'undone' ? 'bad' : 'you', `change ${change.state}`)} ${change.id}: ${oneLine(change.title)}${change.note ? ` (${oneLine(change.note)})` : ''}`
    }
    case 'change.gated':
      return `${paint(event.verdict === 'failed' ? 'bad' : 'dim', `gate ${event.verdict}`)} ${oneLine(event.gate, 60)}: ${oneLine(event.summary)}`
    case 'change.viewed':
      return `${counted(event.paths.length, 'file')} of ${event.changeId} ${event.viewed ? 'viewed' : 'to be viewed again'} by ${oneLine(event.by, 40)}`
    case 'policy.decided':
      return `${paint(event.verdict === 'deny' ? 'bad' : 'dim', `policy: ${event.verdict}`)} ${oneLine(event.tool, 60)}: ${oneLine(event.reason)}`
    case 'rule.added':
      return `rule ${oneLine(event.rule.id, 20)} (${event.rule.verdict}) by ${oneLine(event.rule.createdBy, 40)}: ${oneLine(event.rule.label)}`
    case 'rule.revoked':
      return `rule ${oneLine(event.ruleId, 20)} taken back by ${oneLine(event.by, 40)}`
    case 'task.tainted':
      return `has read what nobody in its tree wrote: ${event.taint.join(', ')}`
    case 'task.changed':
      return `changed: ${[
        ...(event.title === undefined ? [] : [`title "${oneLine(event.title)}"`]),
        ...(event.priority === undefined ? [] : [`priority ${event.priority}`]),
        ...(event.deadlineAt === undefined ? [] : [event.deadlineAt === null ? 'no deadline' : `deadline ${event.deadlineAt}`]),
        ...(event.agent === undefined ? [] : [`${oneLine(event.agent, 64)} goes on with it`]),
        ...(event.model == null ? [] : [`${oneLine(event.model, 80)} answers for it`]),
      ].join(', ')}`
    case 'database.changed':
      return `changed the database (${counted(event.rows, 'row')} of ${oneLine(event.table, 40)}, approved by ${oneLine(event.by, 40)}): ${oneLine(event.sql)}`
    case 'task.controlled':
      return `${oneLine(event.verb, 20)} by ${oneLine(event.by, 40)}${event.comment ? `: ${oneLine(event.comment)}` : ''}`
    case 'task.rerun':
      return `done anew from message ${event.from} by ${oneLine(event.by, 40)}${event.replaced ? `, with other words for the ${event.replaced === 'words' ? 'message' : 'task'}` : ''}${event.model ? `, by ${oneLine(event.model, 80)}` : ''}`
    case 'task.granted':
      return `may now use ${oneLine([...event.documents, ...event.tools].join(', '))}`
    case 'outside.claimed':
      return `claimed by the outside agent ${oneLine(event.agent, 64)}`
    case 'outside.lapsed':
      return `the outside agent ${oneLine(event.agent, 64)} fell silent (${event.lapses} in a row)`
    case 'outside.registered':
      return `outside agent ${oneLine(event.agent, 64)} registered by ${oneLine(event.by, 64)}${event.capabilities.length > 0 ? `: ${oneLine(event.capabilities.join(', '))}` : ''}`
    case 'outside.removed':
      return `outside agent ${oneLine(event.agent, 64)} removed by ${oneLine(event.by, 40)}`
    case 'secret.changed':
      return `secret ${oneLine(event.name, 64)} ${event.what} by ${oneLine(event.by, 40)}; granted to ${oneLine(event.grants.join(', ')) || 'nobody'}`
    case 'source.synced':
      return `${event.how === 'pull' ? 'pulled' : 'pushed'} ${counted(event.commits, 'commit')} ${event.how === 'pull' ? 'from' : 'to'} ${oneLine(event.remote, 60)}/${oneLine(event.branch, 60)} by ${oneLine(event.by, 40)}`
    case 'secret.rotated':
      return `${counted(event.count, 'secret')} sealed with a new SYSTEM_SECRET_KEY by ${oneLine(event.by, 40)}`
    case 'secret.used':
      return `was given ${oneLine(event.names.join(', '))}`
    case 'network.used':
      return `network: ${oneLine(networkWords(event.use))}`
    case 'access.changed':
      return `${oneLine(event.subject, 80)}: ${ACCESS_WORDS[event.what]} (by ${oneLine(event.by, 80)})`
    case 'job.started':
      return `${oneLine(event.job, 20)} runs in the background (${oneLine(event.isolation, 20)}): ${oneLine(event.command)}`
    case 'job.ended':
      return `${oneLine(event.job, 20)} ended: ${oneLine(event.ending)}`
    case 'task.watched':
      return `${paint(event.watch === null ? 'dim' : 'you', event.watch === null ? 'watchdog' : `watchdog: ${watchText(event.watch)}`)}: ${oneLine(event.words)}`
    case 'tree.watched':
      return `the watchdog ${event.on ? (event.patient ? 'looks after it with patience' : 'looks after it') : 'leaves it alone'}, by ${oneLine(event.by, 40)}`
    case 'ask.acted':
      return event.goals.length > 1
        ? `any of ${event.goals.length} goals could be meant; nothing was done`
        : `for the person: ${event.act} ${event.goals.join()}`
    case 'sweep.repaired':
      return `mended by the sweep: ${oneLine(event.what)}`
    case 'system.paused':
      return `everything is paused by ${oneLine(event.by, 40)}${event.comment ? `: ${oneLine(event.comment)}` : ''}`
    case 'system.resumed':
      return `work goes on, resumed by ${oneLine(event.by, 40)}`
    case 'provider.held':
      return paint('bad', `${heldText(event)}: ${oneLine(event.why, 160)}`)
    case 'provider.released':
      return releasedText(event)
    case 'alert.raised':
      return paint('bad', oneLine(event.words))
    case 'alert.cleared':
      return `${event.what === 'cpu' ? 'CPU' : event.what} is below its limit again, at ${event.percent} %`
    case 'tree.removed':
      return `old goal ${oneLine(event.id, 40)} (${counted(event.tasks, 'task')}) removed by ${oneLine(event.by, 40)}${event.file === null ? '' : `; it is kept in ${oneLine(event.file)}`}`
    case 'tool.ran':
      return event.fault === null
        ? `${oneLine(event.tool, 60)} version ${event.version} ran for ${event.ms} ms`
        : `${oneLine(event.tool, 60)} version ${event.version} ${paint('bad', 'failed')}: ${oneLine(event.fault)}`
    case 'tool.approved':
      return `the tool ${oneLine(event.name, 60)} version ${event.version} was approved by ${oneLine(event.by, 60)}`
    case 'tool.rolledback':
      return `the tool ${oneLine(event.name, 60)} ${event.to === null ? 'was switched off' : `went back to an earlier version, now version ${event.to}`}: ${oneLine(event.why)}`
    case 'server.changed':
      return `MCP server ${event.server} ${event.what} by ${oneLine(event.by, 40)}${event.detail === null ? '' : `: ${oneLine(event.detail)}`}`
    case 'registry.saved':
      return `${event.kind} ${event.name} saved as version ${event.version} by ${oneLine(event.by, 40)}`
    case 'settings.saved':
      return `${event.name === 'policy' ? 'the policy' : event.name} changed by ${oneLine(event.by, 40)}`
    case 'registry.removed':
      return `${event.kind} ${event.name} removed by ${oneLine(event.by, 40)}`
  }
}

/** The task a fact is about. */
export function taskOf(event: Event): string | null {
  if ('taskId' in event) return event.taskId
  if (event.type === 'task.created') return event.task.id
  if (event.type === 'review.opened' || event.type === 'review.decided' || event.type === 'review.changed') return event.review.taskId
  return event.treeId
}

/** Local time of day. */
export function timeOf(at: string): string {
  const date = new Date(at)
  return Number.isNaN(date.getTime()) ? oneLine(at, 24) : date.toTimeString().slice(0, 8)
}

/** One line of a log. A fact of a kind that this version does not know is named, not hidden. */
export function logLine(event: Event, paint: Paint): string {
  const words = tell(event, paint) ?? oneLine((event as { type: string }).type, 60)
  return `${paint('dim', timeOf(event.at))} ${paint('dim', oneLine(taskOf(event) ?? 'system', 80))} ${words}`
}

/** Whether a fact changes what the tree looks like; the rest is detail. */
export const isMilestone = (event: Event): boolean =>
  event.type === 'task.created' || event.type === 'task.moved' || event.type.startsWith('review.') || event.type.startsWith('tree.')
