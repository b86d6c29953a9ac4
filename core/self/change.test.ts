/** A change of the system's own code, from an agent's wish to the main branch, in a whole runtime on a small checkout with the real gates. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { need } from '../../scripts/needs.ts'
import { type Checkout, checkout } from '../../scripts/testing/checkout.ts'
import { begin, call, GREETING, loud, louder, type Self, self, submit, write } from '../../scripts/testing/self.ts'

let s: Self | undefined
afterEach(async () => {
  const found = await s?.end()
  s = undefined
  expect(found ?? []).toEqual([])
})
const open = async (...given: Parameters<typeof self>): Promise<Self> => {
  s = await self(...given)
  return s
}

describe.skipIf(!need('bubblewrap'))('a change of the system', () => {
  test('goes through the gates, waits for a person, lands on a clean main branch and answers its author', async () => {
    const { goal, until, item, approve, runtime, source, h } = await open({ louder: louder() })
    const id = await goal('louder')
    await until(id, 'review')
    const asked = await item(id)
    expect(asked).toMatchObject({ kind: 'self_change', taskId: id, callId: null })
    const shown = asked.action as { tree: string; level: number; gates: { name: string; verdict: string }[]; diff: string }
    expect(shown.level).toBe(2)
    expect(shown.diff).toContain('+export const loud')
    expect(shown.gates.filter((gate) => gate.verdict === 'failed')).toEqual([])
    expect(shown.gates.map((gate) => gate.name)).toContain('affected tests')
    expect(source.read(GREETING)).not.toContain('loud')
    const approval = { decision: 'approve', actionHash: asked.actionHash } as const
    await expect(runtime.tasks.decide(asked.id, approval, 'owner (token ci)')).rejects.toThrow(/a token for programs may not/)
    await expect(runtime.tasks.decide(asked.id, { decision: 'approve' }, 'owner', undefined, { person: true })).rejects.toThrow(
      /actionHash/,
    )
    await approve(asked)
    const merged = await until(id, 'merged')
    expect(source.read(GREETING)).toBe(loud())
    expect(source.git('status', '--porcelain')).toBe('')
    expect(source.git('rev-parse', 'HEAD')).toBe(merged.commit)
    expect(source.git('rev-parse', 'HEAD^{tree}')).toBe(shown.tree)
    expect(source.git('log', '-1', '--format=%an %s')).toBe('maker Greets louder')
    expect((await h.over(id)).result).toMatch(/is merged on main as [0-9a-f]{12}/)
    const { story, gates } = await runtime.changes.get(merged.id)
    expect(story.map((step) => step.state)).toEqual(['proposed', 'gating', 'review', 'review', 'merged'])
    expect(gates.length).toBeGreaterThan(10)
    expect((await runtime.changes.diff(merged.id, GREETING)).text).toContain('+export const loud')
  }, 240_000)

  /** Each leaves a person's checkout as it was, and moves no branch that is checked out. */
  const PLACES: Record<string, (source: Checkout) => void> = {
    'with uncommitted work': (source) => source.write('README.md', '# Mine, and not committed\n'),
    'with a detached head': (source) => void source.git('checkout', '--quiet', '--detach'),
    'on another branch': (source) => void source.git('checkout', '--quiet', '-b', 'mine'),
  }
  test.each(Object.entries(PLACES))(
    'a checkout %s is not touched: the change waits on banyan/main, and one command joins them',
    async (_, arrange) => {
      const where = checkout()
      arrange(where)
      const look = () => [
        where.git('status', '--porcelain', '--branch'),
        where.read('README.md'),
        where.read(GREETING),
        where.git('rev-parse', 'HEAD', 'main'),
      ]
      const before = look()
      const { goal, until, item, approve } = await open({ louder: louder() }, { source: where })
      const id = await goal('louder')
      await until(id, 'review')
      await approve(await item(id))
      const merged = await until(id, 'merged')
      expect(look()).toEqual(before)
      expect(merged.landed).toBe('banyan/main')
      expect(where.git('rev-parse', 'banyan/main')).toBe(merged.commit)
      where.git('checkout', '--quiet', '--force', 'main')
      execFileSync('/bin/sh', ['-c', merged.join!], { stdio: 'ignore' })
      expect(where.read(GREETING)).toBe(loud())
    },
    60_000,
  )

  test('a source without a history gets one in the data folder, and no branch of anybody moves', async () => {
    const where = checkout({ history: false })
    const { goal, until, item, approve } = await open({ louder: louder() }, { source: where })
    const id = await goal('louder')
    await until(id, 'review')
    await approve(await item(id))
    expect(await until(id, 'merged')).toMatchObject({ landed: 'main', join: null })
    expect(readdirSync(where.folder)).not.toContain('.git')
    expect(where.read(GREETING)).not.toContain('loud')
  }, 240_000)

  test('words of a person go back to the author, who changes the same folder and proposes again', async () => {
    const { goal, until, item, approve, runtime, source } = await open({ louder: [...louder(), write(GREETING, loud('!!')), submit()] })
    const id = await goal('louder')
    await until(id, 'review')
    const first = await item(id)
    await runtime.tasks.decide(first.id, { decision: 'changes', comment: 'Twice as loud.' }, 'owner', undefined, { person: true })
    await expect
      .poll(async () => (await runtime.tasks.reviews({ state: 'open', treeId: id, limit: 5 })).items[0]?.id, { timeout: 120_000 })
      .not.toBeOneOf([undefined, first.id])
    const answers = (await runtime.tasks.messages(id)).filter((message) => message.role === 'tool')
    expect(answers.at(-2)!.text + answers.at(-1)!.text).toContain('Twice as loud.')
    await approve(await item(id))
    await until(id, 'merged')
    expect(source.read(GREETING)).toBe(loud('!!'))
  }, 240_000)

  test('main that moves on brings the gates again; what was shown before cannot be approved any more', async () => {
    const { goal, until, item, approve, runtime, source } = await open({ louder: louder() })
    const id = await goal('louder')
    await until(id, 'review')
    const old = await item(id)
    source.write('README.md', '# Small, and moved on\n')
    const moved = source.commit('A person goes on')
    runtime.changes.wake()
    await expect
      .poll(async () => (await runtime.changes.get((await until(id, 'review', 'gating')).id)).change.base, { timeout: 120_000 })
      .toBe(moved)
    await until(id, 'review')
    await expect(approve(old)).rejects.toThrow(/decided already/)
    const fresh = await item(id)
    expect((fresh.action as { tree: string }).tree).not.toBe((old.action as { tree: string }).tree)
    await approve(fresh)
    await until(id, 'merged')
    expect([source.read('README.md'), source.read(GREETING)]).toEqual(['# Small, and moved on\n', loud()])
    expect(source.git('rev-parse', 'HEAD^')).toBe(moved)
  }, 240_000)

  test('several wait in a queue, and each is judged on top of those that landed before it', async () => {
    const other = 'core/contract/farewell.ts'
    const { goal, until, item, approve, source } = await open({
      louder: louder(),
      farewell: [
        begin,
        write(other, "/** What is said last. */\nexport const farewell = (): string => 'Bye'\n"),
        submit({ title: 'Says goodbye' }),
      ],
    })
    const [a, b] = await Promise.all([goal('louder'), goal('farewell')])
    await Promise.all([until(a, 'review'), until(b, 'review')])
    await Promise.all([approve(await item(a)), approve(await item(b))])
    const first = await Promise.any([until(a, 'merged'), until(b, 'merged')])
    const second = first.treeId === a ? b : a
    // The other one was approved on another tree than would land now.
    await expect.poll(async () => (await item(second).catch(() => null))?.id, { timeout: 120_000 }).toMatch(/-r2$/)
    await approve(await item(second))
    await until(second, 'merged')
    expect([source.read(GREETING), source.read(other).includes('Bye')]).toEqual([loud(), true])
    expect(source.git('rev-list', '--count', 'HEAD')).toBe('3')
  }, 240_000)

  test('a person takes back what landed, and the opposite lands without gates', async () => {
    const { goal, until, item, approve, runtime, source, changes } = await open({ louder: louder() })
    const id = await goal('louder')
    await until(id, 'review')
    await approve(await item(id))
    const merged = await until(id, 'merged')
    await runtime.changes.rollback(merged.id, 'owner', 'Too loud.')
    await expect
      .poll(async () => (await changes()).map((one) => [one.kind, one.state]), { timeout: 120_000 })
      .toEqual([
        ['rollback', 'merged'],
        ['feature', 'undone'],
      ])
    expect(source.read(GREETING)).not.toContain('loud')
    expect(source.git('status', '--porcelain')).toBe('')
    await expect(runtime.changes.rollback(merged.id, 'owner', null)).rejects.toThrow(/nothing to take back/)
  }, 240_000)

  test('a text lands by itself, unless its author read words from outside or the owner wants to see all', async () => {
    const text = (words: string) => [
      begin,
      write('seeds/documents/house.md', `---\nname: house\ndescription: The house.\n---\n\n${words}\n`),
      submit({ kind: 'docs', title: words }),
    ]
    const { goal, until, runtime, source } = await open({ free: text('Free'), asked: text('Asked') })
    await until(await goal('free'), 'merged')
    expect(source.read('seeds/documents/house.md')).toContain('Free')
    await runtime.changes.saveAutonomy('none', 'owner')
    const second = await goal('asked')
    expect((await until(second, 'review')).level).toBe(0)
  }, 240_000)

  test('a stopped goal takes its proposal along', async () => {
    const { goal, until, runtime } = await open({ louder: louder() })
    const id = await goal('louder')
    await until(id, 'review')
    await runtime.tasks.control(id, { verb: 'cancel', by: 'owner' })
    expect((await until(id, 'refused')).note).toBeTruthy()
  }, 240_000)
})

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

