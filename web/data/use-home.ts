/** The goals, newest first, each with how its tasks stand; and how the system as a whole stands. */
import { useSyncExternalStore } from 'react'
import type { TreeItem } from '../../core/contract/api.ts'
import { labelOf } from '../../core/contract/label.ts'
import { isOver } from '../../core/contract/task.ts'
import { useBanyan } from '../banyan.ts'
import type { HomeState, SystemState } from './data.ts'

export function useHome(): HomeState & { loadOlder(): Promise<void> } {
  return { ...useHomePart((state) => state), loadOlder: useBanyan().live.data.loadOlder }
}
/** A part of it; the caller draws again only when that part changes. `select` must give the same value for the same state. */
export function useHomePart<T>(select: (state: HomeState) => T): T {
  const { home } = useBanyan().live.data
  return useSyncExternalStore(home.subscribe, () => select(home.get()))
}
/** What a goal says; undefined while this page does not know it. */
export const useGoalWords = (treeId: string | null): string | undefined =>
  useHomePart((state) => (treeId === null ? undefined : state.trees.find((tree) => tree.id === treeId)?.goal))
/** How many goals are neither over nor held by a person. */
export const useRunningGoals = (): number => useHomePart((state) => state.trees.filter(isUnderWay).length)
const isUnderWay = (tree: TreeItem): boolean => !isOver(tree.status) && ['run', 'wait', 'idle'].includes(labelOf(tree).tone)

export function useSystem(): SystemState {
  const { data } = useBanyan().live
  return useSyncExternalStore(data.system.subscribe, data.system.get)
}
