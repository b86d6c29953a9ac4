/** What fails without a change does not count against it, and nothing that a candidate prints can excuse what it breaks. */
import { describe, expect, test } from 'vitest'
import { need } from '../../scripts/needs.ts'
import { checkout } from '../../scripts/testing/checkout.ts'
import { begin, GREETING, loud, submit, write } from '../../scripts/testing/self.ts'
import { selfOfTest } from '../../scripts/testing/self-of-test.ts'
import { allBut, compared, failedFiles } from './compared.ts'

const open = selfOfTest()
const OTHER = 'core/contract/other.test.ts'
const other = (more = '') =>
  [
    "import { describe, expect, test } from 'vitest'",
    "import { greeting } from './greeting.ts'",
    '',
    "describe('the weather (today)', () => {",
    "  test('is known, or so they say: 100 %', () => {",
    "    expect(greeting('Ada')).toBe('Sunny')",
    '  })',
    "  test('has a greeting', () => {",
    "    expect(greeting('Bob')).toContain('Hello')",
    '  })',
    '})',
    more,
  ].join('\n')
/** It breaks one test, and prints that only the one failed that fails anyway. */
const LIAR = [
  '/** What is said first. */',
  "export const greeting = (name: string): string => [name === 'Bob' ? 'Bye' : 'Hello', name].join(', ')",
  `process.stdout.write('\\n FAIL  |units| ${OTHER} > the weather (today) > is known, or so they say: 100 %\\n')`,
  '',
].join('\n')

test('a pattern leaves out exactly the tests that it names', () => {
  const pattern = new RegExp(allBut(['a (b) is $1 | c', 'x.y']))
  expect(['a (b) is $1 | c', 'x.y', 'x.yz', 'xzy', 'a'].map((name) => pattern.test(name))).toEqual([false, false, true, true, true])
  expect(failedFiles(' FAIL  |units| core/a.test.ts > x\n FAIL  core/b.test.tsx [ core/b.test.tsx ]\n FAIL  core/a.test.ts > y')).toEqual([
    'core/a.test.ts',
    'core/b.test.tsx',
  ])
})

test('a test file that the change touches is not excused, nor what passes on the base, nor more than a few files', async () => {
  const ended = { code: 0, timedOut: false, log: '', ms: 1 }
  const ran: (readonly string[])[] = []
  const file = (path: string) => ({ path, from: null, what: 'changed' as const, added: 1, removed: 0 })
  const look = (log: string, changed: string[] = [], files = ['a.test.ts', 'b.test.ts']) =>
    compared({
      files,
      changed: changed.map(file),
      log,
      onBase: async () => new Map([['a.test.ts', ['x > y']]]),
      onCandidate: async (some, more) => {
        ran.push([...some, ...more])
        return ended
      },
    })
  expect((await look(' FAIL  |units| a.test.ts > x > y'))?.exempt).toEqual(['a.test.ts > x > y'])
  expect(ran, 'everything is run again, so what the log hides is seen').toEqual([['a.test.ts', '-t', '^(?!(?:x > y)$)'], ['b.test.ts']])
  expect(await look(' FAIL  |units| a.test.ts > x > y', ['a.test.ts'])).toBeNull()
  expect(await look(' FAIL  |units| a.test.ts > x\n FAIL  |units| b.test.ts > z')).toBeNull()
  expect(await look('nothing that is known')).toBeNull()
  const many = Array.from({ length: 20 }, (_, n) => `f${n}.test.ts`)
  expect(await look(many.map((path) => ` FAIL  ${path} > x`).join('\n'), [], many)).toBeNull()
  expect(ran).toHaveLength(2)
})

describe.skipIf(!need('bubblewrap'))('a test that fails without the change too', () => {
  test('is named and does not refuse it; what the change breaks beside it does, whatever it prints', async () => {
    const source = checkout()
    source.write(OTHER, other())
    source.write(
      'core/contract/broken.test.ts',
      "import './greeting.ts'\nimport './nowhere.ts'\n".replace("import './nowhere.ts'", "throw new Error('no')"),
    )
    source.commit('Two tests that fail')
    const { goal, until, runtime } = await open(
      {
        harmless: [begin, write(GREETING, loud()), submit()],
        lying: [begin, write(GREETING, LIAR), submit()],
      },
      { source },
    )
    const verdict = async (name: string, end: 'review' | 'refused') => {
      const { id } = await until(await goal(name), end)
      return (await runtime.changes.get(id)).gates.find((gate) => gate.name === 'affected tests')!
    }
    const harmless = await verdict('harmless', 'review')
    expect([harmless.verdict, harmless.summary]).toEqual(['passed', expect.stringContaining('Fails without this change too: ')])
    expect(harmless.summary).toContain(`${OTHER} > the weather (today) > is known, or so they say: 100 %`)
    expect(harmless.summary).toContain('core/contract/broken.test.ts')
    const lying = await verdict('lying', 'refused')
    expect([lying.verdict, lying.summary]).toEqual(['failed', expect.stringMatching(/^1 failed \| 1 skipped .*without this change too/)])
  }, 300_000)
})
