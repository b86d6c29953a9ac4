/**
 * What a job puts out: without secrets, in fixed memory, told once. Bytes are gathered for a moment and then read together, so a program that
 * floods its output costs no more than a bounded search in that moment; what is too much in between is counted and left out.
 */
import type { StreamRedactor } from '../secrets/stream.ts'
import { type Ends, keepEnds, withoutCutEnd } from './output.ts'
import { plainOutput } from './plain-output.ts'

export type JobOutput = {
  add(chunk: Buffer): void
  /** Nothing more comes. */
  end(): void
  /** Head and tail of everything, as it came; a terminal's colours are in it. */
  all(): { text: string; bytes: number }
  /** What is new since the last look, plain. A look in the name of the same call again tells the same and what came since. */
  since(callId: string): { text: string; bytes: number }
  /** Called when there is something new. */
  onNew(listener: () => void): () => void
  /** Resolves at the end, when there is something new and then nothing for `quietMs`, or after `ms`. */
  wait(how: { until: 'output' | 'end'; ms: number; quietMs: number }, over: Promise<unknown>, signal: AbortSignal): Promise<void>
}

const GATHER_MS = 40
/** Bytes that are searched in one such moment. */
const MOMENT_BYTES = 200_000

export function jobOutput({ redactor, keep, plain }: { redactor: StreamRedactor; keep: number; plain: boolean }): JobOutput {
  const everything = keepEnds(keep)
  let fresh = keepEnds(keep)
  let answered: { callId: string; ends: Ends } | null = null
  let moment = keepEnds(MOMENT_BYTES)
  /** The beginning of a character whose rest has not come. */
  let cut = Buffer.alloc(0)
  let timer: NodeJS.Timeout | undefined
  let bytes = 0
  const listeners = new Set<() => void>()

  function take(text: string, lost = 0): void {
    if (text === '') return
    const chunk = Buffer.from(text)
    for (const ends of [everything, fresh]) {
      ends.add(chunk)
      if (lost > 0) ends.lose(lost)
    }
    for (const listener of listeners) listener()
  }
  function gather(): void {
    clearTimeout(timer)
    timer = undefined
    if (moment.bytes === 0) return
    const said = moment.text()
    const lost = Math.max(0, moment.bytes - Buffer.byteLength(said))
    moment = keepEnds(MOMENT_BYTES)
    take(redactor.add(said), lost)
  }

  return {
    add(chunk) {
      bytes += chunk.length
      const whole = cut.length === 0 ? chunk : Buffer.concat([cut, chunk])
      const ready = withoutCutEnd(whole)
      cut = Buffer.from(whole.subarray(ready.length))
      moment.add(ready)
      timer ??= setTimeout(gather, GATHER_MS)
    },
    end() {
      moment.add(cut)
      cut = Buffer.alloc(0)
      gather()
      take(redactor.end())
    },
    all: () => ({ text: everything.text(), bytes }),
    since(callId) {
      gather()
      if (answered?.callId === callId) {
        answered.ends.lose(Math.max(0, fresh.bytes - Buffer.byteLength(fresh.text())))
        answered.ends.add(Buffer.from(fresh.text()))
      } else answered = { callId, ends: fresh }
      fresh = keepEnds(keep)
      const text = answered.ends.text()
      return { text: plain ? plainOutput(text) : text, bytes: answered.ends.bytes }
    },
    onNew(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    wait: ({ until, ms, quietMs }, over, signal) =>
      new Promise((resolve) => {
        let quiet: NodeJS.Timeout | undefined
        const done = () => {
          clearTimeout(quiet)
          clearTimeout(most)
          listeners.delete(heard)
          signal.removeEventListener('abort', done)
          resolve()
        }
        const heard = () => {
          clearTimeout(quiet)
          quiet = setTimeout(done, quietMs)
        }
        const most = setTimeout(done, ms)
        signal.addEventListener('abort', done, { once: true })
        over.then(done, done)
        if (until === 'output') {
          listeners.add(heard)
          if (fresh.bytes > 0) heard()
        }
        if (signal.aborted) done()
      }),
  }
}
