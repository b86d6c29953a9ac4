/** A provider for tests and benchmarks whose answers a function decides: no network, no latency, every path reachable. */
import type { ModelEvent, ModelFault, ModelRequest, Provider, Reply } from '../../core/models/provider.ts'

export type Scripted =
  | { text?: string; calls?: { tool: string; input: unknown }[]; usage?: Partial<NonNullable<Reply['usage']>>; costMicros?: number }
  | ModelFault

export function scripted(
  decide: (request: ModelRequest) => Scripted | Promise<Scripted>,
  options: { name?: string; judges?: boolean; window?: number; account?: string } = {},
): Provider {
  return {
    name: options.name ?? 'scripted',
    judges: options.judges ?? false,
    ...(options.account === undefined ? {} : { account: options.account }),
    contextWindow: () => options.window ?? 1_000_000,
    async *stream(request, signal): AsyncIterable<ModelEvent> {
      const answer = await decide(request)
      if (signal.aborted) {
        yield { type: 'fault', fault: { kind: 'later', message: 'stopped' } }
        return
      }
      if ('kind' in answer) {
        yield { type: 'fault', fault: answer }
        return
      }
      if (answer.text) yield { type: 'text', delta: answer.text }
      yield {
        type: 'done',
        reply: {
          text: answer.text ?? '',
          calls: answer.calls ?? [],
          stop: answer.calls?.length ? 'tools' : 'end',
          usage: { input: 10, output: 5, reasoning: 0, cacheRead: 0, cacheWrite: 0, ...answer.usage },
          reportedCostMicros: answer.costMicros ?? 0,
          model: request.model,
        },
      }
    },
  }
}

/** Tool answers the request already holds, newest last. */
export const answersIn = (request: ModelRequest): string[] => request.messages.filter((m) => m.role === 'tool').map((m) => m.text)
/** Ends the task with these words. */
export const endWith = (result: string, status: 'success' | 'failure' = 'success', more: object = {}): Scripted => ({
  calls: [{ tool: 'end_task', input: { status, result, ...more } }],
})
/** Starts these subtasks and waits. */
export const startAll = (instructions: readonly string[], more: object = {}): Scripted => ({
  calls: [
    {
      tool: 'start_subtask',
      input: { subtasks: instructions.map((task_instruction) => ({ task_instruction, agent_type: 'generalist' })), ...more },
    },
  ],
})
