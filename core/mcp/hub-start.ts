/** Starts a server, meets it and keeps an eye on it: what goes wrong is kept with it, and it waits longer after each failure. */
import type { Transport } from '@modelcontextprotocol/client'
import { Fault } from '../contract/fault.ts'
import type { Approval } from './hub-approval.ts'
import type { Book } from './hub-book.ts'
import { type Connection, type ConnectionLimits, connect } from './hub-connect.ts'
import type { Logins } from './hub-login.ts'
import type { Held } from './hub-rows.ts'
import { folderOf, httpTransport, programTransport, type WayParts } from './hub-transport.ts'

/** From the first failure in a row to the longest wait. */
const FIRST_WAIT_MS = 1_000
const LONGEST_WAIT_MS = 300_000
/** So often may the tools of a server that runs become others within a window. */
const MOST_CHANGES = 10
const CHANGES_MS = 600_000

export type Starts = ReturnType<typeof openStarts>

export function openStarts(
  parts: WayParts & {
    book: Book
    approval: Approval
    logins: Logins
    version: string
    limits: ConnectionLimits & { lookMs: number }
    now(): number
    redact(text: string): string
    log(words: string, cause: unknown): void
    /** Why there is no sandbox here. */
    why: string
  },
) {
  const { book, approval, logins, limits, now } = parts
  /** What the running programs of a server wrote to stderr last. */
  const stderrs = new Map<string, () => string>()
  const looking = new Map<string, NodeJS.Timeout>()
  /** When the tools of a running server became others. */
  const changes = new Map<string, number[]>()

  /** Why it does not start before a person allowed that; null: it may. */
  const asks = ({ name, walls }: Held): string | null =>
    walls === 'asks'
      ? `there is no sandbox here for the MCP server "${name}" (${parts.why.replace(/\.$/, '')}), so it would see and do all that its user may; a person lets it with \`banyan mcp plain ${name}\``
      : null

  /** How it is reached; made with what cuts it off. */
  async function wayTo({ name, spec, walls }: Held, taskId: string | null): Promise<(cut: (why: string) => void) => Transport> {
    const { url, command } = spec
    if (url !== undefined) return (cut) => httpTransport(parts, name, { ...spec, url }, logins, cut)
    const folder = await folderOf(parts, name, taskId)
    return (cut) => {
      const program = programTransport(parts, { ...spec, command: command! }, walls === 'plain' ? 'plain' : 'sandbox', folder, cut)
      stderrs.set(name, program.stderr)
      return program
    }
  }

  function lookSoon(name: string, connection: () => Connection | undefined): void {
    if (looking.has(name)) return
    const timer = setTimeout(() => {
      looking.delete(name)
      const open = connection()
      if (open)
        approval
          .look(name, open)
          .then((other) => {
            if (other) return becameOther(name, open)
          })
          .catch((error: unknown) => (error instanceof Fault ? undefined : parts.log(`looking at tools of the MCP server ${name}`, error)))
    }, limits.lookMs).unref()
    looking.set(name, timer)
  }

  /** Each time is a fact and rows: one that never rests would fill the database. */
  async function becameOther(name: string, open: Connection): Promise<void> {
    const times = [...(changes.get(name) ?? []), now()].filter((at) => at > now() - CHANGES_MS)
    changes.set(name, times)
    if (times.length <= MOST_CHANGES) return
    changes.delete(name)
    await open.close()
    await failed(name, `its list of tools became another more than ${MOST_CHANGES} times within ${CHANGES_MS / 60_000} minutes`)
  }

  async function failed(name: string, why: string): Promise<void> {
    const failures = (book.get(name)?.failures ?? 0) + 1
    const wait = Math.min(FIRST_WAIT_MS * 2 ** (failures - 1), LONGEST_WAIT_MS)
    const problem = parts.redact(why)
    await book.update(name, { failures, retry_at: now() + wait, problem }, (tx) => book.record(tx, name, 'failed', 'system', problem))
  }

  return {
    asks,
    failed,
    async worked(name: string): Promise<void> {
      const held = book.get(name)
      if (held && (held.failures > 0 || held.problem !== null)) await book.update(name, { failures: 0, retry_at: null, problem: null })
    },
    stderr: (name: string): string => stderrs.get(name)?.() ?? '',
    forget(name: string): void {
      stderrs.delete(name)
      changes.delete(name)
    },

    /** Rejects with a Fault that says why there is no connection. `closed` is called when it is over. */
    async start(name: string, taskId: string | null, stop: AbortSignal, closed: () => void): Promise<Connection> {
      const held = book.must(name)
      const why = asks(held)
      if (why !== null) throw new Fault('forbidden', `Not started: ${why}.`)
      if (!held.enabled)
        throw new Fault('conflict', `The MCP server "${name}" is switched off; \`banyan mcp enable ${name}\` switches it on.`)
      if (held.retryAt !== null && held.retryAt > now())
        throw new Fault(
          'unavailable',
          `The MCP server "${name}" failed ${held.failures === 1 ? 'once' : `${held.failures} times in a row`}, last because ${held.problem ?? 'it ended'}; it is tried again after ${new Date(held.retryAt).toISOString()}.`,
        )
      let connection: Connection | undefined
      try {
        connection = await connect({
          transport: await wayTo(held, taskId),
          era: held.spec.url === undefined ? 'legacy' : 'auto',
          version: parts.version,
          limits,
          changed: () => lookSoon(name, () => connection),
          closed,
          signal: stop,
        })
        await approval.look(name, connection)
        return connection
      } catch (error) {
        await connection?.close()
        closed()
        if (stop.aborted) throw new Fault('unavailable', `The MCP server "${name}" was stopped before it had started.`, { cause: error })
        if (!(error instanceof Fault)) throw error
        const words = error.message.replace(/\.$/, '')
        await failed(name, words)
        throw new Fault('unavailable', `The MCP server "${name}" could not be started, because ${parts.redact(words)}.`, { cause: error })
      }
    },
    close(): void {
      for (const timer of looking.values()) clearTimeout(timer)
    },
  }
}
