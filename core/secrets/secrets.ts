/**
 * The door to secrets: values that a person entrusts to the system for commands, by name. They are encrypted in the database, are handed
 * only to tasks that a grant names, and are taken out of everything that is told. No verb here gives a value back to a person or an agent.
 */
import type { Selectable } from 'kysely'
import { Fault } from '../contract/fault.ts'
import type { Task } from '../contract/task.ts'
import type { Store, Tx } from '../store/store.ts'
import type { Database } from '../store/tables.ts'
import { cipherOf } from './cipher.ts'
import { LEAST, redactorOf, type Search, searchOf } from './redact.ts'
import { type StreamRedactor, streamRedactor } from './stream.ts'

/** Who may have it: `*` every task, `agent:NAME` tasks of that agent, `tree:ID` tasks of that goal. */
export type Grant = string
export type SecretEntry = {
  name: string
  description: string
  grants: Grant[]
  /** False: SYSTEM_SECRET_KEY is not the one it was sealed with. */
  readable: boolean
  createdAt: string
  updatedAt: string
  lastUsedAt: string | null
}
export type Secrets = Awaited<ReturnType<typeof openSecrets>>

/** Variables that would change which program a command runs, or how, instead of being read by it. */
const STEERING =
  /^(PATH|HOME|SHELL|IFS|ENV|TMPDIR|LANG|TERM|USER|LOGNAME|PWD|BASH_.*|LC_.*|LD_.*|DYLD_.*|GIT_.*|NODE_.*|NPM_.*|PYTHON.*|PERL5?.*|RUBY.*|JAVA_.*)$/
const MOST_CHARACTERS = 32_000
/** A token such as `admin` stands in innocent texts. */
const OWN_LEAST = 16

