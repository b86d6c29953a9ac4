/** Programs that use Banyan over MCP: where each keeps its settings and how an entry looks there. Shapes differ in ways that fail silently. */
import { join } from 'node:path'
import { withEntry } from './commented-json.ts'

export const CLIENTS = ['claude-code', 'claude-desktop', 'cursor', 'vscode', 'codex', 'gemini'] as const
export type ClientName = (typeof CLIENTS)[number]

/** How a client reaches Banyan: it starts a bridge, or it sends HTTP itself. */
export type Way =
  | { kind: 'stdio'; command: string; args: string[]; env: Record<string, string> }
  | { kind: 'http'; url: string; headers: Record<string, string> }
export type Place = { home: string; platform: NodeJS.Platform; env: Readonly<Record<string, string | undefined>> }

type Client = {
  title: string
  file(place: Place): string
  /** Null: this client cannot be reached so. */
  entry(way: Way): Record<string, unknown> | null
  /** The key of its settings under which servers stand. */
  key: string
  toml?: true
}

const stdio = ({ command, args, env }: Extract<Way, { kind: 'stdio' }>) => ({
  command,
  args,
  ...(Object.keys(env).length > 0 ? { env } : {}),
})
/** Where a program of the desktop keeps its settings. */
function appData({ home, platform, env }: Place, folder: string): string {
  if (platform === 'darwin') return join(home, 'Library', 'Application Support', folder)
  if (platform === 'win32') return join(env.APPDATA ?? join(home, 'AppData', 'Roaming'), folder)
  return join(env.XDG_CONFIG_HOME ?? join(home, '.config'), folder)
}

export const CLIENT: Record<ClientName, Client> = {
  'claude-code': {
    title: 'Claude Code',
    file: ({ home }) => join(home, '.claude.json'),
    key: 'mcpServers',
    entry: (way) => (way.kind === 'stdio' ? { type: 'stdio', ...stdio(way) } : { type: 'http', url: way.url, headers: way.headers }),
  },
  'claude-desktop': {
    title: 'Claude Desktop',
    file: (place) => join(appData(place, 'Claude'), 'claude_desktop_config.json'),
    key: 'mcpServers',
    entry: (way) => (way.kind === 'stdio' ? stdio(way) : null),
  },
  cursor: {
    title: 'Cursor',
    file: ({ home }) => join(home, '.cursor', 'mcp.json'),
    key: 'mcpServers',
    entry: (way) => (way.kind === 'stdio' ? stdio(way) : { url: way.url, headers: way.headers }),
  },
  vscode: {
    title: 'Visual Studio Code',
    file: (place) => join(appData(place, 'Code'), 'User', 'mcp.json'),
    key: 'servers',
    entry: (way) => (way.kind === 'stdio' ? { type: 'stdio', ...stdio(way) } : { type: 'http', url: way.url, headers: way.headers }),
  },
  codex: {
    title: 'Codex',
    file: ({ home, env }) => join(env.CODEX_HOME ?? join(home, '.codex'), 'config.toml'),
    key: 'mcp_servers',
    toml: true,
    entry: (way) => (way.kind === 'stdio' ? stdio(way) : { url: way.url, http_headers: way.headers }),
  },
  gemini: {
    title: 'Gemini CLI',
    file: ({ home }) => join(home, '.gemini', 'settings.json'),
    key: 'mcpServers',
    entry: (way) => (way.kind === 'stdio' ? stdio(way) : { httpUrl: way.url, headers: way.headers }),
  },
}

/** What is added to settings that are empty. */
export function snippet(client: Client, name: string, entry: Record<string, unknown>): string {
  return client.toml ? tomlTable(client.key, name, entry) : `${JSON.stringify({ [client.key]: { [name]: entry } }, null, 2)}\n`
}

/** The settings with the entry in them; everything else stays as it is. Null: they cannot be read as what they should be. */
export function merged(client: Client, before: string, name: string, entry: Record<string, unknown>): string | null {
  if (client.toml) return mergedToml(client.key, before, name, entry)
  let settings: unknown
  try {
    settings = before.trim() === '' ? {} : JSON.parse(before)
  } catch {
    return withEntry(before, client.key, name, entry) // they may have comments
  }
  if (!isObject(settings)) return null
  const servers = settings[client.key] ?? {}
  if (!isObject(servers)) return null
  if (JSON.stringify(servers[name]) === JSON.stringify(entry)) return before
  return `${JSON.stringify({ ...settings, [client.key]: { ...servers, [name]: entry } }, null, 2)}\n`
}
const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)

function tomlTable(key: string, name: string, entry: Record<string, unknown>): string {
  return [`[${key}.${name}]`, ...Object.entries(entry).map(([field, value]) => `${field} = ${tomlValue(value)}`), ''].join('\n')
}
/** JSON's strings are TOML's basic strings. */
function tomlValue(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(tomlValue).join(', ')}]`
  if (isObject(value))
    return `{ ${Object.entries(value)
      .map(([field, one]) => `${JSON.stringify(field)} = ${tomlValue(one)}`)
      .join(', ')} }`
  return JSON.stringify(value)
}
/** Tables stand one after the other, so that one can be cut out by its heading and those of its parts. */
function mergedToml(key: string, before: string, name: string, entry: Record<string, unknown>): string {
  const table = tomlTable(key, name, entry)
  const own = (line: string) => {
    const heading = /^\s*\[\s*([^[\]]+?)\s*\]/.exec(line)?.[1]?.replaceAll('"', '')
    return heading === undefined ? null : heading === `${key}.${name}` || heading.startsWith(`${key}.${name}.`)
  }
  const kept: string[] = []
  let at: number | null = null
  let inside = false
  for (const line of before.split('\n')) {
    const heading = /^\s*\[/.test(line) ? (own(line) ?? false) : null
    if (heading !== null) inside = heading
    if (inside) at ??= kept.length
    else kept.push(line)
  }
  if (at === null) return `${before.trimEnd()}${before.trim() === '' ? '' : '\n\n'}${table}`
  const after = kept.slice(at).join('\n').trim()
  const head = kept.slice(0, at).join('\n').trimEnd()
  return [head, table.trimEnd(), after]
    .filter((part) => part !== '')
    .join('\n\n')
    .concat('\n')
}
