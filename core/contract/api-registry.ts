/** Routes of agents, documents and tools, all alike, and the shapes that go in and come out. */
import * as z from 'zod'
import { Agent, Document, Name, REGISTRY_KINDS, ToolEntry } from './registry.ts'
import { count, listOf, one, text, time } from './route.ts'

/** `id` is the name; `author` is `seed`, a person's or an agent's name. */
const version = { id: Name, version: z.number().int().min(1), author: text, updatedAt: time }
const AgentItem = Agent.extend(version).meta({ id: 'Agent' })
const DocumentItem = Document.extend(version).meta({ id: 'Document' })
const ToolItem = ToolEntry.extend(version).meta({ id: 'Tool' })
/** What is known of a tool beside its entry. */
const ToolDetail = ToolItem.extend({
  /** JSON Schema of its arguments; null when there is no file of that name in `tools/`, so that no agent gets it. */
  inputSchema: z.record(text, z.unknown()).nullable(),
  permission: z.enum(['read', 'write', 'exec', 'network', 'self']).nullable(),
  /** null: it depends on the arguments. */
  effect: z.enum(['read', 'idempotent', 'keyed', 'once']).nullable(),
  /** What an agent must be allowed before it has the tool. */
  requires: z.enum(['web']).nullable(),
  /** The words that a model reads. */
  words: text.nullable(),
  /** What is known of the versions of a tool that agents made, newest first; null for any other. */
  states: z
    .array(
      z.object({
        version: z.number().int(),
        /** Of everything that an approval stands for. */
        sha: text,
        trial: z.object({ passed: count, failed: count, ms: count, report: text }),
        testedAt: time,
        approvedBy: text.nullable(),
        approvedAt: time.nullable(),
        /** Runs in a row that ended with a fault of its own. */
        failures: count,
        runs: count,
        /** Why it was taken out of use by itself. */
        broken: text.nullable(),
      }),
    )
    .nullable(),
  /** Of the newest 1,000 calls that ended; times in milliseconds, waits for people and subtasks left out. */
  stats: z.object({
    calls: count,
    failures: count,
    p50Ms: z.number().nullable(),
    p95Ms: z.number().nullable(),
    lastErrors: z.array(z.object({ callId: text, taskId: text, at: time, text })),
  }),
}).meta({ id: 'ToolDetail' })
export type ToolDetail = z.output<typeof ToolDetail>

/** Who would notice a change: what names the entry, what speaks of it, and how many tasks ran with each of its versions. */
const UsedBy = z
  .object({
    agents: z.array(z.object({ name: text, version: count, how: z.enum(['lists', 'names']) })),
    documents: z.array(z.object({ name: text, version: count })),
    rules: z.array(z.object({ id: text, label: text })),
    /** Secrets that are granted to it by name. */
    secrets: z.array(text),
    /** It is in every agent's hands, or called by the system itself. */
    system: z.boolean(),
    /** Of the newest 2,000 tasks of the system. */
    tasks: z.array(z.object({ version: count, tasks: count })),
  })
  .meta({ id: 'UsedBy' })
export type UsedBy = z.output<typeof UsedBy>

/** `error`: saving is refused for it. `warning`: it saves, and may not do what is meant. `field` is a path in the body, or empty. */
const Validation = z
  .object({
    ok: z.boolean(),
    problems: z.array(z.object({ field: text, level: z.enum(['error', 'warning']), message: text })),
    /** Tokens of what an agent's model reads before each turn: prompt, and the schemas of its tools. null for what is no agent. */
    tokens: z.object({ prompt: count, tools: count }).nullable(),
  })
  .meta({ id: 'Validation' })
export type Validation = z.output<typeof Validation>

/** How the newest work went: of the newest 2,000 tasks by agent, and of the newest 5,000 calls that ended by tool. */
const Figures = z
  .object({
    agents: z.array(z.object({ name: text, tasks: count, done: count, failed: count, costMicros: count, unpricedCalls: count })),
    tools: z.array(z.object({ name: text, calls: count, failures: count })),
  })
  .meta({ id: 'RegistryFigures' })
export type RegistryFigures = z.output<typeof Figures>

const Removed = z.object({ kind: z.enum(REGISTRY_KINDS), id: Name, description: text, version: count, author: text, updatedAt: time })
export type RemovedItem = z.output<typeof Removed>

export type AgentItem = z.output<typeof AgentItem>
export type DocumentItem = z.output<typeof DocumentItem>
export type ToolItem = z.output<typeof ToolItem>

/** An entry as it was read may be sent back whole: what the system sets itself is ignored. */
const own = {
  id: z.unknown().optional(),
  version: z.unknown().optional(),
  author: z.unknown().optional(),
  updatedAt: z.unknown().optional(),
}
const AgentRequest = Agent.extend(own).strict().meta({ id: 'AgentRequest' })
const DocumentRequest = Document.extend(own).strict().meta({ id: 'DocumentRequest' })
/** What a tool's page adds to its entry. */
const ofTool = {
  inputSchema: z.unknown().optional(),
  permission: z.unknown().optional(),
  effect: z.unknown().optional(),
  requires: z.unknown().optional(),
  words: z.unknown().optional(),
  states: z.unknown().optional(),
  stats: z.unknown().optional(),
}
const ToolRequest = ToolEntry.extend({ ...own, ...ofTool })
  .strict()
  .meta({ id: 'ToolRequest' })

