/**
 * A new migration really tried on a copy of the database: up, what is whole then, down, up again. The candidate's code moves the schema, and
 * what came of it is read by the code that runs now, in a process that loads nothing of the candidate.
 */
import { join } from 'node:path'
import type { ChangedFile } from '../contract/change.ts'
import { Fault } from '../contract/fault.ts'
import { type Canary, judged, layOut, own } from './canary.ts'
import type { Ended } from './walls.ts'

/** The one file beside the migrations that a new one touches. */
export const LIST = 'core/store/migration-list.ts'
export const touchesSchema = (files: readonly ChangedFile[]): boolean =>
  files.some(({ path, from }) => [path, from ?? ''].some((one) => one === LIST || one.startsWith('core/store/migrations/')))

const STEP_MS = 3 * 60_000
const STORE = 'file:///banyan/core/store'
const DATABASE = 'sqlite:/canary/agent_system.db'
const UP = `const { openStore } = await import('${STORE}/store.ts'); await (await openStore('${DATABASE}')).close()`
/** Takes back what was applied after the schema in `last`. */
const down = (last: number): string => `
  const [{ openBackend }, { MIGRATIONS }] = await Promise.all([import('${STORE}/dialect.ts'), import('${STORE}/migration-list.ts')])
  const backend = await openBackend('${DATABASE}')
  await backend.transaction(true, async ({ db }) => {
    for (const one of [...MIGRATIONS].reverse().filter(({ number }) => number > ${last})) {
      await one.down(db)
      await db.deleteFrom('schema_migrations').where('number', '=', one.number).execute()
    }
  })
  await backend.close()`

/** Resolves with a sentence about what was tried; rejects with a Fault that says what is wrong. */
export async function tryMigration(parts: Canary, schema: number): Promise<string> {
  const { data, notes } = await layOut(parts)
  if (parts.copy) await parts.copy(join(data, 'agent_system.db'))
  await own(parts, data)
  const judge = (act: string) => judged(parts, [act, '/canary', '/notes/schema.json'], data, notes)
  const moves = async (what: string, code: string) => {
    const ended = await parts.walls.run({
      source: parts.source,
      packages: parts.packages,
      argv: ['node', '--input-type=module', '-e', code],
      timeoutMs: STEP_MS,
      binds: [{ from: data, to: '/canary', write: true }],
      signal: parts.signal,
    })
    if (ended.code !== 0)
      throw new Fault('unprocessable', `It could not be migrated ${what}: ${ended.timedOut ? 'it took too long' : firstWords(ended.log)}`)
  }
  await judge('schema-before')
  await moves('up', UP)
  await judge('schema-up')
  await moves('down', down(schema))
  await judge('schema-down')
  await moves('up again', UP)
  await judge('schema-up')
  return `On ${parts.copy ? 'a copy of the data' : 'empty data'}: up, whole, down to the same schema and data, and up again.`
}
/** Tests of the code that runs now that write most tables; one of the store compares all columns, which are more then. */
const OLD_TESTS = ['core/store/store.test.ts', 'core/tasks/review.test.ts', 'core/agent/agent.test.ts', 'core/agent/policy.test.ts']
const NOT_EXACT = '^(?!.*just those columns)'
/** What of the candidate is laid over the base for them: the new schema alone. */
export const SCHEMA_FILES = /^core\/store\/(?:migrations\/|migration-list\.ts$)/

/**
 * The tests of the code that runs now, on the schema that it would find after the change was taken back. `paths`: of the candidate. `onBase`: runs
 * vitest on the base with those files of the candidate over it. Null: this source has no such tests.
 */
export async function tryOldTests(
  paths: Iterable<string>,
  onBase: (argv: readonly string[], over: RegExp) => Promise<Ended>,
): Promise<Ended | null> {
  const there = new Set(paths)
  const known = OLD_TESTS.filter((path) => there.has(path))
  return known.length === 0 ? null : onBase([...known, '-t', NOT_EXACT], SCHEMA_FILES)
}
const firstWords = (log: string): string =>
  (log.split('\n').find((line) => /error|fault/i.test(line)) ?? log.trim().split('\n').at(-1) ?? '').trim().slice(0, 300)
