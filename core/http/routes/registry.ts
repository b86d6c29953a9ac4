/** Agents, documents and tools: one set of routes for each, all alike. A name is an entry's id, its version the entity tag. */
import { isDeepStrictEqual } from 'node:util'
import type { Editors } from '../../agent/editors.ts'
import { Fault } from '../../contract/fault.ts'
import type { EntryOf, RegistryKind, ToolEntry, Versioned } from '../../contract/registry.ts'
import type { MadeTools } from '../../made/made.ts'
import type { Registry } from '../../registry/registry.ts'
import type { ReadHeader } from '../auth.ts'
import type { Handlers } from '../router.ts'
import { startedFrom, tagged } from './versioned.ts'

type Names =
  | 'agents' | 'agent' | 'addAgent' | 'saveAgent' | 'removeAgent' | 'agentVersions' | 'agentVersion' | 'restoreAgent' | 'agentUsedBy' | 'validateAgent'
  | 'documents' | 'document' | 'addDocument' | 'saveDocument' | 'removeDocument' | 'documentVersions' | 'documentVersion' | 'restoreDocument' | 'documentUsedBy' | 'validateDocument'
  | 'tools' | 'tool' | 'addTool' | 'saveTool' | 'removeTool' | 'toolVersions' | 'toolVersion' | 'restoreTool' | 'toolUsedBy' | 'validateTool' | 'approveTool' | 'rollbackTool'
  | 'removed' | 'registryFigures' // biome-ignore format: a line a kind

export function registryRoutes(registry: Registry, editors: Editors, made: Pick<MadeTools, 'approve' | 'rollback'>): Pick<Handlers, Names> {
  const [agent, document, tool] = [verbs(registry, 'agent'), verbs(registry, 'document'), verbs(registry, 'tool')]
  const detailOf = async (name: string) => ({ ...(await tool.find(name)), ...(await editors.tool(name)) })
  return {
    agents: agent.list,
    agent: async ({ param }) => tagged(await agent.find(param('id'))),
    addAgent: ({ body, by }) => agent.add(body, by.name),
    saveAgent: ({ param, body, by, header }) => agent.save(param('id'), body, by.name, header),
    removeAgent: ({ param, by, header }) => agent.remove(param('id'), by.name, header),
    agentVersions: ({ param }) => agent.versions(param('id')),
    agentVersion: ({ param }) => agent.version(param('id'), param('n')),
    restoreAgent: ({ param, by }) => agent.restore(param('id'), param('n'), by.name),
    agentUsedBy: async ({ param }) => editors.usedBy('agent', (await agent.find(param('id'))).name),
    validateAgent: ({ body }) => editors.validate('agent', body),

    documents: document.list,
    document: async ({ param }) => tagged(await document.find(param('id'))),
    addDocument: ({ body, by }) => document.add(body, by.name),
    saveDocument: ({ param, body, by, header }) => document.save(param('id'), body, by.name, header),
    removeDocument: ({ param, by, header }) => document.remove(param('id'), by.name, header),
    documentVersions: ({ param }) => document.versions(param('id')),
    documentVersion: ({ param }) => document.version(param('id'), param('n')),
    restoreDocument: ({ param, by }) => document.restore(param('id'), param('n'), by.name),
    documentUsedBy: async ({ param }) => editors.usedBy('document', (await document.find(param('id'))).name),
    validateDocument: ({ body }) => editors.validate('document', body),

    tools: tool.list,
    tool: async ({ param }) => tagged(await detailOf(param('id'))),
    addTool({ body, by }) {
      return tool.add(kept(body, undefined), by.name)
    },
    async saveTool({ param, body, by, header }) {
      return tool.save(param('id'), kept(body, await registry.get('tool', param('id'))), by.name, header)
    },
    approveTool: async ({ param, body, by }) => detailOf((await made.approve(param('id'), body.version, by.name)).name),
    rollbackTool: async ({ param, body, by }) => detailOf((await made.rollback(param('id'), body.to, by.name)).name),
    removeTool: ({ param, by, header }) => tool.remove(param('id'), by.name, header),
    toolVersions: ({ param }) => tool.versions(param('id')),
    toolVersion: ({ param }) => tool.version(param('id'), param('n')),
    restoreTool: ({ param, by }) => tool.restore(param('id'), param('n'), by.name),
    toolUsedBy: async ({ param }) => editors.usedBy('tool', (await tool.find(param('id'))).name),
    validateTool: ({ body }) => editors.validate('tool', body),

    registryFigures: () => editors.figures(),
    removed: async () => ({
      items: (await registry.removed()).map(({ kind, entry: { name, description, version, author, updatedAt } }) => ({
        kind,
        id: name,
        description,
        version,
        author,
        updatedAt,
      })),
      nextCursor: null,
    }),
  }
}

