/** What the keeper judges beside crashes and silence while it watches a new revision; each engine here is a process that really does it. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { until, world } from '../testing/keeper-world.ts'

// Several processes start in each.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

/** Restarts when something is asked for. */
const LEAVES = `if (process.env.SAFE_MODE === undefined) setInterval(() => { try { readFileSync(join(home, 'keeper', 'request.json')); leave('restart', 75) } catch {} }, 20)`
const GOOD = `await ready(); ${LEAVES}`
const TOKEN = `token: 'of-a-test'`
/** Answers one path otherwise. */
const answers = (path: string, status: number) =>
  `answer: (reply, health, path) => { reply.statusCode = path.includes('${path}') ? ${status} : path.endsWith('/rollback') ? 404 : 200; reply.end(JSON.stringify({ ...health, items: [] })) }`

let here: ReturnType<typeof world>
let settled: ReturnType<typeof world>
let good: string
beforeAll(async () => {
  settled = world()
  good = await settled.kept(GOOD)
})
beforeEach(() => {
  here = world(settled.dir)
})
afterEach(() => here.remove())
afterAll(() => settled.remove())

const last = (type: string) => here.events().findLast((event) => event.type === type)
/** What becomes of this engine after a kept one. */
async function verdictOn(engine: string, before = good, options = ['--watch-seconds=2.5']) {
  const kept = here.keep(...options)
  await kept.line('up')
  const tree = here.prepare(engine)
  here.put('request.json', { tree, from: before, changeId: 'ch_1' })
  await until(() => here.events().some((event) => event.tree === tree && ['kept', 'undone'].includes(event.type)))
  if (last('undone')) await kept.line('up')
  const end = here.events().findLast((event) => event.tree === tree && ['kept', 'undone'].includes(event.type))!
  await kept.stop()
  return { type: end.type, reason: end.reason ?? '' }
}

describe('a revision on trial is undone', () => {
  it.each([
    [
      'for a slow leak',
      `const kept = []; setInterval(() => kept.push(Buffer.alloc(5 * 2 ** 20, 1)), 50); await ready({ beat: () => ({ rss: process.memoryUsage.rss() }) })`,
      /^its memory grew without a pause, by \d+ MB$/,
    ],
    [
      'for tasks that fail',
      `await ready({ beat: (n) => ({ ended: n * 2, failed: n * 2 }) })`,
      /^10 of 10 tasks failed, where 50 of 100 are usual$/,
    ],
    [
      'for an event loop that hangs again and again',
      `const { monitorEventLoopDelay } = await import('node:perf_hooks')
       const delay = monitorEventLoopDelay(); delay.enable()
       await ready({ beat: () => { const lag = delay.max / 1e6; delay.reset(); return { lag } } })
       setInterval(() => { const end = Date.now() + 650; while (Date.now() < end); }, 10)`,
      /^its event loop hangs for \d{3} ms in most seconds$/,
    ],
    [
      'for a review queue that cannot be read',
      `await ready({ ${TOKEN}, ${answers('/api/reviews', 500)} })`,
      /the review queue cannot be read \(500\)/,
    ],
    [
      'for a way back that is gone',
      `await ready({ ${TOKEN}, ${answers('/rollback', 405)} })`,
      /the way back is broken: .* 405 instead of 404/,
    ],
    [
      'for a way back that breaks later',
      `let n = 0; await ready({ ${TOKEN}, answer: (reply, health, path) => { reply.statusCode = path.endsWith('/rollback') ? (n++ ? 500 : 404) : 200; reply.end(JSON.stringify({ ...health, items: [] })) } })`,
      /three looks in a row failed: the way back is broken/,
    ],
  ])('%s', async (_, engine, reason) => {
    const { type, reason: said } = await verdictOn(engine, good, [
      `--watch-seconds=${String(reason).includes('hangs') ? 8 : String(reason).includes('memory') ? 4 : 2.5}`,
    ])
    expect(type).toBe('undone')
    expect(said).toMatch(reason)
  })
})

