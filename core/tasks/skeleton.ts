/** A tree as the page draws it: nodes without their texts, read with one prepared query and packed, at one moment of the database. */

import { sql } from 'kysely'
import type { TreeHead } from '../contract/event.ts'
import { Fault } from '../contract/fault.ts'
import { type NodeChunk, type NodeTuple, type OpenReview, packNodes } from '../contract/node.ts'
import { prepare } from '../store/prepared.ts'
import type { SnapshotReader, Store } from '../store/store.ts'
import { toTree } from './rows.ts'

/** The order of `NodeTuple`. */
const COLUMNS = [
  'id',
  'parent_id',
  'kind',
  'agent',
  'title',
  'status',
  'reason',
  'note',
  'attempts',
  'turns',
  'tokens',
  'cost_micros',
  'unpriced_calls',
  'created_at',
  'updated_at',
  'deadline_at',
  'wake_at',
  'after',
  'stopped_by_person',
  'taint',
  'watch',
] as const
const nodesOfTree = prepare<{ tree_id: string }>()((db, p) => db.selectFrom('tasks').select(COLUMNS).where('tree_id', '=', p.tree_id))
const SLOTS = 64
const someNodes = prepare<Record<string, string>>()((db, p) =>
  db
    .selectFrom('tasks')
    .select(COLUMNS)
    .where(
      'id',
      'in',
      Array.from({ length: SLOTS }, (_, i) => p[`id${i}`] as string),
    ),
)
const treeById = prepare<{ id: string }>()((db, p) => db.selectFrom('trees').selectAll().where('id', '=', p.id))
const openReviews = prepare<{ tree_id: string }>()((db, p) =>
  db.selectFrom('reviews').select(['id', 'task_id']).where('tree_id', '=', p.tree_id).where('state', '=', sql.lit('open')),
)

/** Nodes of one part: small enough that reading and packing one holds nobody up for long (2,000 take about 5 ms). */
export const CHUNK = 2_000

export type Skeleton = { seq: number; head: TreeHead; reviews: OpenReview[]; chunks: NodeChunk[] }

/** The whole tree at one moment. */
export function readSkeleton(store: Store, treeId: string): Promise<Skeleton> {
  return store.snapshot(async (reader) => {
    const top = await topOf(reader, treeId)
    const chunks: NodeChunk[] = []
    for await (const rows of reader.batches(nodesOfTree, { tree_id: treeId }, CHUNK)) chunks.push(packNodes(rows as NodeTuple[]))
    return { ...top, chunks }
  })
}

/** Some of its nodes at one moment. */
export function readNodes(store: Store, treeId: string, ids: readonly string[]): Promise<Omit<Skeleton, 'chunks'> & { nodes: NodeChunk }> {
  return store.snapshot(async (reader) => {
    const top = await topOf(reader, treeId)
    const rows: NodeTuple[] = []
    for (let from = 0; from < ids.length; from += SLOTS) {
      const slots = Object.fromEntries(Array.from({ length: SLOTS }, (_, i) => [`id${i}`, ids[from + i] ?? '']))
      for await (const some of reader.batches(someNodes, slots, SLOTS)) rows.push(...(some as NodeTuple[]))
    }
    return { ...top, nodes: packNodes(rows) }
  })
}

async function topOf(reader: SnapshotReader, treeId: string): Promise<Omit<Skeleton, 'chunks'>> {
  const seq = await reader.lastSeq()
  const [row] = await reader.read(treeById, { id: treeId })
  if (!row) throw new Fault('not_found', `There is no tree ${treeId}.`)
  const reviews = await reader.read(openReviews, { tree_id: treeId })
  return { seq, head: toTree(row), reviews: reviews.map((review) => ({ id: review.id, taskId: review.task_id })) }
}
