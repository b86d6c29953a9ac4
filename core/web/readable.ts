/**
 * Makes a page readable without letting it harm: in a thread of its own with a memory limit, ended when its time is over. A page that is
 * too much for that, by size, depth or trickery, is given as plain text instead.
 */
import { Worker } from 'node:worker_threads'
import { plainTextOf } from './plain-text.ts'

export type Link = { text: string; url: string }
/** `article`: the main text; `page`: all of it but the furniture; `text`: only its words. */
export type Readable = { title: string; text: string; links: Link[]; how: 'article' | 'page' | 'text' }

export const MOST_HTML = 2_000_000
const MEMORY_MB = 192
const MOST_THREADS = 2

export type Reader = { read(html: string, address: string, signal: AbortSignal): Promise<Readable> }

export function openReader({ timeMs = 5_000 }: { timeMs?: number } = {}): Reader {
  let threads = 0
  const queue: (() => void)[] = []
  const enter = async () => {
    if (threads < MOST_THREADS) threads++
    else await new Promise<void>((go) => queue.push(go))
  }
  const leave = () => {
    const next = queue.shift()
    if (next) next()
    else threads--
  }
  return {
    async read(html, address, signal) {
      if (html.length > MOST_HTML) return plainTextOf(html, address)
      await enter()
      try {
        signal.throwIfAborted()
        return (await beside(html, address, timeMs, signal)) ?? plainTextOf(html, address)
      } finally {
        leave()
      }
    },
  }
}

/** Null when the thread could not do it: out of time, out of memory, or an error that the page provoked. */
function beside(html: string, address: string, timeMs: number, signal: AbortSignal): Promise<Readable | null> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./markdown-worker.ts', import.meta.url), {
      workerData: { html, address },
      resourceLimits: { maxOldGenerationSizeMb: MEMORY_MB, maxYoungGenerationSizeMb: 32, stackSizeMb: 4 },
      env: {},
      execArgv: [],
      stdout: true,
      stderr: true,
    })
    const end = (settle: () => void) => {
      clearTimeout(late)
      signal.removeEventListener('abort', stop)
      void worker.terminate().then(settle)
    }
    const stop = () => end(() => reject(signal.reason))
    const late = setTimeout(() => end(() => resolve(null)), timeMs)
    signal.addEventListener('abort', stop, { once: true })
    worker.once('message', (page: Readable) => end(() => resolve(page)))
    worker.once('error', () => end(() => resolve(null))) // whatever the page did to it, there is still its plain text
  })
}
