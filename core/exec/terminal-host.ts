/**
 * A process of its own that holds one pseudo-terminal and relays it: what comes on standard input is typed, what is shown goes to standard
 * output. The native part opens its two ends so that every program started meanwhile would inherit them, and read or write what belongs
 * to another command; this process starts none. It ends with its standard input, or when the command has let go of the terminal.
 *
 * Arguments: columns and rows. It writes the terminal's path to descriptor 3, and lets go of its own end when that is closed.
 */
import { closeSync } from 'node:fs'
import { createRequire } from 'node:module'
import { Socket } from 'node:net'
import { ReadStream } from 'node:tty'

type Native = { open(columns: number, rows: number): { master: number; slave: number; pty: string } }

// The signals are for the runtime, which says when this is over.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined)

const load = createRequire(import.meta.url)
const { requireBinary } = load('@lydell/node-pty/requireBinary.js') as { requireBinary(name: string): Native }
const { master, slave, pty } = requireBinary('pty.node').open(Number(process.argv[2]), Number(process.argv[3]))
const screen = new ReadStream(master)
const told = new Socket({ fd: 3, readable: true, writable: true })
told.write(`${pty}\n`)
told.resume()
told.once('end', () => closeSync(slave))
// EIO: nobody has the terminal open any more, which is its regular end.
screen.on('error', () => screen.destroy())
screen.once('close', () => process.stdout.end(() => process.exit(0)))
screen.pipe(process.stdout, { end: false })
process.stdin.on('data', (chunk) => void screen.write(chunk))
process.stdin.once('end', () => process.exit(0))
process.stdout.on('error', () => process.exit(0))
