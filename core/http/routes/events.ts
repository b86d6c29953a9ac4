/** The fact log: a page of it as JSON, or all of it as it grows. */
import type { Store } from '../../store/store.ts'
import { afterOf, type Live } from '../live.ts'
import type { Handlers } from '../router.ts'

export function eventRoutes(store: Store, live: Live): Pick<Handlers, 'events'> {
  return {
    async events({ query: { after, limit, treeId }, header, headOnly, by }) {
      if (header('accept')?.includes('text/event-stream')) {
        // A browser that lost the line says where it was; that is newer than the address it was opened with.
        const from = header('last-event-id')
        const headers = { 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' }
        return new Response(headOnly ? null : await live.stream(by, from ? afterOf(from) : after, treeId), { headers })
      }
      const items = await store.eventsAfter(after, { limit: limit + 1, ...(treeId === undefined ? {} : { treeId }) })
      const more = items.length > limit
      if (more) items.pop()
      return { items, nextCursor: more ? String(items.at(-1)!.seq) : null }
    },
  }
}
