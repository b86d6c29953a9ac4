/** Which tasks a graph shows, and where. At most so many that one can still read it; what needs a look comes first. Pure. */
import { hierarchy, tree as layout } from 'd3-hierarchy'
import type { TaskNode } from '../../../core/contract/node.ts'
import type { TreeStore } from '../../data/tree-store.ts'
import { hasFailed, isRunning } from './filter.ts'

export const GRAPH_MAX = 200
const [WIDE, HIGH] = [280, 76]

export type Placed = { id: string; x: number; y: number }
export type Graph = {
  nodes: Placed[]
  /** `after`: the second waits for the first. */
  edges: { from: string; to: string; kind: 'child' | 'after' }[]
  leftOut: number
}

export function graphOf(store: Pick<TreeStore, 'all' | 'view' | 'below'>, rootId: string, most = GRAPH_MAX): Graph {
  const root = store.view(rootId)
  if (!root) return { nodes: [], edges: [], leftOut: 0 }
  const chosen = choose(store, rootId, most)
  type Branch = { id: string; children: Branch[] }
  const branch = (id: string): Branch => ({
    id,
    children: store
      .below(id)
      .filter((child) => chosen.has(child))
      .map(branch),
  })
  const placed = layout<Branch>().nodeSize([HIGH, WIDE])(hierarchy(branch(rootId)))
  const nodes = placed.descendants().map(({ data, x, y }) => ({ id: data.id, x: y, y: x }))
  const edges = placed.links().map(({ source, target }) => ({ from: source.data.id, to: target.data.id, kind: 'child' as const }))
  const waits = nodes.flatMap(({ id }) =>
    (store.view(id)?.node.after ?? []).filter((one) => chosen.has(one)).map((one) => ({ from: one, to: id, kind: 'after' as const })),
  )
  return { nodes, edges: [...edges, ...waits], leftOut: root.total.tasks - nodes.length }
}

/** First what runs, failed or waits for a person, each with all above it; then level by level. */
function choose(store: Pick<TreeStore, 'all' | 'view' | 'below'>, rootId: string, most: number): Set<string> {
  const chosen = new Set([rootId])
  const urgent = (node: TaskNode) => hasFailed(node) || isRunning(node) || (node.status === 'waiting' && node.reason === 'review')
  for (const node of store.all()) {
    if (chosen.size >= most) break
    if (!urgent(node)) continue
    const path: string[] = []
    let at: string | null = node.id
    while (at !== null && !chosen.has(at)) {
      path.push(at)
      at = store.view(at)?.node.parentId ?? null
    }
    // A path that never came to the root belongs to another part of the tree.
    if (at !== null && chosen.size + path.length <= most) for (const id of path) chosen.add(id)
  }
  const queue = [rootId]
  for (let i = 0; i < queue.length && chosen.size < most; i++) {
    for (const id of store.below(queue[i]!)) {
      if (chosen.size >= most && !chosen.has(id)) break
      chosen.add(id)
      queue.push(id)
    }
  }
  return chosen
}
