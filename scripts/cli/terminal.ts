/** Where data and words go. Data on stdout, words on stderr; colour only where a person looks. */
import { createInterface } from 'node:readline/promises'
import { styleText } from 'node:util'
import type { Label } from '../../core/contract/label.ts'
import { json } from './words.ts'

/** A command that ends with a code of its own. The message is one sentence. */
export class Ended extends Error {
  readonly exitCode: number
  constructor(exitCode: number, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'Ended'
    this.exitCode = exitCode
  }
}

export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  cancelled: 3,
  notAllowed: 4,
  unsuccessful: 5,
  waiting: 6,
  budget: 7,
  interrupted: 130,
} as const

export type Tone = Label['tone'] | 'dim' | 'bold'
export type Paint = (tone: Tone, text: string) => string

const STYLES = {
  idle: 'gray',
  run: 'cyan',
  wait: 'yellow',
  you: ['bold', 'magenta'],
  good: 'green',
  bad: 'red',
  stop: 'gray',
  dim: 'dim',
  bold: 'bold',
} as const satisfies Record<Tone, string | readonly string[]>

export type Terminal = ReturnType<typeof openTerminal>

export function openTerminal(env: Readonly<Record<string, string | undefined>>) {
  const painter =
    (stream: NodeJS.WriteStream): Paint =>
    (tone, text) => {
      const coloured = stream.isTTY === true && !env.NO_COLOR && env.TERM !== 'dumb'
      const style = STYLES[tone]
      return coloured && text !== '' ? styleText(typeof style === 'string' ? style : [...style], text, { validateStream: false }) : text
    }
  return {
    /** How this command is called here, for hints that can be typed. */
    banyan: env.npm_command === 'exec' ? 'npx banyan' : 'banyan',
    /** Lines of data. */
    out(...lines: string[]) {
      for (const line of lines) process.stdout.write(`${line}\n`)
    },
    /** One JSON document. */
    document(value: unknown) {
      process.stdout.write(`${json(value, 2)}\n`)
    },
    /** One line of a JSON stream. */
    line(value: unknown) {
      process.stdout.write(`${json(value)}\n`)
    },
    /** Words for a person. */
    say(...lines: string[]) {
      for (const line of lines) process.stderr.write(`${line}\n`)
    },
    outPaint: painter(process.stdout),
    sayPaint: painter(process.stderr),
    width: (stream: NodeJS.WriteStream): number => (stream.isTTY ? stream.columns || 100 : 160),
    /** Somebody can be asked. */
    isPerson: (): boolean => process.stdin.isTTY === true && process.stderr.isTTY === true,
    async ask(question: string): Promise<string> {
      const lines = createInterface({ input: process.stdin, output: process.stderr })
      const interrupted = new AbortController()
      lines.once('SIGINT', () => interrupted.abort())
      try {
        return (await lines.question(question, { signal: interrupted.signal })).trim()
      } catch (error) {
        if (interrupted.signal.aborted) throw new Ended(EXIT.interrupted, 'Interrupted; nothing was done.')
        throw error
      } finally {
        lines.close()
      }
    },
    async stdin(): Promise<string> {
      process.stdin.setEncoding('utf8')
      let text = ''
      for await (const chunk of process.stdin) text += chunk
      return text
    },
  }
}

/** Draws the same place of a terminal again and again, at most ten times a second. */
export function openScreen(stream: NodeJS.WriteStream) {
  const EVERY_MS = 100
  let lines = 0
  let drawn = 0
  let timer: NodeJS.Timeout | undefined
  let next: (() => string[]) | null = null
  const show = () => {
    timer = undefined
    if (next === null) return
    const text = next()
    next = null
    drawn = performance.now()
    // Without wrapping a long line stays one line, so that going up as many as were drawn is right.
    stream.write(`${lines > 0 ? `\x1b[${lines}A` : ''}\r\x1b[J\x1b[?7l${text.map((line) => `${line}\n`).join('')}\x1b[?7h`)
    lines = text.length
  }
  return {
    rows: (): number => Math.max(4, (stream.rows || 24) - 2),
    draw(make: () => string[]) {
      next = make
      timer ??= setTimeout(show, Math.max(0, drawn + EVERY_MS - performance.now()))
    },
    /** Draws what is due; what is written after it stands below. */
    settle() {
      clearTimeout(timer)
      show()
      lines = 0
    },
  }
}
