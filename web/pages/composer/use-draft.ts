/** The draft of a goal, kept in this browser at every change: a reload, a crash of the tab or a restart of Banyan loses no word of it. */
import { useCallback, useRef, useState } from 'react'
import { readLocal, writeLocal } from '../../theme.ts'
import { type Draft, EMPTY, isEmpty, parseDraft } from './draft.ts'

export type Drafting = {
  draft: Draft
  /** Any change makes it another goal, so it loses the key under which it was sent. */
  change(to: Partial<Draft> | ((draft: Draft) => Draft)): void
  /** Sent under this key from now on, until it changes. */
  seal(key: string): void
  clear(): void
}

/** `name` tells drafts apart; `begin` is what it starts with when none is kept, `given` what takes the place of one that is. */
export function useDraft(name: string, begin: Draft = EMPTY, given?: Draft): Drafting {
  const [draft, setDraft] = useState<Draft>(() => {
    if (given) {
      writeLocal(name, JSON.stringify(given))
      return given
    }
    const kept = parseDraft(readLocal(name), Date.now())
    return isEmpty(kept) ? begin : kept
  })
  const newest = useRef(draft)
  const keep = useCallback(
    (next: Draft) => {
      newest.current = next
      writeLocal(name, isEmpty(next) ? '' : JSON.stringify(next))
      setDraft(next)
    },
    [name],
  )
  return {
    draft,
    change: useCallback(
      (to) => keep({ ...(typeof to === 'function' ? to(newest.current) : { ...newest.current, ...to }), key: '' }),
      [keep],
    ),
    seal: useCallback((key) => keep({ ...newest.current, key }), [keep]),
    clear: useCallback(() => keep(EMPTY), [keep]),
  }
}