/** `key` is SYSTEM_SECRET_KEY. Reads all values once: what is told is searched for them. */
export async function openSecrets(parts: {
  store: Store
  key: string
  /** The system's own keys and tokens by setting: never given to anybody, taken out of texts like the others. Short ones are left. */
  own?: Readonly<Record<string, string | undefined>>
}) {
  const { store } = parts
  /** Seals; inside a transaction, so that one that seals with a new key is over or to come. */
  let cipher = cipherOf(parts.key)
  /** Open; the last ones were replaced by this process, or are about to be. */
  let ciphers = [cipher]
  let kept = new Map<string, { sealed: string; value: string | null; grants: Grant[] }>()
  const own = Object.entries(parts.own ?? {}).filter((one): one is [string, string] => (one[1]?.length ?? 0) >= OWN_LEAST)
  /** Handed out by this process: a command may still run with a value that has been replaced or removed since. */
  const handed = new Map<string, string>()
  let redact = redactorOf(own)
  let found: Search = searchOf(own)
  await refresh()

  /** Other processes on the same database may have changed them. */
  async function refresh(): Promise<void> {
    const rows = await store.db.selectFrom('secrets').select(['name', 'value', 'grants']).orderBy('name').execute()
    const same = rows.length === kept.size && rows.every((row) => kept.get(row.name)?.sealed === row.value)
    kept = new Map(
      rows.map(({ name, value, grants }) => {
        const old = kept.get(name)
        const open = old?.sealed === value ? old.value : opened(name, value)
        return [name, { sealed: value, value: open, grants: JSON.parse(grants) as Grant[] }]
      }),
    )
    if (!same) search()
  }

  function opened(name: string, value: string): string | null {
    for (const one of ciphers) {
      const open = one.open(name, value)
      if (open !== null) return open
    }
    return null
  }

  function search(): void {
    const values = [...kept].flatMap(([name, { value }]) => (value === null ? [] : [[name, value] as const]))
    const old = [...handed].filter(([value, name]) => kept.get(name)?.value !== value).map(([value, name]) => [name, value] as const)
    redact = redactorOf([...own, ...values, ...old])
    found = searchOf([...own, ...values, ...old])
  }

  const may = (task: Pick<Task, 'agent' | 'treeId'>, name: string): boolean =>
    kept.get(name)?.grants.some((to) => to === '*' || to === `agent:${task.agent}` || to === `tree:${task.treeId}`) ?? false

  /** Why a task cannot have it, and who can change that; null: it can. */
  function refusal(task: Pick<Task, 'agent' | 'treeId'>, name: string): string | null {
    const allowed = [...kept.keys()].filter((one) => may(task, one))
    const yours = allowed.length > 0 ? ` This task may use: ${allowed.join(', ')}.` : ' This task may use none.'
    const held = kept.get(name)
    if (!held || !may(task, name))
      return `The secret "${name.slice(0, 64)}" is not there or not granted to this task; a person grants it with \`banyan secret grant ${name.slice(0, 64)} agent:${task.agent}\`, so ask with flag_for_review if you need it.${yours}`
    return held.value === null ? unreadable(name) : null
  }

  async function write(
    tx: Tx,
    name: string,
    given: { value?: string | undefined; description?: string | undefined; grants?: readonly Grant[] | undefined },
    by: string,
  ): Promise<void> {
    const old = await tx.db.selectFrom('secrets').selectAll().where('name', '=', name).executeTakeFirst()
    if (!old && given.value === undefined) throw notThere(name)
    const grants = given.grants === undefined ? (JSON.parse(old?.grants ?? '[]') as Grant[]) : [...new Set(given.grants)].sort()
    const row = {
      value: given.value === undefined ? (old?.value ?? '') : cipher.seal(name, given.value),
      description: given.description ?? old?.description ?? '',
      grants: JSON.stringify(grants),
      updated_at: tx.now,
    }
    await tx.db
      .insertInto('secrets')
      .values({ name, ...row, created_at: tx.now, last_used_at: null })
      .onConflict((c) => c.column('name').doUpdateSet(row))
      .execute()
    tx.record(null, { type: 'secret.changed', name, what: given.value === undefined ? 'granted' : 'set', grants, by })
  }
  /** False: it is not there. */
  async function erase(tx: Tx, name: string, by: string): Promise<boolean> {
    const gone = await tx.db.deleteFrom('secrets').where('name', '=', name).returning('name').executeTakeFirst()
    if (gone) tx.record(null, { type: 'secret.changed', name, what: 'removed', grants: [], by })
    return gone !== undefined
  }

  async function change(name: string, by: string, work: (grants: Grant[]) => Grant[]): Promise<void> {
    await store.transact(
      async (tx) => {
        const row = await tx.db.selectFrom('secrets').select('grants').where('name', '=', name).executeTakeFirst()
        if (!row) throw notThere(name)
        const grants = [...new Set(work(JSON.parse(row.grants) as Grant[]))].sort()
        await tx.db
          .updateTable('secrets')
          .set({ grants: JSON.stringify(grants), updated_at: tx.now })
          .where('name', '=', name)
          .execute()
        tx.record(null, { type: 'secret.changed', name, what: 'granted', grants, by })
      },
      { durable: true },
    )
    await refresh()
  }

  return {
    refresh,
    /** Adds it, or replaces what is given; the rest stays. `value` is kept to the letter; a new secret needs one. */
    async save(
      name: string,
      given: { value?: string | undefined; description?: string | undefined; grants?: readonly Grant[] | undefined },
      by: string,
    ): Promise<void> {
      checkName(name)
      if (given.value !== undefined) checkValue(given.value)
      for (const to of given.grants ?? []) checkGrant(to)
      await store.transact((tx) => write(tx, name, given, by), { durable: true })
      await refresh()
    },
    /**
     * Seals a value in the transaction of what needs it; `refresh` follows the commit. One shorter than a person may set is taken: it is
     * sealed too, and not searched for in texts, where it would be found in innocent words.
     */
    async put(tx: Tx, name: string, given: { value: string; description: string }, by: string): Promise<void> {
      checkName(name)
      await write(tx, name, given, by)
    },
    /** Removes those that are there, in the transaction of what needed them; `refresh` follows the commit. */
    async drop(tx: Tx, names: readonly string[], by: string): Promise<void> {
      for (const name of names) await erase(tx, name, by)
    },
    async remove(name: string, by: string): Promise<void> {
      await store.transact(
        async (tx) => {
          if (!(await erase(tx, name, by))) throw notThere(name)
        },
        { durable: true },
      )
      await refresh()
    },
    async list(): Promise<SecretEntry[]> {
      await refresh()
      const rows = await store.db.selectFrom('secrets').selectAll().orderBy('name').execute()
      return rows.map((row) => entryOf(row, kept.get(row.name)?.value != null))
    },
    async grantTo(name: string, to: Grant, by: string): Promise<void> {
      checkGrant(to)
      await change(name, by, (grants) => [...grants, to])
    },
    revoke: (name: string, to: Grant, by: string): Promise<void> => change(name, by, (grants) => grants.filter((one) => one !== to)),
    refusal,
    /** For the composition root alone: a value that the system itself needs. Null: there is none, or it cannot be read. */
    forSystem: (name: string): string | null => kept.get(name)?.value ?? null,
    /** The same for a program that a person started with it: it stays hidden as long as this process runs, also when it is replaced. */
    forProgram(name: string): string | null {
      const value = kept.get(name)?.value ?? null
      if (value !== null) handed.set(value, name)
      return value
    },
    /** Values for the environment of one command. A Fault names what is not granted; then nothing is given. */
    async valuesFor(task: Pick<Task, 'id' | 'agent' | 'treeId'>, names: readonly string[]): Promise<Record<string, string>> {
      await refresh()
      for (const name of names) {
        const why = refusal(task, name)
        if (why !== null) throw new Fault('forbidden', why)
      }
      if (names.length > 0)
        await store.transact(async (tx) => {
          await tx.db
            .updateTable('secrets')
            .set({ last_used_at: tx.now })
            .where('name', 'in', [...names])
            .execute()
          tx.record(task.treeId, { type: 'secret.used', taskId: task.id, names: [...names] })
        })
      for (const name of names) handed.set(kept.get(name)?.value ?? '', name)
      return Object.fromEntries(names.map((name) => [name, kept.get(name)?.value ?? '']))
    },
    /** Seals every value with a new key, all or none, and answers how many. A Fault names one that cannot be read; then nothing is changed. */
    async sealWith(key: string, by: string): Promise<number> {
      const [before, next] = [cipher, cipherOf(key)]
      ciphers = [next, ...ciphers]
      own.push(['SYSTEM_SECRET_KEY', key])
      search()
      try {
        return await store.transact(
          async (tx) => {
            const rows = await tx.db.selectFrom('secrets').select(['name', 'value']).execute()
            for (const { name, value } of rows) {
              const open = opened(name, value)
              if (open === null) throw new Fault('conflict', `${unreadable(name)} Nothing was changed.`)
              await tx.db
                .updateTable('secrets')
                .set({ value: next.seal(name, open) })
                .where('name', '=', name)
                .execute()
            }
            tx.record(null, { type: 'secret.rotated', count: rows.length, by })
            cipher = next
            return rows.length
          },
          { durable: true },
        )
      } catch (error) {
        cipher = before
        throw error
      } finally {
        await refresh()
      }
    },
    /** Takes every value that is held now out of the text. */
    redact: (text: string): string => redact(text),
    /** The same for every text inside a value of JSON. */
    redactAll: (value: unknown): unknown => mapTexts(value, redact),
    /** The same for a text that comes in pieces. */
    redactStream: (): StreamRedactor => streamRedactor(() => found),
    /** Names whose values cannot be read with this key. */
    unreadable: (): string[] => [...kept].filter(([, { value }]) => value === null).map(([name]) => name),
  }
}

