/** A complaint that the base has too does not count against a change; one that is new does, and one more of the same is new. */
import { describe, expect, test } from 'vitest'
import { need } from '../../scripts/needs.ts'
import { checkout } from '../../scripts/testing/checkout.ts'
import { begin, GREETING, loud, submit, write } from '../../scripts/testing/self.ts'
import { selfOfTest } from '../../scripts/testing/self-of-test.ts'
import type { ChangedFile } from '../contract/change.ts'
import { besides, ofLayers, ofLint, ofStrip, ofTypes, type ReadComplaints, stoodBefore } from './complaints.ts'

const open = selfOfTest()
const changed = (path: string, from: string | null = null): ChangedFile => ({
  path,
  from,
  what: from === null ? 'changed' : 'renamed',
  added: 1,
  removed: 0,
})
const split = (read: ReadComplaints, candidate: string, base: string, files: readonly ChangedFile[] = []) => {
  const said = besides(read(candidate), read(base), files)
  return said && { added: said.added.map(({ words }) => words), stood: said.stood.length }
}
const ERROR = "error TS2322: Type 'string' is not assignable to type 'number'."

test('a type error whose line moved stood before; a second one of the same words, and one elsewhere, are new', () => {
  const base = `core/a.ts(1,2): ${ERROR}\n`
  expect(split(ofTypes, `core/a.ts(7,9): ${ERROR}\n`, base)).toEqual({ added: [], stood: 1 })
  expect(split(ofTypes, `core/a.ts(1,2): ${ERROR}\ncore/a.ts(2,2): ${ERROR}\n`, base)).toEqual({ added: [ERROR], stood: 1 })
  expect(split(ofTypes, `core/b.ts(1,2): ${ERROR}\n`, base)).toEqual({ added: [ERROR], stood: 0 })
  expect(split(ofTypes, `core/b.ts(1,2): ${ERROR}\n`, base, [changed('core/b.ts', 'core/a.ts')])).toEqual({ added: [], stood: 1 })
  expect(split(ofTypes, `core/a.ts(1,2): ${ERROR}\n  because of this\n`, base)?.stood, 'the reason is another').toBe(0)
})

test('what is cut, empty or not understood excuses nothing', () => {
  const line = `core/a.ts(1,2): ${ERROR}\n`
  expect(split(ofTypes, `${line}[… 12 bytes left out …]\n${line}`, line)).toBeNull()
  expect(split(ofTypes, `${line}Segmentation fault\n`, line)).toBeNull()
  expect(split(ofTypes, '', line), 'it failed without a complaint').toBeNull()
  expect(split(ofTypes, line, 'killed\n')).toBeNull()
  expect(
    split(ofLayers, 'core/a.ts may not import x: y\n9 files, 2 faults\n', 'core/a.ts may not import x: y\n9 files, 1 faults\n'),
  ).toBeNull()
  expect(split(ofStrip, 'core/a.ts: Node cannot run this: x\n', 'core/a.ts: Node cannot run this: x\n1 files, 1 faults\n')).toBeNull()
})

test('a circle of imports is the same wherever the look at it begins', () => {
  const base = 'circle: core/a.ts → core/b.ts → core/a.ts\n2 files, 1 faults\n'
  expect(split(ofLayers, 'circle: core/b.ts → core/a.ts → core/b.ts\n2 files, 1 faults\n', base)).toEqual({ added: [], stood: 1 })
  const longer = 'circle: core/b.ts → core/c.ts → core/a.ts → core/b.ts\n3 files, 1 faults\n'
  expect(split(ofLayers, longer, base)?.added).toHaveLength(1)
})

test('the linter is read a line each, and warnings count for nothing', () => {
  const line = (kind: string, file: string, words: string) =>
    `::${kind} title=lint/x,file=/banyan/${file},line=1,endLine=1,col=1,endColumn=2::${words}\n`
  const base = line('error', 'core/a.ts', 'No.')
  expect(split(ofLint, `${line('warning', 'core/a.ts', 'Hm.')}${base}`, base)).toEqual({ added: [], stood: 1 })
  expect(split(ofLint, line('error', 'core/b.ts', 'No.'), base)?.added).toEqual(['lint/x: No.'])
  expect(split(ofLint, 'crashed\n', base)).toBeNull()
})

test('many are counted, not listed', () => {
  const one = (n: number) => ({ file: 'a', words: 'b', shown: `c${n}` })
  expect(stoodBefore([1, 2, 3, 4, 5, 6, 7].map(one))).toBe(' There without this change too: c1; c2; c3; c4; c5; and 2 more.')
  expect(stoodBefore([])).toBe('')
})

const FAULTY = 'core/contract/faulty.ts'
const LATER = '/** So that it can be asked later. */\nexport const later = true\n'
const faulty = (before = '') =>
  `import { may } from '../policy/policy.ts'\n\n${before}export const n: number = 'no'\nexport const any: any = may()\nenum Way {\n  Up = 1,\n}\nexport const way = Way.Up\n`

describe.skipIf(!need('bubblewrap'))('a source with faults of each kind', () => {
  test('takes a change that adds none, and refuses one that adds another', async () => {
    const source = checkout()
    source.write(FAULTY, faulty())
    source.commit('What none of the checks lets through')
    const NAMES = ['layers', 'strip', 'lint', 'types']
    const { goal, until, runtime } = await open(
      {
        harmless: [begin, write(GREETING, loud()), write(FAULTY, faulty(LATER)), submit()],
        worse: [begin, write(FAULTY, `${faulty(LATER)}export const m: string = 1 + 1\nexport const other: any = 1\n`), submit()],
      },
      { source },
    )
    const gatesOf = async (name: string, end: 'review' | 'refused') => {
      const { id } = await until(await goal(name), end)
      const { gates } = await runtime.changes.get(id)
      return (name: string) => gates.find((gate) => gate.name === name)!
    }
    const harmless = await gatesOf('harmless', 'review')
    expect(NAMES.map((name) => harmless(name).verdict)).toEqual(NAMES.map(() => 'passed'))
    for (const name of NAMES)
      expect(harmless(name).summary, name).toMatch(/^Nothing new\. There without this change too: core\/contract\/faulty\.ts/)

    const worse = await gatesOf('worse', 'refused')
    const [types, lint] = [worse('types'), worse('lint')]
    expect([types.verdict, types.summary]).toEqual([
      'failed',
      expect.stringMatching(
        /^core\/contract\/faulty\.ts\(\d+,\d+\): error TS2322: Type 'number' .* There without this change too: .*TS2322/,
      ),
    ])
    expect([lint.verdict, lint.summary]).toEqual([
      'failed',
      expect.stringMatching(/Unexpected any\..* There without this change too: .*Unexpected any/),
    ])
  }, 300_000)
})
