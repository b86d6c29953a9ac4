/**
 * Every instrument, once: Prometheus and OTLP tell the same. What counts facts is a pure function of the fact log, so totals go on across
 * restarts; what is a state now is asked for when somebody collects.
 */
import {
  ATTR_GEN_AI_OPERATION_NAME,
  ATTR_GEN_AI_PROVIDER_NAME,
  ATTR_GEN_AI_REQUEST_MODEL,
  METRIC_GEN_AI_CLIENT_OPERATION_DURATION,
} from '@opentelemetry/semantic-conventions/incubating'
import type { Event } from '../contract/event.ts'
import { isOver } from '../contract/task.ts'

export type Labels = Readonly<Record<string, string>>
type About = { unit: string; description: string }

/** Upper bounds in seconds: from a call that is answered from memory to one that thinks for half an hour. */
export const SECONDS = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1_800] as const

export const COUNTERS = {
  'banyan.goals.submitted': { unit: '{goal}', description: 'Goals that were submitted' },
  'banyan.tasks.created': { unit: '{task}', description: 'Tasks that were made, by agent' },
  'banyan.tasks.ended': { unit: '{task}', description: 'Tasks that ended, by agent and how' },
  'banyan.turns': { unit: '{turn}', description: 'Model calls that ended, by agent, provider, model and outcome' },
  'banyan.tokens': { unit: '{token}', description: 'Tokens of model calls, by agent, provider and model' },
  'banyan.cost': { unit: 'USD', description: 'What model calls cost where the price is known, by agent, provider and model' },
  'banyan.calls.unpriced': { unit: '{call}', description: 'Model calls whose price is not known' },
  'banyan.provider.faults': { unit: '{fault}', description: 'Model calls that failed, by provider and kind of fault' },
  'banyan.tool.calls': { unit: '{call}', description: 'Tool calls that ended, by tool and outcome' },
  'banyan.policy.decisions': { unit: '{decision}', description: 'Calls that the policy did not simply allow, by verdict' },
  'banyan.reviews.opened': { unit: '{item}', description: 'Items put before a person, by kind' },
  'banyan.reviews.decided': { unit: '{item}', description: 'Items that were decided, by kind and decision' },
  'banyan.sweep.repairs': { unit: '{task}', description: 'Tasks that only the sweep woke; anything but 0 is worth a look' },
  'banyan.alerts.raised': { unit: '{alert}', description: 'Times that a use went above its limit' },
} as const satisfies Record<string, About>
export type CounterName = keyof typeof COUNTERS

export const HISTOGRAMS = {
  [METRIC_GEN_AI_CLIENT_OPERATION_DURATION]: { unit: 's', description: 'How long model calls took' },
  'banyan.tool.duration': { unit: 's', description: 'How long tool calls took, waiting included' },
} as const satisfies Record<string, About>
export type HistogramName = keyof typeof HISTOGRAMS

