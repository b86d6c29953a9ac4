import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { labelOf } from './label.ts'
import { isOver, mayBecome, normaliseInstruction, REASONS, TASK_STATUSES, type TaskStatus, titleOf } from './task.ts'

const status = fc.constantFrom(...TASK_STATUSES)

describe('the life cycle', () => {
  test('is this table, and changing it is a decision', () => {
    const table = Object.fromEntries(TASK_STATUSES.map((from) => [from, TASK_STATUSES.filter((to) => mayBecome(from, to)).join(' ')]))
    expect(table).toEqual({
      backlog: 'pending paused failed cancelled',
      pending: 'assigned waiting paused failed cancelled dead',
      assigned: 'pending active waiting paused done failed cancelled dead',
      active: 'pending waiting paused done failed cancelled dead',
      waiting: 'pending waiting paused done failed cancelled dead',
      paused: 'backlog pending waiting done failed cancelled',
      done: 'pending',
      failed: 'pending',
      cancelled: 'pending',
      dead: 'pending',
    })
  })

  test('every status can be reached from pending, and every one can come to an outcome', () => {
    const reach = (from: TaskStatus, seen = new Set<TaskStatus>([from])): Set<TaskStatus> => {
      for (const to of TASK_STATUSES) if (mayBecome(from, to) && !seen.has(to)) reach(to, seen.add(to))
      return seen
    }
    expect(reach('pending').size).toBe(TASK_STATUSES.length)
    for (const from of TASK_STATUSES) expect([...reach(from)].some(isOver), from).toBe(true)
  })

  test('out of an outcome the only way is back to pending, so nothing finishes twice without being opened again', () => {
    fc.assert(
      fc.property(status, status, (from, to) => {
        if (isOver(from)) expect(mayBecome(from, to)).toBe(to === 'pending')
      }),
    )
  })

  test('only a claimed task becomes active, and only through pending is a task claimed', () => {
    expect(TASK_STATUSES.filter((from) => mayBecome(from, 'active'))).toEqual(['assigned'])
    expect(TASK_STATUSES.filter((from) => mayBecome(from, 'assigned'))).toEqual(['pending'])
  })
})

test('every status with every reason has a word and a shape for people', () => {
  for (const each of TASK_STATUSES)
    for (const reason of [null, ...REASONS])
      expect(labelOf({ status: each, reason, attempt: 1 })).toMatchObject({
        word: expect.stringMatching(/\S/),
        shape: expect.stringMatching(/\S/),
      })
})

describe('instructions', () => {
  test('are the same for the cycle check whatever their case, spacing and punctuation at the ends', () => {
    const same = ['Write the report.', '  write   THE report', '"Write the report!"', 'write the report…', 'Ｗrite the report']
    expect(new Set(same.map(normaliseInstruction))).toEqual(new Set(['write the report']))
  })
  test('normalising twice changes nothing', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const once = normaliseInstruction(text)
        expect(normaliseInstruction(once)).toBe(once)
      }),
    )
  })
  test('give a title that fits one row, whatever they hold', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const title = titleOf(text)
        expect(title.length).toBeGreaterThan(0)
        expect(title.length).toBeLessThanOrEqual(120)
        expect(title).not.toContain('\n')
      }),
    )
  })
})
