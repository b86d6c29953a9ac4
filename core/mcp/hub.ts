/**
 * The door to other people's MCP servers: a person adds one, looks at its tools and approves them; agents call them from then on. Nothing is
 * started at boot: definitions are rows, and a server starts at its first call. What a server offers is compared with what was approved each
 * time that it is met; whatever differs answers nothing until a person has looked at it. See docs/decisions/0011-other-servers.md.
 */
import { createHash } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { sql } from 'kysely'
import type { AddServer, ApproveTools, ServerDetail, ServerItem, ServerRules } from '../contract/api-servers.ts'
import type { ServerChange } from '../contract/event.ts'
import { Fault } from '../contract/fault.ts'
import { isOver, type Task } from '../contract/task.ts'
import type { Registry } from '../registry/registry.ts'
import type { Secrets } from '../secrets/secrets.ts'
import type { Store, Tx } from '../store/store.ts'
import { openReview, settleReview } from '../tasks/review.ts'
import { type Call, type Capabilities, mistake, type Outcome, type Tool } from '../tool.ts'
import { CallFailed, CONNECTION_LIMITS, type Connection, type ConnectionLimits, connect } from './hub-connect.ts'
import { compared } from './hub-definitions.ts'
import { type OwnClient, openLogins } from './hub-login.ts'
import { openPool } from './hub-pool.ts'
import { outcomeOf } from './hub-result.ts'
import { type Held, type HubTool, putTools, readServers, specOf } from './hub-rows.ts'
import { detailOf, itemOf } from './hub-show.ts'
import { lineOfTool, refusalOf, serverTool } from './hub-tool.ts'
import { fetchOf, folderOf, httpTransport, placeOf, programTransport, type WayParts } from './hub-transport.ts'
import { filledWith, hasOpen, sealed, secretsIn, unsealed, type Vault } from './hub-values.ts'

export type HubLimits = ConnectionLimits & {
  /** Without a call, until a server is ended. */
  idleMs: number
  /** Open at the same time. */
  open: number
  /** Servers that can be added. */
  servers: number
}
export const HUB_LIMITS: HubLimits = { ...CONNECTION_LIMITS, idleMs: 300_000, open: 32, servers: 100 }

export type HubParts = WayParts & {
  store: Store
  registry: Registry
  secrets: Vault & Pick<Secrets, 'forSystem' | 'save' | 'remove' | 'redact' | 'refresh'>
  /** Where agents find tools; those of servers are put in and taken out while it runs. */
  tools: Map<string, Tool>
  version: string
  now(): number
  log(words: string, cause: unknown): void
  limits?: Partial<HubLimits>
}
export type Hub = Awaited<ReturnType<typeof openHub>>

/** From the first failure in a row to the longest wait. */
const FIRST_WAIT_MS = 1_000
const LONGEST_WAIT_MS = 300_000
/** Between two looks at tools of a server that says that they changed. */
const LOOK_MS = 2_000
const NEVER = new AbortController().signal

