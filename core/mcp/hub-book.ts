/** What is known of other people's servers: their rows, read anew after each change, so that what is in memory never differs from them. */
import type { ServerChange } from '../contract/event.ts'
import { Fault } from '../contract/fault.ts'
import type { Isolation } from '../exec/exec.ts'
import type { Store, Tx } from '../store/store.ts'
import { type Held, readServers } from './hub-rows.ts'

type Row = Partial<
  { [K in 'spec' | 'about' | 'login' | 'policy' | 'problem']: string | null } & {
    [K in 'enabled' | 'tainted' | 'trusted' | 'offered' | 'failures']: number
  } & { retry_at: number | null }
>
export type Book = Awaited<ReturnType<typeof openBook>>

/** `isolation`: what programs run at here when nobody says otherwise. */
export async function openBook({ store, isolation, redact }: { store: Store; isolation: Isolation; redact(text: string): string }) {
  let servers = await readServers(store, isolation)
  let reading: Promise<unknown> = Promise.resolve()

  /** One after the other, so that an older reading never stands for a newer one. */
  async function reread(): Promise<void> {
    const next = reading.then(async () => {
      servers = await readServers(store, isolation)
    })
    reading = next.catch(() => undefined) // whoever asked gets it; the next reads anew
    await next
  }
  async function change(work: (tx: Tx) => Promise<void>): Promise<void> {
    await store.transact(work, { durable: true })
    await reread()
  }
  return {
    get: (name: string): Held | undefined => servers.get(name),
    /** A Fault when there is none. */
    must(name: string): Held {
      const held = servers.get(name)
      if (held) return held
      throw new Fault('not_found', `There is no MCP server "${name.slice(0, 40)}"; \`banyan mcp servers\` lists them.`)
    },
    all: (): Held[] => [...servers.values()],
    change,
    reread,
    /** Changes the row of a server that is still there, with a fact of it. */
    update: (name: string, row: Row, fact?: (tx: Tx) => void): Promise<void> =>
      change(async (tx) => {
        const there = await tx.db
          .updateTable('mcp_servers')
          .set({ ...(row as object), updated_at: tx.now })
          .where('name', '=', name)
          .returning('name')
          .executeTakeFirst()
        if (there) fact?.(tx)
      }),
    record: (tx: Tx, server: string, what: ServerChange, by: string, detail: string | null = null): void =>
      tx.record(null, { type: 'server.changed', server, what, detail: detail === null ? null : redact(detail), by }),
    /** Resolves when nothing is being read. */
    settled: (): Promise<unknown> => reading,
  }
}
