/** What the gates see without running anything: tests that are weakened, secrets, migrations, and which tests a change could break. */
import { describe, expect, test } from 'vitest'
import type { ChangedFile } from '../contract/change.ts'
import { affectedTests } from './affected.ts'
import { integrityOf } from './integrity.ts'
import { leaksIn } from './leaks.ts'
import { migrationFaults } from './migrations.ts'
import { changedFiles } from './repository.ts'

const file = (path: string, what: ChangedFile['what'] = 'changed', from: string | null = null): ChangedFile => ({
  path,
  from,
  what,
  added: 1,
  removed: 1,
})
const doubts = (diff: string, of = file('core/a.test.ts')) => integrityOf([of], () => diff)

describe('tests that judge a change', () => {
  test('may be added to, and new ones may be made', () => {
    expect(doubts("+test('more', () => {\n+  expect(1).toBe(1)\n+})")).toEqual({ doubts: [], refused: [] })
    expect(doubts("+test('new', () => {})", file('core/b.test.ts', 'new'))).toEqual({ doubts: [], refused: [] })
  })
  test.each([
    ['deleted', '', file('core/a.test.ts', 'deleted')],
    ['renamed away', '', file('core/a.ts', 'renamed', 'core/a.test.ts')],
    ['skipped', "+test.skip('x', () => {})", undefined],
    ['left to do', "+test.todo('x')", undefined],
    ['expected to fail', "+test.fails('x', () => {})", undefined],
    ['skipped by a condition', '+describe.skipIf(true)(', undefined],
    ['loosened', '-  expect(n).toBeLessThan(10)\n+  expect(n).toBeLessThan(10000)', undefined],
    ['emptied', '-  expect(n).toBe(1)', undefined],
    ['given another table', '-  [1, 2],\n+  [1, 3],', undefined],
    ['mocked', "+vi.mock('./a.ts')", undefined],
    ['ended early', '+process.exit(0)', undefined],
    ['given another snapshot', '-a\n+b', file('core/__snapshots__/a.test.ts.snap')],
    ['given another helper', '-  return real()\n+  return true', file('scripts/testing/harness.ts')],
    ['given another fixture', '-const limit = 5\n+const limit = 50', file('core/exec/fixture/engine.ts')],
  ])('that are %s are looked at by a person', (_, diff, of) => {
    expect(doubts(diff, of).doubts.length).toBeGreaterThan(0)
  })
  test('cannot be silenced by ".only" at all', () => {
    expect(doubts("+test.only('x', () => {})").refused).toHaveLength(1)
    expect(doubts("+describe.only('x', () => {})", file('core/b.test.ts', 'new')).refused).toHaveLength(1)
  })
})

describe('secrets', () => {
  // Put together here, so that this file holds none.
  const random = ['q8Zr2LxT', '0vNcYp5K', 'wEhU7sJd', '3mAfG9Bi', 'Q1oX'].join('')
  test.each([
    ['-----BEGIN RSA ', 'PRIVATE KEY-----'], ['AKIA', 'IOSFODNN7EXAMPLE'], ['ghp_', 'abcdefghijklmnopqrstuvwxyz0123456789'],
    ['sk-ant-', 'REDACTED-for-a-test-00000000000'], ['xoxb-', '123456789012-abcdefghijkl'], ['AIza', 'SyA1234567890abcdefghijklmnopqrstuvw'],
    ['https://user:', 'longpassword@example.org/'], ['npm_', 'abcdefghijklmnopqrstuvwxyz0123456789'], ['key = "', `${random}"`],
  ])('%s… is found', (a, b) => {
    expect(leaksIn([`x ${a}${b}`])).toHaveLength(1)
  }) // biome-ignore format: columns
  test('code, hashes and long names are none', () => {
    for (const line of [
      "import { somethingLongAndWinding } from './a-very-long-name-of-a-file-that-is-only-words.ts'", `"integrity": "sha512-${random}${random}=="`,
      'const hash = "d2703e71c1deedcbb817cdbb8173dfe7e00e8d26561"', 'expect(await screen.findByRole("button")).toBeVisible()',
    ])
      expect(leaksIn([line]), line).toEqual([])
  }) // biome-ignore format: columns
})

