/** `npm run proof -- NAME [arguments]`: long runs that show what no single test can. */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'

const PROOFS: Readonly<Record<string, string>> = {
  updates: 'bad-updates.ts',
  tampering: 'tampering.ts',
  power: 'power-cut.ts',
  good: 'good-updates.ts',
  canaries: 'canaries.ts',
  watchdog: 'watchdog.ts',
  faults: 'provider-faults.ts',
  disk: 'disk.ts',
  soak: 'soak.ts',
  container: 'container.ts',
}

const [name = '', ...args] = process.argv.slice(2)
const file = Object.hasOwn(PROOFS, name) ? join(import.meta.dirname, PROOFS[name]!) : ''
if (file === '' || !existsSync(file)) {
  const there = Object.keys(PROOFS).filter((one) => existsSync(join(import.meta.dirname, PROOFS[one]!)))
  console.error(`"${name}" is not a proof; there are: ${there.join(', ')}`)
  process.exitCode = 2
} else {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', file, ...args], { stdio: 'inherit' })
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal))
  child.once('exit', (code) => process.exit(code ?? 1))
}
