/**
 * Runs inside the walls beside an engine that is tried: starts it, and hands connections of a socket in a shared folder on to its port, which
 * nobody outside can reach. It judges nothing. Arguments: the folder, the port, then what to run. Its exit code is the engine's.
 */
import { spawn } from 'node:child_process'
import { chmodSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'

/** Name of the socket in the folder. */
export const BRIDGE = 'bridge.sock'

if (import.meta.main) {
  const [folder = '', port = '', ...argv] = process.argv.slice(2)
  const place = join(folder, BRIDGE)
  rmSync(place, { force: true })
  const server = createServer((near) => {
    const far = connect(Number(port), '127.0.0.1')
    near.pipe(far).pipe(near)
    near.on('error', () => far.destroy())
    far.on('error', () => near.destroy())
  })
  server.listen(place, () => {
    chmodSync(place, 0o666)
    const [program = '', ...args] = argv
    const child = spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit'] })
    child.once('error', () => process.exit(127))
    child.once('exit', (code) => process.exit(code ?? 1))
  })
}