function mapTexts(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === 'string') return change(value)
  if (Array.isArray(value)) return value.map((one) => mapTexts(one, change))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [change(key), mapTexts(one, change)]))
}

const notThere = (name: string): Fault =>
  new Fault('not_found', `There is no secret "${name.slice(0, 64)}"; \`banyan secret ls\` lists them.`)
const unreadable = (name: string): string =>
  `The secret ${name} was sealed with another SYSTEM_SECRET_KEY: put the earlier key back, or set the secret again with \`banyan secret set ${name}\`.`

function checkName(name: string): void {
  if (!/^[A-Z][A-Z0-9_]{0,63}$/.test(name))
    throw new Fault(
      'invalid',
      `A secret is named like a variable, 1 to 64 of A-Z, 0-9 and _, a letter first, for example GITHUB_TOKEN; "${name.slice(0, 64)}" is not.`,
    )
  if (STEERING.test(name))
    throw new Fault('invalid', `${name} steers programs and cannot be a secret's name; choose another, such as MY_${name}.`)
}
function checkValue(value: string): void {
  if (value.length > MOST_CHARACTERS)
    throw new Fault('too_large', `A secret has at most ${MOST_CHARACTERS} characters; put longer ones into a file.`)
  if (value.includes('\0')) throw new Fault('invalid', 'A secret cannot hold a NUL character; encode it, for example as base64.')
  if (value.trim().replace(/[\r\n]+[ \t]*/g, '').length < LEAST)
    throw new Fault(
      'invalid',
      `A secret needs at least ${LEAST} characters: a shorter one cannot be told from innocent text and would not be hidden.`,
    )
}
function checkGrant(to: string): void {
  if (!/^(\*|agent:[a-z][a-z0-9_-]{0,63}|tree:[A-Za-z0-9_-]{1,64})$/.test(to))
    throw new Fault(
      'invalid',
      `A secret is granted to agent:NAME, to tree:ID, or to * (every task); "${to.slice(0, 80)}" is none of these.`,
    )
}

function entryOf(row: Selectable<Database['secrets']>, readable: boolean): SecretEntry {
  const time = (at: number) => new Date(at).toISOString()
  return {
    name: row.name,
    description: row.description,
    grants: JSON.parse(row.grants) as Grant[],
    readable,
    createdAt: time(row.created_at),
    updatedAt: time(row.updated_at),
    lastUsedAt: row.last_used_at === null ? null : time(row.last_used_at),
  }
}