/** Reads what is set up and puts approved tools where agents find them. Starts no server. */
export async function openHub(parts: HubParts) {
  const { store, registry, tools, now } = parts
  const limits = { ...HUB_LIMITS, ...parts.limits }
  let servers = await readServers(store)
  await sealOld()
  let reading: Promise<unknown> = Promise.resolve()
  /** What the running programs of a server wrote to stderr last. */
  const stderrs = new Map<string, () => string>()
  const looking = new Map<string, NodeJS.Timeout>()
  const reported = new Set<string>()
  const logins = openLogins({
    secrets: parts.secrets,
    kept: (server) => servers.get(server)?.login ?? null,
    keep: (server, login) => update(server, { login: login === null ? null : JSON.stringify(login) }),
    now,
  })
  const pool = openPool({ start, idleMs: limits.idleMs, most: limits.open })

  for (const held of servers.values()) for (const tool of held.tools.values()) await place(held, tool, null)
  await takeDecided()
  const forgetCommits = store.onCommit((events) => {
    for (const event of events) {
      if (event.type === 'task.moved' && isOver(event.to)) void endOf(event.taskId)
      if (event.type === 'secret.changed' && event.what === 'set')
        void renewUsers(event.name).catch((error: unknown) => parts.log('a secret of an MCP server', error))
      if (event.type === 'review.decided' && event.review.id.startsWith('mcp/'))
        void takeDecided().catch((error: unknown) => parts.log('a decision about tools of an MCP server', error))
    }
  })

  /** Rows of earlier versions held values as they were typed. */
  async function sealOld(): Promise<void> {
    for (const { name } of [...servers.values()].filter(({ spec }) => hasOpen(spec)))
      await store.transact(
        async (tx) => {
          const row = await tx.db.selectFrom('mcp_servers').select('spec').where('name', '=', name).executeTakeFirst()
          if (!row) return
          const spec = specOf(name, row.spec)
          if (!hasOpen(spec)) return // another process was quicker
          const kept = JSON.stringify(await sealed(tx, parts.secrets, name, spec, 'system'))
          // What stood there is not to be read in the file either.
          if (tx.kind === 'sqlite') await sql`PRAGMA secure_delete = ON`.execute(tx.db)
          await tx.db.updateTable('mcp_servers').set({ spec: kept }).where('name', '=', name).execute()
          if (tx.kind === 'sqlite') await sql`PRAGMA secure_delete = OFF`.execute(tx.db)
        },
        { durable: true },
      )
    await parts.secrets.refresh()
    servers = await readServers(store)
  }

  /** Running servers have its old value; the next call starts them with the new one. */
  async function renewUsers(secret: string): Promise<void> {
    await parts.secrets.refresh()
    for (const { name, spec } of servers.values())
      if ([...Object.values(spec.env), ...Object.values(spec.headers)].some((value) => namesIn(value).includes(secret))) pool.renew(name)
  }

  /** What a task had for itself goes with it. */
  async function endOf(taskId: string): Promise<void> {
    const had = pool.of(taskId)
    await pool.stop({ taskId })
    for (const server of had) await rm(placeOf(parts, server, taskId), { recursive: true, force: true })
  }

  const must = (name: string): Held => {
    const held = servers.get(name)
    if (held) return held
    throw new Fault('not_found', `There is no MCP server "${name.slice(0, 40)}"; \`banyan mcp servers\` lists them.`)
  }
  /** One after the other, so that an older reading never stands for a newer one. */
  async function reread(): Promise<void> {
    const next = reading.then(async () => {
      servers = await readServers(store)
    })
    reading = next.catch(() => undefined) // whoever asked gets it; the next reads anew
    await next
  }
  async function change(work: (tx: Tx) => Promise<void>): Promise<void> {
    await store.transact(work, { durable: true })
    await reread()
  }
  const record = (tx: Tx, server: string, what: ServerChange, by: string, detail: string | null = null): void =>
    tx.record(null, { type: 'server.changed', server, what, detail: detail === null ? null : parts.secrets.redact(detail), by })
  type Row = Partial<
    { [K in 'about' | 'login' | 'policy' | 'problem']: string | null } & {
      [K in 'enabled' | 'tainted' | 'trusted' | 'offered' | 'failures']: number
    } & { retry_at: number | null }
  >
  const update = (name: string, row: Row, fact?: (tx: Tx) => void): Promise<void> =>
    change(async (tx) => {
      const gone = await tx.db
        .updateTable('mcp_servers')
        .set({ ...(row as object), updated_at: tx.now })
        .where('name', '=', name)
        .returning('name')
        .executeTakeFirst()
      if (gone) fact?.(tx)
    })

  async function start(name: string, taskId: string | null, stop: AbortSignal, closed: () => void): Promise<Connection> {
    const held = must(name)
    if (!held.enabled)
      throw new Fault('conflict', `The MCP server "${name}" is switched off; \`banyan mcp enable ${name}\` switches it on.`)
    if (held.retryAt !== null && held.retryAt > now())
      throw new Fault(
        'unavailable',
        `The MCP server "${name}" failed ${held.failures === 1 ? 'once' : `${held.failures} times in a row`}, last because ${held.problem ?? 'it ended'}; it is tried again after ${new Date(held.retryAt).toISOString()}.`,
      )
    try {
      const folder = held.spec.command === undefined ? null : await folderOf(parts, name, taskId)
      let connection: Connection | undefined
      connection = await connect({
        transport(cut) {
          const { url, command } = held.spec
          if (url !== undefined) return httpTransport(parts, name, { ...held.spec, url }, logins, cut)
          const program = programTransport(parts, { ...held.spec, command: command! }, folder!, cut)
          stderrs.set(name, program.stderr)
          return program
        },
        era: held.spec.url === undefined ? 'legacy' : 'auto',
        version: parts.version,
        limits,
        changed: () => lookSoon(name, () => connection),
        closed,
        signal: stop,
      })
      try {
        await look(name, connection)
      } catch (error) {
        await connection.close()
        throw error
      }
      return connection
    } catch (error) {
      closed()
      if (stop.aborted) throw new Fault('unavailable', `The MCP server "${name}" was stopped before it had started.`, { cause: error })
      if (!(error instanceof Fault)) throw error
      const why = error.message.replace(/\.$/, '')
      await failed(name, why)
      throw new Fault('unavailable', `The MCP server "${name}" could not be started, because ${parts.secrets.redact(why)}.`, {
        cause: error,
      })
    }
  }

  /** Lists its tools and compares them with what was approved. */
  async function look(name: string, connection: Connection): Promise<void> {
    const { seen, offered } = await connection.list()
    let differs: string[] = []
    await change(async (tx) => {
      const held = servers.get(name)
      if (!held) return
      const result = compared(name, [...held.tools.values()], seen)
      differs = result.differs.map((one) => one.tool)
      await putTools(tx, name, result.tools, result.forget)
      await tx.db
        .updateTable('mcp_servers')
        .set({ about: JSON.stringify(connection.about), offered })
        .where('name', '=', name)
        .execute()
      if (differs.length > 0) record(tx, name, 'differs', 'system', `tools: ${differs.join(', ')}`)
    })
    const held = servers.get(name)
    for (const tool of held?.tools.values() ?? []) await place(held!, tool, null)
  }
  function lookSoon(name: string, connection: () => Connection | undefined): void {
    if (looking.has(name)) return
    const timer = setTimeout(() => {
      looking.delete(name)
      const open = connection()
      if (open)
        look(name, open).catch((error: unknown) =>
          error instanceof Fault ? undefined : parts.log(`looking at tools of the MCP server ${name}`, error),
        )
    }, LOOK_MS).unref()
    looking.set(name, timer)
  }

  async function failed(name: string, why: string): Promise<void> {
    const failures = (servers.get(name)?.failures ?? 0) + 1
    const wait = Math.min(FIRST_WAIT_MS * 2 ** (failures - 1), LONGEST_WAIT_MS)
    const problem = parts.secrets.redact(why)
    await update(name, { failures, retry_at: now() + wait, problem }, (tx) => record(tx, name, 'failed', 'system', problem))
  }
  async function worked(name: string): Promise<void> {
    const held = servers.get(name)
    if (held && (held.failures > 0 || held.problem !== null)) await update(name, { failures: 0, retry_at: null, problem: null })
  }

  /** Puts a tool where agents find it, or takes care that they do not: its entry says the same as its row. `by`: a person who approved it now. */
  async function place(held: Held, tool: HubTool, by: string | null): Promise<void> {
    if (tool.approved === null) return
    const server = held.name
    if (by !== null || !tools.has(tool.tool))
      tools.set(
        tool.tool,
        serverTool({
          tool,
          server,
          now: () => {
            const at = servers.get(server)
            const own = at?.tools.get(tool.tool)
            return at && own ? { server: at, tool: own } : null
          },
          call,
        }),
      )
    const entry = await registry.get('tool', tool.tool)
    const usable = tool.state === 'approved'
    const body = {
      name: tool.tool,
      description: lineOfTool(server, { name: tool.name, definition: tool.approved }),
      core: false,
      origin: 'server' as const,
    }
    if (by !== null || (usable && !entry)) await registry.save('tool', { ...body, enabled: usable }, by ?? 'system')
    else if (entry?.enabled && !usable) await registry.save('tool', { ...body, enabled: false }, 'system')
    // What came back as it was approved is there again.
    else if (entry && !entry.enabled && usable && entry.author === 'system')
      await registry.save('tool', { ...body, enabled: true }, 'system')
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
          await report(name, call.task)
          // Looked at anew: it may just have been found to be another.
          const at = servers.get(name)
          const own = at?.tools.get(tool.tool)
          if (!at || !own) return mistake(`The MCP server "${name}" has no ${tool.tool} any more.`)
          const refusal = refusalOf({ server: at, tool: own })
          if (refusal !== null) return mistake(`Not called: ${refusal}`)
          const result = await open.call(own.name, args, call.signal)
          await worked(name)
          return outcomeOf(result, { server: name, call, files, definition: own.approved ?? own.definition, redact: parts.secrets.redact })
        })
      } catch (error) {
        if (call.signal.aborted) throw new Fault('unavailable', 'The task was stopped under the call.')
        if (!(error instanceof CallFailed)) throw error
        if (connection && error.over) pool.retire(connection)
        if (error.kind === 'unsent' && error.over && !again) continue
        const why = parts.secrets.redact(error.message)
        if (error.kind === 'refused') return fromServer(`The MCP server "${name}" did not do it: ${why}.`)
        await failed(name, why)
        const doubt = error.kind === 'unknown' ? ' It is not known whether the call took effect.' : ' Nothing was done.'
        return fromServer(`The call of the MCP server "${name}" failed, because ${why}.${doubt}`)
      }
    }
  }

  /** One item for people about all that is other than they approved, beside the task that met it. */
  async function report(name: string, task: Pick<Task, 'id' | 'treeId'>): Promise<void> {
    const held = must(name)
    const all = [...held.tools.values()]
    if (!all.some((one) => one.approvedSha !== null)) return
    const differing = all.filter(
      (one) => ['pending', 'changed', 'gone'].includes(one.state) || (one.state === 'unusable' && one.approvedSha !== null),
    )
    if (differing.length === 0) return
    const hash = createHash('sha256')
      .update(differing.map((one) => `${one.tool} ${one.state} ${one.sha}`).join('\n'))
      .digest('hex')
      .slice(0, 16)
    const id = `mcp/${name}/${hash}`
    if (reported.has(id)) return
    const changes = detailOf(held, pool.load(name), '', namesIn).toolList.filter((one) => differing.some(({ tool }) => tool === one.id))
    const action = {
      server: name,
      decision: 'approve takes the tools as they are shown here; reject leaves them switched off',
      tools: Object.fromEntries(
        differing.filter((one) => one.state === 'pending' || one.state === 'changed').map((one) => [one.tool, one.sha]),
      ),
      changes: changes.slice(0, 40).map(({ id: tool, state, problem, diff, description }) => ({
        tool,
        state,
        ...(problem ? { problem } : {}),
        ...(diff ? { diff } : { description: description.slice(0, 600) }),
      })),
    }
    const title = `The MCP server ${name} offers other tools than were approved: ${differing.length === 1 ? differing[0]!.tool : `${differing.length} differ`}`
    await store.transact(async (tx) => {
      await openReview(tx, {
        id,
        kind: 'flag',
        treeId: task.treeId,
        taskId: task.id,
        callId: null,
        title,
        action: JSON.parse(parts.secrets.redact(JSON.stringify(action))),
        risk: 'high',
      })
    })
    reported.add(id)
  }
  /** What people decided about tools that differ, also while nobody listened. Doing it again changes nothing. */
  async function takeDecided(): Promise<void> {
    const rows = await store.db
      .selectFrom('reviews')
      .select(['id', 'action', 'decided_by'])
      .where('id', 'like', 'mcp/%')
      .where('decision', '=', 'approve')
      .execute()
    for (const row of rows) {
      const { server, tools: shas } = JSON.parse(row.action) as { server: string; tools: Record<string, string> }
      const held = servers.get(server)
      if (!held) continue
      const still = Object.entries(shas).filter(([tool, sha]) => {
        const own = held.tools.get(tool)
        return own?.sha === sha && (own.state === 'changed' || own.state === 'pending')
      })
      if (still.length > 0) await approve(server, { tools: Object.fromEntries(still) }, row.decided_by ?? 'system')
    }
  }

  async function approve(name: string, given: ApproveTools, by: string): Promise<void> {
    const held = must(name)
    const waiting = [...held.tools.values()].filter((one) => one.state === 'pending' || one.state === 'changed')
    const wanted = given.tools ?? Object.fromEntries(waiting.map((one) => [one.tool, one.sha]))
    for (const [tool, sha] of Object.entries(wanted)) {
      const own = held.tools.get(tool)
      if (!own)
        throw new Fault('not_found', `The MCP server "${name}" has no tool ${tool.slice(0, 64)}; \`banyan mcp tools ${name}\` lists them.`)
      if (own.state === 'unusable') throw new Fault('unprocessable', `${tool} cannot be used: ${own.problem}.`)
      if (own.state === 'gone') throw new Fault('conflict', `The MCP server "${name}" does not offer ${tool} any more.`)
      if (own.sha !== sha)
        throw new Fault('conflict', `${tool} changed since it was shown; look at it again with \`banyan mcp tools ${name}\`.`)
    }
    const names = Object.keys(wanted)
    await change(async (tx) => {
      for (const [tool, sha] of Object.entries(wanted)) {
        const row = await tx.db
          .selectFrom('mcp_tools')
          .select('definition')
          .where('tool', '=', tool)
          .where('sha', '=', sha)
          .executeTakeFirst()
        if (!row) throw new Fault('conflict', `${tool} changed since it was shown; look at it again with \`banyan mcp tools ${name}\`.`)
        await tx.db
          .updateTable('mcp_tools')
          .set({ approved: row.definition, approved_sha: sha, state: 'approved' })
          .where('tool', '=', tool)
          .execute()
      }
      if (names.length > 0) record(tx, name, 'approved', by, `tools: ${names.join(', ')}`)
      const open = await tx.db
        .selectFrom('reviews')
        .select('id')
        .where('id', 'like', `mcp/${name}/%`)
        .where('state', '<>', 'decided')
        .execute()
      for (const { id } of open)
        await settleReview(tx, id, { decision: 'answer', comment: 'Tools of this server were approved elsewhere since.', by })
    })
    const after = must(name)
    for (const tool of names) await place(after, after.tools.get(tool)!, by)
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
  const detail = (name: string): ServerDetail => shown(detailOf(must(name), pool.load(name), stderrs.get(name)?.() ?? '', namesIn))
  const shown = <T>(value: T): T => JSON.parse(parts.secrets.redact(JSON.stringify(value))) as T
  const targetOf = (held: Held) => {
    const { url } = held.spec
    if (url === undefined)
      throw new Fault('unprocessable', `The MCP server "${held.name}" is a program and takes no login; give it what it needs with --env.`)
    return { server: held.name, url, fetch: fetchOf(parts, { ...held.spec, url }, () => undefined) }
  }

  return {
    list: (): ServerItem[] =>
      [...servers.values()].map((held) => shown(itemOf(held, pool.load(held.name), stderrs.get(held.name)?.() ?? '', namesIn))),
    detail,
    /** Adds it, starts it once and lists its tools. One that cannot be started is added all the same, and says why. */
    async add({ name, ...spec }: AddServer, by: string): Promise<ServerDetail> {
      if (servers.has(name))
        throw new Fault('conflict', `There is an MCP server "${name}" already; remove it first, or choose another name.`)
      if (servers.size >= limits.servers)
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
      stderrs.delete(name)
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
    /** Ends it and meets it anew, whatever it waited for. */
    async restart(name: string): Promise<ServerDetail> {
      if (!must(name).enabled)
        throw new Fault('conflict', `The MCP server "${name}" is switched off; \`banyan mcp enable ${name}\` switches it on.`)
      await pool.stop({ server: name })
      await meet(name)
      return detail(name)
    },
    async approve(name: string, given: ApproveTools, by: string): Promise<ServerDetail> {
      await approve(name, given, by)
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
      for (const timer of looking.values()) clearTimeout(timer)
      await pool.close()
      await reading
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