describe('a revision on trial is kept', () => {
  it('when it is busy: memory that warms up and falls again, hangs now and then, a task that fails now and then', async () => {
    // By the beat and not by the clock, so that it is the same on a slow machine.
    const busy = `await ready({ ${TOKEN}, beat: (n) => ({ ended: n, failed: Math.floor(n / 4), lag: n % 3 === 0 ? 900 : 40, rss: (200 + (n % 5) * 30) * 2 ** 20 }) })`
    expect(await verdictOn(busy)).toEqual({ type: 'kept', reason: '' })
  })

  it('when it is the only one, though its review queue cannot be read: nothing better could run', async () => {
    here.remove()
    here = world()
    await here.kept(`await ready({ ${TOKEN}, ${answers('/api/reviews', 500)} })`)
    expect(here.table().slots.A?.state).toBe('kept')
  })

  it('when as many tasks fail, and its loop hangs as long, as with the revision before', async () => {
    here.remove()
    here = world()
    const same = 'beat: (n) => ({ ended: n * 10, failed: n * 9, lag: 700 })'
    const before = await here.kept(`await ready({ ${same} }); ${LEAVES}`)
    expect(await verdictOn(`/* new */ await ready({ ${same} })`, before, ['--watch-seconds=1', '--watch-tasks=9999'])).toEqual({
      type: 'kept',
      reason: '',
    })
  })
})

describe('a restart', () => {
  /** One that nobody took in yet counts as gone. */
  const isAlive = (pid: number) => {
    try {
      return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
    } catch {
      return false
    }
  }

  it('loads the next process of the same revision while the one before still leaves', async () => {
    const told = `await ready()
      const when = (name, act) => {
        const timer = setInterval(() => { try { readFileSync(join(home, name)) } catch { return }; clearInterval(timer); act() }, 20)
      }
      if (starts === 1) {
        when('leave', () => send({ type: 'stopping', how: 'restart' }))
        when('end', () => { say('left'); process.exit(75) })
      }`
    here.remove()
    here = world()
    await here.kept(told)
    const { line, stop } = here.keep('--drain-seconds=60')
    await line('up')
    writeFileSync(join(here.dir, 'leave'), '')
    await line('waits')
    writeFileSync(join(here.dir, 'end'), '')
    await line('left')
    await line('up')
    expect((await stop()).starts).toBe(2)
  })

  it('ends a process that says that it leaves and does not', async () => {
    here.remove()
    here = world()
    here.first(`await ready(); if (starts === 1) send({ type: 'stopping', how: 'restart' })`)
    const { line, words, stop } = here.keep('--drain-seconds=0.5')
    await line('up')
    await line('up')
    expect(words()).toMatch(/the engine did not leave, as it had said; starting it again/)
    await stop()
  })

  it.skipIf(process.platform !== 'linux')('leaves no process behind of a revision that failed, which could hold its port', async () => {
    const thief = `const { spawn } = await import('node:child_process'); const { writeFileSync } = await import('node:fs')
      const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1e6)'], { detached: true, stdio: 'ignore' })
      writeFileSync(join(home, 'thief'), String(child.pid)); child.unref(); await ready(); process.exit(3)`
    expect(await verdictOn(thief)).toMatchObject({ type: 'undone', reason: 'it ended with 3' })
    expect(isAlive(Number(readFileSync(join(here.dir, 'thief'), 'utf8')))).toBe(false)
  })
})

it('the keeper is small enough to be read whole', () => {
  const files = readdirSync(import.meta.dirname).filter((name) => name.endsWith('.mjs'))
  const text = files.map((name) => readFileSync(join(import.meta.dirname, name), 'utf8')).join('')
  const code = text
    .replace(/^\s*\/\*\*[\s\S]*?\*\/$/gm, '')
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.trim().startsWith('//'))
  expect(code.length).toBeLessThanOrEqual(600)
})
