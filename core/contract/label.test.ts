import { expect, test } from 'vitest'
import { labelOf } from './label.ts'
import { TASK_STATUSES, type Task } from './task.ts'

const label = (status: Task['status'], reason: Task['reason'] = null, attempt = 0) => labelOf({ status, reason, attempt })

test('every state has a word and a shape', () => {
  for (const status of TASK_STATUSES) {
    const { word, shape } = label(status)
    expect(word, status).toMatch(/^[a-z]/)
    expect([...shape], status).toHaveLength(1)
  }
})

test('only what waits for a person has the tone that calls one', () => {
  expect(label('waiting', 'review').tone).toBe('you')
  expect(label('paused', 'budget').tone).toBe('you')
  for (const reason of ['children', 'quota', 'timer', 'closing', 'external'] as const) expect(label('waiting', reason).tone).toBe('wait')
})

test('ends that differ read differently', () => {
  const ends = [
    label('done'),
    label('failed'),
    label('failed', 'deadline'),
    label('cancelled', 'stopped'),
    label('cancelled', 'dependency_failed'),
  ]
  expect(new Set(ends.map(({ word }) => word)).size).toBe(ends.length)
  expect(label('pending', null, 1).word).not.toBe(label('pending').word)
})
