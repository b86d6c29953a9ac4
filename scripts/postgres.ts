/** A private PostgreSQL for tests: its own cluster in a temporary folder on a free port, gone with `stop`. */
import { execFile, spawn } from 'node:child_process'
import { chownSync, mkdtempSync, rmSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { need } from './needs.ts'

export type PrivatePostgres = { url: string; stop(): Promise<void> }

/** PostgreSQL refuses to run as root, so root runs it as `nobody`. */
const NOBODY = 65534

/** Durability is switched off: this is for tests of behaviour, never of crash safety of PostgreSQL itself. About a second. */
export async function startPostgres(): Promise<PrivatePostgres> {
  const program = need('postgres')
  if (!program) throw new Error('no PostgreSQL on this machine: guard the test with describe.skipIf(!need("postgres"))')
  const folder = mkdtempSync(join(tmpdir(), 'banyan-postgres-'))
  const who = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {}
  if (who.uid !== undefined) chownSync(folder, who.uid, who.gid)
  const data = join(folder, 'data')
  const initdb = join(dirname(program), 'initdb')
  try {
    await promisify(execFile)(initdb, ['-D', data, '-U', 'banyan', '--auth=trust', '--no-sync', '-E', 'UTF8', '--locale=C'], {
      ...who,
      cwd: '/',
    })
    for (let tries = 1; ; tries++) {
      const port = await freePort()
      const stop = await startServer(program, data, folder, port, who)
      if (stop) {
        return {
          url: `postgres://banyan@127.0.0.1:${port}/postgres`,
          async stop() {
            await stop()
            rmSync(folder, { recursive: true, force: true })
          },
        }
      }
      if (tries === 5) throw new Error(`PostgreSQL did not start on any of ${tries} ports`)
    }
  } catch (error) {
    rmSync(folder, { recursive: true, force: true })
    throw error
  }
}

/** Answers how to stop it, or null when somebody took the port in between. */
async function startServer(program: string, data: string, sockets: string, port: number, who: { uid?: number; gid?: number }) {
  const settings = ['listen_addresses=127.0.0.1', 'fsync=off', 'synchronous_commit=off', 'full_page_writes=off', 'max_connections=100']
  const args = ['-D', data, '-p', String(port), '-k', sockets, ...settings.flatMap((setting) => ['-c', setting])]
  const server = spawn(program, args, { ...who, cwd: '/', stdio: ['ignore', 'ignore', 'pipe'] })
  const kill = () => server.kill('SIGKILL')
  process.once('exit', kill)
  const gone = new Promise<void>((resolve) => server.once('close', () => resolve()))
  const words: string[] = []
  const lines = createInterface({ input: server.stderr })
  const ready = await new Promise<boolean>((resolve, reject) => {
    server.once('error', reject)
    lines.on('line', (line) => {
      words.push(line)
      if (line.includes('database system is ready to accept connections')) resolve(true)
    })
    lines.once('close', () => resolve(false))
  })
  if (ready) {
    return async () => {
      server.kill('SIGINT')
      await gone
      process.off('exit', kill)
    }
  }
  process.off('exit', kill)
  if (words.some((line) => /could not bind|Address already in use/.test(line))) return null
  throw new Error(`PostgreSQL did not start:\n${words.join('\n')}`)
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