describe.skipIf(!need('bubblewrap'))('with a keeper', () => {
  /** As the keeper writes it: see scripts/keeper/README.md. */
  function keeperOf(dataDir: string, source: Checkout) {
    const home = join(dataDir, 'keeper')
    mkdirSync(home, { recursive: true })
    const tree = source.git('rev-parse', 'HEAD^{tree}')
    const slot = { commit: source.git('rev-parse', 'HEAD'), tree }
    const events: object[] = []
    const table = (lastRequest: string | null) =>
      writeFileSync(
        join(home, 'slots.json'),
        JSON.stringify({
          version: 1,
          active: 'A',
          good: 'A',
          safe: false,
          lastRequest,
          slots: { A: slot, B: null, golden: null },
          failed: {},
        }),
      )
    table(null)
    return {
      request: () => JSON.parse(readFileSync(join(home, 'request.json'), 'utf8')) as Record<string, string>,
      incoming: (of: string) => join(home, 'incoming', of),
      tell(type: string, change: { id: string; tree: string | null }, reason: string | null = null) {
        events.push({
          seq: events.length + 1,
          at: new Date().toISOString(),
          type,
          slot: 'B',
          tree: change.tree,
          commit: null,
          changeId: change.id,
          reason,
        })
        writeFileSync(join(home, 'events.jsonl'), `${events.map((event) => JSON.stringify(event)).join('\n')}\n`)
      },
    }
  }

  test('a change is handed over, watched and kept, and its author hears of it only then', async () => {
    const { goal, until, item, approve, runtime, source, h } = await open({ louder: louder() }, { kept: true })
    const keeper = keeperOf(h.dataDir, source)
    const from = source.git('rev-parse', 'HEAD^{tree}')
    let restarts = 0
    runtime.onRestart(() => restarts++)
    const id = await goal('louder')
    await until(id, 'review')
    await approve(await item(id))
    const change = await until(id, 'restarting')
    await expect.poll(() => restarts, { timeout: 120_000 }).toBe(1)
    expect(keeper.request()).toEqual({
      id: expect.any(String),
      kind: 'change',
      changeId: change.id,
      commit: change.commit,
      tree: change.tree,
      page: null,
      from,
    })
    expect(readFileSync(join(keeper.incoming(change.tree!), GREETING), 'utf8')).toBe(loud())
    keeper.tell('ready', change)
    runtime.changes.wake()
    await until(id, 'watching')
    expect((await runtime.changes.state()).landing).toEqual({ id: change.id, title: 'Greets louder', state: 'watching' })
    expect((await runtime.tasks.task(id)).status).toBe('waiting')
    keeper.tell('kept', change)
    keeper.tell('boot', change)
    runtime.changes.wake()
    await until(id, 'kept')
    expect((await h.over(id)).result).toContain('is kept')
    expect((await runtime.changes.state()).landing).toBe(null)
    const told = await runtime.changes.get(change.id)
    expect([told.keeper.map((one) => one.type), told.watchSeconds], 'a later start is no part of its story').toEqual([
      ['ready', 'kept'],
      600,
    ])
    const slots = await runtime.changes.slots()
    expect(slots).toMatchObject({ active: 'A', good: 'A', safe: false, failed: [] })
    expect(slots.items.map((slot) => [slot.name, slot.tree, slot.state])).toEqual([['A', from, 'kept']])
  }, 240_000)

  test('a change that did not work is taken off the main branch too, and its author is told why', async () => {
    const { goal, until, item, approve, runtime, source, h } = await open({ louder: louder() }, { kept: true })
    const keeper = keeperOf(h.dataDir, source)
    const before = source.git('rev-parse', 'HEAD^{tree}')
    const id = await goal('louder')
    await until(id, 'review')
    await approve(await item(id))
    const change = await until(id, 'restarting')
    keeper.tell('undone', change, 'It crashed twice.')
    runtime.changes.wake()
    expect((await until(id, 'undone')).note).toBe('It crashed twice.')
    expect(source.git('rev-parse', 'HEAD^{tree}')).toBe(before)
    expect(source.git('log', '-1', '--format=%s')).toBe('Take back: Greets louder')
    expect((await h.over(id)).result).toContain('It crashed twice.')
  }, 240_000)
})