const entries = <Q extends z.ZodType, S extends z.ZodType, D extends z.ZodType>(
  plural: string,
  singular: string,
  request: Q,
  item: S,
  detail: D,
) => ({
  list: one({
    method: 'GET',
    path: `/api/${plural}`,
    scope: 'read',
    summary: `Lists every ${singular}`,
    status: 200,
    response: listOf(item),
  }),
  get: one({ method: 'GET', path: `/api/${plural}/{id}`, scope: 'read', summary: `One ${singular}`, status: 200, response: detail }),
  add: one({
    method: 'POST',
    path: `/api/${plural}`,
    scope: 'registry:write',
    summary: `Adds a new ${singular}`,
    status: 201,
    request,
    response: item,
  }),
  save: one({
    method: 'PUT',
    path: `/api/${plural}/{id}`,
    scope: 'registry:write',
    summary: `Saves a ${singular} that exists as a new version; with If-Match only if that is still the newest, else 412`,
    status: 200,
    request,
    response: item,
  }),
  remove: one({
    method: 'DELETE',
    path: `/api/${plural}/{id}`,
    scope: 'registry:write',
    summary: `Removes a ${singular}; its versions stay readable and can be restored`,
    status: 204,
  }),
  versions: one({
    method: 'GET',
    path: `/api/${plural}/{id}/versions`,
    scope: 'read',
    summary: `Every version of a ${singular}, newest first`,
    status: 200,
    response: listOf(item),
  }),
  version: one({
    method: 'GET',
    path: `/api/${plural}/{id}/versions/{n}`,
    scope: 'read',
    summary: `One version of a ${singular}, also of one that was removed`,
    status: 200,
    response: item,
  }),
  restore: one({
    method: 'POST',
    path: `/api/${plural}/{id}/versions/{n}/restore`,
    scope: 'registry:write',
    summary: `Saves an earlier version of a ${singular} as its newest; a removed one is back with it`,
    status: 200,
    response: item,
  }),
  usedBy: one({
    method: 'GET',
    path: `/api/${plural}/{id}/used-by`,
    scope: 'read',
    summary: `Who would notice a change of a ${singular}`,
    status: 200,
    response: UsedBy,
  }),
  validate: one({
    method: 'POST',
    path: `/api/${plural}/validate`,
    scope: 'read',
    summary: `Looks a ${singular} over without saving it: every problem with its field`,
    status: 200,
    request: z.looseObject({}),
    response: Validation,
  }),
})
const agents = entries('agents', 'agent', AgentRequest, AgentItem, AgentItem)
const documents = entries('documents', 'context document', DocumentRequest, DocumentItem, DocumentItem)
const tools = entries('tools', 'tool', ToolRequest, ToolItem, ToolDetail)

export const REGISTRY_ROUTES = {
  agents: agents.list,
  validateAgent: agents.validate,
  agent: agents.get,
  addAgent: agents.add,
  saveAgent: agents.save,
  removeAgent: agents.remove,
  agentVersions: agents.versions,
  agentVersion: agents.version,
  restoreAgent: agents.restore,
  agentUsedBy: agents.usedBy,
  documents: documents.list,
  validateDocument: documents.validate,
  document: documents.get,
  addDocument: documents.add,
  saveDocument: documents.save,
  removeDocument: documents.remove,
  documentVersions: documents.versions,
  documentVersion: documents.version,
  restoreDocument: documents.restore,
  documentUsedBy: documents.usedBy,
  tools: tools.list,
  validateTool: tools.validate,
  tool: tools.get,
  addTool: tools.add,
  saveTool: tools.save,
  removeTool: tools.remove,
  toolVersions: tools.versions,
  toolVersion: tools.version,
  restoreTool: tools.restore,
  toolUsedBy: tools.usedBy,
  approveTool: one({
    method: 'POST',
    path: '/api/tools/{id}/approve',
    scope: 'review:decide',
    summary: 'Lets every agent have the newest version of a tool that an agent made; with `version` only if that is the newest, else 412',
    status: 200,
    request: z.object({ version: z.number().int().min(1).optional() }).strict(),
    optionalBody: true,
    response: ToolDetail,
  }),
  rollbackTool: one({
    method: 'POST',
    path: '/api/tools/{id}/rollback',
    scope: 'registry:write',
    summary:
      'Puts an earlier version of a tool that an agent made back into use, for the next call on; without `to` the one before that did not fail',
    status: 200,
    request: z.object({ to: z.number().int().min(1).optional() }).strict(),
    optionalBody: true,
    response: ToolDetail,
  }),
  registryFigures: one({
    method: 'GET',
    path: '/api/figures',
    scope: 'read',
    summary: 'How the newest tasks of each agent and the newest calls of each tool went',
    status: 200,
    response: Figures,
  }),
  removed: one({
    method: 'GET',
    path: '/api/removed',
    scope: 'read',
    summary: 'Agents, documents and tools that were removed, with the version that a restore brings back; newest first',
    status: 200,
    response: listOf(Removed),
  }),
} as const
