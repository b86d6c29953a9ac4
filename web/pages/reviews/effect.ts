/** What a review item would do, as data that the page draws. Pure. Everything in it may have been written by an agent. */

import type { ChangedFile, Gate, Level } from '../../../core/contract/change.ts'
import { graveOf, lineOf, riskOf } from '../../../core/contract/command-text.ts'
import type { PlanItem } from '../../../core/contract/plan.ts'
import type { Review } from '../../../core/contract/review.ts'
import type { FileDiff } from '../../ui/diff-view.tsx'
import { reviews as words } from '../../words/reviews.ts'

export type Row = { name: string; value: string; code?: boolean; warn?: boolean }
export type Effect = {
  command: string | null
  /** The part of the command to look at twice. */
  grave: string | null
  rows: Row[]
  files: (FileDiff & { note?: string })[]
  plan: readonly PlanItem[] | null
  budget: Budget | null
  /** Tools of a server of others that are other than a person approved. */
  server: { name: string; changes: ServerChange[] } | null
  /** Code of Banyan itself. */
  change: SelfChange | null
  /** Text that the agent wrote for the person. */
  said: string | null
  /** What is in the data and not shown by the rest. */
  rest: Record<string, unknown> | null
}
/** `diff`: lines with + and -; null: it is new, and `description` is what the server says of it. */
export type ServerChange = { tool: string; state: string; problem: string | null; diff: string | null; description: string }
export type SelfChange = {
  id: string
  tree: string
  commit: string
  level: Level
  reasons: string[]
  files: ChangedFile[]
  gates: Pick<Gate, 'name' | 'verdict' | 'summary'>[]
  diff: { text: string; cut: boolean }
  agent: string
  says: { why: string; evidence: string; effect: string }
}
export type Budget = {
  limit: string
  used: number
  cap: number
  limits: Readonly<Record<string, number>>
  raised: Readonly<Record<string, number>>
  day: number | null
}

type Raw = Readonly<Record<string, unknown>>
const isRaw = (value: unknown): value is Raw => typeof value === 'object' && value !== null && !Array.isArray(value)
const text = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null)
const strings = (value: unknown): string[] => (Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [])

const NAMED = [
  'tool',
  'operation',
  'job',
  'repository',
  'source',
  'to',
  'branch',
  'commit',
  'url',
  'path',
  'name',
  'provider',
  'model',
] as const
/** Said by the buttons already. */
const UNSAID = new Set(['decision', 'task'])

