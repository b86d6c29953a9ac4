/** A person at a running Banyan: over HTTP with the admin's token, through restarts. For tests and proofs. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { ResponseOf } from '../../core/contract/api.ts'
import type { ChangeState } from '../../core/contract/change.ts'
import type { DecisionWord } from '../../core/contract/review.ts'
import { isOver } from '../../core/contract/task.ts'

export type ChangeDetail = ResponseOf<'change'>
export type Person = ReturnType<typeof openPerson>

class Refused extends Error {}
const LOOK_MS = 250

/** `isGone`: the whole system has ended, so no answer will come. `patienceMs`: the longest wait for anything. */
export function openPerson(dataDir: string, isGone: () => boolean, patienceMs: number) {
  /** A call that meets a restart is made again. */
  async function http<T>(path: string, body?: object): Promise<T> {
    const end = Date.now() + patienceMs
    for (;;) {
      if (isGone()) throw new Error('Banyan ended')
      try {
        const at = readFileSync(join(dataDir, 'url'), 'utf8').trim()
        const token = readFileSync(join(dataDir, 'admin-token'), 'utf8').trim()
        const answer = await fetch(`${at}${path}`, {
          method: body === undefined ? 'GET' : 'POST',
          headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
          signal: AbortSignal.timeout(30_000),
        })
        if (answer.ok) return (await answer.json()) as T
        if (answer.status !== 503) throw new Refused(`${path}: ${answer.status} ${await answer.text()}`)
      } catch (error) {
        if (error instanceof Refused || Date.now() > end) throw error
      }
      await pause(LOOK_MS)
    }
  }
  /** Asks again until the answer is as wanted; `stuck` says why it never will be. */
  async function until<T>(ask: () => Promise<T | null>, stuck: () => Promise<string | null> = async () => null): Promise<T> {
    const end = Date.now() + patienceMs
    for (;;) {
      const found = await ask()
      if (found !== null) return found
      const why = Date.now() > end ? 'it took too long' : await stuck()
      if (why !== null) throw new Error(why)
      await pause(LOOK_MS)
    }
  }
  const changesOf = async (treeId: string) => (await http<ResponseOf<'changes'>>(`/api/changes?treeId=${treeId}`)).items
  const change = (id: string) => http<ChangeDetail>(`/api/changes/${id}`)
  const tree = (id: string) => http<ResponseOf<'tree'>>(`/api/trees/${id}`)

  return {
    http,
    tree,
    change,
    goal: async (body: object): Promise<string> => (await http<{ treeId: string }>('/api/goals', body)).treeId,
    /** The newest change of a goal as soon as it is in one of these states; a goal that ended without one says why. */
    changeOf: (treeId: string, ...states: ChangeState[]): Promise<ChangeDetail> =>
      until(
        async () => {
          const [newest] = await changesOf(treeId)
          if (!newest || !states.includes(newest.state)) return null
          const found = await change(newest.id)
          return states.includes(found.change.state) ? found : null
        },
        async () => {
          const [{ status, result }, [newest]] = await Promise.all([tree(treeId), changesOf(treeId)])
          if (isOver(status) && newest === undefined) return `nothing was proposed: ${result ?? status}`
          return newest && ['refused', 'undone'].includes(newest.state) && isOver(status)
            ? `the change is ${newest.state}: ${newest.note}`
            : null
        },
      ),
    over: (treeId: string) => until(async () => ((one) => (isOver(one.status) ? one : null))(await tree(treeId))),
    /** Decides a change with exactly what is shown of it. */
    async decide({ change: { reviewId } }: ChangeDetail, decision: DecisionWord, comment?: string): Promise<void> {
      const { actionHash } = await http<ResponseOf<'review'>>(`/api/reviews/${reviewId}`)
      await http(`/api/reviews/${reviewId}/decision`, { decision, actionHash, ...(comment === undefined ? {} : { comment }) })
    },
    until,
  }
}
