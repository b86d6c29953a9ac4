import { afterEach, expect, test } from 'vitest'
import { type Harness, harness } from '../../scripts/testing/harness.ts'
import { answersIn, endWith, type Scripted } from '../../scripts/testing/scripted.ts'
import type { ModelRequest } from '../models/provider.ts'
import { TALLY } from './fixture/tally-words.ts'

let h: Harness | undefined
afterEach(async () => {
  const found = await h?.end()
  h = undefined
  expect(found ?? []).toEqual([])
})

const make = (change: object = {}): Scripted => ({ calls: [{ tool: 'create_tool', input: { ...TALLY, ...change } }] })
const inOrder =
  (...steps: Scripted[]) =>
  (request: ModelRequest): Scripted =>
    steps[answersIn(request).length] ?? endWith(answersIn(request).join('\n---\n'))

test('a tool that an agent lacks is made by the helper and used by name in the same goal', async () => {
  h = await harness((request) => {
    if (request.task.kind === 'tools') return inOrder(make(), endWith('made it', 'success', { tools: ['tally_words'] }))(request)
    if (request.task.kind !== 'work') return endWith('fine')
    return inOrder(
      { calls: [{ tool: 'request_tools', input: { tools_needed: 'count words' } }] },
      { calls: [{ tool: 'tally_words', input: { text: 'one two three four' } }] },
    )(request)
  })
  const tree = await h.goal('How many words?')
  const { result } = await h.over(tree)
  expect(result).toMatch(/\{"words":4\}$/)
  expect(await h.runtime.registry.get('tool', 'tally_words')).toMatchObject({
    origin: 'made',
    version: 1,
    author: 'tool_addition',
    made: { treeId: tree },
  })
})
