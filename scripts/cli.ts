/** What `banyan` runs, under the pinned Node. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { runCli } from './cli/program.ts'
import { ROOT } from './cli/server.ts'

// `banyan logs | head`: whoever reads has enough.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit(0)
})
const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string }
process.exitCode = await runCli(process.argv.slice(2), process.env, version)
