/** What every npm script goes through: prepares the checkout (prepare.mjs), then runs the command under the pinned Node. */
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { launch, prepare, Stop } from './prepare.mjs'

const COMMANDS = {
  start: { file: 'scripts/start.mjs', page: true },
  dev: { file: 'scripts/dev.ts', page: true },
  test: { file: 'scripts/test.ts', page: true },
  check: { file: 'scripts/check.ts', page: false },
  bench: { file: 'scripts/bench/bench.ts', page: false },
  crash: { file: 'scripts/crash.ts', page: false },
  proof: { file: 'scripts/proof/proof.ts', page: true },
  screenshots: { file: 'scripts/screenshots.ts', page: true },
  restart: { file: 'scripts/restart.ts', page: true },
}

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const [name = '', ...args] = process.argv.slice(2)
try {
  if (Number(process.versions.node.split('.')[0]) < 20)
    throw new Stop(`this is Node ${process.version}; at least Node 20 is needed to begin`)
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : null
  if (!command) throw new Stop(`"${name}" is not a command; there are: ${Object.keys(COMMANDS).join(', ')}`)
  const file = join(root, command.file)
  if (!existsSync(file))
    throw new Stop(`"${name}" needs ${command.file}, which this checkout lacks: restore it with "git checkout ${command.file}"`)
  await launch(root, await prepare(root, command), file, args)
} catch (error) {
  if (!(error instanceof Stop)) throw error
  process.stderr.write(`banyan: ${error.message}\n`)
  process.exitCode = 1
}
