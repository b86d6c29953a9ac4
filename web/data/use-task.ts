/** One task in full, with its newest messages and what its model is writing. */
import { useSyncExternalStore } from 'react'
import { useBanyan } from '../banyan.ts'
import type { TaskState } from './data.ts'

export function useTask(taskId: string): TaskState {
  const { data } = useBanyan().live
  const source = data.task(taskId)
  return useSyncExternalStore(source.subscribe, source.get)
}
