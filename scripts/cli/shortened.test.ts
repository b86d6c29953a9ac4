import { expect, test } from 'vitest'
import { shortened } from './watch.ts'

const change = {
  change: 'ch_1',
  tree: 'a'.repeat(40),
  level: 2,
  reasons: ['core/a.ts is code of the system'],
  files: [{ path: 'core/a.ts', from: null, what: 'changed', added: 900, removed: 1 }],
  gates: [{ name: 'types', verdict: 'passed', summary: 'Every type fits.' }],
  diff: Array.from({ length: 900 }, (_, i) => `+line ${i}\x1b[2J`).join('\n'),
  author: { agent: 'review_agent', says: { kind: 'fix', title: 't', why: 'It was wrong.', evidence: '', effect: 'It is right.' } },
}

test('a change of Banyan is shown by its reason, files and gates, with the command for the whole diff', () => {
  const lines = shortened({ id: 'r1', kind: 'self_change', title: 't', action: change }, 'banyan')
  expect(lines.length).toBeLessThan(12)
  const text = lines.join('\n')
  for (const words of ['It was wrong.', '+900', 'core/a.ts', 'Every type fits.', 'banyan change diff ch_1']) expect(text).toContain(words)
  expect(text).not.toContain('line 1')
})

test('another item that is long is cut, and says how many lines are left and what shows them', () => {
  const action = { tool: 'add_document', input: { name: 'a', content: Array.from({ length: 100 }, (_, i) => `line ${i}`).join('\n') } }
  const lines = shortened({ id: 'r1', kind: 'permission', title: 't', action }, 'banyan')
  expect(lines).toHaveLength(41)
  expect(lines.slice(0, 5)).toEqual(['tool: add_document', 'input:', '  name: a', '  content: line 0', '  line 1'])
  expect(lines.at(-1)).toBe('… 63 lines more: banyan review show r1 --whole')
  expect(shortened({ id: 'r1', kind: 'permission', title: 't', action: { command: 'ls' } }, 'banyan')).toEqual(['command: ls'])
})
