/** What a person may do to a task as it is, and why not. The server has the last word; this says it before the click. Pure. */
import type { TaskNode } from '../../../core/contract/node.ts'
import { isOver } from '../../../core/contract/task.ts'
import { tree } from '../../words/tree.ts'

export const MOVES = ['steer', 'pause', 'resume', 'step', 'cancel', 'abort', 'retry', 'rerun', 'fork', 'undo'] as const
export type Move = (typeof MOVES)[number]
export type Scope = 'node' | 'subtree'

export type Situation = {
  node: Pick<TaskNode, 'status' | 'reason'>
  /** How many are paused at and below it. */
  paused: number
  scope: Scope
  /** Why the goal as a whole is held. */
  held: string | null
  /** The page is not live. */
  stale: boolean
}

/** Null: it may be done. */
export function whyNot(move: Move, { node, paused, scope, held, stale }: Situation): string | null {
  const why = tree.act.whyNot
  const over = isOver(node.status)
  if (stale) return why.stale
  switch (move) {
    case 'steer':
    case 'cancel':
    case 'abort':
      return over ? why.over : null
    case 'pause':
      return over ? why.over : node.status === 'paused' ? why.paused : null
    case 'resume': {
      const some = scope === 'node' ? Number(node.status === 'paused') : paused
      return some === 0 ? why.notPaused : held !== null ? why.capped : null
    }
    case 'step':
      if (over) return why.over
      if (node.status === 'waiting') return why.waits
      return node.status === 'paused' && (node.reason === 'budget' || held !== null) ? why.capped : null
    case 'retry':
      return over && node.status !== 'done' ? null : why.notOver
    case 'rerun':
      return node.status === 'assigned' || node.status === 'active' ? why.running : null
    case 'fork':
    case 'undo':
      return null
  }
}

/** The two or three that stand in the open; all are in the menu. */
export function foremost(situation: Situation): Move[] {
  const { status } = situation.node
  if (status === 'done') return ['rerun']
  if (isOver(status)) return ['retry', 'rerun']
  const may = (move: Move) => whyNot(move, { ...situation, stale: false }) === null
  return [
    ...(['resume', 'step'] as const).filter(may).filter((move) => move === 'resume' || status === 'paused'),
    ...(may('pause') ? (['pause'] as const) : []),
    'cancel',
    'abort',
  ]
}
