/**
 * The door to other people's MCP servers: a person adds one, looks at its tools and approves them; agents call them from then on. Nothing is
 * started at boot: definitions are rows, and a server starts at its first call. What a server offers is compared with what was approved each
 * time that it is met; whatever differs answers nothing until a person has looked at it. See docs/decisions/0011-other-servers.md.
 */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { sql } from 'kysely'
import type { AddServer, ApproveTools, ServerDetail, ServerItem, ServerRules } from '../contract/api-servers.ts'
import { Fault } from '../contract/fault.ts'
import { isOver } from '../contract/task.ts'
import type { Registry } from '../registry/registry.ts'
import type { Secrets } from '../secrets/secrets.ts'
import type { Store } from '../store/store.ts'
import { type Call, type Capabilities, mistake, type Outcome, type Tool } from '../tool.ts'
import { openApproval } from './hub-approval.ts'
import { openBook } from './hub-book.ts'
import { CallFailed, CONNECTION_LIMITS, type Connection, type ConnectionLimits } from './hub-connect.ts'
import { type OwnClient, openLogins } from './hub-login.ts'
import { openPool } from './hub-pool.ts'
import { outcomeOf } from './hub-result.ts'
import { openReviews, REVIEWS } from './hub-reviews.ts'
import { type Held, type HubTool, specOf } from './hub-rows.ts'
import { detailOf, itemOf } from './hub-show.ts'
import { openStarts } from './hub-start.ts'
import { refusalOf, serverTool } from './hub-tool.ts'
import { fetchOf, placeOf, type WayParts } from './hub-transport.ts'
import { filledWith, hasOpen, sealed, secretsIn, unsealed, type Vault } from './hub-values.ts'

export type HubLimits = ConnectionLimits & {
  /** Without a call, until a server is ended. */
  idleMs: number
  /** Between two looks at tools of a server that says that they changed. */
  lookMs: number
  /** Open at the same time. */
  open: number
  /** Servers that can be added. */
  servers: number
}
export const HUB_LIMITS: HubLimits = { ...CONNECTION_LIMITS, idleMs: 300_000, lookMs: 2_000, open: 32, servers: 100 }

export type HubParts = WayParts & {
  store: Store
  registry: Registry
  secrets: Vault & Pick<Secrets, 'forSystem' | 'save' | 'remove' | 'redact' | 'refresh'>
  /** Where agents find tools; those of servers are put in and taken out while it runs. */
  tools: Map<string, Tool>
  version: string
  now(): number
  log(words: string, cause: unknown): void
  /** Why programs run plain here, where they do, as a sentence. */
  why: string
  limits?: Partial<HubLimits>
}
export type Hub = Awaited<ReturnType<typeof openHub>>

const NEVER = new AbortController().signal

