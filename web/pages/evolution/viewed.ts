/**
 * Files of a change that a person has looked at, kept in this browser under their name. A mark is of the text that was seen: when the file
 * is changed again, it is to be looked at again.
 */
import { useCallback, useState } from 'react'
import { ROUTES } from '../../../core/contract/api.ts'
import { useRead } from '../../read.ts'
import { readLocal, writeLocal } from '../../theme.ts'

type Marks = Readonly<Record<string, string>>
/** Changes whose marks are kept; the oldest give way. */
const MOST = 50
const keyOf = (person: string) => `banyan-viewed:${person}`

export type Viewed = { has(path: string, text: string): boolean; set(path: string, text: string, on: boolean): void }

export function useViewed(changeId: string): Viewed {
  const person = useRead(ROUTES.me).data?.name ?? ''
  const [, drawAgain] = useState(0)
  const marks = read(person)[changeId] ?? {}
  return {
    has: (path, text) => marks[path] !== undefined && marks[path] === markOf(text),
    set: useCallback(
      (path, text, on) => {
        const { [changeId]: own = {}, ...others } = read(person)
        const { [path]: _, ...rest } = own
        const next = on ? { ...rest, [path]: markOf(text) } : rest
        const kept = Object.entries(others).slice(-(MOST - 1))
        writeLocal(keyOf(person), JSON.stringify({ ...Object.fromEntries(kept), [changeId]: next }))
        drawAgain((n) => n + 1)
      },
      [changeId, person],
    ),
  }
}

function read(person: string): Record<string, Marks> {
  try {
    const kept: unknown = JSON.parse(readLocal(keyOf(person)) || '{}')
    return typeof kept === 'object' && kept !== null && !Array.isArray(kept) ? (kept as Record<string, Marks>) : {}
  } catch {
    return {} // somebody else's text under our name
  }
}

/** Tells texts apart (FNV-1a); nothing is guarded by it. */
export function markOf(text: string): string {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return `${(hash >>> 0).toString(36)}.${text.length}`
}
