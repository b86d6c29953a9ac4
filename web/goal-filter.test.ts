import { expect, test } from 'vitest'
import type { TreeHead } from '../core/contract/event.ts'
import type { Task } from '../core/contract/task.ts'
import { choosesGoal } from './goal-filter.ts'

const tree = { id: '01ab', goal: 'Count the ducks' } as TreeHead
const root = (status: Task['status'], reason: Task['reason'] = null) => ({ status, reason, summary: null, result: 'Nine' }) as Task

test('every word counts, in the goal, its result or its id', () => {
  const finds = (q: string) => choosesGoal({ q }, tree, root('done'), false)
  expect(['', 'DUCKS', 'nine count', '01ab', 'geese', 'ducks geese'].map(finds)).toEqual([true, true, true, true, false, false])
})

test('what asks a person is open and asks; what is over asks nobody', () => {
  expect(choosesGoal({ f: 'you' }, tree, root('active'), true)).toBe(true)
  expect(choosesGoal({ f: 'you' }, tree, root('active'), false)).toBe(false)
  expect(choosesGoal({ f: 'you' }, tree, root('paused', 'budget'), false)).toBe(true)
  expect(choosesGoal({ f: 'you' }, tree, root('done'), true)).toBe(false)
  expect(choosesGoal({ f: 'failed' }, tree, root('dead'), false)).toBe(true)
  expect(choosesGoal({ f: 'open' }, tree, root('cancelled'), false)).toBe(false)
})
