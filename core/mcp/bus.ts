/** Changes for clients of 2026-07-28 that listen, each told to those whom it concerns: the SDK's own bus tells everybody. */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { ServerEvent, ServerEventBus } from '@modelcontextprotocol/server'
import type { Principal } from '../auth/principal.ts'

export type Bus = ServerEventBus & {
  /** Runs what may begin to listen, so that its listener is known to be this principal's. */
  as<T>(principal: Principal, work: () => T): T
  /** Tells those who listen for such a principal. */
  tell(concerns: (principal: Principal) => boolean, event: ServerEvent): void
  /** Who listens, once for each stream. */
  listening(): Principal[]
}

export function openBus(onError: (error: unknown) => void): Bus {
  const listeners = new Map<(event: ServerEvent) => void, Principal | null>()
  const beginner = new AsyncLocalStorage<Principal>()
  const give = (event: ServerEvent, concerns: (principal: Principal | null) => boolean): void => {
    for (const [listener, principal] of [...listeners]) {
      if (!concerns(principal)) continue
      try {
        listener(event)
      } catch (error) {
        onError(error)
      }
    }
  }
  return {
    as: (principal, work) => beginner.run(principal, work),
    publish: (event) => give(event, () => true),
    tell: (concerns, event) => give(event, (principal) => principal !== null && concerns(principal)),
    subscribe(listener) {
      const own = (event: ServerEvent) => listener(event)
      listeners.set(own, beginner.getStore() ?? null)
      return () => void listeners.delete(own)
    },
    listening: () => [...listeners.values()].filter((principal) => principal !== null),
  }
}
