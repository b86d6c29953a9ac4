/** Programs that use Banyan over MCP: where each keeps its settings and how an entry looks there. Shapes differ in ways that fail silently. */

export const CLIENTS = ['claude-code', 'claude-desktop', 'cursor', 'vscode', 'codex', 'gemini'] as const
export type ClientName = (typeof CLIENTS)[number]

/** How a client reaches Banyan: it starts a bridge, or it sends HTTP itself. */
export type Way =
  | { kind: 'stdio'; command: string; args: string[]; env: Record<string, string> }
  | { kind: 'http'; url: string; headers: Record<string, string> }
export type Place = { home: string; platform: string; env: Readonly<Record<string, string | undefined>> }

export type Client = {
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
const join = ({ platform }: Place, ...parts: string[]): string => parts.join(platform === 'win32' ? '\\' : '/')
/** Where a program of the desktop keeps its settings. */
function appData(place: Place, folder: string): string {
  const { home, platform, env } = place
  if (platform === 'darwin') return join(place, home, 'Library', 'Application Support', folder)
  if (platform === 'win32') return join(place, env.APPDATA ?? join(place, home, 'AppData', 'Roaming'), folder)
  return join(place, env.XDG_CONFIG_HOME ?? join(place, home, '.config'), folder)
}

export const CLIENT: Record<ClientName, Client> = {
  'claude-code': {
    title: 'Claude Code',
    file: (place) => join(place, place.home, '.claude.json'),
    key: 'mcpServers',
    entry: (way) => (way.kind === 'stdio' ? { type: 'stdio', ...stdio(way) } : { type: 'http', url: way.url, headers: way.headers }),
  },
  'claude-desktop': {
    title: 'Claude Desktop',
    file: (place) => join(place, appData(place, 'Claude'), 'claude_desktop_config.json'),
    key: 'mcpServers',
    entry: (way) => (way.kind === 'stdio' ? stdio(way) : null),
  },
  cursor: {
    title: 'Cursor',
    file: (place) => join(place, place.home, '.cursor', 'mcp.json'),
    key: 'mcpServers',
    entry: (way) => (way.kind === 'stdio' ? stdio(way) : { url: way.url, headers: way.headers }),
  },
  vscode: {
    title: 'Visual Studio Code',
    file: (place) => join(place, appData(place, 'Code'), 'User', 'mcp.json'),
    key: 'servers',
    entry: (way) => (way.kind === 'stdio' ? { type: 'stdio', ...stdio(way) } : { type: 'http', url: way.url, headers: way.headers }),
  },
  codex: {
    title: 'Codex',
    file: (place) => join(place, place.env.CODEX_HOME ?? join(place, place.home, '.codex'), 'config.toml'),
    key: 'mcp_servers',
    toml: true,
    entry: (way) => (way.kind === 'stdio' ? stdio(way) : { url: way.url, http_headers: way.headers }),
  },
  gemini: {
    title: 'Gemini CLI',
    file: (place) => join(place, place.home, '.gemini', 'settings.json'),
    key: 'mcpServers',
    entry: (way) => (way.kind === 'stdio' ? stdio(way) : { httpUrl: way.url, headers: way.headers }),
  },
}

/** What is added to settings that are empty. */
export function snippet(client: Client, name: string, entry: Record<string, unknown>): string {
  return client.toml ? tomlTable(client.key, name, entry) : `${JSON.stringify({ [client.key]: { [name]: entry } }, null, 2)}\n`
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)

/** One table of such a file. */
export function tomlTable(key: string, name: string, entry: Record<string, unknown>): string {
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
