/** What a person may do to a plan before it is approved. Pure: each act gives a new plan. Who waits for whom stays as it was where it can. */
import type { PlanItem } from '../../../core/contract/plan.ts'

/** Ids from the top to the item. */
export type Place = readonly string[]
export type Row = { item: PlanItem; path: Place; depth: number; place: number; of: number }

/** All items as a list, frames before their parts; `shut` ones without what is in them. */
export function rowsOf(items: readonly PlanItem[], shut: ReadonlySet<string> = new Set(), above: Place = []): Row[] {
  return items.flatMap((item, i) => {
    const path = [...above, item.id]
    const row = { item, path, depth: above.length, place: i + 1, of: items.length }
    return [row, ...(shut.has(item.id) ? [] : rowsOf(item.children, shut, path))]
  })
}

const levelAt = (items: readonly PlanItem[], above: Place): readonly PlanItem[] =>
  above.reduce<readonly PlanItem[]>((level, id) => level.find((one) => one.id === id)?.children ?? [], items)
/** The plan with one of its levels changed. */
function within(items: readonly PlanItem[], above: Place, change: (level: readonly PlanItem[]) => readonly PlanItem[]): PlanItem[] {
  const [id, ...rest] = above
  if (id === undefined) return [...change(items)]
  return items.map((one) => (one.id === id ? { ...one, children: within(one.children, rest, change) } : one))
}
const split = (path: Place): [Place, string] => [path.slice(0, -1), path.at(-1)!]
export const itemAt = (items: readonly PlanItem[], path: Place): PlanItem | undefined => {
  const [above, id] = split(path)
  return levelAt(items, above).find((one) => one.id === id)
}

export function change(items: readonly PlanItem[], path: Place, to: Partial<Omit<PlanItem, 'id' | 'children'>>): PlanItem[] {
  const [above, id] = split(path)
  // Words that a person changes are told to be theirs by the system, when it keeps the plan.
  return within(items, above, (level) => level.map((one) => (one.id === id ? without({ ...one, ...to }) : one)))
}
/** Fields with nothing in them are left out, as the plan's hash wants it. */
const without = (item: PlanItem): PlanItem =>
  Object.fromEntries(Object.entries(item).filter(([, value]) => value !== undefined)) as PlanItem

/** Who waited for it waits for what it waited for. */
export function remove(items: readonly PlanItem[], path: Place): PlanItem[] {
  const [above, id] = split(path)
  return within(items, above, (level) => {
    const gone = level.find((one) => one.id === id)
    return level.filter((one) => one.id !== id).map((one) => replaced(one, id, gone?.after ?? []))
  })
}
const replaced = (one: PlanItem, id: string, by: readonly string[]): PlanItem =>
  one.after.includes(id)
    ? { ...one, after: [...new Set(one.after.flatMap((other) => (other === id ? by : [other])))].filter((other) => other !== one.id) }
    : one

/** An id that no part has. */
export function freshId(items: readonly PlanItem[]): string {
  const taken = new Set(rowsOf(items).map(({ item }) => item.id))
  for (let n = taken.size + 1; ; n++) if (!taken.has(`n${n}`)) return `n${n}`
}
/** Puts a part below another one; without a path, at the end. */
export function add(items: readonly PlanItem[], path: Place | null, title: string): { items: PlanItem[]; path: Place } {
  const id = freshId(items)
  const fresh: PlanItem = { id, title, instruction: title, after: [], children: [] }
  if (path === null) return { items: [...items, fresh], path: [id] }
  const [above, beside] = split(path)
  const next = within(items, above, (level) => level.flatMap((one) => (one.id === beside ? [one, fresh] : [one])))
  return { items: next, path: [...above, id] }
}

/** One step up or down among its neighbours. The order on the screen is for reading; who waits for whom does not change by it. */
export function move(items: readonly PlanItem[], path: Place, by: -1 | 1): PlanItem[] {
  const [above, id] = split(path)
  return within(items, above, (level) => {
    const from = level.findIndex((one) => one.id === id)
    const to = from + by
    if (to < 0 || to >= level.length) return level
    const next = [...level]
    ;[next[from], next[to]] = [next[to]!, next[from]!]
    return next
  })
}

/**
 * Into the neighbour above it, at the end; nothing changes when there is none. A frame does nothing itself, so a neighbour that was none
 * gets its own work as its first part.
 */
