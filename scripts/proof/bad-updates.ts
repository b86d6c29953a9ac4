/**
 * Gives a running Banyan one broken revision of itself after the other, past all gates, with goals under way: each must be refused or undone,
 * the last good revision must serve again, and no task may be lost. `bad-updates.ts [--short] [--only WORDS]`
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { cpSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { openStore } from '../../core/store/store.ts'
import { violations } from '../../core/tasks/invariants.ts'
import { hashTree } from '../keeper/tree.mjs'
import { startOf } from '../testing/slots.ts'
import { CANDIDATES, type Candidate } from './candidates.ts'
import { proveFullDisk } from './full-disk.ts'

const root = dirname(dirname(import.meta.dirname))
const TOKEN = 'token-of-this-proof'
/** The keeper's windows are this much shorter. */
const SCALE = 0.1
const WATCH_SECONDS = 10
/** Without a step of the boot; the real one is 60. A machine that is busy with other things must not be taken for a hang. */
const BOOT_SECONDS = 20
/** The engine itself cuts turns off after ten. */
const DRAIN_SECONDS = 30
/** Enough where nothing is judged that only time shows. */
export const SHORT_WATCH_SECONDS = 3
/** For a verdict, on a machine that is busy with other things. */
const PATIENCE_MS = 180_000

type KeeperEvent = { seq: number; at: string; type: string; tree: string | null; changeId: string | null; reason: string | null }
type Table = { active: 'A' | 'B'; slots: Record<string, { tree: string; state: string } | null>; events: KeeperEvent[] }
export type Verdict = { name: string; expected: string; became: string; boots: number; recoveredMs: number; reason: string; ok: boolean }

