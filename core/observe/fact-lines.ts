/** Facts that an owner would look for in the log, as a line of it; null for the others, which the fact log has. */

import type { Event } from '../contract/event.ts'
import { heldText, releasedText } from '../contract/holds.ts'
import type { LogLevel } from '../contract/log-level.ts'
import type { About } from './log.ts'

export function lineOf(event: Event): { level: LogLevel; text: string; about: About } | null {
  const about = {
    ...(event.treeId === null ? {} : { treeId: event.treeId }),
    ...('taskId' in event ? { taskId: event.taskId } : {}),
  }
  const line = (level: LogLevel, text: string) => ({ level, text, about })
  switch (event.type) {
    case 'tree.created':
      return line('info', `Goal submitted by ${event.tree.submittedBy}`)
    case 'tree.paused':
      return line('warn', `Goal paused: ${event.reason}`)
    case 'tree.resumed':
      return line('info', 'Goal goes on')
    case 'task.moved':
      if (event.to === 'failed' || event.to === 'dead')
        return line(
          event.to === 'dead' ? 'error' : 'warn',
          `Task ${event.to}${event.reason ? ` (${event.reason})` : ''}${event.note ? `: ${event.note}` : ''}`,
        )
      return null
    case 'model.fault':
      return line(
        'warn',
        `Model call failed at ${event.provider} (${event.kind}): ${event.message}${event.retryAt ? `; next try ${event.retryAt}` : ''}`,
      )
    case 'policy.decided':
      return event.verdict === 'deny' ? line('warn', `Denied ${event.tool}: ${event.reason}`) : null
    case 'database.changed':
      return line('warn', `An agent changed the database (${event.verb} of ${event.table}, rows: ${event.rows}), approved by ${event.by}`)
    case 'sweep.repaired':
      return line('warn', `The sweep repaired ${event.what}`)
    case 'provider.held':
      return line('warn', `${heldText(event)}: ${event.why}`)
    case 'provider.released':
      return line('info', releasedText(event))
    case 'alert.raised':
      return line('warn', event.words)
    case 'alert.cleared':
      return line('info', `${event.what === 'cpu' ? 'CPU' : event.what} is below its limit again, at ${event.percent} %`)
    case 'system.paused':
      return line('warn', `Everything paused by ${event.by}${event.comment === null ? '' : `: ${event.comment}`}`)
    case 'system.resumed':
      return line('info', `Everything goes on, by ${event.by}`)
    case 'tree.removed':
      return line('info', `Old goal ${event.id} removed by ${event.by}${event.file === null ? '' : `, kept in ${event.file}`}`)
    case 'rule.added':
      return line('info', `Rule ${event.rule.id} added by ${event.rule.createdBy}: ${event.rule.label}`)
    case 'rule.revoked':
      return line('info', `Rule ${event.ruleId} taken back by ${event.by}`)
    case 'secret.changed':
      return line('info', `Secret ${event.name} ${event.what} by ${event.by}`)
    case 'tool.approved':
      return line('info', `Tool ${event.name} version ${event.version} approved by ${event.by}`)
    case 'tool.rolledback':
      return line(
        event.by === 'system' ? 'warn' : 'info',
        `Tool ${event.name} ${event.to === null ? 'switched off' : 'rolled back'}: ${event.why}`,
      )
    case 'server.changed':
      return line(
        event.what === 'failed' || event.what === 'differs' ? 'warn' : 'info',
        `MCP server ${event.server} ${event.what} by ${event.by}${event.detail === null ? '' : `: ${event.detail}`}`,
      )
    case 'registry.saved':
      return line('info', `${event.kind} ${event.name} saved as version ${event.version} by ${event.by}`)
    case 'settings.saved':
      return line('info', `${event.name === 'policy' ? 'The policy' : event.name} was changed by ${event.by}`)
    case 'registry.removed':
      return line('info', `${event.kind} ${event.name} removed by ${event.by}`)
    default:
      return null
  }
}
