/** What the gates refuse, each with its reason. */
import { describe, expect, test } from 'vitest'
import { need } from '../../scripts/needs.ts'
import { begin, call, GREETING, loud, submit, write } from '../../scripts/testing/self.ts'
import { selfOfTest } from '../../scripts/testing/self-of-test.ts'

const open = selfOfTest()

describe.skipIf(!need('bubblewrap'))('the gates refuse', () => {
  const CASES: Record<string, [files: Record<string, string>, gate: string, words: RegExp, more?: object]> = {
    'what guards the system': [
      { 'core/policy/policy.ts': '/** Who may. */\nexport const may = (): boolean => true\n' },
      'protected paths',
      /guards the system/,
    ],
    'a type that does not fit': [
      { [GREETING]: '/** x */\nexport const greeting = (name: string): number => name\n' },
      'types',
      /TS2322|greeting/,
    ],
    'an import upward': [
      { 'core/contract/up.ts': "import { may } from '../policy/policy.ts'\n\nexport const up = may()\n" },
      'layers',
      /may not import/,
    ],
    'what Node cannot run': [
      { 'core/contract/deco.ts': 'const d = (_: unknown, __: unknown): void => {}\n\nexport class A {\n  @d\n  b() {}\n}\n' },
      'strip',
      /./,
    ],
    'a change that breaks a test': [
      { [GREETING]: "/** x */\nexport const greeting = (name: string): string => ['Bye', name].join(', ')\n" },
      'affected tests',
      /failed/,
    ],
    'a test that silences the others': [
      { 'core/contract/x.test.ts': "import { test } from 'vitest'\n\ntest.only('x', () => {})\n" },
      'test integrity',
      /only/,
    ],
    'a fix without a test': [{ [GREETING]: loud() }, 'failing test first', /has none/, { kind: 'fix' }],
    'a fix whose test passes anyway': [
      {
        [GREETING]: loud(),
        'core/contract/same.test.ts': "import { expect, test } from 'vitest'\n\ntest('x', () => {\n  expect(1).toBe(1)\n})\n",
      },
      'failing test first',
      /pass on the present code too/,
      { kind: 'fix' },
    ],
    'a package': [
      { 'package.json': '{ "name": "small", "type": "module", "private": true, "dependencies": { "left-pad": "1" } }\n' },
      'dependencies',
      /package-lock.json does not/,
    ],
    'a link': [{}, 'layers', /link or a submodule/],
  }
  test('each with its reason, and a fix whose test fails without it goes on', async () => {
    const plans = Object.fromEntries(
      Object.entries(CASES).map(([name, [files, , , more]]) => [
        name,
        [
          begin,
          ...Object.entries(files).map(([path, text]) => write(path, text)),
          ...(name === 'a link' ? [call('use_terminal', { command: 'cd banyan && ln -s /etc/passwd core/contract/passwd.ts' })] : []),
          submit(more ?? {}),
        ],
      ]),
    )
    const good = {
      [GREETING]: loud(),
      'core/contract/loud.test.ts':
        "import { expect, test } from 'vitest'\nimport { loud } from './greeting.ts'\n\ntest('is loud', () => {\n  expect(loud('Ada')).toBe('Hello, Ada!')\n})\n",
    }
    const fix = [begin, ...Object.entries(good).map(([path, text]) => write(path, text)), submit({ kind: 'fix' })]
    const { goal, until, runtime } = await open({ ...plans, 'a real fix': fix })
    const ids = new Map<string, string>()
    for (const name of [...Object.keys(CASES), 'a real fix']) ids.set(name, await goal(name))
    const command = async () => (await runtime.tasks.reviews({ state: 'open', treeId: ids.get('a link')!, limit: 1 })).items[0]
    await expect.poll(command, { timeout: 120_000 }).toBeTruthy()
    await runtime.tasks.decide((await command())!.id, { decision: 'approve' }, 'owner')
    for (const [name, [, gate, words]] of Object.entries(CASES)) {
      const refused = await until(ids.get(name)!, 'refused')
      const { gates } = await runtime.changes.get(refused.id)
      const last = gates.find((one) => one.verdict === 'failed')
      expect([name, last?.name, last?.verdict]).toEqual([name, gate, 'failed'])
      expect(refused.note, name).toMatch(words)
    }
    expect((await until(ids.get('a real fix')!, 'review')).level).toBe(2)
  }, 300_000)
})
