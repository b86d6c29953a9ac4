/**
 * `npm run bench`: what durability costs here, as figures and as ratios to a raw better-sqlite3 loop that writes the same rows in the same
 * run. Each measurement is a process of its own; each figure is the median of three rounds (`--rounds N`, `--quick` for one small round).
 */
import { execFile, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs, promisify } from 'node:util'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
})
if (values.help) {
  console.log(
    'npm run bench -- [--rounds N] [--quick] [--json]\nPrints CPU and wall time of Banyan on fixed jobs, beside a raw SQLite loop that writes the same rows.',
  )
  process.exit(0)
}
const rounds = values.quick ? 1 : Math.max(1, Number(values.rounds) || 3)
const scale = values.quick ? 0.1 : 1
const FLAT = Math.round(2_000 * scale)
const PARKED = Math.round(10_000 * scale)
const TURNS = values.quick ? 100 : 300
const home = mkdtempSync(join(tmpdir(), 'banyan-bench-'))

type Figures = Record<string, number>
const part = async (name: string, folder: string, count: number): Promise<Figures> => {
  const file = join(import.meta.dirname, 'part.ts')
  const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', file, name, folder, String(count)], { maxBuffer: 2 ** 24 })
  return JSON.parse(stdout.trim().split('\n').at(-1)!) as Figures
}
const alone = (file: string) => async (): Promise<Figures> => {
  const { stdout } = await promisify(execFile)(process.execPath, [join(import.meta.dirname, file)])
  return JSON.parse(stdout) as Figures
}
const mcp = async (): Promise<Figures> => {
  const { stdout } = await promisify(execFile)(process.execPath, [join(import.meta.dirname, 'mcp.ts')])
  return JSON.parse(stdout.trim().split('\n').at(-1)!) as Figures
}
const median = (list: number[]): number => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)]!
const say = (text: string) => process.stderr.write(`${text}\n`)

/** A worker at work is killed with SIGKILL; then a fresh process starts on what it left. */
async function killAndResume(folder: string): Promise<Figures> {
  const file = join(import.meta.dirname, 'part.ts')
  const child = spawn(process.execPath, [file, 'work', folder, String(PARKED)], { stdio: ['ignore', 'pipe', 'inherit'] })
  await new Promise<void>((resolve) => child.stdout.once('data', () => resolve()))
  child.kill('SIGKILL')
  await new Promise((resolve) => child.once('exit', resolve))
  return part('resume', folder, 0)
}

const measured: Record<string, Figures[]> = {}
const take = async (name: string, get: () => Promise<Figures>) => {
  measured[name] ??= []
  measured[name].push(await get())
}
for (let round = 0; round < rounds; round++) {
  say(`round ${round + 1} of ${rounds}`)
  const at = (name: string) => join(home, `${round}-${name}`)
  say('  flat job')
  await take('flat', () => part('flat', at('flat'), FLAT))
  say('  floor of the flat job')
  await take('floor', () => part('floor', at('flat'), FLAT))
  say('  tree of 1,111')
  await take('tree', () => part('tree', at('tree'), 0))
  say('  long history')
  await take('history', () => part('history', at('history'), TURNS))
  say('  empty process')
  await take('empty', () => part('parked', at('empty'), 0))
  say('  parked tasks')
  await take('park', () => part('park', at('park'), PARKED))
  await take('parked', () => part('parked', at('park'), PARKED))
  say('  kill -9 and resume')
  await take('resume', () => killAndResume(at('resume')))
  say('  start of a command')
  await take('command', alone('sandbox.ts'))
  say('  tools that agents make')
  await take('made', alone('made.ts'))
  say('  policy and review queue')
  await take('policy', () => part('policy', at('policy'), 50_000))
  await take('queue', () => part('queue', at('queue'), 1_000))
  say('  MCP')
  await take('mcp', mcp)
  say('  cold start')
  await take('cold', () => part('cold', at('cold'), 0))
}
rmSync(home, { recursive: true, force: true })

const m = (name: string, figure: string): number => median(measured[name]!.map((f) => f[figure] ?? 0))
const ratio = (name: string, figure: string, to: string): number =>
  median(measured[name]!.map((f, i) => (f[figure] ?? 0) / (measured[to]![i]![figure] || 1)))
