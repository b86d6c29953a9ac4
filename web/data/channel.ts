/**
 * The topics that the page follows, over the one WebSocket of the tab. Whoever owns the socket says when it opened and closed and hands
 * over frames; here they find who asked. After a break every topic is asked for again from the number it had.
 */
import { BEAT_MS, type ClientFrame, type LiveFrame, TOPICS_MAX, type Topic, type TopicFrame } from '../../core/contract/live.ts'

export type TopicFault = Extract<LiveFrame, { type: 'fault' }>
export type Follower = {
  take(frame: TopicFrame | TopicFault): void
  /** Number up to which it knows its topic. */
  after(): number | undefined
}
export type Channel = ReturnType<typeof openChannel>

/** Signs of life that may be missing before the line counts as dead. */
const MISSED = 2.5

/** Topics at once, a few less than the server allows: while one view takes the place of another both are followed. */
const TOPICS = TOPICS_MAX - 8

export function openChannel(beatMs = BEAT_MS) {
  const followers = new Map<Topic, Follower>()
  let say: ((frame: ClientFrame) => void) | null = null
  let beat: ReturnType<typeof setInterval> | undefined
  let heard = 0
  /** What ends topics that nobody looks at any more, the one that was left first first. */
  const left = new Set<() => void>()
  const ask = (topic: Topic, follower: Follower) => {
    const after = follower.after()
    return { topic, ...(after === undefined ? {} : { after }) }
  }

  return {
    /** The socket is open; `dead` is called when the other side has been silent for too long. */
    opened(send: (frame: ClientFrame) => void, dead: () => void): void {
      say = send
      heard = Date.now()
      clearInterval(beat)
      beat = setInterval(() => {
        if (Date.now() - heard > beatMs * MISSED) dead()
        else send({ beat: true })
      }, beatMs)
      const sub = [...followers].map(([topic, follower]) => ask(topic, follower))
      if (sub.length > 0) send({ sub })
    },
    closed(): void {
      say = null
      clearInterval(beat)
    },
    take(frame: LiveFrame): void {
      heard = Date.now()
      if ('topic' in frame && frame.topic !== null) followers.get(frame.topic)?.take(frame)
    },
    /** One follower a topic; call what it returns when nobody looks any more. */
    follow(topic: Topic, follower: Follower): () => void {
      followers.set(topic, follower)
      for (const end of [...left]) if (followers.size > TOPICS) end()
      say?.({ sub: [ask(topic, follower)] })
      return () => {
        if (followers.get(topic) !== follower) return
        followers.delete(topic)
        say?.({ unsub: [topic] })
      }
    },
    /** Calls `end` after a while, or sooner when a person goes through so many views that the line would be full; answers what prevents it. */
    linger(end: () => void, ms: number): () => void {
      const stay = () => {
        clearTimeout(timer)
        left.delete(now)
      }
      const now = () => {
        stay()
        end()
      }
      const timer = setTimeout(now, ms)
      left.add(now)
      return stay
    },
    /** Asks again, after a fault. */
    again(topic: Topic): void {
      const follower = followers.get(topic)
      if (follower) say?.({ sub: [ask(topic, follower)] })
    },
  }
}