export const GAUGES = {
  'banyan.tasks': { unit: '{task}', description: 'Tasks now, by status' },
  'banyan.tasks.waiting': { unit: '{task}', description: 'Tasks that wait now, by what they wait for' },
  'banyan.tasks.stuck': {
    unit: '{task}',
    description: 'Tasks that do not go on by themselves: set aside, held by an error, or goals that failed',
  },
  'banyan.queue.ready': { unit: '{task}', description: 'Tasks that may begin as soon as a slot is free' },
  'banyan.queue.oldest': { unit: 's', description: 'How long the oldest ready task has been ready' },
  'banyan.turns.active': { unit: '{turn}', description: 'Turns under way in this process' },
  'banyan.turns.slots': { unit: '{turn}', description: 'Turns that may be under way in this process' },
  'banyan.reviews.open': { unit: '{item}', description: 'Items that wait for a person' },
  'banyan.paused': { unit: '1', description: '1 while everything is paused' },
  'banyan.breaker.state': { unit: '1', description: 'Breaker of a provider: 0 closed, 1 half-open, 2 open' },
  'banyan.provider.held': { unit: '1', description: '1 while a provider takes no calls because of its limits' },
  'banyan.alert': { unit: '1', description: '1 while a use is above its limit' },
  'banyan.facts': { unit: '{fact}', description: 'Number of the newest fact' },
  'banyan.database.size': { unit: 'By', description: 'Size of the database' },
  'banyan.database.wal': { unit: 'By', description: 'Size of the write-ahead log of SQLite' },
  'banyan.eventloop.delay.p99': { unit: 's', description: 'Delay of the event loop in the last sample, 99 of 100 below' },
  'banyan.eventloop.delay.max': { unit: 's', description: 'Longest delay of the event loop in the last sample' },
  'banyan.process.memory': { unit: 'By', description: 'Memory of this process' },
  'banyan.process.cpu': { unit: '1', description: 'Cores that this process uses' },
  'banyan.system.cpu': { unit: '1', description: 'Share of the processor in use' },
  'banyan.system.memory.used': { unit: 'By', description: 'Memory of the machine in use' },
  'banyan.system.memory.total': { unit: 'By', description: 'Memory of the machine' },
  'banyan.disk.free': { unit: 'By', description: 'Free on the disk that holds DATA_DIR' },
  'banyan.disk.total': { unit: 'By', description: 'Size of the disk that holds DATA_DIR' },
} as const satisfies Record<string, About>
export type GaugeName = keyof typeof GAUGES

export type Count = {
  add(name: CounterName, value: number, labels: Labels): void
  record(name: HistogramName, seconds: number, labels: Labels): void
}

/** The task whose agent a fact is counted for; null: none is asked for. */
export const agentAskedFor = (event: Event): string | null =>
  event.type === 'model.called' || (event.type === 'task.moved' && isOver(event.to)) ? event.taskId : null

/** Counts one fact. `agentOf` knows the agents of tasks that `agentAskedFor` named. */
export function countFact(event: Event, count: Count, agentOf: (taskId: string) => string): void {
  switch (event.type) {
    case 'tree.created':
      count.add('banyan.goals.submitted', 1, {})
      break
    case 'task.created':
      count.add('banyan.tasks.created', 1, { agent: event.task.agent })
      break
    case 'task.moved':
      if (isOver(event.to)) count.add('banyan.tasks.ended', 1, { agent: agentOf(event.taskId), status: event.to })
      break
    case 'model.called': {
      const { provider, model, outcome, spend } = event
      const labels = { agent: agentOf(event.taskId), provider, model }
      count.add('banyan.turns', 1, { ...labels, outcome })
      count.add('banyan.tokens', spend.tokens, labels)
      count.add('banyan.cost', spend.costMicros / 1e6, labels)
      if (spend.unpricedCalls > 0) count.add('banyan.calls.unpriced', spend.unpricedCalls, { provider, model })
      if (outcome !== 'lost')
        count.record(METRIC_GEN_AI_CLIENT_OPERATION_DURATION, event.latencyMs / 1_000, {
          [ATTR_GEN_AI_OPERATION_NAME]: 'chat',
          [ATTR_GEN_AI_PROVIDER_NAME]: provider,
          [ATTR_GEN_AI_REQUEST_MODEL]: model,
        })
      break
    }
    case 'model.fault':
      count.add('banyan.provider.faults', 1, { provider: event.provider, kind: event.kind })
      break
    case 'call.ended':
      count.add('banyan.tool.calls', 1, { tool: event.tool, outcome: event.ok ? 'ok' : 'error' })
      count.record('banyan.tool.duration', event.ms / 1_000, { tool: event.tool })
      break
    case 'policy.decided':
      count.add('banyan.policy.decisions', 1, { verdict: event.verdict })
      break
    case 'review.opened':
      count.add('banyan.reviews.opened', 1, { kind: event.review.kind })
      break
    case 'review.decided':
      count.add('banyan.reviews.decided', 1, { kind: event.review.kind, decision: event.review.decision ?? 'none' })
      break
    case 'sweep.repaired':
      count.add('banyan.sweep.repairs', 1, {})
      break
    case 'alert.raised':
      count.add('banyan.alerts.raised', 1, { what: event.what })
      break
    default:
  }
}