const perTaskFloor = m('floor', 'cpuMs') / FLAT
const rows: [string, string, string, string][] = [
  [
    `flat ${FLAT}: CPU per task`,
    `${(m('flat', 'cpuMs') / FLAT).toFixed(2)} ms`,
    `${ratio('flat', 'cpuMs', 'floor').toFixed(2)} × raw (${perTaskFloor.toFixed(2)} ms)`,
    '≤ 3',
  ],
  [
    `flat ${FLAT}: tasks per second`,
    (FLAT / (m('flat', 'wallMs') / 1_000)).toFixed(0),
    `raw ${(FLAT / (m('floor', 'wallMs') / 1_000)).toFixed(0)}`,
    '',
  ],
  [
    'tree 10×10×10: CPU per task',
    `${(m('tree', 'cpuMs') / 1_111).toFixed(2)} ms`,
    `${(m('tree', 'cpuMs') / 1_111 / perTaskFloor).toFixed(2)} × raw flat task`,
    '≤ 3',
  ],
  [
    `history: turn ${TURNS} against turn 10, CPU`,
    `${m('history', 'late').toFixed(2)} ms`,
    `${(median(measured.history!.map((f) => f.late! / f.early!))).toFixed(2)} × early (${m('history', 'early').toFixed(2)} ms)`,
    '≤ 1.2',
  ],
  ['history: bytes on disk per byte of content', (m('history', 'disk') / m('history', 'content')).toFixed(1), '', '≤ 4'],
  [
    `${PARKED} parked: memory per task in a fresh process`,
    `${(((m('parked', 'rss') - m('empty', 'rss')) * 1_024) / PARKED).toFixed(2)} kB`,
    `${m('parked', 'rss').toFixed(0)} MB against ${m('empty', 'rss').toFixed(0)} MB empty`,
    '≤ 2 kB',
  ],
  [`${PARKED} parked: disk per task`, `${(m('park', 'disk') / PARKED / 1_024).toFixed(1)} kB`, '', ''],
  [
    `${PARKED} parked: idle CPU`,
    `${m('parked', 'idleCpuPerSecond').toFixed(1)} ms/s`,
    `empty ${m('empty', 'idleCpuPerSecond').toFixed(1)}`,
    '≤ 10',
  ],
  [`${PARKED} parked: 100 answered, all ended after`, `${m('parked', 'wakeMs').toFixed(0)} ms`, '', ''],
  [`kill -9 with ${PARKED} tasks: process start to first claim`, `${m('resume', 'firstClaimMs').toFixed(0)} ms`, '', '≤ 2000'],
  ['policy: one decision, command read and ten rules', `${m('policy', 'wallMicros').toFixed(1)} µs`, '', '≤ 50 µs'],
  ['1000 open review items listed', `${m('queue', 'listMs').toFixed(1)} ms`, '', '≤ 50 ms'],
  [
    'MCP: tools/list of 200 tools, CPU of the server',
    `${m('mcp', 'listMs200').toFixed(2)} ms`,
    `12 tools ${m('mcp', 'listMs12').toFixed(2)} ms`,
    '≤ 1 ms',
  ],
  [
    "MCP: an outside agent's call of a tool over HTTP",
    `${m('mcp', 'callMs').toFixed(1)} ms`,
    `p95 ${m('mcp', 'callP95').toFixed(1)} ms, heartbeat ${m('mcp', 'heartbeatMs').toFixed(1)} ms`,
    '',
  ],
  [
    'MCP: 1000 tasks wait for outside agents, idle CPU',
    `${m('mcp', 'idleWaiting').toFixed(1)} ms/s`,
    `claim ${m('mcp', 'claimMs').toFixed(1)} ms, end ${m('mcp', 'endMs').toFixed(1)} ms`,
    '≤ 10',
  ],
  [
    'MCP: another version of a tool heard of, both eras',
    measured.mcp!.every((f) => f.heardMs === undefined) ? 'no sandbox here' : `${m('mcp', 'heardMs').toFixed(1)} ms`,
    `p95 ${m('mcp', 'heardP95').toFixed(1)} ms`,
    '≤ 50 ms',
  ],
  [
    'MCP: 100 clients wait for goals, idle CPU, both ends',
    `${m('mcp', 'idleClients').toFixed(1)} ms/s`,
    `all ended at once: all told after ${m('mcp', 'answeredMs').toFixed(0)} ms`,
    '',
  ],
  [
    'cold start to first finished task',
    `${m('cold', 'wallMs').toFixed(0)} ms`,
    `CPU ${m('cold', 'cpuMs').toFixed(0)} ms, ${m('cold', 'rss').toFixed(0)} MB`,
    '',
  ],
  [
    'start of a command, plain with limits',
    `${m('command', 'plainMs').toFixed(1)} ms`,
    `p95 ${m('command', 'plainP95').toFixed(1)} ms`,
    '',
  ],
  measured.command!.every((f) => f.sandboxMs === undefined)
    ? ['start of a command in a sandbox', 'no sandbox here', '', '']
    : [
        'start of a command in a sandbox',
        `${m('command', 'sandboxMs').toFixed(1)} ms`,
        `p95 ${m('command', 'sandboxP95').toFixed(1)} ms, ${m('command', 'overP95').toFixed(1)} ms over plain`,
        '≤ 30 ms over plain',
      ],
  ...(measured.made!.every((f) => f.callMs === undefined)
    ? []
    : ([
        [
          'another version of a made tool in use',
          `${m('made', 'reloadMs').toFixed(1)} ms`,
          `p95 ${m('made', 'reloadP95').toFixed(1)} ms`,
          '≤ 50 ms',
        ],
        ['call of a made tool, cold', `${m('made', 'callMs').toFixed(0)} ms`, `p95 ${m('made', 'callP95').toFixed(0)} ms`, ''],
        ['call of a made tool, the next one', `${m('made', 'warmMs').toFixed(0)} ms`, `p95 ${m('made', 'warmP95').toFixed(0)} ms`, ''],
      ] satisfies [string, string, string, string][])),
]
if (values.json) console.log(JSON.stringify({ rounds, flat: FLAT, parked: PARKED, measured }, null, 1))
else {
  console.log(
    `Banyan benchmark: Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model}, median of ${rounds} round${rounds === 1 ? '' : 's'}, provider without latency\n`,
  )
  const width = [0, 1, 2, 3].map((i) => Math.max(...[['figure', 'value', 'ratio or detail', 'goal'], ...rows].map((row) => row[i]!.length)))
  const line = (row: readonly string[]) => console.log(`| ${row.map((cell, i) => cell.padEnd(width[i]!)).join(' | ')} |`)
  line(['figure', 'value', 'ratio or detail', 'goal'])
  line(width.map((w) => '-'.repeat(w)))
  for (const row of rows) line(row)
}
