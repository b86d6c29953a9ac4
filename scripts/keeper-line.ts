/** What the engine and its keeper say to each other while it runs; scripts/keeper/README.md has the words. */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { KeeperLine } from '../core/main.ts'
import { openJudge } from './judge.ts'

const BEAT_MS = 1_000

/** The line to the keeper that started this process; undefined without one (`npm run dev`, tests). `go`: a process with `--standby` may begin. */
export function openKeeperLine(): (KeeperLine & { go: Promise<void> }) | undefined {
  if (!process.connected || process.send === undefined) return undefined
  const send = (message: object) =>
    new Promise<void>((resolve) => {
      if (!process.connected) return resolve()
      process.send!(message, () => resolve()) // a keeper that went is told by `disconnect`
    })
  type Accepted = { usual?: unknown; scale?: number }
  let accept: (said: Accepted) => void = () => undefined
  const accepted = new Promise<Accepted>((resolve) => (accept = resolve))
  let begin: () => void = () => undefined
  const go = new Promise<void>((resolve) => (begin = resolve))
  const listeners = new Set<() => void>()
  process.on('message', (message: unknown) => {
    const type = typeof message === 'object' && message !== null && 'type' in message ? message.type : null
    if (type === 'go') begin()
    if (type === 'accepted') accept(message as Accepted)
    if (type === 'event') for (const listener of listeners) listener()
  })
  return {
    go,
    progress: (step) => void send({ type: 'progress', step }),
    async ready(info, tasks) {
      await send({ type: 'ready', ...info })
      const { usual, scale } = await accepted
      const judge = openJudge(usual, scale)
      let n = 0
      const delay = monitorEventLoopDelay({ resolution: 10 })
      delay.enable()
      setInterval(() => {
        const lag = Math.round(delay.max / 1e6)
        delay.reset()
        const { ended, failed } = tasks()
        void send({ type: 'heartbeat', n: ++n, ended, ...judge({ ended, failed, lag, rss: process.memoryUsage.rss() }) })
      }, BEAT_MS).unref()
    },
    onEvent: (listener) => void listeners.add(listener),
    stopping: (how) => send({ type: 'stopping', how }),
  }
}
