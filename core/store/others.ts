/**
 * Facts that other processes commit to the same database. Each commit announces the numbers of its facts; whoever hears of others' reads the log
 * from where it is. What was announced while nobody heard is found by looking now and then.
 */
import { randomUUID } from 'node:crypto'
import type { Event } from '../contract/event.ts'
import type { Backend, Session } from './dialect.ts'

/** Looks by itself this often: a broken line or a pooler in between may swallow announcements. */
const LOOK_MS = 5_000
const BATCH = 500

export type Others = Awaited<ReturnType<typeof followOthers>>

/** `tell` gets facts of others in their order, each once. Null where a database has no other process. */
export async function followOthers(
  backend: Backend,
  log: { after(seq: number, limit: number): Promise<Event[]>; last(): Promise<number> },
  tell: (events: readonly Event[]) => void,
) {
  const { wire } = backend
  if (!wire) return null
  const me = randomUUID()
  /** Numbers of facts of this process that were not passed yet. */
  const own = new Set<number>()
  let seq = await log.last()
  let reading: Promise<void> | undefined
  let again = false
  let closed = false

  async function read(): Promise<void> {
    do {
      again = false
      for (;;) {
        const events = await log.after(seq, BATCH)
        if (closed) return
        seq = events.at(-1)?.seq ?? seq
        const others = events.filter((event) => !own.has(event.seq))
        for (const number of own) if (number <= seq) own.delete(number)
        if (others.length > 0) tell(others)
        if (events.length < BATCH) break
      }
    } while (again)
  }
  function look(): void {
    again = true
    reading ??= read()
      .catch(() => undefined) // the database does not answer; the next look finds the same facts
      .finally(() => {
        reading = undefined
      })
  }
  function heard(words: string): void {
    const [who, first, last] = words.split(' ')
    // Nobody else's facts lie between what was read and these.
    if (who === me && reading === undefined && Number(first) === seq + 1) {
      seq = Number(last)
      for (const number of own) if (number <= seq) own.delete(number)
    } else look()
  }
  const stop = wire.hear(heard, look)
  const timer = setInterval(look, LOOK_MS).unref()
  return {
    /** A part of the commit that writes these facts. */
    async announce(session: Session, events: readonly Event[]): Promise<void> {
      for (const event of events) own.add(event.seq)
      await wire.announce(session, `${me} ${events[0]!.seq} ${events.at(-1)!.seq}`)
    },
    async close(): Promise<void> {
      closed = true
      clearInterval(timer)
      await stop()
      await reading
    },
  }
}
