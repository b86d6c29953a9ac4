/** A list that stands still while people read it: what comes in waits, what goes out stays, until it is brought up to date by hand. */
import { useMemo, useRef, useState } from 'react'

export type Frozen<T> = {
  rows: readonly T[]
  /** How many have come in since. */
  fresh: number
  /** Puts in what came and takes out what went; answers the rows as they are then. */
  refresh: () => readonly T[]
}

/**
 * `now`: what belongs in the list at this moment, in order. `newest`: how an item that left it looks now. Another `key` begins anew, and so
 * does a list that was empty.
 */
export function useFrozen<T extends { id: string }>(key: string, now: readonly T[], newest: (id: string) => T | undefined): Frozen<T> {
  const known = useRef(new Map<string, T>())
  for (const one of now) known.current.set(one.id, one)
  const [frozen, setFrozen] = useState<{ key: string; ids: readonly string[] }>({ key: '', ids: [] })
  const isStale = frozen.key !== key || frozen.ids.length === 0
  const ids = isStale ? now.map((one) => one.id) : frozen.ids
  // Set while drawing, so that the first list is already the one that stands still.
  if (isStale && (frozen.key !== key || ids.length > 0)) setFrozen({ key, ids })
  return useMemo(() => {
    const here = new Map(now.map((one) => [one.id, one]))
    const set = new Set(ids)
    return {
      rows: ids.flatMap((id) => here.get(id) ?? newest(id) ?? known.current.get(id) ?? []),
      fresh: now.filter((one) => !set.has(one.id)).length,
      refresh: () => {
        setFrozen({ key, ids: now.map((one) => one.id) })
        return now
      },
    }
  }, [ids, now, newest, key])
}
