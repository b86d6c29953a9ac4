/**
 * Ten thousand tasks with a real command each, through a whole engine: does memory grow, are files or processes left open, how large is what
 * stays on disk? The tree's invariants are checked at the end.
 *
 *   npm run proof -- soak [--tasks N]
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { openStore } from '../../core/store/store.ts'
import { violations } from '../../core/tasks/invariants.ts'

/** Lines of one goal; each is a task. */
const LINES = 20
const GOALS_AT_ONCE = 20
const TOKEN = 'soak-token-of-this-run'
/**
 * Memory goes up and down with the collector of V8 by more than 100 MB, so two lows are compared: of the second fifth, when caches are
 * filled, and of the last one.
 */
const PARTS = 5
/** Samples in all, and lines of the table. */
const SAMPLES = 200
const LINES_SHOWN = 20

type Sample = { tasks: number; rssMb: number; files: number; children: number; diskMb: number }

const { values } = parseArgs({ options: { tasks: { type: 'string', default: '10000' } } })
const wanted = Math.max(LINES, Number(values.tasks))
const folder = mkdtempSync(join(tmpdir(), 'banyan-soak-'))
const dataDir = join(folder, 'data')
const root = dirname(dirname(import.meta.dirname))
const engine = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', join(root, 'scripts/engine.ts')], {
  env: { PATH: process.env.PATH, DATA_DIR: dataDir, PORT: '0', ADMIN_TOKEN: TOKEN, MODEL: 'playbook', MAX_CONCURRENT_AGENTS: '4' },
  stdio: ['ignore', 'inherit', 'inherit'],
})
const pid = engine.pid!
const samples: Sample[] = []
try {
  const url = await urlOf()
  const ask = async (path: string, init: RequestInit = {}): Promise<unknown> => {
    const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' }
    const response = await fetch(`${url}${path}`, { ...init, headers })
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
    return response.json()
  }
  const idle = sample(0)
  samples.push(idle)
  const begun = performance.now()
  let given = 0
  const open = new Set<string>()
  for (let over = 0; over * LINES < wanted; ) {
    while (open.size < GOALS_AT_ONCE && given * LINES < wanted) {
      const lines = Array.from({ length: LINES }, (_, i) => `${i + 1}. Run \`echo ${given}-${i} > note-${i}.txt\``)
      const goal = `Write notes ${given++}:\n\n${lines.join('\n')}`
      open.add(((await ask('/api/goals', { method: 'POST', body: JSON.stringify({ goal }) })) as { treeId: string }).treeId)
    }
    await delay(300)
    for (const id of [...open]) {
      const { status } = (await ask(`/api/trees/${id}`)) as { status: string }
      if (['failed', 'dead', 'cancelled'].includes(status)) throw new Error(`goal ${id} is ${status}`)
      if (status !== 'done') continue
      open.delete(id)
      over++
      if (over % Math.max(1, Math.floor(wanted / LINES / SAMPLES)) === 0) samples.push(sample(over * LINES))
    }
  }
  const seconds = (performance.now() - begun) / 1_000
  await delay(2_000)
  const last = sample(given * LINES)
  samples.push(last)
  engine.kill('SIGTERM')
  await new Promise((resolve) => engine.once('exit', resolve))
  const store = await openStore(`sqlite:${join(dataDir, 'agent_system.db')}`)
  const broken = await violations(store)
  await store.close()
  console.log('   tasks  rss MB  files  children  disk MB')
  for (const one of samples.filter((_, i) => i % Math.ceil(samples.length / LINES_SHOWN) === 0 || i === samples.length - 1))
    console.log(
      `${String(one.tasks).padStart(8)}${one.rssMb.toFixed(0).padStart(8)}${String(one.files).padStart(7)}${String(one.children).padStart(10)}${one.diskMb.toFixed(0).padStart(9)}`,
    )
  const lowOf = (part: number) => {
    const within = samples.filter(({ tasks }) => tasks > ((part - 1) / PARTS) * given * LINES && tasks <= (part / PARTS) * given * LINES)
    return Math.min(...within.map(({ rssMb }) => rssMb))
  }
  const grown = lowOf(PARTS) - lowOf(2)
  console.log(`${given * LINES} tasks in ${seconds.toFixed(0)} s (${((given * LINES) / seconds).toFixed(0)} a second)`)
  console.log(
    `memory: lowest ${lowOf(2).toFixed(0)} MB in the second fifth, ${lowOf(PARTS).toFixed(0)} MB in the last (${grown.toFixed(0)} MB more); files at the end: ${last.files}, idle at the start: ${idle.files}; processes: ${last.children}, idle at the start: ${idle.children}`,
  )
  console.log(`disk: ${((last.diskMb * 1_024) / (given * LINES)).toFixed(1)} kB a task; broken invariants: ${broken.length}`)
  for (const line of broken.slice(0, 20)) console.log(`- ${line}`)
  process.exitCode = broken.length > 0 || last.children > idle.children ? 1 : 0
} finally {
  engine.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
}

async function urlOf(): Promise<string> {
  for (let i = 0; i < 300; i++) {
    try {
      const url = readFileSync(join(dataDir, 'url'), 'utf8').trim()
      if (url !== '' && (await fetch(`${url}/health`).catch(() => null))?.ok) return url
    } catch {
      // not written yet
    }
    await delay(200)
  }
  throw new Error('the engine did not come up within a minute')
}

function sample(tasks: number): Sample {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  // The guardian stays for as long as the engine does: it ends the commands of an engine that was killed.
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    .split(' ')
    .filter((child) => child !== '' && !commandOf(child).includes('banyan-guardian'))
  return {
    tasks,
    rssMb: Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1_024,
    files: readdirSync(`/proc/${pid}/fd`).length,
    children: children.length,
    diskMb: sizeOf(dataDir) / 1e6,
  }
}
function commandOf(child: string): string {
  try {
    return readFileSync(`/proc/${child}/cmdline`, 'utf8')
  } catch {
    return '' // ended in between
  }
}
function sizeOf(path: string): number {
  let bytes = 0
  for (const entry of readdirSync(path, { withFileTypes: true, recursive: true }))
    if (entry.isFile()) bytes += statSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false })?.size ?? 0
  return bytes
}
