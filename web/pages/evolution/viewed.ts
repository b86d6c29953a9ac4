/**
 * Files of a change that a person has looked at, kept by the server for them. A mark is of the file as it was seen: when the file is changed
 * again, it is to be looked at again. A mark counts here at once; until the server has taken it, it is kept in this browser and sent again.
 */
import { useQueryClient } from '@tanstack/react-query'
import { useCallback, useEffect, useRef, useState } from 'react'
import { ROUTES } from '../../../core/contract/api.ts'
import { ApiFault } from '../../api.ts'
import { useBanyan } from '../../banyan.ts'
import { useConnection } from '../../data/use-connection.ts'
import { sentence } from '../../live.ts'
import { useRead } from '../../read.ts'
import { readLocal, writeLocal } from '../../theme.ts'
import { useToast } from '../../toasts.ts'

type Mark = { hash: string; viewed: boolean }
type Marks = Readonly<Record<string, Mark>>
const AGAIN_MS = 3_000
/** As many as the server takes at once. */
const AT_ONCE = 500
const keyOf = (person: string, changeId: string) => `banyan-unsaved-views:${person}:${changeId}`

export type Viewed = {
  /** `changed`: it was looked at, and is another one now. */
  look(path: string, hash: string): 'viewed' | 'changed' | 'new'
  set(path: string, hash: string, viewed: boolean): void
  /** How many marks the server does not have yet, once a try has failed. */
  unsaved: number
  /** False until it is known who looks, and what they have looked at. */
  ready: boolean
}

export function useViewed(changeId: string): Viewed {
  const { api } = useBanyan()
  const queries = useQueryClient()
  const toast = useToast()
  const { stale } = useConnection()
  const person = useRead(ROUTES.me).data?.name ?? null
  const read = useRead(ROUTES.changeViews, { params: { id: changeId } }, { follow: true })
  const marks = useRef<Marks>({})
  const busy = useRef(false)
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  const [, drawAgain] = useState(0)
  const [failed, setFailed] = useState(false)

  const put = useCallback(
    (next: Marks) => {
      marks.current = next
      if (person !== null) writeLocal(keyOf(person, changeId), Object.keys(next).length === 0 ? '' : JSON.stringify(next))
      drawAgain((n) => n + 1)
    },
    [person, changeId],
  )
  const send = useCallback(async (): Promise<void> => {
    clearTimeout(timer.current)
    if (busy.current) return
    const first = Object.values(marks.current)[0]
    if (first === undefined) return
    busy.current = true
    const sent = Object.entries(marks.current)
      .filter(([, mark]) => mark.viewed === first.viewed)
      .slice(0, AT_ONCE)
    // What was marked again meanwhile waits for its own turn.
    const done = () =>
      put(
        Object.fromEntries(
          Object.entries(marks.current).filter(([path, mark]) => !sent.some(([one, was]) => one === path && was === mark)),
        ),
      )
    try {
      const files = sent.map(([path, { hash }]) => ({ path, hash }))
      const now = await api.call(ROUTES.viewChange, { params: { id: changeId }, body: { files, viewed: first.viewed } })
      const queryKey = [ROUTES.changeViews.path, { id: changeId }, null]
      await queries.cancelQueries({ queryKey })
      queries.setQueryData(queryKey, now)
      done()
      setFailed(false)
      busy.current = false
      await send()
    } catch (fault) {
      busy.current = false
      if (fault instanceof ApiFault && fault.status >= 400 && fault.status < 500 && fault.status !== 401 && fault.status !== 429) {
        done()
        setFailed(false)
        toast(sentence(fault), { tone: 'bad' })
        return
      }
      setFailed(true)
      timer.current = setTimeout(() => void send(), AGAIN_MS)
    }
  }, [api, queries, toast, changeId, put])

  // What an earlier page could not send.
  useEffect(() => {
    if (person === null) return
    marks.current = { ...keptFor(person, changeId), ...marks.current }
    drawAgain((n) => n + 1)
  }, [person, changeId])
  useEffect(() => {
    if (!stale && person !== null) void send()
    return () => clearTimeout(timer.current)
  }, [stale, person, send])

  const known = new Map(read.data?.items.map(({ path, hash }) => [path, hash]))
  return {
    look(path, hash) {
      const mine = marks.current[path]
      const seen = mine ? (mine.viewed ? mine.hash : undefined) : known.get(path)
      return seen === undefined ? 'new' : seen === hash ? 'viewed' : 'changed'
    },
    set: useCallback(
      (path, hash, viewed) => {
        put({ ...marks.current, [path]: { hash, viewed } })
        void send()
      },
      [put, send],
    ),
    unsaved: failed || stale ? Object.keys(marks.current).length : 0,
    ready: person !== null && read.data !== undefined,
  }
}

function keptFor(person: string, changeId: string): Marks {
  try {
    const kept: unknown = JSON.parse(readLocal(keyOf(person, changeId)) || '{}')
    return Object.fromEntries(Object.entries(kept as object).filter((entry): entry is [string, Mark] => isMark(entry[1])))
  } catch {
    return {} // somebody else's text under our name
  }
}
const isMark = (value: unknown): boolean =>
  typeof value === 'object' &&
  value !== null &&
  'hash' in value &&
  typeof value.hash === 'string' &&
  'viewed' in value &&
  typeof value.viewed === 'boolean'
