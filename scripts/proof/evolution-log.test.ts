import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { keptIn, type Run, withRun } from './evolution-log.ts'

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
  expect(keptIn(refused)).toEqual(keptIn(LOG))
  const both = withRun(refused, run('kept'))
  expect(both.slice(both.indexOf('## shorter')).match(/^(?:## .*|### .*|- why.*)$/gm)).toEqual([
    '## shorter',
    '### 2026-11-22 10:11 UTC: refused',
    '- why: the gate "types" failed.',
    '### 2026-11-22 10:11 UTC: kept',
  ])
  expect(keptIn(both)).toEqual([...keptIn(LOG), 'shorter'])
})

test('the log in this source has the changes that were kept, and none twice', () => {
  const kept = keptIn(LOG)
  expect(kept.length).toBeGreaterThanOrEqual(8)
  expect(new Set(kept).size).toBe(kept.length)
})
