/** What people are shown of a server: everything but values. Pure. */
import type { ServerDetail, ServerItem, ServerTool } from '../contract/api-servers.ts'
import { changeIn } from './hub-definitions.ts'
import type { Held, HubTool } from './hub-rows.ts'
import { isInner } from './hub-transport.ts'
import { cleaned } from './hub-words.ts'

type Load = { running: number; starting: number; calls: number }

type Shown = {
  load: Load
  stderr: string
  /** Names of the secrets that stand in a value. */
  secretsIn(value: string): string[]
  /** Why it does not start before a person allowed that; null: it may. */
  asks: string | null
}

export function itemOf(held: Held, { load, stderr, secretsIn, asks }: Shown): ServerItem {
  const { spec } = held
  const count = (state: ServerTool['state']) => [...held.tools.values()].filter((tool) => tool.state === state).length
  const named = (values: Readonly<Record<string, string>>) =>
    Object.entries(values).map(([name, value]) => ({ name, secrets: secretsIn(value), value: null }))
  return {
    id: held.name,
    transport: spec.url === undefined ? 'stdio' : 'http',
    url: spec.url ?? null,
    command: spec.command ?? null,
    env: [...named(spec.env), ...Object.entries(spec.publicEnv).map(([name, value]) => ({ name, secrets: [], value }))],
    headers: named(spec.headers),
    scope: spec.scope,
    isolation: spec.isolation,
    walls: held.walls,
    network: spec.network,
    folders: spec.folders,
    innerHosts: spec.innerHosts,
    inner: spec.url !== undefined && isInner(spec.url),
    enabled: held.enabled,
    policy: held.policy,
    tainted: held.tainted,
    trusted: held.trusted,
    state: !held.enabled
      ? 'off'
      : load.running > 0
        ? 'running'
        : load.starting > 0
          ? 'starting'
          : asks !== null || held.problem !== null
            ? 'failed'
            : 'stopped',
    running: load.running,
    calls: load.calls,
    problem: asks ?? held.problem,
    retryAt: held.retryAt === null ? null : new Date(held.retryAt).toISOString(),
    stderr: cleaned(stderr, 4_000),
    about: held.about,
    login: held.login === null ? 'none' : held.login.state,
    tools: {
      offered: held.offered,
      approved: count('approved'),
      pending: count('pending'),
      changed: count('changed'),
      gone: count('gone'),
      unusable: count('unusable'),
    },
    createdBy: held.createdBy,
    createdAt: new Date(held.createdAt).toISOString(),
    updatedAt: new Date(held.updatedAt).toISOString(),
  }
}

export const detailOf = (...given: Parameters<typeof itemOf>): ServerDetail => ({
  ...itemOf(...given),
  toolList: [...given[0].tools.values()].map(toolOf),
})

export function toolOf(tool: HubTool): ServerTool {
  const { description, inputSchema, hints } = tool.definition
  return {
    id: tool.tool,
    name: cleaned(tool.name, 128),
    state: tool.state,
    problem: tool.problem,
    policy: tool.policy,
    description,
    inputSchema,
    hints,
    sha: tool.sha,
    diff: changeIn(tool),
  }
}
