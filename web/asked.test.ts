import { expect, test } from 'vitest'
import { askedBy } from './asked.ts'

test('a title that was cut is replaced by the whole question that the action holds', () => {
  const question = 'May I ask the neighbour whether the cat may stay in the house on Sundays?'
  expect(askedBy({ title: `${question.slice(0, 40)}…`, action: { question, task: 'whether the cat may stay…' } })).toEqual({
    words: question,
    action: {},
  })
  expect(askedBy({ title: question.slice(0, 40), action: { question } }).words).toBe(question)
})

test('what the title does not say is kept, short values always', () => {
  const action = { command: 'rm -rf build', times: 2, shell: 'sh' }
  expect(askedBy({ title: 'Run sh?', action })).toEqual({ words: 'Run sh?', action })
})

test('an action that is plain text or a list is shown as it is', () => {
  expect(askedBy({ title: 'Look', action: 'this file is odd' })).toEqual({ words: 'Look', action: 'this file is odd' })
  expect(askedBy({ title: 'this file is odd', action: 'this file is odd' }).action).toBeNull()
  expect(askedBy({ title: 'Look', action: ['a'] }).action).toEqual(['a'])
})
