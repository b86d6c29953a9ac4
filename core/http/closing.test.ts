import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Conversation, type PreparedAnswer, preparedModel } from '../../scripts/testing/prepared-model.ts'
import { engine, type Running } from './fixture/engine.ts'

const LONG = `The answer is 4180. ${'And this is how it was found. '.repeat(100)}`
const end = (result: string, more: object = {}): PreparedAnswer => ({
  calls: [{ tool: 'end_task', input: { status: 'success', result, ...more } }],
})
const seen: Record<'goal' | 'part' | 'evaluator', Conversation[]> = { goal: [], part: [], evaluator: [] }
let passes = true

/** Who is asked is told by the first words of the task. */
function model(asked: Conversation): PreparedAnswer {
  if (asked.task.startsWith('Judge whether')) {
    seen.evaluator.push(asked)
    return end('judged', {
      verdict: passes
        ? { passed: true, score: 95, reasons: 'It is there.', criteria: [{ number: 1, met: true, evidence: 'the result says 4180' }] }
        : { passed: false, score: 10, reasons: 'Not what was asked.', criteria: [{ number: 1, met: false, evidence: 'no number' }] },
    })
  }
  if (asked.task.startsWith('Summarise this task')) return end('It is 4180.')
  if (asked.task.startsWith('Write down what')) return end('Nothing to keep.')
  if (asked.task.startsWith('Add up')) {
    seen.part.push(asked)
    return end(LONG)
  }
  seen.goal.push(asked)
  const part = { task_instruction: 'Add up the numbers.', agent_type: 'generalist', criteria: ['the result names the sum'] }
  return asked.turn === 0 ? { calls: [{ tool: 'start_subtask', input: part }] } : end('The sum is 4180.')
}

let provider: Awaited<ReturnType<typeof preparedModel>>
let server: Running
beforeAll(async () => {
  provider = await preparedModel(model)
  server = await engine({ ANTHROPIC_API_KEY: 'of-a-test', ANTHROPIC_BASE_URL: provider.url, MODEL: 'anthropic/prepared' })
}, 60_000)
afterAll(async () => {
  await server.stop()
  provider.close()
})

test('a parent sees the summary of its part and nothing of its conversation; who works and who judges see the criteria', async () => {
  const { json } = await server.submit('How much is it?', { agent: 'generalist' })
  const tree = await server.over(json.treeId)
  expect(tree.status).toBe('done')
  const part = tree.tasks.find((task) => task.instruction === 'Add up the numbers.')!
  expect(part).toMatchObject({ result: LONG, summary: 'It is 4180.', criteria: ['the result names the sum'] })
  expect(part.verdict?.criteria).toEqual([
    { number: 1, met: true, evidence: 'the result says 4180', criterion: 'the result names the sum' },
  ])
  const [, second] = seen.goal
  expect(second!.answers.join()).toContain('It is 4180.')
  expect(second!.answers.join()).not.toContain('how it was found')
  for (const words of [seen.part[0]!.task, seen.evaluator[0]!.task])
    expect(words).toMatch(/success criteria\)\n1\. the result names the sum/)
  expect(seen.evaluator[0]!.task).toContain(`its id: ${part.id}; of the goal ${tree.id}`)
  expect(seen.evaluator[0]!.tools).toContain('run_check')
  expect(tree.watching).toMatchObject({ cap: 0.4 })
  // The goal has no criteria: what its evaluator says of one is dropped and costs no turn.
  expect(tree.tasks[0]!.verdict).toEqual({ passed: true, score: 95, reasons: 'It is there.', by: 'task_evaluator' })
  const watchers = tree.tasks.filter((task) => ['evaluate', 'summarize', 'document'].includes(task.kind))
  expect(tree.watching.tokens).toBe(watchers.reduce((sum, task) => sum + task.spend.tokens, 0))
  expect(tree.watching.share).toBeCloseTo(tree.watching.tokens / tree.spend.tokens, 6)
}, 60_000)

test('what is not accepted comes back once with what is not met, and then goes to a person', async () => {
  passes = false
  const { json } = await server.submit('Add up the other numbers.', { agent: 'generalist', criteria: ['the result names the other sum'] })
  const tree = await server.over(json.treeId)
  expect(tree).toMatchObject({ status: 'failed', note: 'the evaluator did not accept the result twice: Not what was asked.' })
  const { json: history } = await server.ask<{ items: { role: string; text?: string }[] }>('GET', `/api/tasks/${tree.id}/messages`)
  const back = history.items.filter((message) => message.text?.startsWith('The evaluator did not accept'))
  expect(back).toHaveLength(1)
  expect(back[0]!.text).toContain('Not met: 1. the result names the other sum (no number)')
  const rounds = seen.evaluator.filter(({ task }) => task.includes('the other numbers'))
  expect(rounds.map(({ task }) => task.includes('# Why it was sent back the first time\nNot what was asked.'))).toEqual([false, true])
  const { json: queue } = await server.ask<{ items: object[] }>('GET', `/api/reviews?state=open&treeId=${tree.id}`)
  expect(queue.items).toMatchObject([{ kind: 'flag', taskId: tree.id, title: 'Twice not accepted: Add up the other numbers.' }])
}, 60_000)
