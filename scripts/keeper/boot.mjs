/** One run of the engine, from its start to its end: what it says, whether it is healthy, and its end when it is not. */
import { spawn } from 'node:child_process'

/** Milliseconds. `boot`: without a new step of the boot; `cap`: for the whole boot; `beat`: without a heartbeat. */
const LIMITS = { boot: 60_000, cap: 600_000, beat: 30_000, probe: 5_000, every: 5_000, stop: 30_000, leave: 10_000 }
const PROBES = 3
const TICK_MS = 1_000

/** What answers at `url` instead of the revision that was started; null: all is well. */
async function probe(url, revision, schema, ms) {
  try {
    const answer = await fetch(`${url}/health`, { signal: AbortSignal.timeout(ms), redirect: 'error' })
    if (answer.status !== 200) return `/health answered ${answer.status}`
    const health = await answer.json()
    if (health.status !== 'ok') return `/health says ${JSON.stringify(health.status)}`
    if (health.revision !== revision) return `/health says revision ${String(health.revision).slice(0, 40)} instead of ${revision}`
    return health.schema === schema ? null : `/health says schema ${String(health.schema).slice(0, 20)} instead of ${schema}`
  } catch (error) {
    return `/health cannot be read (${error.cause?.code ?? error.name})`
  }
}

/**
 * Starts it. `onReady(info)` is asked before the engine is told that it may work, and answers what is wrong, or null; `onBeat` gets
 * the number of ended tasks. `ended` resolves with how it ended; `why` is set when the keeper ended it.
 */
export function boot({ node, argv, env, cwd, revision, strict, scale, patient, onReady, onBeat }) {
  const within = Object.fromEntries(Object.entries(LIMITS).map(([name, ms]) => [name, ms * scale]))
  // However short a test makes its windows, a busy machine may take this long to answer.
  within.probe = Math.max(within.probe, 2_000)
  if (patient !== null) within.boot = patient
  within.beat = Math.max(within.beat, 5_000)
  const run = { ready: null, why: null, lied: false, announced: null, startedAt: Date.now() }
  const child = spawn(node, argv, { cwd, env, stdio: ['inherit', 'inherit', 'inherit', 'ipc'] })
  const timers = new Set()
  const after = (ms, act) => {
    const timer = setTimeout(act, ms)
    timers.add(timer)
    return timer
  }
  const send = (message) => child.connected && child.send(message, () => undefined)
  const condemn = (why, { gently = false, lied = true } = {}) => {
    if (run.why !== null) return
    Object.assign(run, { why, lied })
    if (!gently) return child.kill('SIGKILL')
    child.kill('SIGTERM')
    after(within.leave, () => child.kill('SIGKILL'))
  }

  // The boot: each real step buys time, up to the cap.
  const steps = new Set()
  let patience = after(within.boot, () => condemn('it made no progress while it started'))
  const cap = after(within.cap, () => condemn('its start took too long'))
  let [beats, silent, busy, ticks] = [-1, 0, false, 0]

  async function ready(info) {
    if (run.ready || run.why) return
    let wrong = 'never asked'
    for (let n = 0; n < PROBES && wrong !== null && run.why === null; n++) {
      if (n > 0) await new Promise((resume) => after(500 * scale, resume))
      wrong = await probe(info.url, revision, info.schema, within.probe)
    }
    wrong ??= await onReady(info)
    if (wrong !== null) return condemn(`it said that it is ready, but ${wrong}`)
    run.ready = info
    clearTimeout(patience)
    clearTimeout(cap)
    send({ type: 'accepted' })
    watch(info)
  }

  /** A machine that slept is no reason: only the keeper's own ticks count. */
  function watch(info) {
    let failures = 0
    const tick = async () => {
      silent++
      if (silent * TICK_MS * scale > within.beat) condemn('its event loop was silent for too long')
      if (strict() && !busy && ++ticks % (LIMITS.every / TICK_MS) === 0) {
        busy = true
        const wrong = await probe(info.url, revision, info.schema, within.probe)
        busy = false
        failures = wrong === null || run.announced ? 0 : failures + 1
        if (failures >= PROBES) condemn(`three looks in a row failed: ${wrong}`, { gently: true })
      }
    }
    const timer = setInterval(() => void tick(), TICK_MS * scale)
    child.once('exit', () => clearInterval(timer))
  }

  child.on('message', (message) => {
    if (message?.type === 'progress' && !run.ready && !steps.has(message.step)) {
      steps.add(message.step)
      clearTimeout(patience)
      patience = after(within.boot, () => condemn(`it made no progress after "${String(message.step).slice(0, 60)}"`))
    } else if (message?.type === 'ready' && typeof message.url === 'string') void ready(message)
    else if (message?.type === 'stopping') run.announced = message.how
    else if (message?.type === 'heartbeat' && message.n > beats) {
      beats = message.n
      silent = 0
      if (run.ready) onBeat(Number(message.ended) || 0)
    }
  })

  const ended = new Promise((resolve) => {
    const end = (code, signal, how) => {
      for (const timer of timers) clearTimeout(timer)
      resolve({ ...run, code, signal, how: run.why ?? how, upMs: Date.now() - run.startedAt })
    }
    child.once('error', (error) => end(null, null, `it could not be started (${error.code})`))
    child.once('exit', (code, signal) => end(code, signal, signal ? `it was killed by ${signal}` : `it ended with ${code}`))
  })
  return {
    send,
    ended,
    condemn,
    /** Passes a person's signal on; an engine that does not leave is killed. */
    signal(name) {
      child.kill(name)
      after(within.stop, () => child.kill('SIGKILL'))
    },
  }
}