/** A Banyan of its own, made of this working tree, that has been kept. `settings`: environment variables besides those that it needs. */
export async function openSubject(settings: Readonly<Record<string, string>> = {}, watchSeconds = WATCH_SECONDS) {
  const dataDir = mkdtempSync(join(tmpdir(), 'banyan-proof-'))
  const home = join(dataDir, 'keeper')
  const port = await freePort()
  let said = ''
  let keeper: ChildProcess
  function start() {
    keeper = spawn(
      process.execPath,
      startOf(
        dataDir,
        `--scale=${SCALE}`,
        `--watch-seconds=${watchSeconds}`,
        `--boot-seconds=${BOOT_SECONDS}`,
        `--drain-seconds=${DRAIN_SECONDS}`,
      ),
      {
        cwd: root,
        detached: true,
        env: {
          PATH: process.env.PATH ?? '',
          HOME: dataDir,
          DATA_DIR: dataDir,
          PORT: String(port),
          MODEL: 'playbook',
          ADMIN_TOKEN: TOKEN,
          ...settings,
        },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    )
    for (const stream of [keeper.stdout!, keeper.stderr!]) stream.on('data', (text) => (said = (said + text).slice(-20_000)))
  }
  start()
  const events = (): KeeperEvent[] => (existsSync(join(home, 'slots.json')) ? table().events : [])
  const table = () => JSON.parse(readFileSync(join(home, 'slots.json'), 'utf8')) as Table
  const running = () => table().slots[table().active]!.tree
  /** Asks again when the connection was one to a process that is gone; a goal is given once all the same. */
  async function ask(method: string, path: string, body?: object): Promise<Record<string, unknown>> {
    const key = randomUUID()
    for (let tries = 0; ; tries++) {
      const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
        method,
        headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json', 'idempotency-key': key },
        ...(body ? { body: JSON.stringify(body) } : {}),
        signal: AbortSignal.timeout(30_000),
      }).catch((error: Error & { cause?: { code?: string } }) => {
        if (tries < 3 && ['UND_ERR_SOCKET', 'ECONNRESET'].includes(error.cause?.code ?? '')) return null
        throw error
      })
      if (answer === null) continue
      if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`)
      return (await answer.json()) as Record<string, unknown>
    }
  }
  async function until<T>(what: string, look: () => T | undefined | Promise<T | undefined>): Promise<T> {
    const end = Date.now() + PATIENCE_MS
    for (;;) {
      if (keeper.exitCode !== null || keeper.signalCode !== null) throw new Error(`the keeper ended while waiting for ${what}: ${said}`)
      const found = await look()
      if (found !== undefined) return found
      if (Date.now() > end) throw new Error(`${what} never came: ${said}`)
      await new Promise((resume) => setTimeout(resume, 50))
    }
  }
  await until('the first revision to be kept', () => (events().some(({ type }) => type === 'kept') ? true : undefined))

  return {
    dataDir,
    home,
    port,
    token: TOKEN,
    ask,
    until,
    events,
    table,
    running,
    said: () => said,
    /** As a power cut does it, and the next start. */
    async cut(between: () => void = () => undefined) {
      const gone = once(keeper, 'exit')
      process.kill(-keeper.pid!, 'SIGKILL')
      await gone
      between()
      start()
    },
    async stop() {
      const gone = once(keeper, 'exit')
      keeper.kill('SIGTERM')
      await gone
    },
    async remove() {
      if (keeper.exitCode === null && keeper.signalCode === null) {
        const gone = once(keeper, 'exit')
        process.kill(-keeper.pid!, 'SIGKILL')
        await gone
      }
      rmSync(dataDir, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}
export type Subject = Awaited<ReturnType<typeof openSubject>>

/** Asks the keeper for a revision that is the running one with the candidate's edit; it is taken at the next restart. */
export function request({ home, running }: Pick<Subject, 'home' | 'running'>, candidate: Omit<Candidate, 'expect'>) {
  const good = running()
  const slots = join(home, 'slots')
  const fresh = join(home, 'incoming', `new-${randomUUID()}`)
  cpSync(join(slots, good), fresh, { recursive: true, verbatimSymlinks: true })
  candidate.edit?.(fresh)
  // Each is a tree of its own, even where two candidates are the same edit.
  writeFileSync(join(fresh, 'candidate.txt'), candidate.name)
  const tree = hashTree(fresh).get('')!
  const page = hashTree(join(fresh, 'web', 'dist'), []).get('')!
  candidate.spoil?.(fresh)
  rmSync(join(slots, tree), { recursive: true, force: true })
  renameSync(fresh, join(slots, tree))
  const changeId = randomUUID()
  const asked = { id: changeId, kind: 'change', changeId, commit: null, tree, page, from: good, ...candidate.request }
  writeFileSync(join(home, 'request.json.new'), JSON.stringify(asked))
  renameSync(join(home, 'request.json.new'), join(home, 'request.json'))
  return { good, tree, changeId }
}

/** Asks for one candidate and waits until a good revision serves again. */
export async function tryOne(subject: Subject, candidate: Candidate): Promise<Verdict> {
  const { events, until, ask, running } = subject
  const { good, tree, changeId } = request(subject, candidate)
  const seen = events().at(-1)?.seq ?? 0
  const began = Date.now()
  await ask('POST', '/admin/graceful-shutdown?restart=1')
  const mine = () => events().filter((event) => event.seq > seen)
  const { during } = candidate
  if (during) {
    await until(`"${candidate.name}" to work`, () => mine().find((event) => event.type === 'ready' && event.changeId === changeId))
    await during((goal) => ask('POST', '/api/goals', { goal }), ask)
  }
  const end = await until(`a verdict on "${candidate.name}"`, () =>
    mine().find((event) => event.changeId === changeId && ['refused', 'undone', 'kept'].includes(event.type)),
  )
  if (end.type !== 'kept')
    await until(`the last good revision after "${candidate.name}"`, () =>
      mine().findLast((event) => event.type === 'ready' && event.seq > end.seq),
    )
  const recoveredMs = Date.now() - began
  await until('its health', async () => ((await ask('GET', '/health').catch(() => null)) ? true : undefined))
  const boots = mine().filter((event) => event.type === 'boot' && event.changeId === changeId).length
  const ok = end.type === candidate.expect && (end.type === 'kept' ? running() === tree : running() === good) && boots <= 3
  return { name: candidate.name, expected: candidate.expect, became: end.type, boots, recoveredMs, reason: end.reason ?? '', ok }
}

/** Goals of several kinds, some under way at any moment, and at last one that asks a person; answers the ids. */
export async function giveWork(subject: Subject, count: number): Promise<string[]> {
  const ids: string[] = []
  for (let n = 0; n < count; n++) {
    const goal = [
      `Work ${n}`,
      '',
      `1. Run \`echo a${n}; sleep 1\``,
      `2. Then run \`echo b${n}; sleep 1\``,
      `3. Run \`sleep 2; echo c${n}\``,
    ].join('\n')
    ids.push(String((await subject.ask('POST', '/api/goals', { goal })).treeId))
  }
  ids.push(String((await subject.ask('POST', '/api/goals', { goal: 'Which of the two drafts is better?' })).treeId))
  return ids
}

