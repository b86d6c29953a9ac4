/**
 * The process that does the work; the keeper starts it. Exit code 0: asked to stop. 75: asked to start again. 78: a start failed of
 * something a person can mend, said in one sentence. 70: a bug, with its stack. 130: cut off by a second SIGINT.
 */
import { accessSync, constants, mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { flushCompileCache } from 'node:module'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { type Config, ensureSecrets, readProcessConfig } from '../core/config.ts'
import type { Engine } from '../core/main.ts'
import { own } from '../core/store/owner.ts'
import { openKeeperLine } from './keeper-line.ts'
import { mendOf } from './mend.ts'

const [RESTART, BUG, BAD_CONFIGURATION, INTERRUPTED] = [75, 70, 78, 130]
/** A terminal sends one Ctrl-C to the whole process group and npm and the keeper pass it on: what comes this close together is one. */
const SAME_KEYSTROKE_MS = 300
/** An abort waits this long for connections and files to close. */
const ABORT_MS = 2_000

function bug(error: unknown): never {
  console.error(error)
  process.exit(BUG)
}
// A terminal that went away must not take the engine with it.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined)
process.on('uncaughtException', bug)
process.on('unhandledRejection', bug)

let engine: Engine | null = null
let asked: 'graceful' | 'now' | null = null
let firstInterrupt: number | null = null
let waiting = false

function stop(how: 'graceful' | 'now', code: number) {
  if (asked === how || asked === 'now') return
  asked = how
  if (how === 'now') setTimeout(() => process.exit(code), ABORT_MS)
  // Before it is up there is nothing to drain, but a migration may run: then `asked` is looked at when it is up.
  engine?.stop(how).then(() => (how === 'now' ? process.exit(code) : undefined), bug)
}

for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stop('graceful', 0))
process.on('SIGINT', () => {
  firstInterrupt ??= performance.now()
  if (performance.now() - firstInterrupt < SAME_KEYSTROKE_MS) {
    if (asked === null && !waiting) console.error('Stopping: running turns finish or park first. Press Ctrl-C again to abort.')
    stop('graceful', 0)
  } else stop('now', INTERRUPTED)
})
// Without its keeper nobody could start it again or stop it.
if (process.connected) process.on('disconnect', () => stop('now', BUG))

// What the keeper says: which checkout the settings are of, and what it calls the revision that runs.
const { values: said } = parseArgs({
  options: { checkout: { type: 'string' }, revision: { type: 'string' }, slot: { type: 'string' }, standby: { type: 'boolean' } },
  strict: false,
})
const code = dirname(import.meta.dirname)
const keeper = openKeeperLine()
let config: Config | null = null
try {
  config = readProcessConfig(typeof said.checkout === 'string' ? said.checkout : code, {
    code,
    revision: typeof said.revision === 'string' ? said.revision : null,
  })
  if (keeper && said.standby === true) {
    // The process before is still there and leaves: what takes time and touches nothing is done meanwhile.
    waiting = true
    const [, { loadTools }] = await Promise.all([import('../core/main.ts'), import('../core/agent/tools.ts')])
    await loadTools(join(code, 'tools'))
    await keeper.go
    waiting = false
  }
  for (const warning of config.warnings) console.error(`banyan: ${warning}`)
  // Others may pass through to the workspaces below (commands run as another user where that is possible), and list nothing.
  mkdirSync(config.dataDir, { recursive: true, mode: 0o711 })
  accessSync(config.dataDir, constants.W_OK)
  const owner = own(config.dataDir)
  keeper?.progress('took the data folder')
  // Loaded only now: what is wrong with the settings is said first, and signals are heard meanwhile.
  const { start } = await import('../core/main.ts')
  keeper?.progress('loaded its code')
  engine = await start(ensureSecrets(config), keeper)
  if (asked !== null) engine.stop(asked).catch(bug)
  else announce(engine, config.dataDir)
  // Otherwise only an end of its own would leave to the next start what Node compiled for this one.
  flushCompileCache()
  const how = await engine.ended
  await keeper?.stopping(how)
  owner.release()
  process.exit(how === 'restart' ? RESTART : asked === 'now' ? INTERRUPTED : 0)
} catch (error) {
  const sentence = mendOf(error, config)
  if (sentence === null) bug(error)
  console.error(`banyan: ${sentence}`)
  process.exit(BAD_CONFIGURATION)
}

/** `DATA_DIR/url` tells the command line and restart.sh where this instance listens, which PORT=0 leaves open. */
function announce({ url, loginUrl, models }: Engine, dataDir: string) {
  const file = join(dataDir, 'url')
  writeFileSync(`${file}.new`, `${url}\n`)
  renameSync(`${file}.new`, file)
  console.log(`Banyan runs at ${url}\n${models}\nLog in: ${loginUrl}`)
}
