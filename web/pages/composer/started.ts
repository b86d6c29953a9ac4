/** After a goal was sent: its page is opened, and a message offers to stop it again. */
import { useCallback } from 'react'
import type { Submitted } from '../../../core/contract/api.ts'
import { titleOf } from '../../../core/contract/task.ts'
import { useBanyan } from '../../banyan.ts'
import { sentence } from '../../live.ts'
import { treePath, useGo } from '../../route.ts'
import { useToast } from '../../toasts.ts'
import { composer as words } from '../../words/composer.ts'

/** Where the plan of a goal is looked at, edited and approved. */
export const planPath = (treeId: string): string => `/plans/${encodeURIComponent(treeId)}`

export function useStarted(): (submitted: Submitted, goal: string, plan?: boolean) => void {
  const { api } = useBanyan()
  const go = useGo()
  const toast = useToast()
  return useCallback(
    ({ treeId }, goal, plan = false) => {
      const stop = () => {
        api.control(treeId, 'cancel').then(
          () => toast(words.stopped),
          (cause: unknown) => toast(words.notStopped(sentence(cause)), { tone: 'bad' }),
        )
      }
      toast(plan ? words.planBegun(titleOf(goal)) : words.started(titleOf(goal)), { tone: 'good', undo: stop })
      go(plan ? planPath(treeId) : treePath(treeId))
    },
    [api, go, toast],
  )
}