export function effectOf(review: Pick<Review, 'kind' | 'action'>): Effect {
  const effect: Effect = {
    command: null,
    grave: null,
    rows: [],
    files: [],
    plan: null,
    budget: null,
    server: null,
    change: null,
    said: null,
    rest: null,
  }
  if (!isRaw(review.action)) return { ...effect, rest: review.action == null ? null : { action: review.action } }
  const { kind } = review
  if (kind === 'plan' && Array.isArray(review.action.items)) return { ...effect, plan: review.action.items as PlanItem[] }
  if (kind === 'self_change') {
    const change = selfChangeOf(review.action)
    if (change !== null) return { ...effect, change }
  }
  if (kind === 'budget') return { ...effect, budget: budgetOf(review.action) }
  const shown = new Set<string>(UNSAID)
  const outer = review.action
  const server = serverOf(outer)
  if (kind === 'flag' && server !== null) return { ...effect, server }
  // A tool that says nothing of itself is shown with its arguments.
  const given: Raw = isRaw(outer.input) ? { tool: outer.tool, ...outer.input } : outer
  const take = (name: string): unknown => {
    shown.add(name)
    return given[name]
  }
  const row = (name: string, value: string | null, more: Partial<Row> = {}) => {
    if (value !== null) effect.rows.push({ name: words.rows[name] ?? name, value, ...more })
  }
  if (kind === 'stuck') {
    row('seen', text(take('seen')))
    row('tried', strings(take('tried')).join('; ') || null)
    effect.said = text(take('supervisor'))
    shown.add('since').add('calls')
  }
  if (kind === 'question' || kind === 'flag') effect.said = text(take('question')) ?? text(take('issue'))
  const argv = strings(given.argv)
  effect.command = text(take('command')) ?? (argv.length > 0 ? lineOf(argv) : null)
  shown.add('argv')
  if (effect.command !== null) effect.grave = graveOf(effect.command)

  for (const name of NAMED) {
    const value = text(given[name])
    if (value?.includes('\n')) continue // a text and no name
    if (value !== null && !(name === 'tool' && effect.command !== null)) row(name, value, { code: true })
    if (value !== null) shown.add(name)
  }
  // A tool of somebody else's server: whose it is stands beside its arguments, not in them.
  if (given !== outer && server === null && text(outer.server) !== null) {
    row('server', text(outer.server), { code: true })
    row('where', text(outer.where), { code: true })
    const runs = text(outer.runs)
    if (runs !== null) row('isolation', words.isolation[runs] ?? runs, { warn: runs === 'plain' })
  }
  if (effect.command !== null) {
    row('cwd', text(take('cwd')) ?? '.', { code: true })
    const isolation = text(take('isolation'))
    if (isolation !== null) row('isolation', words.isolation[isolation] ?? isolation, { warn: isolation === 'plain' })
    const network = given.network
    shown.add('network')
    const hosts = strings(network)
    row('network', text(network) ?? (hosts.length > 0 ? hosts.join(', ') : words.rows.noNetwork!), {
      warn: network !== undefined && (hosts.length > 0 || text(network) !== null),
    })
  }
  const secrets = strings(take('secrets'))
  if (secrets.length > 0) row('secrets', secrets.join(', '), { code: true, warn: true })
  const env = take('env')
  if (isRaw(env))
    row(
      'env',
      Object.entries(env)
        .map(([name, value]) => `${name}=${String(value)}`)
        .join('\n'),
      { code: true },
    )
  row('stdin', text(take('stdin')), { code: true })
  if (take('background') === true) row('background', words.rows.inBackground!)
  const seconds = take('timeoutSeconds')
  if (typeof seconds === 'number') row('timeout', words.seconds(seconds))
  if (given.job !== undefined) row('text', JSON.stringify(take('text') ?? ''), { code: true })
  for (const name of ['message', 'note'] as const) row(name, text(take(name)))

  // A tool that an agent made: what it takes the place of is beside it.
  if (text(given.source) !== null && text(given.tests) !== null && isRaw(given.inputSchema)) {
    const before = isRaw(given.before) ? given.before : {}
    row('permission', text(take('permission')), { warn: given.permission === 'write_workspace' })
    row('why', text(take('why')))
    effect.said = text(take('description'))
    for (const one of ['source', 'tests', 'before', 'inputSchema', 'outputSchema', 'report']) shown.add(one)
    effect.files.push(
      { path: 'tool.ts', before: text(before.source), after: text(given.source)! },
      { path: 'tool.test.ts', before: text(before.tests), after: text(given.tests)! },
      { path: 'input-schema.json', before: json(before.inputSchema), after: json(given.inputSchema)! },
      ...(isRaw(given.outputSchema)
        ? [{ path: 'output-schema.json', before: json(before.outputSchema), after: json(given.outputSchema)! }]
        : []),
      { path: 'tests.txt', before: null, after: text(given.report) ?? '' },
    )
  }

  // A document that other agents work by, as it is and as it would be.
  if (given.tool === 'add_document' && typeof given.before === 'string' && typeof given.after === 'string') {
    row('usedBy', text(take('usedBy')))
    effect.said = text(take('description'))
    for (const one of ['before', 'after', 'version', 'was']) shown.add(one)
    effect.files.push({ path: `${String(given.name)}.md`, before: given.before, after: given.after })
  }
  const path = text(given.path)
  if (path !== null && typeof given.content === 'string') {
    shown.add('content').add('append')
    effect.files.push({
      path,
      before: null,
      after: given.content,
      note: given.append === true ? words.item.appended : words.item.fileUnknown,
    })
  }
  if (path !== null && Array.isArray(given.edits)) {
    shown.add('edits')
    for (const [i, edit] of given.edits.filter(isRaw).entries())
      effect.files.push({
        path: given.edits.length > 1 ? `${path} (${i + 1})` : path,
        before: String(edit.old_text ?? ''),
        after: String(edit.new_text ?? ''),
      })
  }
  const rest = Object.entries(given).filter(([name, value]) => !shown.has(name) && value !== null && value !== undefined)
  effect.rest = rest.length > 0 ? Object.fromEntries(rest) : null
  return effect
}