/** What an agent made was tested as it is: words and switches may be changed by hand; source, schemas and tests stay, sent or not. */
function kept(sent: Sent<'tool'>, now: ToolEntry | undefined): Sent<'tool'> {
  const { made: sentMade, origin: sentOrigin, ...body } = sent
  const differs = (value: unknown, is: unknown) => value !== undefined && !isDeepStrictEqual(value, is)
  if (differs(sentMade, now?.made) || differs(sentOrigin, now?.origin))
    throw new Fault(
      'forbidden',
      'Source, schemas and tests of a tool that an agent made change only through create_tool or a rollback; leave "made" and "origin" as they were read.',
    )
  return { ...body, ...(now?.origin ? { origin: now.origin } : {}), ...(now?.made ? { made: now.made } : {}) }
}

/** What an entry brings back when it was read here and sent again: the system sets these itself. */
type Sent<K extends RegistryKind> = EntryOf[K] & { id?: unknown; version?: unknown; author?: unknown; updatedAt?: unknown }

function verbs<K extends RegistryKind>(registry: Registry, kind: K) {
  const withId = (entry: Versioned<EntryOf[K]>) => ({ ...entry, id: entry.name })
  const find = async (name: string) => {
    const found = await registry.get(kind, name)
    if (!found) throw new Fault('not_found', `There is no ${kind} ${JSON.stringify(name)}.`)
    return withId(found)
  }
  const put = async (sent: Sent<K>, by: string, from?: number) => withId(await registry.save(kind, sent, by, from))
  const whole = (n: string) => {
    if (!/^[1-9]\d{0,8}$/.test(n))
      throw new Fault('not_found', `A version is a number from 1 on, and ${JSON.stringify(n.slice(0, 20))} is not.`)
    return Number(n)
  }
  return {
    find,
    list: async () => ({ items: (await registry.list(kind)).map(withId), nextCursor: null }),
    async add(body: Sent<K>, by: string) {
      if (await registry.get(kind, body.name))
        throw new Fault('conflict', `The ${kind} ${JSON.stringify(body.name)} exists already; save a new version of it with PUT.`)
      return put(body, by)
    },
    async save(name: string, body: Sent<K>, by: string, header: ReadHeader) {
      await find(name)
      if (body.name !== name)
        throw new Fault(
          'invalid',
          `The path names ${JSON.stringify(name)} and the body ${JSON.stringify(body.name)}; a name cannot be changed.`,
        )
      return put(body, by, startedFrom(header))
    },
    async remove(name: string, by: string, header: ReadHeader): Promise<undefined> {
      await find(name)
      await registry.remove(kind, name, by, startedFrom(header))
    },
    async versions(name: string) {
      const items = (await registry.versions(kind, name)).map(withId)
      if (items.length === 0) throw new Fault('not_found', `There is no ${kind} ${JSON.stringify(name)}.`)
      return { items, nextCursor: null }
    },
    version: async (name: string, n: string) => withId(await registry.version(kind, name, whole(n))),
    restore: async (name: string, n: string, by: string) => withId(await registry.restore(kind, name, whole(n), by)),
  }
}
