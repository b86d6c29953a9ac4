/** Facts as changes of resources: at most one word about each URI every quarter of a second, and none while nobody listens. */
import type { Store } from '../store/store.ts'
import { changesList, urisOf } from './resources.ts'

export const COALESCE_MS = 250

/** `tell` gets what changed since it was called last. Answers what ends it. */
export function openFeed(
  store: Pick<Store, 'onFacts'>,
  listens: () => boolean,
  tell: (uris: ReadonlySet<string>, list: boolean) => void,
): () => void {
  let uris = new Set<string>()
  let list = false
  let timer: NodeJS.Timeout | undefined
  const flush = () => {
    timer = undefined
    const told = uris
    const lists = list
    uris = new Set()
    list = false
    tell(told, lists)
  }
  const stop = store.onFacts((events) => {
    if (!listens()) return
    for (const event of events) {
      for (const uri of urisOf(event)) uris.add(uri)
      list ||= changesList(event)
    }
    if (uris.size > 0 || list) timer ??= setTimeout(flush, COALESCE_MS)
  })
  return () => {
    stop()
    clearTimeout(timer)
  }
}
