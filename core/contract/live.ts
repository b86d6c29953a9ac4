/**
 * The live line, `ws /api/live`. With `?after=seq` every fact after that number comes as `event`, in order and without a gap. A client
 * that sends `{sub: [{topic, after?}]}` gets, for each topic, what there is and then what changes; with `?topics=1` it gets nothing else.
 *
 * `hello` comes first: `seq` is the newest fact there is; if it is below what the client knows, the database was put back and the client
 * starts anew. Another `revision` than before means that the page is out of date. `delta` is text that a model is writing just now: it is
 * not kept, may be missing, and is overtaken by its message.
 */
import * as z from 'zod'
import type { System, TreeItem } from './api.ts'
import type { Event, TreeHead } from './event.ts'
import type { FaultCode } from './fault.ts'
import type { StoredMessage } from './message.ts'
import type { NodeChunk, OpenReview } from './node.ts'
import type { Review, Waiting } from './review.ts'
import type { Task } from './task.ts'

/** `tree:ID` is a goal with the skeleton of all its tasks; `task:ID` one task in full with its newest messages. */
export type Topic = 'home' | 'reviews' | 'system' | `tree:${string}` | `task:${string}`

/** Topics that one socket may follow at once. */
export const TOPICS_MAX = 32
/** Bytes of a frame that a client sends. */
export const CLIENT_FRAME_BYTES = 64 * 1024
/** Milliseconds between two signs of life, in both directions; a side that hears nothing for two and a half of them hangs up. */
export const BEAT_MS = 15_000

const TopicName = z
  .string()
  .max(300)
  .regex(/^(home|reviews|system|(tree|task):[^\s/]{1,250})$/, 'must be home, reviews, system, tree:ID or task:ID')
/** `after`: the number up to which the client knows a tree; it is then told what changed since. Other topics are small and come whole. */
export const ClientFrame = z
  .object({
    sub: z
      .array(z.object({ topic: TopicName, after: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER).optional() }).strict())
      .max(TOPICS_MAX)
      .optional(),
    unsub: z.array(TopicName).max(TOPICS_MAX).optional(),
    beat: z.literal(true).optional(),
  })
  .strict()
export type ClientFrame = { sub?: { topic: Topic; after?: number }[]; unsub?: Topic[]; beat?: true }

/** A message with what is too long for a preview cut; `bytes` is then how long it is in full. */
export type MessagePreview = StoredMessage & { bytes?: number }
/** A call that has not ended. */
export type RunningCall = { id: string; tool: string; state: string; attempts: number; begunAt: string | null; waits: string | null }
export type SystemNow = Pick<System, 'tasks' | 'openReviews' | 'liveConnections'>
export type WaitingReview = Review & { waiting: Waiting[] }

export type LiveFrame =
  | { type: 'hello'; seq: number; revision: string }
  | { type: 'event'; event: Event }
  | { type: 'delta'; taskId: string; text: string }
  | TopicFrame
  | { type: 'beat'; seq: number }
  /** What the client sent was refused, or (with a topic) that topic has ended. */
  | { type: 'fault'; topic: Topic | null; code: FaultCode; detail: string }

/** Frames of topics. All of them carry rows and counts as of `seq`; a frame with a `seq` that is not above the client's own changes nothing. */
export type TopicFrame =
  /** A part of a tree as it was at `seq`; parts come in order, and `last` ends them. The first has head and reviews. */
  | {
      type: 'tree'
      topic: Topic
      seq: number
      part: number
      last: boolean
      nodes: NodeChunk
      head?: TreeHead
      reviews?: OpenReview[]
    }
  /** Facts of that tree, in order; `seq` is the last one's. */
  | { type: 'facts'; topic: Topic; seq: number; events: Event[] }
  /** Current rows in place of the many facts that led to them. `reviews` are all that are open. */
  | { type: 'nodes'; topic: Topic; seq: number; nodes: NodeChunk; head: TreeHead; reviews: OpenReview[] }
  /** Too much was missed to tell it fact by fact; the whole tree follows. */
  | { type: 'resync'; topic: Topic }
  /** With `whole` everything that was known before is gone. Otherwise the rows that changed. `older`: cursor of goals not told. */
  | { type: 'home'; topic: 'home'; seq: number; whole: boolean; trees: TreeItem[]; older?: string | null }
  /** `reviews` hold what is open or snoozed, and, unless `whole`, what was just decided. */
  | { type: 'reviews'; topic: 'reviews'; seq: number; whole: boolean; reviews: WaitingReview[] }
  | { type: 'system'; topic: 'system'; seq: number; system: SystemNow }
  /** The task as it is, and its messages after those told before; `whole`: the newest ones, `earlier` of them left out. */
  | {
      type: 'task'
      topic: Topic
      seq: number
      whole: boolean
      task: Task
      messages: MessagePreview[]
      earlier?: number
      calls: RunningCall[]
    }
