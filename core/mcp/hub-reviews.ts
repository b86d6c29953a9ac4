/**
 * What the hub asks people in the review queue, beside the task that met it: tools that became others, and a program that would run without a
 * sandbox. What they decide is taken from the rows, also when nobody listened at that moment; taking it again changes nothing.
 */
import { createHash } from 'node:crypto'
import type { ApproveTools } from '../contract/api-servers.ts'
import type { Task } from '../contract/task.ts'
import type { Store } from '../store/store.ts'
import { type NewReview, openReview } from '../tasks/review.ts'
import type { Book } from './hub-book.ts'
import type { Held } from './hub-rows.ts'
import { toolOf } from './hub-show.ts'

type Asking = Pick<Task, 'id' | 'treeId'>

/** All ids of items of the hub begin so. */
export const REVIEWS = 'mcp/'

export function openReviews(parts: {
  store: Store
  book: Book
  redact(text: string): string
  approve(server: string, given: ApproveTools, by: string): Promise<void>
  allowPlain(server: string, by: string): Promise<void>
  /** Why there is no sandbox here. */
  why: string
}) {
  const { store, book } = parts
  const reported = new Set<string>()
  /** Of this server, and not of one that had its name before. */
  const plainId = ({ name, createdAt }: Held): string => `${REVIEWS}${name}/plain-${createdAt}`

  async function report(item: Pick<NewReview, 'id' | 'title' | 'action'>, { treeId, id: taskId }: Asking): Promise<void> {
    if (reported.has(item.id)) return
    const action: unknown = JSON.parse(parts.redact(JSON.stringify(item.action)))
    await store.transact(async (tx) => {
      await openReview(tx, { ...item, action, kind: 'flag', treeId, taskId, callId: null, risk: 'high' })
    })
    reported.add(item.id)
  }

  return {
    /** One item about all that is other than was approved. */
    async differs(name: string, task: Asking): Promise<void> {
      const all = [...book.must(name).tools.values()]
      if (!all.some((one) => one.approvedSha !== null)) return
      const differing = all.filter(
        (one) => ['pending', 'changed', 'gone'].includes(one.state) || (one.state === 'unusable' && one.approvedSha !== null),
      )
      if (differing.length === 0) return
      const hash = createHash('sha256')
        .update(differing.map((one) => `${one.tool} ${one.state} ${one.sha}`).join('\n'))
        .digest('hex')
        .slice(0, 16)
      const waiting = differing.filter((one) => one.state === 'pending' || one.state === 'changed')
      const action = {
        server: name,
        decision: 'approve takes the tools as they are shown here; reject leaves them switched off',
        tools: Object.fromEntries(waiting.map((one) => [one.tool, one.sha])),
        changes: differing
          .slice(0, 40)
          .map(toolOf)
          .map(({ id: tool, state, problem, diff, description }) => ({
            tool,
            state,
            ...(problem ? { problem } : {}),
            ...(diff ? { diff } : { description: description.slice(0, 600) }),
          })),
      }
      const title = `The MCP server ${name} offers other tools than were approved: ${differing.length === 1 ? differing[0]!.tool : `${differing.length} differ`}`
      await report({ id: `${REVIEWS}${name}/${hash}`, title, action }, task)
    },
    /** Whether a program may run as one of this machine. */
    plain: (held: Held, task: Asking): Promise<void> =>
      report(
        {
          id: plainId(held),
          title: `The MCP server ${held.name} can only run without a sandbox here`,
          action: {
            server: held.name,
            command: held.spec.command?.join(' ').slice(0, 2_000),
            isolation: 'plain',
            cwd: 'a folder of its own',
            network: 'all that this machine reaches',
            note: parts.why,
            decision: 'approve lets it run with all that its user on this machine may see and do; reject leaves it ended',
          },
        },
        task,
      ),
    async takeDecided(): Promise<void> {
      const rows = await store.db
        .selectFrom('reviews')
        .select(['id', 'action', 'decided_by'])
        .where('id', 'like', `${REVIEWS}%`)
        .where('decision', '=', 'approve')
        .execute()
      for (const row of rows) {
        const { server, tools = {} } = JSON.parse(row.action) as { server: string; tools?: Record<string, string> }
        const held = book.get(server)
        if (!held) continue
        const by = row.decided_by ?? 'system'
        if (row.id === plainId(held)) await parts.allowPlain(server, by)
        const still = Object.entries(tools).filter(([tool, sha]) => {
          const own = held.tools.get(tool)
          return own?.sha === sha && (own.state === 'changed' || own.state === 'pending')
        })
        if (still.length > 0) await parts.approve(server, { tools: Object.fromEntries(still) }, by)
      }
    },
  }
}
