/**
 * Candidates that give up one thing each that no revision may give up: this very source with a line or two changed. The gate "negative canaries"
 * must name each of them, and "canary boot" those that lose what they were given.
 */
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

const ROOT = dirname(dirname(import.meta.dirname))
/** `from` is empty: a new file. */
type Edit = { file: string; from: string; to: string }
export type Weakened = { name: string; edits: Edit[] }

/** `name` is that of the act which then is not refused. */
export const WEAKENED: readonly Weakened[] = [
  {
    name: 'an agent decides a review',
    edits: [
      {
        file: 'core/auth/principal.ts',
        from: "if (scope === 'work' && principal.scopes.has('work')) return",
        to: 'return',
      },
    ],
  },
  {
    name: 'a program approves a change of the system',
    edits: [{ file: 'core/tasks/decide.ts', from: '  if (!person)\n    throw', to: '  if (person && !person)\n    throw' }],
  },
  {
    name: 'a request without a login',
    edits: [
      {
        file: 'core/http/app.ts',
        from: "if (!free && !mcp && c.get('principal') === null) throw notLoggedIn()",
        to: "if (!free && !mcp && c.get('principal') === null) c.set('principal', OWNER)",
      },
      { file: 'core/http/app.ts', from: '\nimport ', to: "\nimport { OWNER } from '../auth/principal.ts'\nimport " },
    ],
  },
  {
    name: 'a file outside the workspace',
    edits: [
      { file: 'core/exec/files.ts', from: "if (parts[0] === '..') throw refuse(", to: "if (parts[0] === '...') throw refuse(" },
      {
        file: 'core/exec/files.ts',
        from: 'const isInside = (path: string, folder: string): boolean =>',
        to: 'const isInside = (path: string, folder: string): boolean => folder !== process.env.DATA_DIR ||',
      },
    ],
  },
  {
    name: 'a command that a rule denies',
    edits: [
      {
        file: 'core/policy/policy.ts',
        from: "rule.verdict !== 'allow' && narrows(rule, call)",
        to: "rule.verdict === 'ask' && narrows(rule, call)",
      },
    ],
  },
  {
    name: 'more tasks than the budget allows',
    edits: [
      {
        file: 'core/tasks/limits.ts',
        from: 'if (tasks + wanted.count > limits.tasks)',
        to: 'if (tasks + wanted.count > limits.tasks + 100)',
      },
    ],
  },
  {
    name: 'a WebSocket of a foreign page',
    edits: [
      {
        file: 'core/http/auth.ts',
        from: 'if (origin !== undefined && !origins().has(origin))',
        to: 'if (origin !== undefined && origins().size === 0)',
      },
    ],
  },
  {
    name: 'a request under a foreign name',
    edits: [{ file: 'core/http/auth.ts', from: 'if (!isOurHost(host))', to: 'if (!isOurHost(host) && host === undefined)' }],
  },
  {
    name: 'a login with the state of another browser',
    edits: [
      {
        file: 'core/auth/logins.ts',
        from: "row.provider === given.provider && row.browser_hash === derive('browser', given.browser ?? '')",
        to: 'row.provider === given.provider',
      },
    ],
  },
  {
    name: 'a secret that is read',
    edits: [
      {
        file: 'core/store/query-child.ts',
        from: 'const columns = tables.get(table)\n      if (columns) {',
        to: 'const columns = tables.get(table)\n      if (!columns) return constants.SQLITE_OK\n      if (columns) {',
      },
    ],
  },
  {
    name: 'a write through the database tool',
    edits: [
      {
        file: 'core/store/query-child.ts',
        from: "if (action !== constants.SQLITE_READ) return deny(new Refusal('forbidden', 'This tool only reads: write one SELECT.'))",
        to: 'if (action !== constants.SQLITE_READ) return constants.SQLITE_OK',
      },
      { file: 'core/store/query-child.ts', from: 'readOnly: true', to: 'readOnly: false' },
      { file: 'core/store/query-child.ts', from: 'PRAGMA query_only = ON; ', to: '' },
    ],
  },
  {
    name: 'a cancelled task that goes on',
    edits: [
      {
        file: 'core/tasks/control.ts',
        from: 'for (const child of below) child.stopped_by_person = 1\n    for (const child of below) await stop(tx, child, ask, cut)',
        to: 'for (const child of below) child.stopped_by_person = 1',
      },
      { file: 'core/tasks/outcome.ts', from: 'if (task.children === 0) return', to: 'if (task.children >= 0) return' },
    ],
  },
]

/** Each with what the gate "canary boot" says of it. */
export const UNWHOLE: readonly (Weakened & { says: RegExp })[] = [
  {
    name: 'does not start',
    says: /ended with 70 before it answered/,
    edits: [{ file: 'core/runtime.ts', from: "step('seeded the registry')", to: "throw new Error('no')" }],
  },
  {
    name: 'forgets facts when it starts',
    says: /not whole/,
    edits: [
      {
        file: 'core/runtime.ts',
        from: "step('seeded the registry')",
        to: "await store.transact(async ({ db }) => void (await db.deleteFrom('events').execute()))",
      },
    ],
  },
  {
    name: 'loses the answers of tools when it starts',
    says: /not whole|tasks before the kill|took longer|has lost/,
    edits: [
      {
        file: 'core/runtime.ts',
        from: "step('seeded the registry')",
        to: "await store.transact(async ({ db }) => void (await db.deleteFrom('messages').where('n', '>', 1).execute()))",
      },
    ],
  },
  {
    name: 'does not end when it is asked to',
    says: /ended with (?:1|a signal)|took longer/,
    edits: [
      {
        file: 'scripts/engine.ts',
        from: "process.exit(how === 'restart' ? RESTART : asked === 'now' ? INTERRUPTED : 0)",
        to: 'process.exit(1)',
      },
    ],
  },
]

/** This source with these edits, as a folder that can be shown within the walls. An edit that no longer fits is an error. */
export function layOutWeakened(folder: string, edits: readonly Edit[]): string {
  mkdirSync(join(folder, 'node_modules'), { recursive: true })
  for (const name of ['core', 'tools', 'seeds', 'scripts', 'package.json', 'tsconfig.json'])
    cpSync(join(ROOT, name), join(folder, name), { recursive: true })
  for (const edit of edits) {
    const place = join(folder, edit.file)
    const text = edit.from === '' ? '' : readFileSync(place, 'utf8')
    if (!text.includes(edit.from))
      throw new Error(`${edit.file} does not hold ${JSON.stringify(edit.from)} any more; write the weakened candidate anew`)
    writeFileSync(
      place,
      text.replace(edit.from, () => edit.to),
    )
  }
  return folder
}
