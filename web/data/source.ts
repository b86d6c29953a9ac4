/** What the page knows of a topic: read and subscribed to. Following begins with the first listener and ends a while after the last. */
import type { Topic } from '../../core/contract/live.ts'
import type { Channel, Follower } from './channel.ts'

export type Source<T> = { get(): T; subscribe(listener: () => void): () => void }

/** A view that is left and come back to finds what it knew. */
const LINGER_MS = 5_000

export type Following = { use(): () => void }
/** Counts those who look, and follows the topic while there are any. `gone` is called when it no longer does. */
export function following(channel: Channel, topic: Topic, follower: Follower, gone: () => void, lingerMs = LINGER_MS): Following {
  let users = 0
  let stop: (() => void) | null = null
  let stay: (() => void) | undefined
  return {
    use() {
      users += 1
      stay?.()
      stop ??= channel.follow(topic, follower)
      let used = true
      return () => {
        if (!used) return
        used = false
        users -= 1
        if (users > 0) return
        stay = channel.linger(() => {
          stop?.()
          stop = null
          gone()
        }, lingerMs)
      }
    },
  }
}

/** A value that frames change; listeners hear of it once a frame of the screen. */
export function topicSource<T>(
  channel: Channel,
  topic: Topic,
  initial: T,
  fold: (value: T, frame: Parameters<Follower['take']>[0]) => T,
  gone: () => void = () => undefined,
): Source<T> & { change(fold: (value: T) => T): void } {
  let value = initial
  const listeners = new Set<() => void>()
  let scheduled = false
  const set = (next: T) => {
    if (next === value) return
    value = next
    if (scheduled) return
    scheduled = true
    soon(() => {
      scheduled = false
      for (const listener of [...listeners]) listener()
    })
  }
  const follower: Follower = { take: (frame) => set(fold(value, frame)), after: () => undefined }
  const followed = following(channel, topic, follower, gone)
  return {
    get: () => value,
    subscribe(listener) {
      const stop = followed.use()
      listeners.add(listener)
      return () => {
        listeners.delete(listener)
        stop()
      }
    },
    change: (act) => set(act(value)),
  }
}

/** With the next frame of the screen; a hidden page draws none and is told a moment later all the same. */
export function soon(act: () => void): void {
  if (typeof requestAnimationFrame === 'function' && !document.hidden) requestAnimationFrame(act)
  else setTimeout(act, 50)
}
