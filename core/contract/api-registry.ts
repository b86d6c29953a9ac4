/** Routes of agents, documents and tools, all alike, and the shapes that go in and come out. */
import * as z from 'zod'
import { Agent, Document, Name, ToolEntry } from './registry.ts'
import { listOf, one, text, time } from './route.ts'

/** `id` is the name; `author` is `seed`, a person's or an agent's name. */
const version = { id: Name, version: z.number().int().min(1), author: text, updatedAt: time }
const AgentItem = Agent.extend(version).meta({ id: 'Agent' })
const DocumentItem = Document.extend(version).meta({ id: 'Document' })
const ToolItem = ToolEntry.extend(version).meta({ id: 'Tool' })
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
const ToolRequest = ToolEntry.extend(own).strict().meta({ id: 'ToolRequest' })

const entries = <Q extends z.ZodType, S extends z.ZodType>(plural: string, singular: string, request: Q, item: S) => ({
  list: one({
    method: 'GET',
    path: `/api/${plural}`,
    scope: 'read',
    summary: `Lists every ${singular}`,
    status: 200,
    response: listOf(item),
  }),
  get: one({ method: 'GET', path: `/api/${plural}/{id}`, scope: 'read', summary: `One ${singular}`, status: 200, response: item }),
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
    summary: `Saves a ${singular} that exists as a new version`,
    status: 200,
    request,
    response: item,
  }),
  remove: one({
    method: 'DELETE',
    path: `/api/${plural}/{id}`,
    scope: 'registry:write',
    summary: `Removes a ${singular}; its versions stay readable`,
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
})
const agents = entries('agents', 'agent', AgentRequest, AgentItem)
const documents = entries('documents', 'context document', DocumentRequest, DocumentItem)
const tools = entries('tools', 'tool', ToolRequest, ToolItem)

export const REGISTRY_ROUTES = {
  agents: agents.list,
  agent: agents.get,
  addAgent: agents.add,
  saveAgent: agents.save,
  removeAgent: agents.remove,
  agentVersions: agents.versions,
  documents: documents.list,
  document: documents.get,
  addDocument: documents.add,
  saveDocument: documents.save,
  removeDocument: documents.remove,
  documentVersions: documents.versions,
  tools: tools.list,
  tool: tools.get,
  addTool: tools.add,
  saveTool: tools.save,
  removeTool: tools.remove,
  toolVersions: tools.versions,
} as const