/** Reads what is set up and puts approved tools where agents find them. Starts no server. */
export async function openHub(parts: HubParts) {
  const { store, registry, tools, now } = parts
  const { redact } = parts.secrets
  const limits = { ...HUB_LIMITS, ...parts.limits }
  const book = await openBook({ store, isolation: parts.exec.isolation, redact })
  const { must, change, update, record } = book
  await sealOld()
  const logins = openLogins({
    secrets: parts.secrets,
    kept: (server) => book.get(server)?.login ?? null,
    keep: (server, login) => update(server, { login: login === null ? null : JSON.stringify(login) }),
    now,
  })
  const approval = openApproval({ book, registry, tools, toolOf })
  const starts = openStarts({ ...parts, book, approval, logins, limits, redact })
  const pool = openPool({ start: starts.start, idleMs: limits.idleMs, most: limits.open })
  const reviews = openReviews({ store, book, redact, approve: approval.approve, allowPlain, why: parts.why })

  for (const held of book.all()) await approval.placeAll(held)
  await reviews.takeDecided()
  const forgetCommits = store.onCommit((events) => {
    const inTime = (work: Promise<void>, what: string) => void work.catch((error: unknown) => parts.log(what, error))
    for (const event of events) {
      if (event.type === 'task.moved' && isOver(event.to)) inTime(endOf(event.taskId), 'ending the MCP servers of a task')
      if (event.type === 'secret.changed' && event.what === 'set') inTime(renewUsers(event.name), 'a secret of an MCP server')
      if (event.type === 'review.decided' && event.review.id.startsWith(REVIEWS))
        inTime(reviews.takeDecided(), 'a decision about an MCP server')
    }
  })

  const forgetOthers = store.onFacts((events, own) => {
    if (!own && events.some((event) => event.type === 'server.changed'))
      catchUp().catch((error: unknown) => parts.log('what another process changed of MCP servers', error))
  })
  /** Another process on the same database added, approved, switched off or removed servers or tools. */
  async function catchUp(): Promise<void> {
    const before = book.all()
    await parts.secrets.refresh()
    await book.reread()
    for (const { name, tools: had } of before) {
      const now = book.get(name)
      for (const tool of had.keys()) if (!now?.tools.has(tool)) tools.delete(tool)
      if (!now?.enabled) await pool.stop({ server: name })
      if (!now) starts.forget(name)
    }
    for (const held of book.all()) approval.placeKnown(held)
  }

  /** What a task had for itself goes with it. */
  async function endOf(taskId: string): Promise<void> {
    const had = pool.of(taskId)
    await pool.stop({ taskId })
    for (const server of had) await rm(placeOf(parts, server, taskId), { recursive: true, force: true })
  }
  /** Running servers have its old value; the next call starts them with the new one. */
  async function renewUsers(secret: string): Promise<void> {
    await parts.secrets.refresh()
    for (const { name, spec } of book.all())
      if ([...Object.values(spec.env), ...Object.values(spec.headers)].some((value) => namesIn(value).includes(secret))) pool.renew(name)
  }
  /** Rows of earlier versions held values as they were typed. */
  async function sealOld(): Promise<void> {
    for (const { name } of book.all().filter(({ spec }) => hasOpen(spec)))
      await change(async (tx) => {
        const row = await tx.db.selectFrom('mcp_servers').select('spec').where('name', '=', name).executeTakeFirst()
        if (!row) return
        const spec = specOf(name, row.spec)
        if (!hasOpen(spec)) return // another process was quicker
        const kept = JSON.stringify(await sealed(tx, parts.secrets, name, spec, 'system'))
        // What stood there is not to be read in the file either.
        if (tx.kind === 'sqlite') await sql`PRAGMA secure_delete = ON`.execute(tx.db)
        await tx.db.updateTable('mcp_servers').set({ spec: kept }).where('name', '=', name).execute()
        if (tx.kind === 'sqlite') await sql`PRAGMA secure_delete = OFF`.execute(tx.db)
      })
    await parts.secrets.refresh()
  }
  /** Doing it again changes nothing. */
  async function allowPlain(name: string, by: string): Promise<void> {
    const { spec } = must(name)
    if (spec.withoutSandbox === 'plain') return
    await update(name, { spec: JSON.stringify({ ...spec, withoutSandbox: 'plain' }) }, (tx) =>
      record(tx, name, 'rules', by, 'runs plain where there is no sandbox'),
    )
  }

  /** A tool of a server as agents have it. */
  function toolOf(server: string, tool: HubTool): Tool {
    return serverTool({
      tool,
      server,
      now() {
        const at = book.get(server)
        const own = at?.tools.get(tool.tool)
        return at && own ? { server: at, tool: own } : null
      },
      async asks(held, { task }) {
        const why = starts.asks(held)
        if (why === null) return null
        await reviews.plain(held, task)
        return `${why}. An item in the review queue asks for that; go on without this tool, or end with what you have.`
      },
      call,
    })
  }

  async function call(
    server: Held,
    tool: HubTool,
    args: Record<string, unknown>,
    call: Call,
    files: Capabilities['files'],
  ): Promise<Outcome> {
    const { name } = server
    for (let again = false; ; again = true) {
      let connection: Connection | undefined
      try {
        return await pool.use(name, server.spec.scope === 'task' ? call.task.id : null, call.signal, async (open) => {
          connection = open
          await reviews.differs(name, call.task)
          // Looked at anew: it may just have been found to be another.
          const at = book.get(name)
          const own = at?.tools.get(tool.tool)
          if (!at || !own) return mistake(`The MCP server "${name}" has no ${tool.tool} any more.`)
          const refusal = refusalOf({ server: at, tool: own })
          if (refusal !== null) return mistake(`Not called: ${refusal}`)
          const result = await open.call(own.name, args, call.signal)
          await starts.worked(name)
          return outcomeOf(result, { server: name, call, files, definition: own.approved ?? own.definition, redact })
        })
      } catch (error) {
        if (call.signal.aborted) throw new Fault('unavailable', 'The task was stopped under the call.')
        if (!(error instanceof CallFailed)) throw error
        if (connection && error.over) pool.retire(connection)
        if (error.kind === 'unsent' && error.over && !again) continue
        const why = redact(error.message)
        if (error.kind === 'refused') return fromServer(`The MCP server "${name}" did not do it: ${why}.`)
        await starts.failed(name, why)
        const doubt = error.kind === 'unknown' ? ' It is not known whether the call took effect.' : ' Nothing was done.'
        return fromServer(`The call of the MCP server "${name}" failed, because ${why}.${doubt}`)
      }
    }
  }

  /** Starts it and looks; what goes wrong is kept with it. */
  async function meet(name: string): Promise<void> {
    await update(name, { failures: 0, retry_at: null, problem: null })
    await pool
      .use(name, null, NEVER, async () => undefined)
      .catch((error: unknown) => {
        if (!(error instanceof Fault)) throw error
      })
  }
  const namesIn = (value: string): string[] => secretsIn(parts.secrets, value)
  const shown = <T>(value: T): T => JSON.parse(redact(JSON.stringify(value))) as T
  const stateOf = (held: Held) => ({
    load: pool.load(held.name),
    stderr: starts.stderr(held.name),
    secretsIn: namesIn,
    asks: starts.asks(held),
  })
  const detail = (name: string): ServerDetail => shown(detailOf(must(name), stateOf(must(name))))
  const targetOf = (held: Held) => {
    const { url } = held.spec
    if (url === undefined)
      throw new Fault('unprocessable', `The MCP server "${held.name}" is a program and takes no login; give it what it needs with --env.`)
    return { server: held.name, url, fetch: fetchOf(parts, { ...held.spec, url }, () => undefined) }
  }

  return {
    list: (): ServerItem[] => book.all().map((held) => shown(itemOf(held, stateOf(held)))),
    detail,
    /** Adds it, starts it once and lists its tools. One that cannot be started is added all the same, and says why. */
    async add({ name, ...spec }: AddServer, by: string): Promise<ServerDetail> {
      if (book.get(name)) throw new Fault('conflict', `There is an MCP server "${name}" already; remove it first, or choose another name.`)
      if (book.all().length >= limits.servers)
        throw new Fault('limited', `${limits.servers} MCP servers are all that can be added; remove one first.`)
      for (const values of [spec.env, spec.headers]) faultless(() => filledWith(parts.secrets, values))
      await change(async (tx) => {
        const kept = await sealed(tx, parts.secrets, name, spec, by)
        const row = {
          enabled: 1,
          policy: 'ask',
          tainted: 0,
          trusted: 0,
          about: null,
          offered: 0,
          failures: 0,
          retry_at: null,
          problem: null,
          login: null,
        }
        const made = await tx.db
          .insertInto('mcp_servers')
          .values({ name, spec: JSON.stringify(kept), ...row, created_by: by, created_at: tx.now, updated_at: tx.now })
          .onConflict((c) => c.column('name').doNothing())
          .returning('name')
          .executeTakeFirst()
        if (!made) throw new Fault('conflict', `There is an MCP server "${name}" already; remove it first, or choose another name.`)
        record(tx, name, 'added', by, spec.url ?? spec.command?.join(' ').slice(0, 300) ?? null)
      })
      await parts.secrets.refresh()
      await meet(name)
      return detail(name)
    },
    async remove(name: string, by: string): Promise<void> {
      const held = must(name)
      await change(async (tx) => {
        await tx.db.deleteFrom('mcp_tools').where('server', '=', name).execute()
        await tx.db.deleteFrom('mcp_servers').where('name', '=', name).execute()
        await unsealed(tx, parts.secrets, held.spec, by)
        record(tx, name, 'removed', by)
      })
      await parts.secrets.refresh()
      await pool.stop({ server: name })
      for (const { tool } of held.tools.values()) {
        tools.delete(tool)
        if (await registry.get('tool', tool)) await registry.remove('tool', tool, by)
      }
      starts.forget(name)
      await logins.forget(name)
      await rm(join(parts.folder, name), { recursive: true, force: true })
    },
    async enable(name: string, on: boolean, by: string): Promise<ServerDetail> {
      if (must(name).enabled !== on)
        await update(name, { enabled: on ? 1 : 0, failures: 0, retry_at: null, problem: null }, (tx) =>
          record(tx, name, on ? 'enabled' : 'disabled', by),
        )
      if (!on) await pool.stop({ server: name })
      return detail(name)
    },
    /** Where this machine has no sandbox: lets it run as any program of its user, and starts it. */
    async allowPlain(name: string, by: string): Promise<ServerDetail> {
      const { walls } = must(name)
      if (walls === null) throw new Fault('unprocessable', `The MCP server "${name}" is an address; nothing of it runs here.`)
      if (walls === 'sandbox')
        throw new Fault('conflict', `The MCP server "${name}" runs in the sandbox of this machine and needs nothing more.`)
      await allowPlain(name, by)
      await meet(name)
      return detail(name)
    },
    /** Ends it and meets it anew, whatever it waited for. */
    async restart(name: string): Promise<ServerDetail> {
      if (!must(name).enabled)
        throw new Fault('conflict', `The MCP server "${name}" is switched off; \`banyan mcp enable ${name}\` switches it on.`)
      await pool.stop({ server: name })
      await meet(name)
      return detail(name)
    },
    async approve(name: string, given: ApproveTools, by: string): Promise<ServerDetail> {
      await approval.approve(name, given, by)
      return detail(name)
    },
    async rules(name: string, given: ServerRules, by: string): Promise<ServerDetail> {
      const held = must(name)
      const { tool, policy, tainted, trusted } = given
      const words = JSON.stringify(given)
      if (tool !== undefined) {
        if (!held.tools.has(tool))
          throw new Fault('not_found', `The MCP server "${name}" has no tool ${tool}; \`banyan mcp tools ${name}\` lists them.`)
        await change(async (tx) => {
          await tx.db
            .updateTable('mcp_tools')
            .set({ policy: policy ?? null })
            .where('tool', '=', tool)
            .execute()
          record(tx, name, 'rules', by, words)
        })
      } else
        await update(
          name,
          {
            ...(policy ? { policy } : {}),
            ...(tainted === undefined ? {} : { tainted: tainted ? 1 : 0 }),
            ...(trusted === undefined ? {} : { trusted: trusted ? 1 : 0 }),
          },
          (tx) => record(tx, name, 'rules', by, words),
        )
      return detail(name)
    },
    /** The page that a person opens to log in; `redirectUrl` is where it sends them back. The secret of `own` may be `secret:NAME`. */
    login(name: string, redirectUrl: string, own?: OwnClient): Promise<string> {
      const target = targetOf(must(name))
      if (own?.secret === undefined) return logins.begin(target, redirectUrl, own)
      const { secret } = filledWith(parts.secrets, { secret: own.secret })
      return logins.begin(target, redirectUrl, { ...own, secret })
    },
    /** What the page sent back. Meets the server then. */
    async finishLogin(given: {
      state?: string | undefined
      code?: string | undefined
      iss?: string | undefined
      error?: string | undefined
    }): Promise<string> {
      const name = await logins.finish(given)
      await update(name, {}, (tx) => record(tx, name, 'logged in', must(name).createdBy))
      await pool.stop({ server: name })
      await meet(name)
      return name
    },
    async close(): Promise<void> {
      forgetCommits()
      forgetOthers()
      starts.close()
      await pool.close()
      await book.settled()
    },
  }
}

/** Words of the server stand in it. */
const fromServer = (text: string): Outcome => ({ kind: 'answer', text, isError: true, taint: ['web'] })

/** What is wrong is said as a whole sentence. */
function faultless(work: () => unknown): void {
  try {
    work()
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    throw new Fault(error.code, `The server is not right: ${error.message}.`)
  }
}
