/**
 * A pseudo-terminal for a command that wants a person's screen. It is held by a process of its own (see terminal-host.ts), which alone loads
 * the native package: a machine on which that does not work can do everything else.
 */
import { spawn } from 'node:child_process'
import { chown } from 'node:fs/promises'
import type { Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { Fault } from '../contract/fault.ts'

export type TerminalSize = { columns: number; rows: number }
export type Terminal = {
  /** What a shell without a terminal runs to make this one its own, with all three streams. */
  attach: string
  onData(listener: (chunk: Buffer) => void): void
  /** What waits for the command to read it, in characters, is what is answered. */
  write(text: string): number
  /** From now on it is over when nobody has it open; `over` resolves after the last output. */
  letGo(): void
  readonly over: Promise<void>
  close(): void
}

const START_MS = 15_000

/** `owner`: the user that opens it, when that is not the user of this process. Rejects with `unavailable` where there is none to be had. */
export async function openTerminal({ columns, rows }: TerminalSize, owner?: { uid: number; gid: number }): Promise<Terminal> {
  const script = fileURLToPath(new URL('terminal-host.ts', import.meta.url))
  const host = spawn(process.execPath, ['--no-warnings', '--max-old-space-size=64', script, String(columns), String(rows)], {
    cwd: '/',
    env: {}, // neither keys nor settings of the runtime
    stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
  })
  const { stdin, stdout, stderr } = host
  const told = host.stdio[3] as Socket
  let words = ''
  stderr.on('data', (chunk: Buffer) => (words = (words + chunk.toString()).slice(-2_000)))
  for (const stream of [stdin, told]) stream.on('error', () => undefined) // it is gone; `over` tells
  const over = new Promise<void>((resolve) => host.once('close', () => resolve()))
  const close = () => void host.kill('SIGKILL')
  let timer: NodeJS.Timeout | undefined
  try {
    const path = await new Promise<string>((resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`it did not start within ${START_MS / 1_000} s`)), START_MS)
      let name = ''
      told.on('data', (chunk: Buffer) => {
        name += chunk.toString()
        if (name.endsWith('\n')) resolve(name.trim())
      })
      host.once('error', reject)
      host.once('close', () => reject(new Error(words.trim() || 'it ended at once')))
    }).finally(() => clearTimeout(timer))
    if (!/^\/dev\/[\w/]+$/.test(path)) throw new Error(`"${path}" is no terminal`)
    if (owner) await chown(path, owner.uid, owner.gid)
    return {
      attach: `exec 0<>${path} 1>&0 2>&0`,
      onData: (listener) => void stdout.on('data', listener),
      write(text) {
        stdin.write(text)
        return stdin.writableLength
      },
      letGo: () => void told.end(),
      over,
      close,
    }
  } catch (cause) {
    close()
    throw new Fault(
      'unavailable',
      'This machine has no terminals for commands, because @lydell/node-pty could not open one; run the command without "terminal", or install the packages anew with `npm ci`.',
      { cause },
    )
  }
}
