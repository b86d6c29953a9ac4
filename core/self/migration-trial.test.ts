/** Migrations of candidates, tried on data: those that add are let through, and whatever else they do is seen. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { need } from '../../scripts/needs.ts'
import { openTrials, type Trials } from '../../scripts/proof/canaries.ts'
import { DEFAULT_LIMITS } from '../contract/limits.ts'
import { SCHEMA } from '../store/migrate.ts'
import { openStore, type Store } from '../store/store.ts'
import { openTasks } from '../tasks/tasks.ts'
import { tryMigration, tryOldTests } from './migration-trial.ts'

const NEXT = SCHEMA + 1
const FILE = `${String(NEXT).padStart(4, '0')}-candidate.ts`
const candidate = (up: string, down: string, oldestCode = 1) => [
  {
    file: `core/store/migrations/${FILE}`,
    from: '',
    to: `import { sql, type Kysely } from 'kysely'
export const number = ${NEXT}
export const oldestCode = ${oldestCode}
export async function up(db: Kysely<unknown>): Promise<void> { ${up} }
export async function down(db: Kysely<unknown>): Promise<void> { ${down} }
void sql
`,
  },
  { file: 'core/store/migration-list.ts', from: '\nimport ', to: `\nimport * as candidate from './migrations/${FILE}'\nimport ` },
  { file: 'core/store/migration-list.ts', from: '\n]', to: '\n  candidate,\n]' },
]
const raw = (text: string) => `await sql.raw(${JSON.stringify(text)}).execute(db)`
const ADDS = raw('create table candidates (id text primary key)')
const TAKES = raw('drop table candidates')

describe.skipIf(!need('bubblewrap')).concurrent('a migration', () => {
  const folder = mkdtempSync(join(tmpdir(), 'banyan-migrations-'))
  let trials: Trials
  let store: Store
  beforeAll(async () => {
    trials = await openTrials()
    store = await openStore(`sqlite:${join(folder, 'agent_system.db')}`)
    await openTasks(store).createGoal({
      goal: 'Run `echo 1`',
      agent: 'generalist',
      mode: 'auto',
      limits: DEFAULT_LIMITS,
      priority: 0,
      workspace: 'task',
      submittedBy: 'owner',
      origin: 'person',
    })
  })
  afterAll(async () => {
    trials.end()
    await store.close()
    rmSync(folder, { recursive: true, force: true })
  })
  const said = (edits: ReturnType<typeof candidate>) =>
    trials.said(async (canary) => ({ fault: null, summary: await tryMigration(canary, SCHEMA), log: '' }), edits, store.backup)

  test('that adds goes up, down to the same schema and data, and up again', async () => {
    const edits = candidate(
      `${ADDS}; ${raw("alter table trees add column mood text not null default 'calm'")}`,
      `${TAKES}; ${raw('alter table trees drop column mood')}`,
    )
    expect(await said(edits)).toMatch(/^passed: On a copy of the data: up, whole, down to the same schema and data, and up again\./)
  }, 240_000)

  const RED: Record<string, [up: string, down: string, says: RegExp, oldestCode?: number]> = {
    'that drops a column in words that hide it': [raw('alter table trees drop column plan'), '', /the table trees lost plan/],
    'whose down leaves a table': [ADDS, '', /down leaves table candidates/],
    'that no code of before can run on': [ADDS, TAKES, /needs code of schema/, NEXT],
  }
  test.each(Object.entries(RED))(
    '%s is refused',
    async (_, [up, down, says, oldest]) => {
      expect(await said(candidate(up, down, oldest))).toMatch(says)
    },
    240_000,
  )

  const oldTests = (edits: ReturnType<typeof candidate>) =>
    trials.said(async ({ walls, source, packages }) => {
      const vitest = ['node', 'node_modules/vitest/vitest.mjs', 'run', '--testTimeout=120000', '--hookTimeout=120000']
      const ended = await tryOldTests(['core/store/store.test.ts', 'core/tasks/review.test.ts'], (argv, over) => {
        expect(edits.every(({ file }) => over.test(file))).toBe(true)
        return walls.run({ source, packages, argv: [...vitest, ...argv], timeoutMs: 240_000 })
      })
      return { fault: ended!.code === 0 ? null : ended!.log, summary: ended!.log, log: '' }
    }, edits)

  test('that adds leaves the code from before whole, by its own tests; one that it cannot write beside does not', async () => {
    const [adds, narrows] = await Promise.all([
      oldTests(candidate(ADDS, TAKES)),
      oldTests(candidate(raw('create unique index one_each on tasks (agent)'), raw('drop index one_each'))),
    ])
    expect(adds).toMatch(/^passed: [\s\S]*Test Files\s+2 passed/)
    expect(narrows).toMatch(/UNIQUE constraint failed: tasks.agent/)
  }, 300_000)
})
