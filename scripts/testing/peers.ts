/** Programs of others that tests speak with. They are installed by the first test that needs them, never by `npm start`. */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export const PEERS = join(import.meta.dirname, 'peers')
const DONE = join(PEERS, 'node_modules', '.installed')
const LOCK = join(PEERS, 'node_modules.lock')
/** An installation that died leaves its lock. */
const STALE_MS = 300_000

/** What npm says where there is no way to a registry. */
const NO_REGISTRY = /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|ERR_SOCKET_TIMEOUT/

/**
 * Brings what the lock file names; seconds the first time, nothing later. Two test files may ask at once. False: no registry answers, or
 * nothing can be written here as within the walls of the gates, and the tests that need them are skipped; with REQUIRE_ALL=1 that is a failure.
 */
export async function installPeers(): Promise<boolean> {
  const wanted = createHash('sha256')
    .update(readFileSync(join(PEERS, 'package-lock.json')))
    .digest('hex')
  const ready = () => existsSync(DONE) && readFileSync(DONE, 'utf8') === wanted
  while (!ready()) {
    try {
      mkdirSync(LOCK)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'EROFS' && process.env.REQUIRE_ALL !== '1') return skipped('This checkout cannot be written')
      if (code !== 'EEXIST') throw error
      if (Date.now() - statSync(LOCK, { throwIfNoEntry: false })!.mtimeMs > STALE_MS) rmdirSync(LOCK)
      await new Promise((resolve) => setTimeout(resolve, 250))
      continue
    }
    try {
      const { code, output } = await runNpm(['ci', '--no-audit', '--no-fund', '--ignore-scripts'])
      if (code !== 0 && NO_REGISTRY.test(output) && process.env.REQUIRE_ALL !== '1') return skipped('No package registry answers')
      if (code !== 0) throw new Error(`npm ci in scripts/testing/peers ended with ${code}: ${output.slice(-2_000)}`)
      writeFileSync(DONE, wanted)
    } finally {
      rmdirSync(LOCK)
    }
  }
  return true
}
function skipped(why: string): false {
  console.warn(`${why}, so tests with programs of others are skipped.`)
  return false
}
const runNpm = (args: string[]) => run('npm', args, { cwd: PEERS })

export type Ran = { code: number | null; output: string; stdout: string }
/**
 * Runs to the end. Node 24 comes first on PATH: some peers choose an older version of themselves under another. `bare`: it gets `env` and PATH, and
 * nothing of what this process was given.
 */
export function run(
  command: string,
  args: readonly string[],
  options: { cwd?: string; env?: Record<string, string>; input?: string; bare?: boolean } = {},
): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.cwd ?? PEERS,
      env: { ...(options.bare ? {} : process.env), PATH: `${join(process.execPath, '..')}:${process.env.PATH}`, ...options.env },
      stdio: 'pipe',
    })
    let output = ''
    let stdout = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text
      stdout += text
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text))
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, output, stdout }))
    child.stdin.on('error', () => undefined) // it ended before it read
    child.stdin.end(options.input ?? '')
  })
}
/** A program of the peers, by its file in node_modules. */
export const peer = (path: string): string => join(PEERS, 'node_modules', path)
