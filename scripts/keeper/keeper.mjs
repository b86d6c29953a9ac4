/**
 * The keeper: starts the engine, passes signals to it and starts it again when it asks or crashes. Standard library only, so that a broken
 * dependency cannot break what recovers from it. The engine ends when its channel to the keeper closes, so no kill leaves one behind.
 *
 * `keeper.mjs [engine file] [arguments]`
 */
import { spawn } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** What an engine's exit code says. Anything else, a signal included, is a crash. */
const STOPPED = 0
const RESTART = 75
const BAD_CONFIGURATION = 78

const CRASHES = { most: 5, withinMs: 60_000 }
const say = (text) => process.stderr.write(`banyan keeper: ${text}\n`)

// A terminal that went away must not take the keeper with it.
process.stderr.on('error', () => undefined)

/** The wait before the next start: at once is wrong for a crash at start, long is wrong for one after a day. */
const backoffMs = (crashes) => Math.min(5_000, 200 * 2 ** (crashes - 1))

/** Resolves with the code that this process should end with. */
function keep(argv) {
  return new Promise((resolve) => {
    const crashes = []
    let engine = null
    let waiting = null
    let stopping = false

    function start() {
      waiting = null
      engine = spawn(process.execPath, argv, { stdio: ['inherit', 'inherit', 'inherit', 'ipc'] })
      engine.once('error', (error) => ended(`could not be started (${error.code})`, null, null))
      engine.once('exit', (code, signal) => ended(signal ? `was killed by ${signal}` : `ended with ${code}`, code, signal))
    }

    function ended(how, code, signal) {
      if (engine === null) return
      engine = null
      if (stopping) {
        // A signal that came before the engine could listen for it ended it on the spot; there was nothing to drain.
        const early = { SIGTERM: STOPPED, SIGHUP: STOPPED, SIGINT: 130 }
        return resolve(code === RESTART ? STOPPED : (code ?? early[signal] ?? 1))
      }
      if (code === STOPPED) return resolve(0)
      if (code === BAD_CONFIGURATION) return resolve(1)
      if (code === RESTART) return start()
      const now = Date.now()
      crashes.push(now)
      while (crashes[0] <= now - CRASHES.withinMs) crashes.shift()
      if (crashes.length >= CRASHES.most) {
        say(
          `the engine ${how}, ${CRASHES.most} times within a minute; it stays stopped: read the errors above, mend the cause and start it again`,
        )
        return resolve(1)
      }
      const wait = backoffMs(crashes.length)
      say(`the engine ${how}; starting it again in ${wait} ms`)
      waiting = setTimeout(start, wait)
    }

    // The engine counts signals itself; it alone knows what a second SIGINT cuts off.
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
      process.on(signal, () => {
        stopping = true
        if (engine) engine.kill(signal)
        else {
          clearTimeout(waiting)
          resolve(0)
        }
      })
    }
    start()
  })
}

const argv = process.argv.slice(2)
const engine = join(dirname(dirname(fileURLToPath(import.meta.url))), 'engine.ts')
process.exit(await keep(argv.length > 0 ? argv : [engine]))
