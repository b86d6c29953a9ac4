/** Decisions that wait to be sent, and those that the server refused. */
import { useSyncExternalStore } from 'react'
import { useBanyan } from '../banyan.ts'
import type { Outbox, OutboxState } from '../outbox.ts'

export function useOutbox(): OutboxState & { outbox: Outbox } {
  const { outbox } = useBanyan()
  return { ...useSyncExternalStore(outbox.subscribe, outbox.get), outbox }
}
