/** What the engine and its keeper say to each other while it runs; scripts/keeper/README.md has the words. */
import type { KeeperLine } from '../core/main.ts'

const BEAT_MS = 1_000

/** The line to the keeper that started this process; undefined without one (`npm run dev`, tests). */
export function openKeeperLine(): KeeperLine | undefined {
  if (!process.connected || process.send === undefined) return undefined
  const send = (message: object) =>
    new Promise<void>((resolve) => {
      if (!process.connected) return resolve()
      process.send!(message, () => resolve()) // a keeper that went is told by `disconnect`
    })
  let accept: () => void = () => undefined
  const accepted = new Promise<void>((resolve) => (accept = resolve))
  const listeners = new Set<() => void>()
  process.on('message', (message: unknown) => {
    const type = typeof message === 'object' && message !== null && 'type' in message ? message.type : null
    if (type === 'accepted') accept()
    if (type === 'event') for (const listener of listeners) listener()
  })
  return {
    progress: (step) => void send({ type: 'progress', step }),
    async ready(info, ended) {
      await send({ type: 'ready', ...info })
      await accepted
      let n = 0
      setInterval(() => void send({ type: 'heartbeat', n: ++n, ended: ended() }), BEAT_MS).unref()
    },
    onEvent: (listener) => void listeners.add(listener),
    stopping: (how) => send({ type: 'stopping', how }),
  }
}
