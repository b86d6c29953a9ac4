/** What clients of the live line ask for, frame by frame: which topics each follows, within limits; what is not understood is answered, and harms nothing. */
import * as z from 'zod'
import type { Event } from '../contract/event.ts'
import { Fault, type FaultCode } from '../contract/fault.ts'
import { ClientFrame, type LiveFrame, TOPICS_MAX, type Topic } from '../contract/live.ts'
import type { Store } from '../store/store.ts'
import { openRowTopics } from './row-topics.ts'
import { type Outlet, openTreeTopics } from './tree-topic.ts'

export type TopicClient = ReturnType<ReturnType<typeof openTopics>['client']>

/** Frames that were not understood before the socket is closed. */
const BAD_FRAMES = 20

export function openTopics(parts: { store: Store; log: (words: string, cause: unknown) => void; liveConnections: () => number }) {
  const { store, log } = parts
  /** By outlet: what to forget when a topic of it ends by itself. */
  const forget = new Map<Outlet, (topic: Topic) => void>()
  const refused = (outlet: Outlet, topic: Topic, error: unknown) => {
    forget.get(outlet)?.(topic)
    if (error instanceof Fault) return fault(outlet, topic, error.code, error.message)
    log(`the topic ${topic} cannot be told`, error)
    fault(outlet, topic, 'unavailable', 'This could not be read just now; ask for it again.')
  }
  const trees = openTreeTopics(store, refused)
  const rows = openRowTopics({ store, liveConnections: parts.liveConnections, refused })

  return {
    committed(events: readonly Event[]): void {
      trees.committed(events)
      rows.committed(events)
    },
    wake(): void {
      trees.wake()
      if (store.kind === 'postgres') rows.wake() // only there can another process commit
    },
    stop: () => rows.stop(),

    client(outlet: Outlet & { close(why: string): void }) {
      const followed = new Map<Topic, { drained(): void; stop(): void }>()
      let bad = 0
      let talks = false
      forget.set(outlet, (topic) => followed.delete(topic))
      const refuse = (detail: string) => {
        fault(outlet, null, 'invalid', detail)
        if (++bad >= BAD_FRAMES) outlet.close('too many frames that are not understood')
      }
      const follow = (topic: Topic, after: number | undefined) => {
        followed.get(topic)?.stop()
        followed.delete(topic)
        if (followed.size >= TOPICS_MAX)
          return fault(outlet, topic, 'limited', `One connection follows at most ${TOPICS_MAX} topics; unsubscribe from one first.`)
        followed.set(topic, topic.startsWith('tree:') ? trees.follow(outlet, topic.slice(5), after) : rows.follow(outlet, topic))
      }
      return {
        /** A frame as it came; null: not text. */
        take(text: string | null) {
          const frame = text === null ? null : frameOf(text)
          if (frame === null) return refuse('A frame is JSON: {"sub":[{"topic":"tree:ID"}]}, {"unsub":["tree:ID"]} or {"beat":true}.')
          const parsed = ClientFrame.safeParse(frame)
          if (!parsed.success) return refuse(z.prettifyError(parsed.error).slice(0, 500))
          talks = true
          const { sub = [], unsub = [] } = parsed.data
          for (const topic of unsub as Topic[]) {
            followed.get(topic)?.stop()
            followed.delete(topic)
          }
          for (const { topic, after } of sub) follow(topic as Topic, after)
        },
        /** Shows a client that talks that the line is alive; one that only listens is shown by pings. */
        beat(): void {
          if (talks && outlet.ready())
            void store.lastSeq().then(
              (seq) => say(outlet, { type: 'beat', seq }),
              () => undefined,
            ) // the next beat shows whether the store is there
        },
        drained(): void {
          for (const one of followed.values()) one.drained()
        },
        /** Whether it wants to hear what this task's model is writing. */
        hearsOf: (taskId: string): boolean => followed.has(`task:${taskId}`),
        stop(): void {
          for (const one of followed.values()) one.stop()
          followed.clear()
          forget.delete(outlet)
        },
      }
    },
  }
}

const say = (outlet: Outlet, frame: LiveFrame): void => outlet.send(JSON.stringify(frame))
const fault = (outlet: Outlet, topic: Topic | null, code: FaultCode, detail: string): void =>
  say(outlet, { type: 'fault', topic, code, detail })

function frameOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return null // said to the client by the caller
  }
}
