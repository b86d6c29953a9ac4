/**
 * Every act that the palette offers and a key starts. A page adds its own with `useActions` while it is shown; the palette, the keys and
 * the sheet of keys read the same list, so none of them can name what the others do not know.
 */
import { useId, useLayoutEffect, useRef, useSyncExternalStore } from 'react'
import { useBanyan } from './banyan.ts'
import type { Prefs } from './prefs.ts'
import { readLocal, writeLocal } from './theme.ts'

export type Action = {
  /** Stays the same over versions, because remapped keys are kept by it: `go.reviews`, `task.pause`. */
  id: string
  label: string
  /** Heading in the palette and on the sheet of keys. */
  group: string
  /** `r`, `shift+c`, `mod+k`, or one after the other: `g r`. Upper and lower case are alike. */
  keys?: string | undefined
  /** More words that the palette finds it by. */
  words?: string | undefined
  /** On the sheet of keys, not in the palette: what makes sense only by its key. */
  keyOnly?: boolean | undefined
  run: () => void
}
export type ActionStore = ReturnType<typeof createActions>

export function createActions() {
  const lists = new Map<string, readonly Action[]>()
  let all: readonly Action[] = []
  let known = parseKnown(readLocal(KNOWN))
  const listeners = new Set<() => void>()
  const changed = () => {
    // The page that came last says what an id does.
    all = [...new Map([...lists.values()].flat().map((action) => [action.id, action])).values()]
    remember()
    for (const listener of listeners) listener()
  }
  const remember = () => {
    const fresh = all.filter((action) => action.keys).map(({ id, label, group, keys }): KnownAction => ({ id, label, group, keys: keys! }))
    const next = [...new Map([...known, ...fresh].map((action) => [action.id, action])).values()]
    const text = JSON.stringify(next)
    if (text === JSON.stringify(known)) return
    known = next
    writeLocal(KNOWN, text)
  }
  return {
    all: () => all,
    known: () => known,
    put(owner: string, actions: readonly Action[]): void {
      lists.delete(owner)
      lists.set(owner, actions)
      changed()
    },
    drop(owner: string): void {
      if (lists.delete(owner)) changed()
    },
    subscribe(listener: () => void): () => void {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

/** Offers these acts while the caller is shown, from the moment in which it can be seen. The list may be made anew at every drawing; what `run` does is always the newest. */
export function useActions(actions: readonly Action[]): void {
  const { actions: store } = useBanyan()
  const owner = useId()
  const newest = useRef(actions)
  const shape = JSON.stringify(actions.map(({ run: _, ...words }) => words))
  useLayoutEffect(() => {
    newest.current = actions
  })
  useLayoutEffect(() => {
    const words = JSON.parse(shape) as Omit<Action, 'run'>[]
    store.put(
      owner,
      words.map((action) => ({ ...action, run: () => newest.current.find((one) => one.id === action.id)?.run() })),
    )
    return () => store.drop(owner)
  }, [store, owner, shape])
}

/** Acts with a key that some page ever offered in this browser, by which their keys are listed and changed on a page that has others. */
export type KnownAction = { id: string; label: string; group: string; keys: string }
const KNOWN = 'banyan-actions'
function parseKnown(text: string): readonly KnownAction[] {
  try {
    const kept: unknown = JSON.parse(text || '[]')
    return Array.isArray(kept)
      ? kept.filter((one) => ['id', 'label', 'group', 'keys'].every((name) => typeof one?.[name] === 'string'))
      : []
  } catch {
    return [] // somebody else's text under our name
  }
}
export function useKnownActions(): readonly KnownAction[] {
  const { actions } = useBanyan()
  return useSyncExternalStore(actions.subscribe, actions.known)
}

export function useAllActions(): readonly Action[] {
  const { actions } = useBanyan()
  return useSyncExternalStore(actions.subscribe, actions.all)
}

/** The key that starts it now: the person's own, or the usual one; undefined when it has none or keys are off. */
export function keysOf(action: Pick<Action, 'id' | 'keys'>, prefs: Pick<Prefs, 'keysOn' | 'keys'>): string | undefined {
  const keys = prefs.keys[action.id] ?? action.keys
  if (!keys) return undefined
  return prefs.keysOn || /\b(mod|ctrl|meta|alt)\+/.test(keys) ? keys : undefined
}