export function indent(items: readonly PlanItem[], path: Place): { items: PlanItem[]; path: Place } {
  const [above, id] = split(path)
  const level = levelAt(items, above)
  const at = level.findIndex((one) => one.id === id)
  const frame = level[at - 1]
  if (!frame) return { items: [...items], path }
  if (frame.children.length > 0) return put(items, path, [...above, frame.id], frame.children.length)
  const own: PlanItem = { ...frame, id: freshId(items), after: [], children: [] }
  const waited = level[at]!.after.includes(frame.id)
  const framed = within(items, above, (all) =>
    all.map((one) => (one.id === frame.id ? without({ ...one, askMe: undefined, children: [own] }) : one)),
  )
  const moved = put(framed, path, [...above, frame.id], 1)
  return { items: waited ? change(moved.items, moved.path, { after: [own.id] }) : moved.items, path: moved.path }
}
/** Out of its frame, right below it. */
export function outdent(items: readonly PlanItem[], path: Place): { items: PlanItem[]; path: Place } {
  const [above] = split(path)
  if (above.length === 0) return { items: [...items], path }
  const [outer, frame] = split(above)
  return put(items, path, outer, levelAt(items, outer).findIndex((one) => one.id === frame) + 1)
}
/** Takes it from where it is and puts it at place `at` of the level below `above`; never into itself. */
export function put(items: readonly PlanItem[], path: Place, above: Place, at: number): { items: PlanItem[]; path: Place } {
  const item = itemAt(items, path)
  const [from, id] = split(path)
  if (!item || (above.join('/').startsWith(path.join('/')) && above.length >= path.length)) return { items: [...items], path }
  const same = from.join('/') === above.join('/')
  const was = levelAt(items, from).findIndex((one) => one.id === id)
  const to = same && was < at ? at - 1 : at
  const taken = same ? within(items, from, (level) => level.filter((one) => one.id !== id)) : remove(items, path)
  const moved = same ? item : { ...item, after: [] }
  return { items: within(taken, above, (level) => [...level.slice(0, to), moved, ...level.slice(to)]), path: [...above, id] }
}

/** Its text cut in two at `at`: the second part comes after the first. What waited for it waits for the second. */
export function divide(items: readonly PlanItem[], path: Place, first: string, second: string): { items: PlanItem[]; path: Place } {
  const [above, id] = split(path)
  const fresh = freshId(items)
  const next = within(items, above, (level) =>
    level.flatMap((one) => {
      if (one.id !== id) return [replaced(one, id, [fresh])]
      return [
        { ...one, title: titled(first), instruction: first },
        { ...without({ ...one, typed: undefined }), id: fresh, title: titled(second), instruction: second, after: [id], children: [] },
      ]
    }),
  )
  return { items: next, path: [...above, fresh] }
}
const titled = (text: string): string => {
  const line = text.trim().split('\n', 1)[0]!.trim()
  return line.length <= 120 ? line : `${line.slice(0, 119)}…`
}
/** Where an instruction falls into two by itself: after its middle line, or its middle sentence. */
export function halves(instruction: string): [string, string] | null {
  for (const parts of [instruction.trim().split(/\n+/), instruction.trim().split(/(?<=[.;!?])\s+/)]) {
    if (parts.length < 2) continue
    const half = Math.ceil(parts.length / 2)
    const glue = parts.length === instruction.trim().split(/\n+/).length && instruction.includes('\n') ? '\n' : ' '
    return [parts.slice(0, half).join(glue), parts.slice(half).join(glue)]
  }
  return null
}

/** Two parts that do something themselves, or two frames. */
export const mayMerge = (one: PlanItem | undefined, next: PlanItem | undefined): boolean =>
  one !== undefined && next !== undefined && one.children.length > 0 === next.children.length > 0

/** Becomes one part with the neighbour below it, which is done in the same task after it; parts of two frames stand together. */
export function mergeWithNext(items: readonly PlanItem[], path: Place): PlanItem[] {
  const [above, id] = split(path)
  return within(items, above, (level) => {
    const at = level.findIndex((one) => one.id === id)
    const [one, next] = [level[at], level[at + 1]]
    if (!one || !next || !mayMerge(one, next)) return level
    const merged = without({
      ...one,
      title: titled(`${one.title} · ${next.title}`),
      instruction: `${one.instruction}\n\n${next.instruction}`,
      after: [...new Set([...one.after, ...next.after])].filter((other) => other !== one.id && other !== next.id),
      children: [...one.children, ...next.children],
      askMe: one.askMe || next.askMe || undefined,
      typed: undefined,
    })
    return level.filter((other) => other.id !== next.id).map((other) => (other.id === id ? merged : replaced(other, next.id, [id])))
  })
}

/** What begins at once and what waits, in waves: parts of the same wave run side by side. */
export function waveOf(level: readonly PlanItem[], item: PlanItem, seen: readonly string[] = []): number {
  if (seen.includes(item.id)) return 0
  const before = level.filter((one) => item.after.includes(one.id))
  return before.length === 0 ? 0 : 1 + Math.max(...before.map((one) => waveOf(level, one, [...seen, item.id])))
}
/** Those it may be made to wait for: neighbours that do not wait for it themselves. */
export function mayWaitFor(level: readonly PlanItem[], item: PlanItem): PlanItem[] {
  const waits = (one: PlanItem, seen: readonly string[]): boolean =>
    one.after.some((id) => id === item.id || (!seen.includes(id) && level.some((other) => other.id === id && waits(other, [...seen, id]))))
  return level.filter((one) => one.id !== item.id && !waits(one, [one.id]))
}
export const levelOf = (items: readonly PlanItem[], path: Place): readonly PlanItem[] => levelAt(items, path.slice(0, -1))
