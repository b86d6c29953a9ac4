/**
 * What a server offers against what a person approved: compared each time that it is met, placed where agents find it only while both are the
 * same, and taken by a person as it was shown.
 */
import type { ApproveTools } from '../contract/api-servers.ts'
import { Fault } from '../contract/fault.ts'
import type { Registry } from '../registry/registry.ts'
import { settleReview } from '../tasks/review.ts'
import type { Tool } from '../tool.ts'
import type { Book } from './hub-book.ts'
import type { Connection } from './hub-connect.ts'
import { compared } from './hub-definitions.ts'
import { REVIEWS } from './hub-reviews.ts'
import { type Held, type HubTool, putTools } from './hub-rows.ts'
import { lineOfTool } from './hub-tool.ts'

export type Approval = ReturnType<typeof openApproval>

export function openApproval(parts: {
  book: Book
  registry: Registry
  tools: Map<string, Tool>
  /** The tool as agents have it. */
  toolOf(server: string, tool: HubTool): Tool
}) {
  const { book, registry, tools } = parts

  /** Puts a tool where agents find it, or takes care that they do not: its entry says the same as its row. `by`: a person who approved it now. */
  async function place({ name: server }: Held, tool: HubTool, by: string | null): Promise<void> {
    if (tool.approved === null) return
    if (by !== null || !tools.has(tool.tool)) tools.set(tool.tool, parts.toolOf(server, tool))
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
  async function placeAll(held: Held | undefined): Promise<void> {
    for (const tool of held?.tools.values() ?? []) await place(held!, tool, null)
  }

  return {
    placeAll,
    /** Places what another process approved and wrote down: only the tools of this process are brought up to date. */
    placeKnown(held: Held): void {
      for (const tool of held.tools.values()) if (tool.approved !== null) tools.set(tool.tool, parts.toolOf(held.name, tool))
    },
    /** Lists the tools of a server that runs and compares them with what was approved. Answers whether they are other than they were. */
    async look(name: string, connection: Connection): Promise<boolean> {
      const { seen, offered } = await connection.list()
      const before = shasOf(book.get(name))
      await book.change(async (tx) => {
        const held = book.get(name)
        if (!held) return
        const { tools: now, forget, differs } = compared(name, [...held.tools.values()], seen)
        await putTools(tx, name, now, forget)
        await tx.db
          .updateTable('mcp_servers')
          .set({ about: JSON.stringify(connection.about), offered })
          .where('name', '=', name)
          .execute()
        if (differs.length > 0) book.record(tx, name, 'differs', 'system', `tools: ${differs.map((one) => one.tool).join(', ')}`)
      })
      await placeAll(book.get(name))
      return before !== shasOf(book.get(name))
    },
    /** Takes tools as they were shown; without names, all that wait. A Fault when one is another by now. */
    async approve(name: string, given: ApproveTools, by: string): Promise<void> {
      const held = book.must(name)
      const waiting = [...held.tools.values()].filter((one) => one.state === 'pending' || one.state === 'changed')
      const wanted = given.tools ?? Object.fromEntries(waiting.map((one) => [one.tool, one.sha]))
      for (const [tool, sha] of Object.entries(wanted)) {
        const own = held.tools.get(tool)
        if (!own)
          throw new Fault(
            'not_found',
            `The MCP server "${name}" has no tool ${tool.slice(0, 64)}; \`banyan mcp tools ${name}\` lists them.`,
          )
        if (own.state === 'unusable') throw new Fault('unprocessable', `${tool} cannot be used: ${own.problem}.`)
        if (own.state === 'gone') throw new Fault('conflict', `The MCP server "${name}" does not offer ${tool} any more.`)
        if (own.sha !== sha) throw changed(name, tool)
      }
      const names = Object.keys(wanted)
      await book.change(async (tx) => {
        for (const [tool, sha] of Object.entries(wanted)) {
          const row = await tx.db
            .selectFrom('mcp_tools')
            .select('definition')
            .where('tool', '=', tool)
            .where('sha', '=', sha)
            .executeTakeFirst()
          if (!row) throw changed(name, tool)
          await tx.db
            .updateTable('mcp_tools')
            .set({ approved: row.definition, approved_sha: sha, state: 'approved' })
            .where('tool', '=', tool)
            .execute()
        }
        if (names.length > 0) book.record(tx, name, 'approved', by, `tools: ${names.join(', ')}`)
        const open = await tx.db
          .selectFrom('reviews')
          .select('id')
          .where('id', 'like', `${REVIEWS}${name}/%`)
          .where('id', 'not like', `${REVIEWS}${name}/plain-%`)
          .where('state', '<>', 'decided')
          .execute()
        for (const { id } of open)
          await settleReview(tx, id, { decision: 'answer', comment: 'Tools of this server were approved elsewhere since.', by })
      })
      const after = book.must(name)
      for (const tool of names) await place(after, after.tools.get(tool)!, by)
    },
  }
}

const shasOf = (held: Held | undefined): string =>
  [...(held?.tools.values() ?? [])].map(({ tool, sha, state }) => `${tool} ${sha} ${state}`).join('\n')
const changed = (server: string, tool: string): Fault =>
  new Fault('conflict', `${tool} changed since it was shown; look at it again with \`banyan mcp tools ${server}\`.`)
