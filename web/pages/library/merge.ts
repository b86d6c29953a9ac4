/** An entry as fields: what of it may be edited, and how two people's edits of one version become one. Pure. */
import type { Body, Kind } from './entries.ts'

const FIELDS: { readonly [K in Kind]: readonly (keyof Body<K>)[] } = {
  agent: [
    'name', 'description', 'instruction', 'documents', 'tools', 'model', 'web_search_allowed', 'capabilities', 'max_turns',
    'timeout_seconds', 'max_output_tokens', 'watcher', 'enabled',
  ],
  document: ['name', 'description', 'content', 'enabled'],
  tool: ['name', 'description', 'core', 'enabled', 'origin', 'made'],
} // biome-ignore format: a line a kind
export const fieldsOf = <K extends Kind>(kind: K): readonly (keyof Body<K> & string)[] =>
  FIELDS[kind] as readonly (keyof Body<K> & string)[]

/** The part of what was read that is sent back. A field that is not there stays away. */
export function bodyOf<K extends Kind>(kind: K, item: Body<K>): Body<K> {
  return Object.fromEntries(
    fieldsOf(kind).flatMap((field) => (item[field] === undefined ? [] : [[field, item[field]]])),
  ) as unknown as Body<K>
}

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b)
/** Names of the fields in which two bodies differ. */
export function changed<K extends Kind>(kind: K, a: Body<K>, b: Body<K>): (keyof Body<K> & string)[] {
  return fieldsOf(kind).filter((field) => !same(a[field], b[field]))
}

/**
 * Both began with `base`. A field that only one changed is as they have it, lists take what each added and lose what each took away;
 * `conflicts` are the fields which both changed to something different, in which `body` has mine.
 */
export function merge<K extends Kind>(
  kind: K,
  base: Body<K>,
  mine: Body<K>,
  theirs: Body<K>,
): { body: Body<K>; conflicts: (keyof Body<K> & string)[] } {
  const body: Record<string, unknown> = {}
  const conflicts: (keyof Body<K> & string)[] = []
  for (const field of fieldsOf(kind)) {
    const [was, my, their] = [base[field] as unknown, mine[field] as unknown, theirs[field] as unknown]
    let value = my
    if (same(my, was)) value = their
    else if (Array.isArray(was) && Array.isArray(my) && Array.isArray(their)) value = mergeLists(was, my, their)
    else if (!same(their, was) && !same(my, their)) conflicts.push(field)
    if (value !== undefined) body[field] = value
  }
  return { body: body as Body<K>, conflicts }
}
function mergeLists(was: readonly unknown[], mine: readonly unknown[], theirs: readonly unknown[]): unknown[] {
  const kept = theirs.filter((one) => mine.includes(one) || !was.includes(one))
  return [...kept, ...mine.filter((one) => !was.includes(one) && !kept.includes(one))]
}

/** The settings of an entry, without its long text, as lines that compare well. */
export function settingsText<K extends Kind>(kind: K, body: Body<K>): string {
  return fieldsOf(kind)
    .filter((field) => !LONG.includes(field) && body[field] !== undefined)
    .map((field) => {
      const value = body[field] as unknown
      if (Array.isArray(value)) return value.length === 0 ? `${field}: []` : `${field}:\n${value.map((one) => `  - ${one}`).join('\n')}`
      return `${field}: ${String(value)}`
    })
    .join('\n')
}
const LONG: readonly string[] = ['instruction', 'content', 'origin', 'made']
/** The long text of an entry: an agent's instruction, a document's content; null: it has none. */
export function longText<K extends Kind>(kind: K, body: Body<K>): string | null {
  const field = kind === 'agent' ? 'instruction' : kind === 'document' ? 'content' : null
  return field === null ? null : String((body as unknown as Record<string, unknown>)[field] ?? '')
}
