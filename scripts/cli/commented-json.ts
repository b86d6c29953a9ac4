/**
 * Settings of programs that allow comments and trailing commas in their JSON: one entry is put in or replaced, and every other character stays as
 * it was. What comes out is read again; where it does not say exactly what was wanted, nothing is changed.
 */
import { isDeepStrictEqual } from 'node:util'

type Json = Record<string, unknown>
/** Where a member's value stands in the text. */
type Member = { name: string; from: number; to: number }

/** The text with `settings[key][name]` as given; null: it is not JSON with comments, or no object is where one must be. */
export function withEntry(text: string, key: string, name: string, entry: Json): string | null {
  const plain = blanked(text)
  const settings = parsed(plain)
  if (settings === null || !isObject(settings[key] ?? {})) return null
  const servers = (settings[key] ?? {}) as Json
  if (isDeepStrictEqual(servers[name], entry)) return text
  const root = membersOf(plain, plain.indexOf('{'))
  const under = root.find((one) => one.name === key)
  const known = under && membersOf(plain, under.from).find((one) => one.name === name)
  const written = (value: unknown, depth: number) => JSON.stringify(value, null, 2).replaceAll('\n', `\n${'  '.repeat(depth)}`)
  const put = (at: number, member: string, value: unknown, depth: number, isOnly: boolean) =>
    `${text.slice(0, at)}\n${'  '.repeat(depth)}${JSON.stringify(member)}: ${written(value, depth)}${isOnly ? '\n' : ','}${text.slice(at)}`
  const after = known
    ? `${text.slice(0, known.from)}${written(entry, 2)}${text.slice(known.to)}`
    : under
      ? put(under.from + 1, name, entry, 2, Object.keys(servers).length === 0)
      : put(plain.indexOf('{') + 1, key, { [name]: entry }, 1, root.length === 0)
  const wanted = { ...settings, [key]: { ...servers, [name]: entry } }
  return isDeepStrictEqual(parsed(blanked(after)), wanted) ? after : null
}

/** The same text, as long, with spaces for comments and for commas before a closing bracket. */
function blanked(text: string): string {
  const spaces = (part: string) => part.replace(/[^\n]/g, ' ')
  const without = text.replace(/"(?:[^"\\]|\\.)*"|\/\/[^\n]*|\/\*[\s\S]*?\*\//g, (part) => (part.startsWith('"') ? part : spaces(part)))
  return without.replace(/"(?:[^"\\]|\\.)*"|,(?=\s*[}\]])/g, (part) => (part === ',' ? ' ' : part))
}
function parsed(plain: string): Json | null {
  try {
    const value: unknown = JSON.parse(plain)
    return isObject(value) ? value : null
  } catch {
    return null // it is said above what that means
  }
}
const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)

/** Members of the object that opens at `open`, in text that was parsed already. */
function membersOf(plain: string, open: number): Member[] {
  const members: Member[] = []
  let depth = 0
  let name: string | null = null
  let from = -1
  for (const { 0: token, index } of plain.slice(open).matchAll(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g)) {
    const at = open + index
    if (depth === 1 && name !== null && from < 0 && token !== ':') from = at
    if (token === '}' || token === ']') depth -= 1
    const isEnd = (depth === 1 && token === ',') || depth === 0
    if (isEnd && name !== null && at > open) {
      members.push({ name, from, to: from + plain.slice(from, at).trimEnd().length })
      name = null
      from = -1
    }
    if (token === '{' || token === '[') depth += 1
    else if (depth === 0) break
    else if (depth === 1 && name === null && token.startsWith('"')) name = JSON.parse(token) as string
  }
  return members
}
