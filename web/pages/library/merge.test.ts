import { expect, test } from 'vitest'
import { Agent } from '../../../core/contract/registry.ts'
import { changed, merge } from './merge.ts'

const base = Agent.parse({ name: 'writer', description: 'Writes.', instruction: 'Write it.', tools: ['a', 'b'] })

test('edits of different fields come together without a question', () => {
  const { body, conflicts } = merge('agent', base, { ...base, instruction: 'Write it well.' }, { ...base, max_turns: 5 })
  expect(conflicts).toEqual([])
  expect(body).toMatchObject({ instruction: 'Write it well.', max_turns: 5 })
})

test('what both changed differently is a conflict that keeps mine; what both changed alike is none', () => {
  const mine = { ...base, instruction: 'Mine.', description: 'Both.' }
  const { body, conflicts } = merge('agent', base, mine, { ...base, instruction: 'Theirs.', description: 'Both.' })
  expect(conflicts).toEqual(['instruction'])
  expect(body).toMatchObject({ instruction: 'Mine.', description: 'Both.' })
})

test('lists take what each added and lose what each took away', () => {
  const { body, conflicts } = merge('agent', base, { ...base, tools: ['b', 'c'] }, { ...base, tools: ['a', 'b', 'd'] })
  expect(conflicts).toEqual([])
  expect(body.tools).toEqual(['b', 'd', 'c'])
})

test('a limit that one takes away is gone, and one that is set comes in', () => {
  const limited = { ...base, timeout_seconds: 60 }
  const { timeout_seconds: _, ...open } = limited
  expect(merge('agent', limited, open, limited).body.timeout_seconds).toBeUndefined()
  expect(merge('agent', base, base, limited).body.timeout_seconds).toBe(60)
  expect(changed('agent', base, limited)).toEqual(['timeout_seconds'])
})
