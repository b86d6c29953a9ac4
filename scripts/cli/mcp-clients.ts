/** Writes an entry for Banyan into the settings of a program and leaves all that is not about it as it was. */
import { type Client, tomlTable } from '../../core/contract/mcp-clients.ts'
import { withEntry } from './commented-json.ts'

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
