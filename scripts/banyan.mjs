#!/usr/bin/env node
/** The `banyan` command: the command line (cli.ts) under the pinned Node, from any folder and under any Node from 20 on. */
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { launch, prepare, Stop } from './prepare.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
try {
  await launch(root, await prepare(root, { page: false }), join(root, 'scripts', 'cli.ts'), process.argv.slice(2))
} catch (error) {
  if (!(error instanceof Stop)) throw error
  process.stderr.write(`banyan: ${error.message}\n`)
  process.exitCode = 1
}
