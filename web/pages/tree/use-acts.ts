/** What can be done to the chosen task, once: the bar, the menu, the keys and the palette all show this list. */
import { useCallback, useState } from 'react'
import { ROUTES } from '../../../core/contract/api.ts'
import type { TaskNode } from '../../../core/contract/node.ts'
import { useBanyan } from '../../banyan.ts'
import type { Goal } from '../../data/tree-store.ts'
import { useConnection } from '../../data/use-connection.ts'
import { sentence } from '../../live.ts'
import { useToast } from '../../toasts.ts'
import { tree } from '../../words/tree.ts'
import { MOVES, type Move, type Scope, type Situation, whyNot } from './moves.ts'

export type Asking = 'abort' | 'rerun' | 'fork' | 'undo' | null
export type Act = {
  move: Move
  label: string
  hint: string
  keys: string | undefined
  danger: boolean
  why: string | null
  run: () => void
}
export type Acts = ReturnType<typeof useActs>

export const KEYS: Partial<Record<Move, string>> = {
  steer: 's',
  pause: 'p',
  resume: 'p',
  step: 'e',
  cancel: 'c',
  abort: 'shift+c',
  retry: 'r',
  rerun: 'shift+r',
  fork: 'shift+f',
  undo: 'shift+u',
}
/** Those that are one call without a question before. */
const CALLS = {
  pause: ROUTES.pause,
  resume: ROUTES.resume,
  step: ROUTES.step,
  cancel: ROUTES.cancel,
  abort: ROUTES.abort,
  retry: ROUTES.retry,
}
export type Call = keyof typeof CALLS

/** What an act depends on. `paused`: how many are, at and below it. */
export type Subject = { node: TaskNode; children: number; paused: number }

export function useActs(goal: Goal, { node, children, paused }: Subject, focusSteer: () => void) {
  const { api } = useBanyan()
  const { stale } = useConnection()
  const toast = useToast()
  const [scope, setScope] = useState<Scope>('subtree')
  const [asking, setAsking] = useState<Asking>(null)
  const [busy, setBusy] = useState<Move | null>(null)
  const reach: Scope = children === 0 ? 'subtree' : scope
  const situation: Situation = { node, paused, scope: reach, held: goal.pausedReason, stale }
  const { id, title } = node

  const call = useCallback(
    async (move: Call) => {
      setBusy(move)
      const send = (one: Call) => api.call(CALLS[one], { params: { id }, body: { scope: reach } })
      try {
        await send(move)
        const undo =
          move === 'pause'
            ? () => void send('resume').catch((cause) => toast(tree.act.failed(tree.act.names.resume, sentence(cause)), { tone: 'bad' }))
            : undefined
        toast(tree.act.did[move](title), { ...(undo ? { undo } : {}) })
      } catch (cause) {
        toast(tree.act.failed(tree.act.names[move], sentence(cause)), { tone: 'bad' })
      } finally {
        setBusy(null)
      }
    },
    [api, id, title, reach, toast],
  )
  const act = (move: Move): Act => ({
    move,
    label: tree.act.names[move],
    hint: tree.act.hints[move],
    keys: KEYS[move],
    danger: move === 'abort',
    why: whyNot(move, situation),
    run: () => {
      if (move === 'steer') focusSteer()
      else if (move === 'abort' || move === 'rerun' || move === 'fork' || move === 'undo') setAsking(move)
      else void call(move)
    },
  })
  return { all: MOVES.map(act), act, call, situation, scope, setScope, asking, setAsking, busy }
}
