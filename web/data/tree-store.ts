/**
 * One goal's tree in the page. A fact costs a walk to the root, whatever the size of the tree; listeners hear of it once a frame of the
 * screen, and each row only of itself. Facts mean what the contract's fold says they mean.
 */
import type { Event, TreeHead } from '../../core/contract/event.ts'
import type { TopicFrame } from '../../core/contract/live.ts'
import { headAfter, nodeAfter, nodeOf, type OpenReview, type TaskNode, unpackNodes } from '../../core/contract/node.ts'
import { isWatcher } from '../../core/contract/task.ts'
import type { TopicFault } from './channel.ts'
import { attentionAt, attentionOf, matchesAt, type Totals, totalsAt, WIDTH, writeOwn } from './roll-up.ts'
import { soon } from './source.ts'

/** One line of the tree. `open`: whether what is below is shown; null: nothing is below. The same object as long as it says the same. */
export type TreeRow = { readonly id: string; readonly level: number; readonly open: boolean | null }
export type NodeView = {
  node: TaskNode
  /** Of itself and everything below. */
  total: Totals
  /** Tasks right below it. */
  children: number
  /** Review items of its own that wait for a person. */
  needsYou: number
}
/** What a goal is. Its counters are not in it: they change with nearly every fact, and few parts of the page show them. */
export type Goal = Omit<TreeHead, 'spend' | 'taskCount'>
export type TreeState = {
  state: 'loading' | 'ready' | 'missing' | 'failed'
  /** Why it is not ready, for a person. */
  fault: string | null
  head: TreeHead | null
  /** The same object until something besides the counters of `head` changes. */
  goal: Goal | null
  size: number
  rows: readonly TreeRow[]
}
export type Predicate = (node: TaskNode, needsYou: number) => boolean
export type TreeStore = ReturnType<typeof createTreeStore>

/** Order of siblings: as they were asked for; those that judge or describe the task come after its work. */
export function inOrder(a: TaskNode, b: TaskNode): number {
  return (
    Number(isWatcher(a.kind)) - Number(isWatcher(b.kind)) ||
    a.createdAt - b.createdAt ||
    a.id.length - b.id.length ||
    (a.id < b.id ? -1 : Number(a.id > b.id))
  )
}

/** Shared by all nodes that have nothing below, which most are; never changed. */
const LEAF: readonly number[] = []