/** What is wrong with the work in the end: goals that are not done, invariants that do not hold. */
export async function faultsOfWork(subject: Subject, ids: readonly string[]): Promise<string[]> {
  const faults: string[] = []
  const asking = ids.length - 1
  for (const id of ids.slice(0, asking)) {
    const status = await endOf(subject, id)
    if (status !== 'done') faults.push(`goal ${id} is ${status}`)
  }
  const waiting = await subject.ask('GET', `/api/trees/${ids[asking]}`)
  if (waiting.status !== 'waiting') faults.push(`the goal that asks a person is ${String(waiting.status)}`)
  await subject.stop()
  const store = await openStore(`sqlite:${join(subject.dataDir, 'agent_system.db')}`)
  faults.push(...(await violations(store, { settled: true })))
  await store.close()
  return faults
}

const endOf = (subject: Subject, id: string): Promise<string> =>
  subject.until(`goal ${id}`, async () => {
    const tree = await subject.ask('GET', `/api/trees/${id}`).catch(() => null)
    return tree && ['done', 'failed', 'cancelled', 'dead'].includes(String(tree.status)) ? String(tree.status) : undefined
  })

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

export function line(verdict: Verdict): string {
  const { ok, name, became, expected, boots, recoveredMs, reason } = verdict
  return `${ok ? 'ok    ' : 'FAILED'} ${name}: ${became}${ok ? '' : ` (not ${expected})`}, ${boots} boots, ${(recoveredMs / 1000).toFixed(1)} s${reason ? `: ${reason.slice(0, 120)}` : ''}`
}

async function prove(candidates: readonly Candidate[], watchSeconds: number): Promise<boolean> {
  const subject = await openSubject({}, watchSeconds)
  try {
    const verdicts: Verdict[] = []
    const ids = await giveWork(subject, 4)
    // What is usual is known, as it is after the first hours of a real one; by that the others are judged.
    for (const id of ids.slice(0, -1)) await endOf(subject, id)
    ids.unshift(...(await giveWork(subject, 2)).slice(0, -1))
    for (const candidate of candidates) {
      const verdict = await tryOne(subject, candidate)
      verdicts.push(verdict)
      console.log(line(verdict))
      // Fresh work under way at the next restart.
      ids.unshift(String((await subject.ask('POST', '/api/goals', { goal: `Run \`echo ${verdicts.length}; sleep 2\`` })).treeId))
    }
    const faults = await faultsOfWork(subject, ids)
    const disk = await proveFullDisk()
    console.log(
      disk.untried === null
        ? `${disk.problem === null ? 'ok    ' : 'FAILED'} a revision that fills the disk`
        : `not tried: a full disk (${disk.untried})`,
    )
    if (disk.problem !== null) faults.push(disk.problem)
    for (const fault of faults) console.log(`FAILED ${fault}`)
    const times = verdicts.map((one) => one.recoveredMs).sort((a, b) => a - b)
    const bad = verdicts.filter((one) => !one.ok).length
    const at = (part: number) => ((times[Math.min(times.length - 1, Math.floor(times.length * part))] ?? 0) / 1000).toFixed(1)
    console.log(
      `${verdicts.length} candidates, ${verdicts.length - bad} as they must, ${bad} not; ${ids.length} goals, ${faults.length} faults; time to recover with windows of ${SCALE} of the real ones: median ${at(0.5)} s, p95 ${at(0.95)} s`,
    )
    return bad + faults.length === 0
  } finally {
    await subject.remove()
  }
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { short: { type: 'boolean' }, only: { type: 'string' } } })
  const chosen = CANDIDATES.filter(
    (one) => (!values.short || one.short) && (values.only === undefined || new RegExp(values.only).test(one.name)),
  )
  process.exitCode = (await prove(chosen, values.short ? SHORT_WATCH_SECONDS : WATCH_SECONDS)) ? 0 : 1
}
