/** The goals, newest first, each with how its tasks stand; and how the system as a whole stands. */
import { useSyncExternalStore } from 'react'
import { useBanyan } from '../banyan.ts'
import type { HomeState, SystemState } from './data.ts'

export function useHome(): HomeState & { loadOlder(): Promise<void> } {
  const { data } = useBanyan().live
  const state = useSyncExternalStore(data.home.subscribe, data.home.get)
  return { ...state, loadOlder: data.loadOlder }
}
export function useSystem(): SystemState {
  const { data } = useBanyan().live
  return useSyncExternalStore(data.system.subscribe, data.system.get)
}