export function createTreeStore(treeId: string, schedule: (flush: () => void) => void = soon) {
  let state: TreeState = { state: 'loading', fault: null, head: null, goal: null, size: 0, rows: [] }
  let head: TreeHead | null = null
  let seq = 0
  let nodes: TaskNode[] = []
  let parents: number[] = []
  let children: (readonly number[])[] = []
  let needs: number[] = []
  let sums = new Float64Array(0)
  let places = new Map<string, number>()
  /** Nodes whose parent is not here, by its id. */
  let orphans = new Map<string, number[]>()
  let reviews = new Map<string, string>()
  /** Parts of a snapshot until its last one is here. */
  let staged: { seq: number; nodes: TaskNode[]; head: TreeHead | null; reviews: OpenReview[] } | null = null
  let base = 0

  /** What a person opened or shut; everything else follows the rule of `isOpen`. */
  const folds = new Map<string, boolean>()
  let filter: Predicate | null = null
  let focus: string | null = null

  const listeners = new Set<() => void>()
  const nodeListeners = new Map<string, Set<() => void>>()
  const views = new Map<number, NodeView>()
  let rowOf: (TreeRow | undefined)[] = []
  const dirty = new Set<number>()
  /** Every node may differ. */
  let allDirty = false
  let rowsStale = false
  let stateStale = false
  let scheduled = false

  const wake = () => {
    if (scheduled) return
    scheduled = true
    schedule(flush)
  }
  function flush(): void {
    scheduled = false
    const changed = allDirty ? [...nodeListeners.keys()] : [...dirty].map((i) => nodes[i]?.id ?? '')
    if (allDirty) views.clear()
    else for (const i of dirty) views.delete(i)
    allDirty = false
    dirty.clear()
    if (rowsStale || stateStale) {
      const rows = rowsStale ? flatten() : state.rows
      const goal = head && sameGoal(head, state.head) ? state.goal : head && goalOf(head)
      const next = { ...state, head, goal, size: nodes.length, rows: sameRows(rows, state.rows) ? state.rows : rows }
      if (stateStale || next.rows !== state.rows || next.size !== state.size || next.head !== state.head) {
        state = next
        for (const listener of [...listeners]) listener()
      }
      rowsStale = stateStale = false
    }
    if (nodeListeners.size === 0) return
    for (const id of changed) {
      const those = nodeListeners.get(id)
      if (those) for (const listener of [...those]) listener()
    }
  }

  const before = new Float64Array(WIDTH)
  const after = new Float64Array(WIDTH)
  const own = (i: number, into: Float64Array, at = 0) => {
    const node = nodes[i]!
    writeOwn(into, at, node, {
      leaf: children[i]!.length === 0,
      needsYou: needs[i]!,
      matches: filter?.(node, needs[i]!) ?? false,
      base,
    })
  }

  /** Changes one node and the sums above it. */
  function change(i: number, act: () => void): void {
    own(i, before)
    const mine = attentionOf(nodes[i]!, needs[i]!)
    act()
    own(i, after)
    let differs = false
    for (let k = 0; k < WIDTH; k++) {
      after[k] = after[k]! - before[k]!
      if (after[k] !== 0) differs = true
    }
    dirty.add(i)
    if (differs) addUp(i, after, mine)
    wake()
  }
  function addUp(from: number, difference: Float64Array, mine: number): void {
    let ownBefore = mine
    for (let i = from; i >= 0; i = parents[i]!) {
      const at = i * WIDTH
      const wasOpen = attentionAt(sums, at) - ownBefore > 0
      const had = matchesAt(sums, at) > 0
      for (let k = 0; k < WIDTH; k++) sums[at + k]! += difference[k]!
      const isNow = attentionAt(sums, at) - attentionOf(nodes[i]!, needs[i]!) > 0
      if (wasOpen !== isNow || had !== matchesAt(sums, at) > 0 || filter) rowsStale = true
      dirty.add(i)
      const up = parents[i]!
      if (up >= 0) ownBefore = attentionOf(nodes[up]!, needs[up]!)
    }
  }

  function room(count: number): void {
    if (sums.length >= count * WIDTH) return
    const larger = new Float64Array(Math.max(count, nodes.length * 2, 64) * WIDTH)
    larger.set(sums)
    sums = larger
  }

  function add(node: TaskNode): void {
    const i = nodes.length
    room(i + 1)
    nodes.push(node)
    parents.push(-1)
    children.push(LEAF)
    needs.push(0)
    places.set(node.id, i)
    for (const taskId of reviews.values()) if (taskId === node.id) needs[i]! += 1
    own(i, sums, i * WIDTH)
    const waiting = orphans.get(node.id)
    if (waiting) {
      orphans.delete(node.id)
      for (const child of waiting) adopt(i, child)
    }
    if (node.parentId !== null) {
      const parent = places.get(node.parentId)
      if (parent === undefined) orphans.set(node.parentId, [...(orphans.get(node.parentId) ?? []), i])
      else adopt(parent, i)
    }
    dirty.add(i)
    rowsStale = stateStale = true
    wake()
  }
  function adopt(parent: number, child: number): void {
    const siblings = children[parent]!
    if (siblings.length === 0)
      change(parent, () => {
        children[parent] = [child]
      })
    else (siblings as number[]).splice(placeIn(siblings, child), 0, child)
    parents[child] = parent
    const mine = attentionOf(nodes[parent]!, needs[parent]!)
    const whole = sums.slice(child * WIDTH, (child + 1) * WIDTH)
    addUp(parent, whole, mine)
    rowsStale = true
  }
  function placeIn(siblings: readonly number[], child: number): number {
    let [low, high] = [0, siblings.length]
    if (inOrder(nodes[siblings[high - 1]!]!, nodes[child]!) <= 0) return high
    while (low < high) {
      const middle = (low + high) >> 1
      if (inOrder(nodes[siblings[middle]!]!, nodes[child]!) <= 0) low = middle + 1
      else high = middle
    }
    return low
  }

  /** Everything anew from a snapshot; what a person opened, filters and listeners stay. */
  function build(fresh: readonly TaskNode[]): void {
    nodes = [...fresh]
    places = new Map()
    for (const [i, node] of nodes.entries()) places.set(node.id, i)
    let last: { id: string | null; place: number } = { id: null, place: -1 }
    parents = nodes.map(({ parentId }) => {
      if (parentId !== last.id) last = { id: parentId, place: parentId === null ? -1 : (places.get(parentId) ?? -1) }
      return last.place
    })
    children = nodes.map(() => LEAF)
    orphans = new Map()
    base = nodes[0]?.createdAt ?? 0
    needs = nodes.map(() => 0)
    for (const taskId of reviews.values()) {
      const i = places.get(taskId)
      if (i !== undefined) needs[i]! += 1
    }
    for (const [i, parent] of parents.entries()) {
      if (parent >= 0) {
        if (children[parent] === LEAF) children[parent] = [i]
        else (children[parent] as number[]).push(i)
      } else {
        const { parentId } = nodes[i]!
        if (parentId !== null) orphans.set(parentId, [...(orphans.get(parentId) ?? []), i])
      }
    }
    for (const siblings of children) if (siblings.length > 1) (siblings as number[]).sort((a, b) => inOrder(nodes[a]!, nodes[b]!))
    views.clear()
    rowOf = []
    sumAll()
    allDirty = true
    rowsStale = stateStale = true
    wake()
  }
  function sumAll(): void {
    sums = new Float64Array(Math.max(nodes.length, 1) * WIDTH)
    for (const i of nodes.keys()) own(i, sums, i * WIDTH)
    // Children before parents: nodes in the order of a walk, backwards.
    const order: number[] = []
    for (const [i, parent] of parents.entries()) if (parent < 0) order.push(i)
    for (let at = 0; at < order.length; at++) for (const child of children[order[at]!]!) order.push(child)
    for (let at = order.length - 1; at >= 0; at--) {
      const i = order[at]!
      const up = parents[i]! * WIDTH
      if (up < 0) continue
      for (let k = 0; k < WIDTH; k++) sums[up + k]! += sums[i * WIDTH + k]!
    }
  }

  function isOpen(i: number, top: boolean): boolean {
    const chosen = folds.get(nodes[i]!.id)
    if (chosen !== undefined) return chosen
    if (filter) return matchesAt(sums, i * WIDTH) - Number(filter(nodes[i]!, needs[i]!)) > 0
    return top || attentionAt(sums, i * WIDTH) - attentionOf(nodes[i]!, needs[i]!) > 0
  }
  function flatten(): TreeRow[] {
    const rows: TreeRow[] = []
    const from = focus === null ? undefined : places.get(focus)
    const stack: [number, number][] = []
    if (from !== undefined) stack.push([from, 0])
    else for (let i = parents.length - 1; i >= 0; i--) if (parents[i]! < 0) stack.push([i, 0])
    for (let next = stack.pop(); next; next = stack.pop()) {
      const [i, level] = next
      if (filter && matchesAt(sums, i * WIDTH) === 0) continue
      const below = children[i]!
      const open = below.length === 0 ? null : isOpen(i, level === 0)
      const known = rowOf[i]
      const row = known && known.level === level && known.open === open ? known : { id: nodes[i]!.id, level, open }
      rowOf[i] = row
      rows.push(row)
      if (open) for (let k = below.length - 1; k >= 0; k--) stack.push([below[k]!, level + 1])
    }
    return rows
  }

  function setReviews(fresh: readonly OpenReview[]): void {
    const next = new Map(fresh.map((review) => [review.id, review.taskId]))
    for (const [id, taskId] of [...reviews]) if (!next.has(id)) mark(id, taskId, false)
    for (const [id, taskId] of next) mark(id, taskId, true)
  }
  function mark(reviewId: string, taskId: string, isAsked: boolean): void {
    if (reviews.has(reviewId) === isAsked) return
    if (isAsked) reviews.set(reviewId, taskId)
    else reviews.delete(reviewId)
    const i = places.get(taskId)
    if (i !== undefined)
      change(i, () => {
        needs[i]! += isAsked ? 1 : -1
      })
  }

  function apply(event: Event): void {
    if (event.seq <= seq || event.treeId !== treeId) return
    seq = event.seq
    const was = head
    if (head) head = headAfter(head, event)
    if (head !== was) stateStale = true
    if (event.type === 'tree.created') head = event.tree
    else if (event.type === 'task.created') put(nodeOf(event.task))
    else if ('review' in event) mark(event.review.id, event.review.taskId, event.review.state === 'open')
    else if ('taskId' in event) {
      const i = places.get(event.taskId)
      if (i === undefined) return
      const next = nodeAfter(nodes[i]!, event)
      if (next !== nodes[i])
        change(i, () => {
          nodes[i] = next
        })
    }
  }
  function put(node: TaskNode): void {
    const i = places.get(node.id)
    if (i === undefined) add(node)
    else
      change(i, () => {
        nodes[i] = node
      })
  }

  function set(next: Partial<TreeState>): void {
    state = { ...state, ...next }
    stateStale = true
    wake()
  }

  return {
    treeId,
    state: (): TreeState => state,
    subscribe(listener: () => void): () => void {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    /** One node with its sums; undefined: it is not there. The same object until something in it changes. */
    view(id: string): NodeView | undefined {
      const i = places.get(id)
      if (i === undefined) return undefined
      const known = views.get(i)
      if (known) return known
      const view: NodeView = {
        node: nodes[i]!,
        total: totalsAt(sums, i * WIDTH, base),
        children: children[i]!.length,
        needsYou: needs[i]!,
      }
      views.set(i, view)
      return view
    },
    /** Every node, in the order in which they came; to look through, not to change. */
    all: (): readonly TaskNode[] => nodes,
    subscribeNode(id: string, listener: () => void): () => void {
      const those = nodeListeners.get(id) ?? new Set()
      nodeListeners.set(id, those.add(listener))
      return () => {
        those.delete(listener)
        if (those.size === 0 && nodeListeners.get(id) === those) nodeListeners.delete(id)
      }
    },
    /** Ids right below a node, in their order. */
    below: (id: string): string[] => (children[places.get(id) ?? -1] ?? []).map((i) => nodes[i]!.id),
    /** Ids from the root down to a node, itself included. */
    path(id: string): string[] {
      const path: string[] = []
      for (let i = places.get(id) ?? -1; i >= 0; i = parents[i]!) path.unshift(nodes[i]!.id)
      return path
    },
    /** Opens or shuts a node; null: the rule decides again. */
    fold(id: string, open: boolean | null): void {
      if (open === null) folds.delete(id)
      else folds.set(id, open)
      rowsStale = true
      wake()
    },
    /** Opens or shuts everything below a node, itself included; without one, the whole tree. */
    foldAll(open: boolean, id?: string): void {
      const from = id === undefined ? nodes.flatMap((_, i) => (parents[i]! < 0 ? [i] : [])) : [places.get(id) ?? -1]
      const stack = from.filter((i) => i >= 0)
      for (let i = stack.pop(); i !== undefined; i = stack.pop()) {
        if (children[i]!.length === 0) continue
        folds.set(nodes[i]!.id, open)
        stack.push(...children[i]!)
      }
      rowsStale = true
      wake()
    },
    /** Opens everything above a node, so that its row is shown. */
    reveal(id: string): void {
      for (const above of this.path(id).slice(0, -1)) folds.set(above, true)
      rowsStale = true
      wake()
    },
    /** Shows only what the predicate means, with what is above it; null: everything. */
    filter(predicate: Predicate | null): void {
      filter = predicate
      sumAll()
      allDirty = true
      rowsStale = true
      wake()
    },
    /** Shows only what is below this node, and itself; null: the whole tree. */
    focus(id: string | null): void {
      focus = id
      rowsStale = true
      wake()
    },
    /** The next node after `id` in the order of the tree, folded ones too, that `wanted` means; from the last on to the first. */
    next(id: string | null, wanted: Predicate, step: 1 | -1 = 1): string | null {
      const order: number[] = []
      const stack: number[] = []
      for (let i = parents.length - 1; i >= 0; i--) if (parents[i]! < 0) stack.push(i)
      for (let i = stack.pop(); i !== undefined; i = stack.pop()) {
        order.push(i)
        for (let k = children[i]!.length - 1; k >= 0; k--) stack.push(children[i]![k]!)
      }
      const at = id === null ? -1 : order.findIndex((i) => nodes[i]!.id === id)
      for (let k = 1; k <= order.length; k++) {
        const place = at < 0 && step < 0 ? order.length - k : (at + k * step + order.length * 2) % order.length
        const i = order[place]!
        if (wanted(nodes[i]!, needs[i]!)) return nodes[i]!.id
      }
      return null
    },
    /** Number of the newest fact in it. */
    seq: (): number => seq,
    /** Number up to which it knows the tree; undefined: it needs the whole. */
    after: (): number | undefined => (state.state === 'ready' || state.state === 'failed' ? seq || undefined : undefined),
    take(frame: TopicFrame | TopicFault) {
      switch (frame.type) {
        case 'tree': {
          if (frame.part === 0) staged = { seq: frame.seq, nodes: [], head: frame.head ?? null, reviews: frame.reviews ?? [] }
          if (staged?.seq !== frame.seq) return
          for (const node of unpackNodes(frame.nodes)) staged.nodes.push(node)
          if (!frame.last) return
          const { nodes: fresh, head: freshHead, reviews: open } = staged
          staged = null
          seq = frame.seq
          head = freshHead
          reviews = new Map(open.map((review) => [review.id, review.taskId]))
          build(fresh)
          set({ state: 'ready', fault: null })
          return
        }
        case 'nodes':
          if (frame.seq <= seq) return
          for (const node of unpackNodes(frame.nodes)) put(node)
          setReviews(frame.reviews)
          head = frame.head
          seq = frame.seq
          stateStale = true
          return wake()
        case 'facts':
          for (const event of frame.events) apply(event)
          seq = Math.max(seq, frame.seq)
          if (stateStale) wake()
          return
        case 'fault':
          return set({ state: frame.code === 'not_found' ? 'missing' : 'failed', fault: frame.detail })
        default:
          return
      }
    },
  }
}

function goalOf({ spend: _, taskCount: __, ...goal }: TreeHead): Goal {
  return goal
}
function sameGoal(head: TreeHead, before: TreeHead | null): boolean {
  if (head === before) return true
  if (before === null) return false
  for (const key of Object.keys({ ...before, ...head }) as (keyof TreeHead)[])
    if (key !== 'spend' && key !== 'taskCount' && head[key] !== before[key]) return false
  return true
}

function sameRows(a: readonly TreeRow[], b: readonly TreeRow[]): boolean {
  return a === b || (a.length === b.length && a.every((row, i) => row === b[i]))
}
