/** All that the page knows by topic, each kept once, however many parts of the page look at it. */
import type { TreeItem } from '../../core/contract/api.ts'
import type { MessagePreview, RunningCall, SystemNow, WaitingReview } from '../../core/contract/live.ts'
import type { Task } from '../../core/contract/task.ts'
import type { Api } from '../api.ts'
import type { Channel, TopicFault } from './channel.ts'
import { following, type Source, topicSource } from './source.ts'
import { createTreeStore, type TreeStore } from './tree-store.ts'

export type Data = ReturnType<typeof createData>

/** `fault`: why nothing, or nothing new, is known; for a person. */
type Loading = { loaded: boolean; fault: string | null }
/** `trees`: newest first. `older`: there are more, for `loadOlder`. */
export type HomeState = Loading & { trees: readonly TreeItem[]; older: string | null }
/** What is open or snoozed, oldest first. `decided`: what anybody decided while this page looked, the last one last. */
export type ReviewsState = Loading & { reviews: readonly WaitingReview[]; decided: readonly WaitingReview[] }
const DECIDED_MAX = 1_000
export type SystemState = Loading & { system: SystemNow | null }
/** `earlier`: messages before the first of `messages`. `speaking`: what its model is writing now. */
export type TaskState = Loading & {
  missing: boolean
  task: Task | null
  messages: readonly MessagePreview[]
  earlier: number
  calls: readonly RunningCall[]
  speaking: string
}

const SPOKEN_MAX = 20_000

export function createData(channel: Channel, api: Api) {
  const trees = new Map<string, { store: TreeStore; use(): () => void }>()
  const tasks = new Map<string, Source<TaskState> & { change(fold: (value: TaskState) => TaskState): void }>()

  const home = topicSource<HomeState>(channel, 'home', { loaded: false, fault: null, trees: [], older: null }, (state, frame) => {
    if (frame.type === 'fault') return faulty(state, frame)
    if (frame.type !== 'home') return state
    const fresh = new Map(frame.trees.map((tree) => [tree.id, tree]))
    if (frame.whole) return { loaded: true, fault: null, trees: newestFirst([...fresh.values()]), older: frame.older ?? null }
    const known = state.trees.map((tree) => {
      const newer = fresh.get(tree.id)
      fresh.delete(tree.id)
      return newer ?? tree
    })
    // A change of a goal older than those shown is told too; it has its place once that page is loaded.
    const oldest = state.older === null ? '' : (state.trees.at(-1)?.createdAt ?? '')
    const added = [...fresh.values()].filter((tree) => tree.createdAt >= oldest)
    return { ...state, trees: added.length > 0 ? newestFirst([...added, ...known]) : known }
  })
  const reviews = topicSource<ReviewsState>(
    channel,
    'reviews',
    { loaded: false, fault: null, reviews: [], decided: [] },
    (state, frame) => {
      if (frame.type === 'fault') return faulty(state, frame)
      if (frame.type !== 'reviews') return state
      if (frame.whole) return { loaded: true, fault: null, reviews: frame.reviews, decided: state.decided }
      const changed = new Map(frame.reviews.map((review) => [review.id, review]))
      const known = state.reviews.map((review) => {
        const newer = changed.get(review.id)
        changed.delete(review.id)
        return newer ?? review
      })
      const all = [...known, ...changed.values()]
      const decided = frame.reviews.filter((review) => review.state === 'decided')
      return {
        ...state,
        reviews: all.filter((review) => review.state !== 'decided'),
        decided: decided.length > 0 ? [...state.decided, ...decided].slice(-DECIDED_MAX) : state.decided,
      }
    },
  )
  const system = topicSource<SystemState>(channel, 'system', { loaded: false, fault: null, system: null }, (state, frame) => {
    if (frame.type === 'fault') return faulty(state, frame)
    return frame.type === 'system' ? { loaded: true, fault: null, system: frame.system } : state
  })

  return {
    home,
    reviews,
    system,
    /** Adds the next page of older goals. */
    async loadOlder(): Promise<void> {
      const { older } = home.get()
      if (older === null) return
      const page = await api.trees(older)
      home.change((state) => {
        const known = new Set(state.trees.map((tree) => tree.id))
        const added = page.items.filter((tree) => !known.has(tree.id))
        return { ...state, trees: newestFirst([...state.trees, ...added]), older: page.nextCursor }
      })
    },
    /** The store of a goal; it follows the goal while somebody uses it, and is forgotten a while after. */
    tree(id: string): { store: TreeStore; use(): () => void; again(): void } {
      let found = trees.get(id)
      if (!found) {
        const store = createTreeStore(id)
        const own = { store, ...following(channel, `tree:${id}`, store, () => trees.get(id) === own && trees.delete(id)) }
        found = own
        trees.set(id, own)
      }
      return { ...found, again: () => channel.again(`tree:${id}`) }
    },
    /** One task as it is opened. */
    task(id: string): Source<TaskState> {
      let found = tasks.get(id)
      if (!found) {
        const own = topicSource<TaskState>(
          channel,
          `task:${id}`,
          { loaded: false, fault: null, missing: false, task: null, messages: [], earlier: 0, calls: [], speaking: '' },
          (state, frame) => {
            if (frame.type === 'fault') return { ...faulty(state, frame), missing: frame.code === 'not_found' }
            if (frame.type !== 'task') return state
            const { task, calls, messages } = frame
            const said = messages.some((message) => message.role === 'assistant') || task.status !== 'active'
            const first = frame.whole ? undefined : messages[0]?.n
            const all = frame.whole
              ? messages
              : first === undefined
                ? state.messages
                : [...state.messages.filter((message) => message.n < first), ...messages]
            return {
              loaded: true,
              fault: null,
              missing: false,
              task,
              calls,
              messages: all,
              earlier: frame.whole ? (frame.earlier ?? 0) : state.earlier,
              speaking: said ? '' : state.speaking,
            }
          },
          () => tasks.get(id) === own && tasks.delete(id),
        )
        found = own
        tasks.set(id, own)
      }
      return found
    },
    /** Text that a model is writing; of a task that nobody looks at it is forgotten. */
    spoke(taskId: string, text: string): void {
      tasks.get(taskId)?.change((state) => ({ ...state, speaking: `${state.speaking}${text}`.slice(-SPOKEN_MAX) }))
    },
  }
}

const faulty = <T extends Loading>(state: T, frame: TopicFault): T => ({ ...state, fault: frame.detail })
function newestFirst(trees: readonly TreeItem[]): TreeItem[] {
  return [...trees].sort((a, b) => (a.createdAt === b.createdAt ? (a.id < b.id ? 1 : -1) : a.createdAt < b.createdAt ? 1 : -1))
}
