/** Tools that were granted to one task, and what its subtasks have of them. */
import { afterEach, expect, test } from 'vitest'
import { type Harness, harness } from '../../scripts/testing/harness.ts'
import { answersIn, endWith, type Scripted } from '../../scripts/testing/scripted.ts'
import type { ModelRequest } from '../models/provider.ts'

let h: Harness | undefined
afterEach(async () => {
  const found = await h?.end()
  h = undefined
  expect(found ?? []).toEqual([])
})

const inOrder = (request: ModelRequest, ...steps: Scripted[]): Scripted =>
  steps[answersIn(request).length] ?? endWith(answersIn(request).join('\n---\n'))
const start = (more: object): Scripted => ({
  calls: [{ tool: 'start_subtask', input: { task_instruction: 'part', agent_type: 'generalist', ...more } }],
})
/** A goal whose task asks for read_document, then does `after`; its part says which tools it has. */
async function goal(...after: Scripted[]): Promise<string> {
  h = await harness((request) => {
    if (request.task.kind === 'tools') return endWith('take it', 'success', { tools: ['read_document'] })
    if (request.task.instruction === 'part')
      return endWith(request.tools.some((tool) => tool.name === 'read_document') ? 'it can read documents' : 'it cannot')
    return inOrder(request, { calls: [{ tool: 'request_tools', input: { tools_needed: 'reading documents' } }] }, ...after)
  })
  return (await h.over(await h.goal('whole'))).result!
}

test('a subtask has a granted tool when its parent hands it on, and only then', async () => {
  const answers = (await goal(start({ tools: ['read_document'] }), start({}))).split('\n---\n')
  expect(answers[0]).toContain('Now among your tools: read_document.')
  expect(answers[1]).toContain('it can read documents')
  expect(answers[2]).toContain('it cannot')
})

test('what a subtask was granted is not told to its parent as a tool of its own', async () => {
  const answers = (await goal(start({ tools: ['read_document'] }))).split('\n---\n')
  expect(answers[1]).not.toContain('Now among your tools')
})

test('a tool that was not granted cannot be handed on', async () => {
  const answers = (await goal(start({ tools: ['use_terminal'] }))).split('\n---\n')
  expect(answers[1]).toContain('"use_terminal" was not granted to your task')
  expect(answers[1]).toContain('granted: read_document')
})
