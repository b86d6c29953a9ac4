/**
 * The model of tasks that outside agents work: it answers with the calls that the agent sent. A task without such calls is laid down before
 * its turn begins, so this is asked only when there is something to say.
 */
import type { Provider } from './provider.ts'

export const EXTERNAL = 'external'
const NONE_YET = 'no outside agent has sent a call yet'

/** `unread`: calls that an outside agent sent for a task and that no turn took up yet, in their order. */
export function external(unread: (taskId: string) => Promise<{ n: number; agent: string; tool: string; input: unknown }[]>): Provider {
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
          usage: null,
          // Whoever runs the agent pays for its model.
          reportedCostMicros: 0,
          model: sent[0]!.agent,
        },
      }
    },
  }
}