const json = (value: unknown): string | null => (isRaw(value) ? JSON.stringify(value, null, 2) : null)
function serverOf({ server, changes, tools }: Raw): Effect['server'] {
  const name = text(server)
  if (name === null || !Array.isArray(changes) || !isRaw(tools)) return null
  return {
    name,
    changes: changes.filter(isRaw).map((one) => ({
      tool: String(one.tool),
      state: String(one.state),
      problem: text(one.problem),
      diff: text(one.diff),
      description: text(one.description) ?? '',
    })),
  }
}

/** As `core/self` asks; null: by another version of it, and then all of it is shown as data. */
function selfChangeOf(action: Raw): SelfChange | null {
  const { change: id, tree, commit, level, reasons, files, gates, diff, diffCut, author } = action
  const words = [id, tree, commit, diff].every((one) => typeof one === 'string')
  if (!words || !Array.isArray(files) || !Array.isArray(gates) || !isRaw(author) || !isRaw(author.says)) return null
  const { says } = author
  return {
    id: String(id),
    tree: String(tree),
    commit: String(commit),
    level: Number(level) as Level,
    reasons: strings(reasons),
    files: files as ChangedFile[],
    gates: gates as SelfChange['gates'],
    diff: { text: String(diff), cut: diffCut === true },
    agent: String(author.agent),
    says: { why: text(says.why) ?? '', evidence: text(says.evidence) ?? '', effect: text(says.effect) ?? '' },
  }
}

function budgetOf(action: Raw): Budget | null {
  const { reached, limits, approveSetsTo, approveSetsTodayTo } = action
  if (!isRaw(reached) || typeof reached.limit !== 'string') return null
  const numbers = (value: unknown) =>
    Object.fromEntries(Object.entries(isRaw(value) ? value : {}).filter((one): one is [string, number] => typeof one[1] === 'number'))
  return {
    limit: reached.limit,
    used: Number(reached.used),
    cap: Number(reached.cap),
    limits: numbers(limits),
    raised: numbers(approveSetsTo),
    day: typeof approveSetsTodayTo === 'number' ? approveSetsTodayTo : null,
  }
}

/** Why it has the risk that it has, in sentences. */
export function riskWords(review: Review, effect: Effect): string[] {
  const { riskWhy } = words
  const own = effect.server !== null ? riskWhy.server : riskWhy.kind[review.kind]
  return [
    ...(review.escalatedAt !== null ? [riskWhy.overdue] : []),
    ...(effect.grave !== null ? [riskWhy.grave(effect.grave)] : []),
    ...(review.kind === 'permission' && effect.grave === null ? [riskWhy[review.risk]] : []),
    ...(own ? [own] : []),
    ...(review.taint.length > 0 ? [riskWhy.taint] : []),
  ]
}

/** Whether what is approved can be taken back afterwards, in a sentence. */
export function undoWords(review: Review, effect: Effect): string {
  const { undoable } = words
  switch (review.kind) {
    case 'question':
      return undoable.question
    case 'flag':
      return effect.server !== null ? undoable.server : undoable.none
    case 'budget':
      return undoable.budget
    case 'plan':
      return undoable.plan
    case 'self_change':
      return undoable.self_change
    case 'dead_task':
    case 'stuck':
      return undoable.again
    case 'in_doubt':
      return undoable.doubt
    case 'permission':
      if (effect.command !== null)
        return riskOf(effect.command) === 'low' && !effect.rows.some((row) => row.warn) ? undoable.reads : undoable.command
      return effect.files.length > 0 ? undoable.files : undoable.outside
  }
}
