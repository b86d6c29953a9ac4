/** `npm run dev`: the engine from the working tree, started again at every saved change, and the page rebuilt likewise. */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'

const root = dirname(import.meta.dirname)
const vite = ['node_modules/vite/bin/vite.js', 'build', 'web', '--watch', '--logLevel', 'warn']
const commands = [
  ['--watch', '--watch-preserve-output', 'scripts/engine.ts'],
  ...(existsSync(join(root, 'web/vite.config.ts')) ? [vite] : []),
]
const children = commands.map((argv) => spawn(process.execPath, argv, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] }))
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => children.forEach((child) => void child.kill(signal)))
