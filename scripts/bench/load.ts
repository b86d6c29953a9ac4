/** What every benchmark does: payloads of fixed size, a provider without latency, a tool without work. */
import * as z from 'zod'
import type { ModelRequest } from '../../core/models/provider.ts'
import { answer, defineTool } from '../../core/tool.ts'
import { answersIn, endWith, type Scripted } from '../testing/scripted.ts'

const chars = (n: number, seed: string): string => `${seed} ${'lorem ipsum dolor sit amet '.repeat(Math.ceil(n / 27))}`.slice(0, n)
/** The sizes of the comparison in docs: prompt 300, words of the model 200, answer of the tool 400 characters. */
export const PROMPT = (i: number | string): string => chars(300, `task ${i}`)
export const WORDS = chars(200, 'thinking')
export const ANSWER = chars(400, 'answer')

export const benchTool = defineTool({
  name: 'bench_echo',
  description: 'Answers at once.',
  permission: 'read',
  effect: 'read',
  input: z.object({ q: z.string() }),
  run: async () => answer(ANSWER),
})

/** Model turn with one tool call, then a model turn that ends. */
export const twoTurns = (request: ModelRequest): Scripted =>
  answersIn(request).length === 0 ? { text: WORDS, calls: [{ tool: 'bench_echo', input: { q: 'x' } }] } : { text: WORDS, ...endWith(WORDS) }

/** `tree a b c`: levels of so many subtasks each; the leaves do two turns. */
export const treeOf = (request: ModelRequest): Scripted => {
  const widths = (/^tree ((?:\d+ )*\d+)/.exec(request.task.instruction)?.[1] ?? '').split(' ').filter(Boolean).map(Number)
  const [width, ...rest] = widths
  if (width === undefined) return twoTurns(request)
  if (answersIn(request).length > 0) return { text: WORDS, ...endWith(WORDS) }
  const subtasks = Array.from({ length: width }, (_, i) => ({
    task_instruction: rest.length ? `tree ${rest.join(' ')} (${i}) ${PROMPT(i)}` : PROMPT(i),
    agent_type: 'bench',
  }))
  return { text: WORDS, calls: [{ tool: 'start_subtask', input: { subtasks } }] }
}
