/** One run of the engine, from its start to its end: what it says, whether it is healthy, and its end when it is not. */
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'

/**
 * Milliseconds. `boot`: without a new step of the boot; `cap`: for the whole boot; `beat`: without a heartbeat; `drain`: from the word that
 * it restarts to its end; `stop`: the same for a person's signal; `leave`: for one that is condemned.
 */
const LIMITS = { boot: 60_000, cap: 600_000, beat: 30_000, probe: 5_000, drain: 60_000, stop: 30_000, leave: 10_000, tick: 1_000 }
/** However short a test makes its windows, a busy machine may take this long to answer. */
const LEAST = { beat: 5_000, probe: 2_000 }
/** Looks that may fail in a row, and ticks from one to the next. */
const [LOOKS, TICKS] = [3, 5]

/** What answers instead of the revision that was started, and whether a person could still decide and go back; null: all is well. */
async function look({ url, schema, token }, revision, ms) {
  const ask = (path, method = 'GET') => {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
    return fetch(`${url}${path}`, { method, headers, signal: AbortSignal.timeout(ms), redirect: 'error' })
  }
  try {
    const answer = await ask('/health')
    if (answer.status !== 200) return `/health answered ${answer.status}`
    const health = await answer.json()
    for (const [what, should] of Object.entries({ status: 'ok', revision, schema }))
      if (health[what] !== should) return `/health says ${what} ${String(health[what]).slice(0, 40)} instead of ${should}`
    if (token === undefined) return null
    const queue = await ask('/api/reviews?state=open&limit=1')
    if (queue.status !== 200 || !Array.isArray((await queue.json()).items)) return `the review queue cannot be read (${queue.status})`
    const back = await ask('/api/changes/none/rollback', 'POST')
    return back.status === 404 ? null : `the way back is broken: the rollback of no change answered ${back.status} instead of 404`
  } catch (error) {
    return `/health cannot be read (${error.cause?.code ?? error.name})`
  }
}

/**
 * Starts the process; it counts as a start from `go()` on, for which one with `--standby` waits. `onReady(info)` is asked before the engine
 * is told that it may work, and answers what is wrong, or null; so does `onBeat(beat)`. `ended` resolves with how it ended; `why` is set
 * when the keeper ended it. `limits`: such as `boot-seconds`, in place of scaled ones. `usual`: what the revision before told of itself.
 */
export function boot({ node, argv, env, cwd, revision, strict, scale, limits, usual, onReady, onBeat, onLeaving }) {
  const withinOf = ([name, ms]) => [name, Number(limits[`${name}-seconds`] ?? 0) * 1000 || Math.max(ms * scale, LEAST[name] ?? 0)]
  const within = Object.fromEntries(Object.entries(LIMITS).map(withinOf))
  const run = { ready: false, why: null, announced: null, startedAt: 0 }
  const mark = `KEEPER_RUN=${randomUUID()}`
  const child = spawn(node, argv, { cwd, env: { ...env, KEEPER_RUN: mark.slice(11) }, stdio: ['inherit', 'inherit', 'inherit', 'ipc'] })
  const send = (message) => child.connected && child.send(message, () => undefined)
  const kill = (signal, ms) => {
    child.kill(signal)
    setTimeout(() => child.kill('SIGKILL'), ms).unref()
  }
  const condemn = (why, { gently = false } = {}) => {
    if (run.why !== null) return
    run.why = why
    kill(gently ? 'SIGTERM' : 'SIGKILL', within.leave)
  }

  const steps = new Set()
  let [info, beats, silent, total, leaving, failures, looking, ticks] = [null, -1, 0, 0, 0, 0, false, 0]

  async function ready(said) {
    if (info !== null || run.why !== null) return
    // Where nothing better could run, its health is enough.
    info = strict() ? said : { ...said, token: undefined }
    let wrong = 'never asked'
    for (let n = 0; n < LOOKS && wrong !== null && run.why === null; n++) {
      if (n > 0) await pause(500 * scale)
      wrong = await look(info, revision, within.probe)
    }
    wrong ??= onReady(info)
    if (wrong !== null) return condemn(`it said that it is ready, but ${wrong}`)
    run.ready = true
    silent = 0
    send({ type: 'accepted', usual, scale })
  }

  /** A machine that slept is no reason: only the keeper's own ticks count. */
  async function tick() {
    silent += within.tick
    total += within.tick
    if (run.announced !== null) leaving += within.tick
    if (leaving > within.drain) condemn('it did not leave, as it had said')
    if (run.ready && silent > within.beat) condemn('its event loop was silent for too long')
    if (!run.ready && silent > within.boot)
      condemn(`it made no progress ${steps.size === 0 ? 'while it started' : `after "${[...steps].at(-1).slice(0, 60)}"`}`)
    if (!run.ready && total > within.cap) condemn('its start took too long')
    if (!run.ready || !strict() || looking || ++ticks % TICKS !== 0) return
    looking = true
    const wrong = await look(info, revision, within.probe)
    looking = false
    failures = wrong === null || run.announced !== null ? 0 : failures + 1
    if (failures >= LOOKS) condemn(`three looks in a row failed: ${wrong}`, { gently: true })
  }

  child.on('message', (message) => {
    if (message?.type === 'progress' && !run.ready && !steps.has(String(message.step))) {
      steps.add(String(message.step))
      silent = 0
    } else if (message?.type === 'ready' && typeof message.url === 'string') void ready(message)
    else if (message?.type === 'stopping' && run.why === null) {
      run.announced = message.how
      onLeaving(message.how)
    } else if (message?.type === 'heartbeat' && message.n > beats) {
      ;[beats, silent] = [message.n, 0]
      const wrong = run.ready && run.announced === null ? onBeat(message) : null
      if (wrong !== null) condemn(wrong, { gently: true })
    }
  })

  let timer
  const ended = new Promise((resolve) => {
    const end = (code, signal, how) => {
      clearInterval(timer)
      if (code === null || run.why !== null || run.announced === null) killLeft(mark)
      resolve({ ...run, code, signal, how: run.why ?? how, upMs: Date.now() - run.startedAt })
    }
    child.once('error', (error) => end(null, null, `it could not be started (${error.code})`))
    child.once('exit', (code, signal) => end(code, signal, signal ? `it was killed by ${signal}` : `it ended with ${code}`))
  })
  return {
    send,
    ended,
    go() {
      run.startedAt = Date.now()
      if (child.exitCode === null && child.signalCode === null) timer = setInterval(() => void tick(), within.tick)
      send({ type: 'go' })
    },
    /** Passes a person's signal on; an engine that does not leave is killed. */
    signal: (name) => kill(name, within.stop),
    drop: () => child.kill('SIGKILL'),
  }
}

/** What a revision that failed left behind could hold the port or the database. Commands of agents do not carry the mark. */
function killLeft(mark) {
  if (process.platform !== 'linux') return
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      if (readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(mark)) process.kill(Number(pid), 'SIGKILL')
    } catch {} // another person's, or gone already
  }
}
