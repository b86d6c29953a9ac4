import { expect, test } from 'vitest'
import { verbsFor } from './verbs.ts'

test('what a task is decides what is offered', () => {
  expect(verbsFor({ status: 'active', reason: null }, false)).toEqual(['pause', 'step', 'cancel', 'abort'])
  expect(verbsFor({ status: 'paused', reason: 'person' }, false)).toEqual(['resume', 'step', 'cancel', 'abort'])
  expect(verbsFor({ status: 'waiting', reason: 'children' }, false)).toEqual(['pause', 'cancel', 'abort'])
  expect(verbsFor({ status: 'failed', reason: 'ended' }, false)).toEqual(['retry'])
  expect(verbsFor({ status: 'done', reason: 'ended' }, false)).toEqual([])
})

test('a task that waits for paused subtasks can let them go on', () => {
  expect(verbsFor({ status: 'waiting', reason: 'children' }, true)).toEqual(['resume', 'pause', 'cancel', 'abort'])
})

test('a goal at its cap is let go on in the queue, not here', () => {
  expect(verbsFor({ status: 'paused', reason: 'budget' }, true)).toEqual(['cancel', 'abort'])
})
