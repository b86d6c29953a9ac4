/** Goals, tasks, histories, documents, agents and review items as resources; each can be subscribed to. */

import type { Event } from '../contract/event.ts'
import { Fault } from '../contract/fault.ts'
import type { Doors } from './operator-tools.ts'
import { goalShape, historyText, newestMessages, reviewShape, taskShape } from './shapes.ts'
import type { ResourceItem, Resources, ResourceTemplate } from './surface.ts'

const JSON_TYPE = 'application/json'
const GOALS = 50
const MOST = 100
/** The newest messages of a history; all of them are at GET /api/tasks/{id}/messages. */
const MESSAGES = 500
/** Tasks of a goal, and characters of the result of each; more is in the task itself. */
const [TASKS, SHORT] = [1_000, 600]

export const TEMPLATES: readonly ResourceTemplate[] = [
  { uriTemplate: 'banyan://tree/{id}', name: 'tree', title: 'A goal', description: 'A goal with all its tasks', mimeType: JSON_TYPE },
  { uriTemplate: 'banyan://task/{id}', name: 'task', title: 'A task', description: 'One task in full', mimeType: JSON_TYPE },
  {
    uriTemplate: 'banyan://task/{id}/messages',
    name: 'messages',
    title: 'A history',
    description: `The newest ${MESSAGES} messages of a task`,
    mimeType: 'text/plain',
  },
  {
    uriTemplate: 'banyan://document/{name}',
    name: 'document',
    title: 'A document',
    description: 'A context document',
    mimeType: 'text/markdown',
  },
  {
    uriTemplate: 'banyan://agent/{name}',
    name: 'agent',
    title: 'An agent',
    description: 'Settings and instruction of an agent',
    mimeType: JSON_TYPE,
  },
  {
    uriTemplate: 'banyan://review/{id}',
    name: 'review',
    title: 'A review item',
    description: 'What a person is asked',
    mimeType: JSON_TYPE,
  },
]

export const uriOf = (kind: 'tree' | 'task' | 'document' | 'agent' | 'review', id: string): string =>
  `banyan://${kind}/${encodeURIComponent(id)}`

/** The URIs whose content a fact changes. */
export function urisOf(event: Event): string[] {
  const uris = event.treeId === null ? [] : [uriOf('tree', event.treeId)]
  if ('taskId' in event) uris.push(uriOf('task', event.taskId))
  if (event.type === 'message.added') uris.push(`${uriOf('task', event.taskId)}/messages`)
  if ('review' in event) uris.push(uriOf('review', event.review.id), uriOf('task', event.review.taskId))
  if ((event.type === 'registry.saved' || event.type === 'registry.removed') && event.kind !== 'tool')
    uris.push(uriOf(event.kind, event.name))
  return uris
}
/** Whether a fact changes what is listed. */
export const changesList = (event: Event): boolean =>
  event.type === 'tree.created' || ((event.type === 'registry.saved' || event.type === 'registry.removed') && event.kind !== 'tool')

export function operatorResources({ store, tasks, registry, baseUrl }: Doors): Resources {
  const json = (value: unknown) => ({ mimeType: JSON_TYPE, text: JSON.stringify(value, null, 2) })
  const readers: Record<string, (id: string) => Promise<{ mimeType: string; text: string } | null>> = {
    async tree(id) {
      const { tasks: all, ...head } = await tasks.tree(id)
      return json({
        ...goalShape(head, baseUrl()),
        tree: all.slice(0, TASKS).map((task) => taskShape(task, SHORT)),
        tree_complete: all.length <= TASKS,
      })
    },
    async task(id) {
      const messages = /^(.+)\/messages$/.exec(id)?.[1]
      if (messages === undefined) return json(await tasks.task(id))
      await tasks.task(messages)
      return { mimeType: 'text/plain', text: historyText(await newestMessages({ store, tasks }, messages, MESSAGES)) }
    },
    async document(name) {
      const found = await registry.get('document', name)
      return found ? { mimeType: 'text/markdown', text: found.content } : null
    },
    async agent(name) {
      const found = await registry.get('agent', name)
      return found ? json(found) : null
    },
    review: async (id) => json(reviewShape(await tasks.review(id))),
  }
  const names = async (kind: 'document' | 'agent') => (await registry.list(kind)).map((one) => one.name)
  const ids: Record<string, () => Promise<string[]>> = {
    tree: async () => (await tasks.trees({ limit: MOST })).items.map((one) => one.id),
    task: async () => (await tasks.trees({ limit: MOST })).items.map((one) => one.id),
    document: () => names('document'),
    agent: () => names('agent'),
    review: async () => (await tasks.reviews({ state: 'open', limit: MOST })).items.map((one) => one.id),
  }

  return {
    templates: TEMPLATES,
    /** Documents and agents stand on the first page; the others are goals, newest first. */
    async list(cursor) {
      const page = await tasks.trees({ limit: GOALS, cursor })
      const goals = page.items.map(
        (tree): ResourceItem => ({
          uri: uriOf('tree', tree.id),
          name: `tree/${tree.id}`,
          title: tree.goal.trim().split('\n', 1)[0]!.slice(0, 120),
          mimeType: JSON_TYPE,
        }),
      )
      if (cursor !== undefined) return { items: goals, nextCursor: page.nextCursor }
      const named = async (kind: 'document' | 'agent', mimeType: string) =>
        (await registry.list(kind)).map(
          ({ name, description }): ResourceItem => ({
            uri: uriOf(kind, name),
            name: `${kind}/${name}`,
            title: name,
            description,
            mimeType,
          }),
        )
      const items = [...(await named('document', 'text/markdown')), ...(await named('agent', JSON_TYPE)), ...goals]
      return { items, nextCursor: page.nextCursor }
    },
    async read(uri) {
      const [, kind = '', rest = ''] = /^banyan:\/\/([a-z]+)\/(.+)$/.exec(uri) ?? []
      const id = decoded(rest)
      const reader = Object.hasOwn(readers, kind) ? readers[kind] : undefined
      if (reader === undefined || id === null) return null
      try {
        return await reader(id)
      } catch (error) {
        if (error instanceof Fault && error.code === 'not_found') return null
        throw error
      }
    },
    async complete(uriTemplate, _name, value) {
      const kind = /^banyan:\/\/([a-z]+)\//.exec(uriTemplate)?.[1] ?? ''
      if (kind === 'task' && value.includes('.')) return beginning(await tasksOf(value.slice(0, value.indexOf('.'))), value)
      return beginning(Object.hasOwn(ids, kind) ? await ids[kind]!() : [], value)
    },
  }

  /** Ids of tasks tell their goal, so that what stands before the first dot is enough. */
  async function tasksOf(treeId: string): Promise<string[]> {
    try {
      return (await tasks.tree(treeId)).tasks.map((task) => task.id)
    } catch (error) {
      if (error instanceof Fault && error.code === 'not_found') return []
      throw error
    }
  }
}

export const beginning = (values: readonly string[], with_: string): string[] =>
  values.filter((value) => value.startsWith(with_)).slice(0, MOST)

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text)
  } catch {
    return null // a stray percent sign: no URI of ours
  }
}
