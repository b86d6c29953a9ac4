/** Who would notice a change of an agent, a document or a tool. */
import type { UsedBy } from '../contract/api-registry.ts'
import type { RegistryKind } from '../contract/registry.ts'
import type { Store } from '../store/store.ts'
import type { Registry } from './registry.ts'

/** Tasks whose versions are counted. */
const TASKS = 2_000
/** Ids in one question to the database. */
const IDS = 500

/** `system`: names that the system itself calls, whatever rows say. */
export async function usedBy(
  parts: { store: Store; registry: Registry; system: readonly string[] },
  kind: RegistryKind,
  name: string,
): Promise<UsedBy> {
  const { store, registry } = parts
  // As people and models write names: in code marks, quotes or as a word of its own. A plain word such as "context" is no name.
  const written = new RegExp(`[\`"'@]${name}[\`"'(]${name.includes('_') || name.includes('-') ? `|(?<![\\w-])${name}(?![\\w-])` : ''}`)
  const [agents, documents, tool, rules, secrets, tasks] = await Promise.all([
    registry.list('agent'),
    registry.list('document'),
    kind === 'tool' ? registry.get('tool', name) : undefined,
    store.db
      .selectFrom('rules')
      .select(['id', 'label', 'scope', 'signature', 'agent'])
      .where('revoked_at', 'is', null)
      .limit(1_000)
      .execute(),
    kind === 'agent' ? store.db.selectFrom('secrets').select(['name', 'grants']).execute() : [],
    kind === 'tool' ? [] : tasksByVersion(store, kind, name),
  ])
  const lists = (agent: { documents: readonly string[]; tools: readonly string[] }) =>
    (kind === 'document' && agent.documents.includes(name)) || (kind === 'tool' && agent.tools.includes(name))
  return {
    agents: agents.flatMap((agent): UsedBy['agents'] => {
      if (lists(agent)) return [{ name: agent.name, version: agent.version, how: 'lists' }]
      const itself = kind === 'agent' && agent.name === name
      return !itself && written.test(agent.instruction) ? [{ name: agent.name, version: agent.version, how: 'names' }] : []
    }),
    documents: documents
      .filter((document) => !(kind === 'document' && document.name === name) && written.test(document.content))
      .map((document) => ({ name: document.name, version: document.version })),
    rules: rules
      .filter((rule) =>
        kind === 'agent'
          ? rule.agent === name
          : kind === 'tool' && (rule.scope === 'tool' || rule.scope === 'tool-in-tree') && rule.signature.split(' (')[0] === name,
      )
      .map(({ id, label }) => ({ id, label })),
    secrets: secrets.filter((secret) => (JSON.parse(secret.grants) as string[]).includes(`agent:${name}`)).map((secret) => secret.name),
    system: tool?.core === true || parts.system.includes(name),
    tasks,
  }
}

/** By what their system prompts were made of; version 0 is a draft in a test run. */
async function tasksByVersion(store: Store, kind: 'agent' | 'document', name: string): Promise<UsedBy['tasks']> {
  let ask = store.db.selectFrom('tasks').select('id').orderBy('created_at', 'desc').limit(TASKS)
  if (kind === 'agent') ask = ask.where('agent', '=', name)
  const ids = (await ask.execute()).map((row) => row.id)
  const ran = new Map<number, Set<string>>()
  for (let from = 0; from < ids.length; from += IDS) {
    const rows = await store.db
      .selectFrom('messages')
      .select(['task_id', 'body'])
      .where('task_id', 'in', ids.slice(from, from + IDS))
      .where('role', '=', 'system')
      .execute()
    for (const { task_id, body } of rows) {
      const message = JSON.parse(body) as { agentVersion: number; documents: { name: string; version: number }[] }
      const version = kind === 'agent' ? message.agentVersion : message.documents.find((document) => document.name === name)?.version
      if (version) ran.set(version, (ran.get(version) ?? new Set()).add(task_id))
    }
  }
  return [...ran].map(([version, tasks]) => ({ version, tasks: tasks.size })).sort((a, b) => b.version - a.version)
}
