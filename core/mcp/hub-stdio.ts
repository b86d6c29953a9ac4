/**
 * MCP over stdin and stdout of a program, which runs like a command of an agent: with a built environment, in the sandbox where there is one,
 * within limits on memory and processes, in a group of its own that ends with the runtime, however that ends. A program that floods is ended.
 */
import { deserializeMessage, type JSONRPCMessage, serializeMessage, type Transport } from '@modelcontextprotocol/client'
import { Fault } from '../contract/fault.ts'
import type { Command, CommandResult, Exec, Input } from '../exec/exec.ts'
import { cleanedLine } from './hub-words.ts'

/** Bytes of one message. */
export const MOST_MESSAGE = 16 * 2 ** 20
/** Bytes of stderr, and of lines that are no messages, within a window, after which a program is taken for broken. */
const MOST_NOISE = 8 * 2 ** 20
const WINDOW_MS = 10_000
/** Of stderr, for people to read. */
const KEPT = 4_000
/** A day less than what a timer holds. */
const LIFE_MS = 23 * 86_400_000

export type StdioTransport = Transport & { stderr(): string }

/** `broken`: told once, when the program must not be listened to any more; the sentence says why. */
export function stdioTransport(parts: {
  exec: Pick<Exec, 'run'>
  command: Omit<Command, 'live' | 'timeoutMs' | 'outputBytes' | 'stdin'>
  broken(why: string): void
}): StdioTransport {
  const stop = new AbortController()
  const lines = splitter((why) => parts.broken(why))
  let input: Input | undefined
  let stderr = ''
  const noise = { stderr: { began: 0, bytes: 0 }, stdout: { began: 0, bytes: 0 } }
  let over = false
  let gone: Promise<unknown> = Promise.resolve()

  const transport: StdioTransport = {
    async start() {
      const begun = Promise.withResolvers<Input>()
      const result = parts.exec.run(
        {
          ...parts.command,
          timeoutMs: LIFE_MS,
          outputBytes: KEPT,
          live: {
            onStart: begun.resolve,
            onOutput(chunk, from) {
              if (over) return
              if (from === 'stderr') return heard(chunk)
              for (const line of lines(chunk)) take(line)
            },
          },
        },
        stop.signal,
      )
      gone = result.then(ended, (error: unknown) => {
        begun.reject(error)
        finish()
      })
      input = await Promise.race([
        begun.promise,
        result.then((early) => {
          throw new Fault('unavailable', `it ended by itself${wordsOf(early)}`)
        }),
      ])
    },
    async send(message: JSONRPCMessage) {
      if (over || !input) throw new Fault('unavailable', 'it has ended')
      try {
        input.write(serializeMessage(message))
      } catch (error) {
        // Nothing that is said later reaches it either.
        parts.broken('it does not read what it is sent')
        throw error
      }
    },
    async close() {
      if (!over) {
        input?.end()
        stop.abort()
        finish()
      }
      await gone
    },
    stderr: () => stderr,
  }

  function take(line: string): void {
    if (over || line.trim() === '') return
    let message: JSONRPCMessage
    try {
      message = deserializeMessage(line)
    } catch (error) {
      // Many programs print a line of their own; it is none of ours.
      made(line.length, 'stdout')
      transport.onerror?.(error as Error)
      return
    }
    transport.onmessage?.(message)
  }
  function heard(chunk: Buffer): void {
    stderr = (stderr + chunk.subarray(-KEPT).toString()).slice(-KEPT)
    made(chunk.length, 'stderr')
  }
  function made(bytes: number, to: keyof typeof noise): void {
    const now = performance.now()
    if (now - noise[to].began > WINDOW_MS) noise[to] = { began: now, bytes: 0 }
    noise[to].bytes += bytes
    if (noise[to].bytes > MOST_NOISE)
      parts.broken(
        `it wrote more than ${MOST_NOISE / 2 ** 20} MiB ${to === 'stderr' ? 'to stderr' : 'that are no messages'} within ${WINDOW_MS / 1_000} seconds`,
      )
  }
  function ended(result: CommandResult): void {
    if (!over && !result.aborted) parts.broken(`it ended by itself${wordsOf(result)}`)
    finish()
  }
  function finish(): void {
    if (over) return
    over = true
    transport.onclose?.()
  }
  return transport
}

/** With its exit code and the last line that it wrote to stderr. */
function wordsOf({ exitCode, signal, stderr, oomKilled }: CommandResult): string {
  const last = stderr.trim().split('\n').at(-1) ?? ''
  const how = oomKilled
    ? ' because it wanted too much memory'
    : exitCode !== null
      ? ` with exit code ${exitCode}`
      : signal
        ? ` by ${signal}`
        : ''
  return `${how}${last === '' ? '' : `, and said last: "${cleanedLine(last, 200)}"`}`
}

/** Whole lines of a stream. Only what is new is searched, so bytes that trickle in cost what they weigh. */
function splitter(broken: (why: string) => void): (chunk: Buffer) => string[] {
  let parts: Buffer[] = []
  let size = 0
  return (chunk) => {
    const lines: string[] = []
    let from = 0
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, from)) {
      parts.push(chunk.subarray(from, at))
      lines.push(Buffer.concat(parts).toString())
      parts = []
      size = 0
      from = at + 1
    }
    size += chunk.length - from
    if (size > MOST_MESSAGE) {
      parts = []
      size = 0
      broken(`it sent a message of more than ${MOST_MESSAGE / 2 ** 20} MiB`)
    } else if (from < chunk.length) {
      parts.push(chunk.subarray(from))
      // Many crumbs weigh more as objects than as bytes.
      if (parts.length > 1_000) parts = [Buffer.concat(parts)]
    }
    return lines
  }
}