describe('a migration', () => {
  const path = 'core/store/migrations/0099-more.ts'
  const text = (up: string, head = '') =>
    `import type { Kysely } from 'kysely'\n${head}\nexport const number = 99\nexport const oldestCode = 1\n\nexport async function up(db: Kysely<unknown>): Promise<void> {\n  ${up}\n}\n\nexport async function down(db: Kysely<unknown>): Promise<void> {\n  await db.schema.dropTable('more').execute()\n}\n`
  test('that adds is let through', () => {
    expect(migrationFaults(path, text("await db.schema.alterTable('tasks').addColumn('more', 'text').execute()"))).toEqual([])
  })
  test.each([
    "await db.schema.dropTable('tasks').execute()", "await db.schema.alterTable('tasks').dropColumn('title').execute()", "await db.deleteFrom('tasks').execute()",
    "await db.updateTable('tasks').set({ a: 1 }).execute()", "await db.schema.alterTable('tasks').renameTo('x').execute()", 'await sql`DROP TABLE tasks`.execute(db)',
    'await sql`delete from tasks`.execute(db)', 'await sql`pragma writable_schema = 1`.execute(db)',
  ])('that takes away is refused: %s', (up) => {
    expect(migrationFaults(path, text(up))).toHaveLength(1)
  }) // biome-ignore format: columns
  test('that reaches for more, or has another number, is refused', () => {
    expect(migrationFaults(path, text('', "import { rmSync } from 'node:fs'"))).toHaveLength(1)
    expect(migrationFaults('core/store/migrations/0098-more.ts', text(''))).toHaveLength(1)
    expect(migrationFaults(path, 'export const number = 99')).toHaveLength(1)
  })
})

test('the tests nearest to a change come first; a tool is known by its name', () => {
  const files = new Map([
    ['core/a.ts', ''],
    ['core/a.test.ts', "import { a } from './a.ts'"],
    ['core/b.ts', "import { a } from './a.ts'"],
    ['core/b.test.ts', "import { b } from './b.ts'\nconst c = await import('./b.ts')"],
    ['core/other.test.ts', "import { x } from './x.ts'"],
    ['tools/list_files.ts', ''],
    ['tools/workspace.test.ts', "call('list_files', {})"],
    ['web/e2e/page.test.ts', "import { a } from '../../core/a.ts'"],
  ])
  expect(affectedTests(files, ['core/a.ts'])).toEqual(['core/a.test.ts', 'core/b.test.ts'])
  expect(affectedTests(files, ['tools/list_files.ts'])).toEqual(['tools/workspace.test.ts'])
  expect(affectedTests(files, ['core/other.test.ts'])).toEqual(['core/other.test.ts'])
})
test('a worker and a program that a test starts are ways to a file; a type and a word of every day are none', () => {
  const files = new Map([
    ['core/worker.ts', ''],
    ['core/web.ts', "new Worker(new URL('./worker.ts', import.meta.url))"],
    ['core/web.test.ts', "import { web } from './web.ts'"],
    ['core/shape.ts', "import type {\n  A,\n} from './worker.ts'\nexport type { B } from './worker.ts'"],
    ['core/shape.test.ts', "import { shape } from './shape.ts'"],
    ['scripts/cli/review.ts', ''],
    ['scripts/cli.ts', "import { review } from './cli/review.ts'"],
    ['scripts/cli/fixture/start.ts', "spawn(join(ROOT, 'scripts/cli.ts'))"],
    ['scripts/cli/kinds.test.ts', "import { start } from './fixture/start.ts'\nstart('review', 'ls')"],
    ['scripts/cli/tree.test.ts', "import { start } from './fixture/start.ts'\nstart('tree')"],
    ['core/task.test.ts', "import { ask } from './review.ts'\ntest('asks for a review', ask)"],
  ])
  expect(affectedTests(files, ['core/worker.ts'])).toEqual(['core/web.test.ts'])
  expect(affectedTests(files, ['scripts/cli/review.ts'])).toEqual(['scripts/cli/kinds.test.ts'])
})

test('what git says of files is read whole: new, deleted, renamed, binary, with odd names', () => {
  const [none, a, b] = ['0'.repeat(40), 'a'.repeat(40), 'b'.repeat(40)]
  const raw = [
    `:000000 100644 ${none} ${a} A\0new\nname.ts`,
    `:100644 000000 ${a} ${none} D\0old.ts`,
    `:100644 100644 ${a} ${b} R090\0was.ts\0is.ts`,
    `:100644 100644 ${a} ${b} M\0pic.png`,
    '',
  ].join('\0')
  const counts = '3\t0\tnew\nname.ts\x000\t5\told.ts\x001\t1\t\0was.ts\0is.ts\0-\t-\tpic.png\0'
  const files = changedFiles(raw, counts)
  expect(files.map(({ hash: _, ...file }) => file)).toEqual([
    { path: 'new\nname.ts', from: null, what: 'new', added: 3, removed: 0 },
    { path: 'old.ts', from: null, what: 'deleted', added: 0, removed: 5 },
    { path: 'is.ts', from: 'was.ts', what: 'renamed', added: 1, removed: 1 },
    { path: 'pic.png', from: null, what: 'changed', added: 0, removed: 0 },
  ])
  const hashOf = (line: string) => changedFiles(`${line}\0`, '')[0]!.hash
  const pic = files.at(-1)!.hash
  expect(pic).toBe(hashOf(`:100644 100644 ${a} ${b} M\0moved/pic.png`))
  // Another text, another text before it, or another mode.
  for (const other of [`100644 100644 ${a} ${a}`, `100644 100644 ${b} ${b}`, `100644 100755 ${a} ${b}`])
    expect(hashOf(`:${other} M\0pic.png`)).not.toBe(pic)
})
