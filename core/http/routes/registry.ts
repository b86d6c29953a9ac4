/** Agents, documents and tools: one set of routes for each, all alike. A name is an entry's id. */
import { Fault } from '../../contract/fault.ts'
import type { EntryOf, RegistryKind, Versioned } from '../../contract/registry.ts'
import type { Handlers } from '../router.ts'

export type Registry = {
  list<K extends RegistryKind>(kind: K): Promise<Versioned<EntryOf[K]>[]>
  get<K extends RegistryKind>(kind: K, name: string): Promise<Versioned<EntryOf[K]> | undefined>
  save<K extends RegistryKind>(kind: K, body: EntryOf[K], author: string): Promise<Versioned<EntryOf[K]>>
  remove(kind: RegistryKind, name: string, author: string): Promise<void>
  /** Newest first; those of a removed entry too. */
  versions<K extends RegistryKind>(kind: K, name: string): Promise<Versioned<EntryOf[K]>[]>
}
type Names =
  | 'agents' | 'agent' | 'addAgent' | 'saveAgent' | 'removeAgent' | 'agentVersions'
  | 'documents' | 'document' | 'addDocument' | 'saveDocument' | 'removeDocument' | 'documentVersions'
  | 'tools' | 'tool' | 'addTool' | 'saveTool' | 'removeTool' | 'toolVersions' // biome-ignore format: a line a kind

export function registryRoutes(registry: Registry): Pick<Handlers, Names> {
  const [agent, document, tool] = [verbs(registry, 'agent'), verbs(registry, 'document'), verbs(registry, 'tool')]
  return {
    agents: agent.list,
    agent: ({ param }) => agent.get(param('id')),
    addAgent: ({ body, by }) => agent.add(body, by.name),
    saveAgent: ({ param, body, by }) => agent.save(param('id'), body, by.name),
    removeAgent: ({ param, by }) => agent.remove(param('id'), by.name),
    agentVersions: ({ param }) => agent.versions(param('id')),
    documents: document.list,
    document: ({ param }) => document.get(param('id')),
    addDocument: ({ body, by }) => document.add(body, by.name),
    saveDocument: ({ param, body, by }) => document.save(param('id'), body, by.name),
    removeDocument: ({ param, by }) => document.remove(param('id'), by.name),
    documentVersions: ({ param }) => document.versions(param('id')),
    tools: tool.list,
    tool: ({ param }) => tool.get(param('id')),
    addTool: ({ body, by }) => tool.add(body, by.name),
    saveTool: ({ param, body, by }) => tool.save(param('id'), body, by.name),
    removeTool: ({ param, by }) => tool.remove(param('id'), by.name),
    toolVersions: ({ param }) => tool.versions(param('id')),
  }
}

/** What an entry brings back when it was read here and sent again: the system sets these itself. */
type Sent<K extends RegistryKind> = EntryOf[K] & { id?: unknown; version?: unknown; author?: unknown; updatedAt?: unknown }

function verbs<K extends RegistryKind>(registry: Registry, kind: K) {
  const withId = (entry: Versioned<EntryOf[K]>) => ({ ...entry, id: entry.name })
  const find = async (name: string) => {
    const found = await registry.get(kind, name)
    if (!found) throw new Fault('not_found', `There is no ${kind} ${JSON.stringify(name)}.`)
    return found
  }
  const put = async ({ id: _id, version: _version, author: _author, updatedAt: _at, ...entry }: Sent<K>, by: string) =>
    withId(await registry.save(kind, entry as unknown as EntryOf[K], by))
  return {
    list: async () => ({ items: (await registry.list(kind)).map(withId), nextCursor: null }),
    get: async (name: string) => withId(await find(name)),
    async add(body: Sent<K>, by: string) {
      if (await registry.get(kind, body.name))
        throw new Fault('conflict', `The ${kind} ${JSON.stringify(body.name)} exists already; save a new version of it with PUT.`)
      return put(body, by)
    },
    async save(name: string, body: Sent<K>, by: string) {
      await find(name)
      if (body.name !== name)
        throw new Fault(
          'invalid',
          `The path names ${JSON.stringify(name)} and the body ${JSON.stringify(body.name)}; a name cannot be changed.`,
        )
      return put(body, by)
    },
    async remove(name: string, by: string): Promise<undefined> {
      await find(name)
      await registry.remove(kind, name, by)
    },
    async versions(name: string) {
      const items = (await registry.versions(kind, name)).map(withId)
      if (items.length === 0) throw new Fault('not_found', `There is no ${kind} ${JSON.stringify(name)}.`)
      return { items, nextCursor: null }
    },
  }
}
