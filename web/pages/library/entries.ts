/** Agents, documents and tools as their pages read and change them. The routes of the three are alike, so one set of hooks serves all. */
import { keepPreviousData, type UseQueryResult, useQuery, useQueryClient } from '@tanstack/react-query'
import { useDeferredValue } from 'react'
import { ROUTES, type Route } from '../../../core/contract/api.ts'
import type { AgentItem, DocumentItem, RemovedItem, ToolDetail, ToolItem, UsedBy, Validation } from '../../../core/contract/api-registry.ts'
import type { EntryOf, RegistryKind } from '../../../core/contract/registry.ts'
import { type Api, ApiFault } from '../../api.ts'
import { useBanyan } from '../../banyan.ts'
import { useRead } from '../../read.ts'

export type Kind = RegistryKind
export type ItemOf = { agent: AgentItem; document: DocumentItem; tool: ToolItem }
/** What the page of one entry reads; only a tool's says more than its list. */
export type DetailOf = { agent: AgentItem; document: DocumentItem; tool: ToolDetail }
/** An entry without what the system sets itself. */
export type Body<K extends Kind> = EntryOf[K]
type List<T> = { items: T[]; nextCursor: string | null }

const R = ROUTES
const ROUTES_OF = {
  agent: {
    list: R.agents, one: R.agent, add: R.addAgent, save: R.saveAgent, remove: R.removeAgent, versions: R.agentVersions,
    restore: R.restoreAgent, usedBy: R.agentUsedBy, validate: R.validateAgent,
  },
  document: {
    list: R.documents, one: R.document, add: R.addDocument, save: R.saveDocument, remove: R.removeDocument, versions: R.documentVersions,
    restore: R.restoreDocument, usedBy: R.documentUsedBy, validate: R.validateDocument,
  },
  tool: {
    list: R.tools, one: R.tool, add: R.addTool, save: R.saveTool, remove: R.removeTool, versions: R.toolVersions,
    restore: R.restoreTool, usedBy: R.toolUsedBy, validate: R.validateTool,
  },
} as const // biome-ignore format: a line a kind and purpose
/** The routes of one kind, typed as an agent's: TypeScript cannot follow a call through a union of them. */
const routesOf = (kind: Kind) => ROUTES_OF[kind] as (typeof ROUTES_OF)['agent']

const PATHS = { agent: '/agents', document: '/documents', tool: '/tools' } as const
/** A name begins with a letter, so no entry has this one. */
export const NEW = '~new'
/** Address of the list, of an entry's page, or with `NEW` of the page that makes one. */
export const entryPath = (kind: Kind, id?: string): string => (id === undefined ? PATHS[kind] : `${PATHS[kind]}/${encodeURIComponent(id)}`)

export function useEntries<K extends Kind>(kind: K, when = true): UseQueryResult<List<ItemOf[K]>, ApiFault> {
  return useRead(routesOf(kind).list, {}, { when }) as unknown as UseQueryResult<List<ItemOf[K]>, ApiFault>
}
/** Follows the facts, so that a version which somebody else saves is seen at once. */
export function useEntry<K extends Kind>(kind: K, id: string): UseQueryResult<DetailOf[K], ApiFault> {
  const when = id !== NEW
  return useRead(routesOf(kind).one, { params: { id } }, { follow: true, when }) as unknown as UseQueryResult<DetailOf[K], ApiFault>
}
/** Every version, newest first; also of an entry that was removed. */
export function useVersions<K extends Kind>(kind: K, id: string, when = true): UseQueryResult<List<ItemOf[K]>, ApiFault> {
  return useRead(routesOf(kind).versions, { params: { id } }, { when }) as unknown as UseQueryResult<List<ItemOf[K]>, ApiFault>
}
export const useUsedBy = (kind: Kind, id: string, when = true): UseQueryResult<UsedBy, ApiFault> =>
  useRead(routesOf(kind).usedBy, { params: { id } }, { when })

export function useRemoved(kind: Kind): readonly RemovedItem[] {
  const { data } = useRead(R.removed)
  return data?.items.filter((item) => item.kind === kind) ?? []
}

/** What is wrong with a body, and how many tokens it costs; asked while it is typed, the last answer stands until the next is there. */
export function useValidation<K extends Kind>(kind: K, body: Body<K> | null): Validation | null {
  const { api } = useBanyan()
  const asked = useDeferredValue(body === null ? '' : JSON.stringify(body))
  const { data } = useQuery<Validation, ApiFault>({
    queryKey: [routesOf(kind).validate.path, asked],
    queryFn: async ({ signal }) => {
      await pause(signal)
      return api.call(routesOf(kind).validate, { body: JSON.parse(asked) as Record<string, unknown>, signal })
    },
    enabled: asked !== '',
    placeholderData: keepPreviousData,
    gcTime: 10_000,
  })
  return data ?? null
}
/** Typing does not ask at each letter: a newer question takes the older one back before it is sent. */
const TYPING_MS = 250
const pause = (signal: AbortSignal) =>
  new Promise<void>((resolve, reject) => {
    const timer = setTimeout(resolve, TYPING_MS)
    signal.addEventListener('abort', () => {
      clearTimeout(timer)
      reject(signal.reason)
    })
  })

/** The acts on an entry. Each throws an `ApiFault`; what was read of the registry is read again after it. */
export function useEntryActs<K extends Kind>(kind: K) {
  const { api } = useBanyan()
  const queries = useQueryClient()
  const routes = routesOf(kind)
  const after = async <T>(made: Promise<T>, gone = false): Promise<T> => {
    try {
      return await made
    } finally {
      const stale = ({ path }: Route, refetchType: 'active' | 'none' = 'active') =>
        queries.invalidateQueries({ queryKey: [path], refetchType })
      const own = [routes.one, routes.versions, routes.usedBy]
      // The page of what was just removed is left at once and must not ask for it again.
      await Promise.all([stale(routes.list), stale(R.removed), ...own.map((route) => stale(route, gone ? 'none' : 'active'))])
    }
  }
  return {
    /** Saves over version `from`, or a new entry when that is null. */
    save: (body: Body<K>, from: number | null): Promise<ItemOf[K]> => after(send(api, kind, body, from)),
    remove: (id: string, from: number): Promise<void> =>
      after(api.call(routes.remove, { params: { id }, headers: { 'if-match': `"${from}"` } }), true),
    restore: (id: string, n: number): Promise<ItemOf[K]> =>
      after(api.call(routes.restore, { params: { id, n: String(n) } }) as unknown as Promise<ItemOf[K]>),
  }
}
function send<K extends Kind>(api: Api, kind: K, body: Body<K>, from: number | null): Promise<ItemOf[K]> {
  const { add, save } = routesOf(kind)
  const sent = body as never
  const made =
    from === null
      ? api.call(add, { body: sent })
      : api.call(save, { params: { id: body.name }, body: sent, headers: { 'if-match': `"${from}"` } })
  return made as unknown as Promise<ItemOf[K]>
}

export const isStale = (fault: unknown): boolean => fault instanceof ApiFault && fault.status === 412
export const isMissing = (fault: unknown): boolean => fault instanceof ApiFault && fault.status === 404
