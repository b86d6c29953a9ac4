/**
 * Headers that repeat arguments of a call (`Mcp-Param-…`, since 2026-07-28), so that what stands between can route by them without reading the
 * body. Who decides by the header and who acts by the body must have seen the same, so a call whose two differ is refused. The SDK checks
 * this for servers of its upper layer only.
 */

type Schema = { type?: unknown; properties?: Record<string, Schema>; 'x-mcp-header'?: unknown }
type Declared = { path: string[]; header: string; numeric: boolean }
export type Mismatch = { header: string; body: string }

const PREFIX = 'Mcp-Param-'
/** What is no plain text of a header is sent in base64 between these. */
const ENCODED = /^=\?base64\?((?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?)\?=$/
const SENTINEL = /^=\?base64\?.*\?=$/s
const DECIMAL = /^-?\d+(\.\d+)?$/

/** Arguments that the schema wants repeated in a header. */
export function declaredIn(schema: object, path: readonly string[] = []): Declared[] {
  const { properties = {} } = schema as Schema
  return Object.entries(properties).flatMap(([name, property]) => {
    const header = property['x-mcp-header']
    const own =
      typeof header === 'string'
        ? [{ path: [...path, name], header: `${PREFIX}${header}`, numeric: property.type === 'integer' || property.type === 'number' }]
        : []
    return [...own, ...declaredIn(property, [...path, name])]
  })
}

/** What of a call's headers is other than its body; null: nothing. An argument that was left out needs no header. */
export function mismatchIn(declared: readonly Declared[], given: unknown, headers: Headers): Mismatch | null {
  for (const { path, header, numeric } of declared) {
    const value = path.reduce<unknown>((at, name) => (typeof at === 'object' && at !== null ? (at as never)[name] : undefined), given)
    if (typeof value !== 'string' && typeof value !== 'boolean' && !(typeof value === 'number' && Number.isFinite(value))) continue
    const has = `the body has ${path.join('.')}=${JSON.stringify(value).slice(0, 200)}`
    const sent = headers.get(header)
    if (sent === null) return { header, body: `${has}, and the header ${header} is missing` }
    const read = decoded(sent)
    if (read === null) return { header, body: `the header ${header} is no valid base64 of UTF-8` }
    const same = numeric && typeof value === 'number' && DECIMAL.test(read) ? Number(read) === value : read === String(value)
    if (!same) return { header, body: `${has}, and the header ${header} says ${JSON.stringify(read).slice(0, 200)}` }
  }
  return null
}

function decoded(sent: string): string | null {
  if (!SENTINEL.test(sent)) return sent
  const base64 = ENCODED.exec(sent)?.[1]
  if (base64 === undefined) return null
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(base64, 'base64'))
  } catch {
    return null // not UTF-8, which is what was asked
  }
}
