/**
 * The model of tasks that outside agents work: it answers with the calls that the agent sent. A task without such calls is laid down before
 * its turn begins, so this is asked only when there is something to say.
 */
import { noUsage, type ReportedUsage, type Usage } from '../contract/task.ts'
import type { Provider } from './provider.ts'

export const EXTERNAL = 'external'
const NONE_YET = 'no outside agent has sent a call yet'

/** `unread`: calls that an outside agent sent for a task and that no turn took up yet, in their order. */
export function external(
  unread: (taskId: string) => Promise<{ n: number; agent: string; tool: string; input: unknown; used: ReportedUsage | null }[]>,
): Provider {
  return {
    name: EXTERNAL,
    judges: true,
    outside: { capability: (model) => (model === EXTERNAL ? '' : model.replace(`${EXTERNAL}:`, '')) },
    contextWindow: () => Number.MAX_SAFE_INTEGER,
    async *stream(request, signal) {
      const sent = signal.aborted ? [] : await unread(request.task.id)
      if (sent.length === 0) {
        yield { type: 'fault', fault: { kind: 'later', message: signal.aborted ? 'stopped' : NONE_YET } }
        return
      }
      yield {
        type: 'done',
        reply: {
          text: '',
          calls: sent.map(({ tool, input }) => ({ tool, input })),
          outside: sent.map(({ n }) => n),
          stop: 'tools',
          // Whoever runs the agent pays for its model, and knows alone what it used.
          ...usedBy(sent.flatMap(({ used }) => (used === null ? [] : [used]))),
          model: sent[0]!.agent,
        },
      }
    },
  }
}

function usedBy(told: readonly ReportedUsage[]): { usage: Usage | null; reportedCostMicros: number } {
  const sum = (of: (one: ReportedUsage) => number): number => told.reduce((all, one) => all + of(one), 0)
  const names = Object.keys(noUsage) as (keyof Usage)[]
  const usage = Object.fromEntries(names.map((name) => [name, sum((one) => one.usage[name])])) as Usage
  return { usage: told.length === 0 ? null : usage, reportedCostMicros: sum((one) => one.costMicros) }
}
