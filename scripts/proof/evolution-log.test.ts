import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { isRight, type Run, rightIn, withRun } from './evolution-log.ts'

const LOG = readFileSync(join(import.meta.dirname, '../../docs/evolution-log.md'), 'utf8')
const run = (end: Run['end'], note: string | null = null): Run => ({
  name: 'shorter',
  title: 'A shorter line',
  goal: 'Make it shorter',
  id: 'c1',
  level: 2,
  files: ['tools/a.ts'],
  decidedBy: 'owner',
  gates: [{ name: 'types', verdict: 'passed', ms: 4_000 }],
  end,
  refusedBy: null,
  note,
  revision: 'abc',
  commit: 'def',
  at: '2026-11-22T10:11:12.000Z',
  wholeMs: 60_000,
  toServingMs: null,
  watchSeconds: 20,
  cores: 2,
  load: 1,
})

test('the log keeps every try of a change with its reason, and counts the change as kept when one of them was', () => {
  const refused = withRun(LOG, run('refused', 'the gate "types" failed.'))
  expect(rightIn(refused)).toEqual(rightIn(LOG))
  const both = withRun(refused, run('kept'))
  expect(both.slice(both.indexOf('## shorter')).match(/^(?:## .*|### .*|- why.*)$/gm)).toEqual([
    '## shorter',
    '### 2026-11-22 10:11 UTC: refused',
    '- why: the gate "types" failed.',
    '### 2026-11-22 10:11 UTC: kept',
  ])
  expect(rightIn(both)).toEqual([...rightIn(LOG), 'shorter'])
})

test('the log in this source has the changes that were kept, and none twice', () => {
  const kept = rightIn(LOG)
  expect(kept.length).toBeGreaterThanOrEqual(8)
  expect(new Set(kept).size).toBe(kept.length)
})

test('a change that must be refused is right when that gate refused it, and not when it was kept or another one did', () => {
  const must = (end: Run['end'], note: string | null) => withRun(LOG, { ...run(end, note), refusedBy: 'migrations' })
  expect(rightIn(must('refused', 'the gate "migrations" failed. It drops.'))).toContain('shorter')
  expect(must('refused', 'the gate "migrations" failed. It drops.')).toContain('UTC: refused, as it must be\n')
  expect(rightIn(must('refused', 'the gate "types" failed.'))).not.toContain('shorter')
  expect(isRight({ end: 'kept', refusedBy: 'migrations', note: null })).toBe(false)
  expect(isRight({ end: 'kept', refusedBy: null, note: null })).toBe(true)
})
