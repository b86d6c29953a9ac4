/** The whole history of a task as far as it was read: the newest messages come live, older ones when they are looked at, facts after each change. */
import { useCallback, useEffect, useRef, useState } from 'react'
import { ROUTES } from '../../../core/contract/api.ts'
import type { Event } from '../../../core/contract/event.ts'
import type { MessagePreview } from '../../../core/contract/live.ts'
import { useBanyan } from '../../banyan.ts'
import type { TaskState } from '../../data/data.ts'
import { sentence } from '../../live.ts'
import { GAP } from './entries.ts'

export type History = {
  messages: ReadonlyMap<number, MessagePreview>
  total: number
  /** What was there at first has been read; what comes now is new. */
  ready: boolean
  facts: readonly Event[]
  /** Why something could not be read. */
  fault: string | null
  /** Reads the page in which message `n` is. */
  load: (n: number) => void
  again: () => void
}

const NO_FACTS: readonly Event[] = []

export function useHistory(taskId: string, state: TaskState): History {
  const { api } = useBanyan()
  const [messages, setMessages] = useState<ReadonlyMap<number, MessagePreview>>(new Map())
  const [fault, setFault] = useState<string | null>(null)
  const wanted = useRef(new Set<number>())
  const { messages: newest, earlier } = state
  useEffect(() => {
    if (newest.length > 0) setMessages((known) => withAll(known, newest))
  }, [newest])
  const load = useCallback(
    (n: number) => {
      const page = Math.floor((n - 1) / GAP)
      if (wanted.current.has(page)) return
      wanted.current.add(page)
      api.call(ROUTES.messages, { params: { id: taskId }, query: { after: String(page * GAP), limit: String(GAP), preview: '1' } }).then(
        ({ items }) => setMessages((known) => withAll(known, items as MessagePreview[])),
        (cause) => {
          wanted.current.delete(page)
          setFault(sentence(cause))
        },
      )
    },
    [api, taskId],
  )
  const total = earlier + newest.length
  const { facts, ready } = useFacts(taskId, state.task, setFault)
  return { messages, total, facts, ready: ready && state.loaded, fault, load, again: () => setFault(null) }
}

/** What is known already is not taken again: an older page has shorter previews than the live line. */
function withAll(known: ReadonlyMap<number, MessagePreview>, fresh: readonly MessagePreview[]): ReadonlyMap<number, MessagePreview> {
  const added = fresh.filter((message) => !known.has(message.n))
  return added.length === 0 ? known : new Map([...known, ...added.map((message) => [message.n, message] as const)])
}

/** Read on from the last one whenever the task was told of anew. */
function useFacts(taskId: string, stamp: unknown, failed: (why: string) => void): { facts: readonly Event[]; ready: boolean } {
  const { api } = useBanyan()
  const [facts, setFacts] = useState(NO_FACTS)
  const [ready, setReady] = useState(false)
  const last = useRef(0)
  const reading = useRef(false)
  const again = useRef(false)
  useEffect(() => {
    if (stamp === null) return
    again.current = true
    if (reading.current) return
    reading.current = true
    const read = async () => {
      while (again.current) {
        again.current = false
        const page = await api.call(ROUTES.taskFacts, { params: { id: taskId }, query: { after: String(last.current) } })
        const fresh = (page.items as unknown as Event[]).filter((event) => event.seq > last.current)
        last.current = fresh.at(-1)?.seq ?? last.current
        if (fresh.length > 0) setFacts((known) => [...known, ...fresh])
        if (page.nextCursor !== null) again.current = true
      }
    }
    void read()
      .catch((cause: unknown) => failed(sentence(cause)))
      .finally(() => {
        reading.current = false
        setReady(true)
      })
  }, [api, taskId, stamp, failed])
  return { facts, ready }
}
