/** The part of the route table that is about programs of others: those that call over MCP, and outside agents, which claim tasks. */
import * as z from 'zod'
import { count, listOf, one, text, time } from './route.ts'
import { TASK_STATUSES } from './task.ts'

const OutsideAgent = z
  .object({
    /** The name of its token. */
    name: text,
    capabilities: z.array(text),
    description: text,
    repository: text.nullable(),
    webhook: text.nullable(),
    /** Tasks that it may work on at the same time. */
    maxTasks: count,
    createdAt: time,
    lastSeenAt: time,
    /** What it has claimed and what is not over. Its lease can run out only while it is its turn: waiting, `external`. */
    tasks: z.array(
      z.object({
        taskId: text,
        treeId: text,
        title: text,
        status: z.enum(TASK_STATUSES),
        reason: text.nullable(),
        claimedAt: time,
        leaseUntil: time,
      }),
    ),
  })
  .meta({ id: 'OutsideAgent' })
export type OutsideAgentItem = z.output<typeof OutsideAgent>

const McpClient = z
  .object({
    id: text,
    /** What it says of itself, unproven. */
    name: text,
    version: text,
    /** The revision of MCP that it asked for. */
    protocol: text,
    /** null: it used the admin token or a browser's session. */
    token: z.object({ id: text, name: text, revoked: z.boolean() }).nullable(),
    firstSeenAt: time,
    lastSeenAt: time,
  })
  .meta({ id: 'McpClient' })
export type McpClientItem = z.output<typeof McpClient>

export const OUTSIDE_ROUTES = {
  mcpClients: one({
    method: 'GET',
    path: '/api/mcp-clients',
    scope: 'read',
    summary: 'Programs that called over MCP for you; an administrator sees those of everybody',
    status: 200,
    response: listOf(McpClient),
  }),
  outsideAgents: one({
    method: 'GET',
    path: '/api/outside-agents',
    scope: 'read',
    summary: 'Programs of others that claim tasks: what they can do, when they were seen last, what they have',
    status: 200,
    response: listOf(OutsideAgent),
  }),
  outsideAgent: one({
    method: 'GET',
    path: '/api/outside-agents/{id}',
    scope: 'read',
    summary: 'One of them, by name',
    status: 200,
    response: OutsideAgent,
  }),
  removeOutsideAgent: one({
    method: 'DELETE',
    path: '/api/outside-agents/{id}',
    scope: 'admin',
    summary: 'Ends its tokens and forgets it; tasks that it has wait for another one',
    status: 204,
  }),
} as const
