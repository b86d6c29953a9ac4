/**
 * What a person is editing, kept in this browser until it is saved or discarded. When a newer version comes meanwhile, their edit is put
 * on top of it where the two do not touch; where they do, the person is asked.
 */
import { useCallback, useEffect, useMemo, useState } from 'react'
import { readLocal, writeLocal } from '../../theme.ts'
import type { Body, DetailOf, Kind } from './entries.ts'
import { bodyOf, changed, merge } from './merge.ts'

/** `base`: what the edit began with; null for an entry that is not saved yet. */
type Kept<K extends Kind> = { base: { version: number; body: Body<K> } | null; body: Body<K> }
export type Draft<K extends Kind> = {
  body: Body<K>
  /** Fields in which it differs from what is saved. */
  dirty: (keyof Body<K> & string)[]
  /** Version to save over; null: it is new. */
  from: number | null
  /** Fields that both the person and somebody else changed; empty: none, it can be saved. */
  conflicts: (keyof Body<K> & string)[]
  /** The newer version that was put below the edit by itself. */
  tookIn: number | null
  set(change: Partial<Body<K>>): void
  /** Puts the edit on the newest version, with these fields as that has them. */
  resolve(theirs: readonly string[]): void
  discard(): void
}

const keyOf = (kind: Kind, id: string): string => `banyan-draft-${kind}-${id}`

/** `empty`: what a new entry begins with. `saved`: null while it is not read yet, or for a new one. */
export function useDraft<K extends Kind>(kind: K, id: string, saved: DetailOf[K] | null, empty: Body<K>): Draft<K> {
  const key = keyOf(kind, id)
  const [kept, setKept] = useState<Kept<K> | null>(() => parse<K>(readLocal(key)))
  const [tookIn, setTookIn] = useState<number | null>(null)
  const savedBody = useMemo(() => (saved ? bodyOf(kind, saved as unknown as Body<K>) : empty), [kind, saved, empty])
  const version = saved?.version ?? null

  const keep = useCallback(
    (next: Kept<K> | null) => {
      setKept(next)
      writeLocal(key, next ? JSON.stringify(next) : '')
    },
    [key],
  )
  const behind = kept?.base && version !== null && kept.base.version !== version ? kept.base : null
  const merged = useMemo(() => (behind && kept ? merge(kind, behind.body, kept.body, savedBody) : null), [kind, behind, kept, savedBody])
  const onTop = merged !== null && merged.conflicts.length === 0
  useEffect(() => {
    if (!onTop || !merged || version === null) return
    const rest = changed(kind, merged.body, savedBody).length > 0
    keep(rest ? { base: { version, body: savedBody }, body: merged.body } : null)
    setTookIn(rest ? version : null)
  }, [onTop, merged, version, kind, savedBody, keep])

  const body = kept?.body ?? savedBody
  const set = (change: Partial<Body<K>>) => {
    const next = bodyOf(kind, { ...body, ...change })
    const base = kept?.base ?? (version === null ? null : { version, body: savedBody })
    keep(changed(kind, next, base?.body ?? empty).length === 0 ? null : { base, body: next })
  }
  return {
    body,
    dirty: changed(kind, body, savedBody),
    from: version === null ? null : (kept?.base?.version ?? version),
    conflicts: merged?.conflicts ?? [],
    tookIn,
    set,
    resolve(theirs) {
      if (!merged || version === null) return
      const taken = Object.fromEntries(theirs.map((field) => [field, savedBody[field as keyof Body<K>]]))
      const next = bodyOf(kind, { ...merged.body, ...taken })
      keep(changed(kind, next, savedBody).length === 0 ? null : { base: { version, body: savedBody }, body: next })
    },
    discard() {
      keep(null)
      setTookIn(null)
    },
  }
}

/** Keeps a text under the address of a draft, for a page that opens with it: a duplicate of an entry. */
export function startDraft<K extends Kind>(kind: K, id: string, body: Body<K>): void {
  writeLocal(keyOf(kind, id), JSON.stringify({ base: null, body } satisfies Kept<K>))
}

function parse<K extends Kind>(text: string): Kept<K> | null {
  try {
    const kept = JSON.parse(text || 'null') as Kept<K> | null
    return typeof kept?.body?.name === 'string' ? kept : null
  } catch {
    return null // not ours, or of a version that wrote it otherwise: the saved entry is shown
  }
}

/** Whether there is an edit of this entry in this browser. */
export const hasDraft = (kind: Kind, id: string): boolean => readLocal(keyOf(kind, id)) !== ''
