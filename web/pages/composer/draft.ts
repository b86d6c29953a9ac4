/** A goal as it is being written, with everything that is said beside its words: how it is kept, checked and sent. Pure. */
import { GOAL_LIMIT, type RequestOf } from '../../../core/contract/api.ts'
import type { Template } from '../../../core/contract/api-templates.ts'
import { APPROVALS, type Approval, ATTACHED_BYTES, ATTACHMENTS } from '../../../core/contract/goal.ts'
import type { Budget } from '../../../core/contract/limits.ts'
import { filled, placesIn } from '../../../core/contract/places.ts'
import { type GoalRule, NARROW_SCOPES } from '../../../core/contract/policy.ts'
import { CRITERION_LENGTH, MOST_CRITERIA } from '../../../core/contract/task.ts'
import { composer as words } from '../../words/composer.ts'

/** A file that is on the server already. `expiresAt`: when it is thrown away. */
export type Attached = { id: string; name: string; type: string; bytes: number; expiresAt: string }
/** Caps as they are typed. Time in minutes. */
export const CAPS = ['dollars', 'minutes', 'tokens', 'turns', 'tasks', 'depth', 'fanOut'] as const
export type Cap = (typeof CAPS)[number]

/** What is left out is as the system, or the past goal, has it. */
export type Draft = {
  goal: string
  template?: string | undefined
  /** For the places of the template. */
  values: Readonly<Record<string, string>>
  agent?: string | undefined
  example?: string | undefined
  model?: string | undefined
  approval?: Approval | undefined
  priority?: number | undefined
  workspace?: 'task' | 'shared' | undefined
  mode?: 'auto' | 'step' | undefined
  budget: Readonly<Partial<Record<Cap, string>>>
  attachments: readonly Attached[]
  /** What counts as done, as it is typed: one a line. */
  criteria?: string | undefined
  /** Of this goal alone. */
  rules: readonly GoalRule[]
  /** The same draft sent twice with it starts one goal; '' before it was sent. */
  key: string
}
export const EMPTY: Draft = { goal: '', values: {}, budget: {}, attachments: [], rules: [], key: '' }
export const isEmpty = (draft: Draft): boolean => JSON.stringify({ ...draft, key: '' }) === JSON.stringify(EMPTY)

const record = (value: unknown): Record<string, string> =>
  Object.fromEntries(
    Object.entries(typeof value === 'object' && value !== null ? value : {}).filter(
      (one): one is [string, string] => typeof one[1] === 'string',
    ),
  )
const isAttached = (one: unknown): one is Attached =>
  typeof one === 'object' &&
  one !== null &&
  ['id', 'name', 'type', 'expiresAt'].every((key) => typeof (one as Record<string, unknown>)[key] === 'string')
const isRule = (one: unknown): one is GoalRule => {
  const { verdict, scope, signature } = (typeof one === 'object' && one !== null ? one : {}) as Partial<Record<string, unknown>>
  return (verdict === 'ask' || verdict === 'deny') && NARROW_SCOPES.some((each) => each === scope) && typeof signature === 'string'
}
const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined)
const among = <T extends string>(value: unknown, all: readonly T[]): T | undefined => all.find((one) => one === value)

/** Whatever was kept, only what is understood counts. Files whose time is over are gone; words that an older page kept are the goal. */
export function parseDraft(kept: string, now: number): Draft {
  let raw: Record<string, unknown>
  try {
    const value: unknown = JSON.parse(kept || '{}')
    if (typeof value !== 'object' || value === null) return { ...EMPTY, goal: kept }
    raw = value as Record<string, unknown>
  } catch {
    return { ...EMPTY, goal: kept } // the words alone, as they were kept before
  }
  const attachments = Array.isArray(raw.attachments) ? raw.attachments.filter(isAttached) : []
  const set = {
    template: text(raw.template),
    agent: text(raw.agent),
    example: text(raw.example),
    model: text(raw.model),
    approval: among(raw.approval, APPROVALS),
    priority: Number.isInteger(raw.priority) ? (raw.priority as number) : undefined,
    workspace: among(raw.workspace, ['task', 'shared'] as const),
    mode: among(raw.mode, ['auto', 'step'] as const),
    criteria: text(raw.criteria),
  }
  return {
    goal: typeof raw.goal === 'string' ? raw.goal : '',
    ...Object.fromEntries(Object.entries(set).filter(([, value]) => value !== undefined)),
    values: record(raw.values),
    budget: Object.fromEntries(Object.entries(record(raw.budget)).filter(([cap]) => CAPS.some((one) => one === cap))),
    attachments: attachments.filter((file) => Date.parse(file.expiresAt) > now),
    rules: Array.isArray(raw.rules) ? raw.rules.filter(isRule) : [],
    key: typeof raw.key === 'string' ? raw.key : '',
  }
}

const BOUNDS: Record<Cap, { least: number; most: number; whole: boolean }> = {
  dollars: { least: 0, most: 1_000_000, whole: false },
  minutes: { least: 1 / 60, most: 525_600, whole: false },
  tokens: { least: 1, most: 1_000_000_000, whole: true },
  turns: { least: 1, most: 1_000_000, whole: true },
  tasks: { least: 1, most: 100_000, whole: true },
  depth: { least: 0, most: 50, whole: true },
  fanOut: { least: 0, most: 1_000, whole: true },
}
const SIZES: Readonly<Record<string, number>> = { k: 1_000, m: 1_000_000 }

/** "$2.50", "2,50", "1,000,000", "4M" → a number; undefined: empty, so the default holds; a text: what is wrong. */
export function capOf(cap: Cap, typed: string): number | undefined | string {
  const { least, most, whole } = BOUNDS[cap]
  const plain = typed
    .trim()
    .replace(/^\$\s*/, '')
    .replace(/[\s_]/g, '')
  if (plain === '') return undefined
  const [, digits = '', size = ''] = /^([\d.,]+)([kKmM]?)$/.exec(plain) ?? []
  const number = /^\d{1,3}(,\d{3})+(\.\d+)?$/.test(digits) ? digits.replaceAll(',', '') : digits.replace(',', '.')
  const value = /^\d+(\.\d+)?$|^\.\d+$/.test(number) ? Number(number) * (SIZES[size.toLowerCase()] ?? 1) : Number.NaN
  if (!(value >= least && value <= most) || (whole && !Number.isInteger(value))) return words.capWrong(cap, whole, Math.ceil(least), most)
  return value
}

/** The places that need a value; none unless the goal is of a template, because braces may be meant as they are. */
export const placesOf = (draft: Draft): string[] => (draft.template === undefined ? [] : placesIn(draft.goal))

export type Body = RequestOf<'submitGoal'>
export type Wrong = { field: 'goal' | 'values' | 'criteria' | 'budget' | 'attachments'; why: string }
/** `why` is '' where nothing needs to be said: nothing was typed yet. */
export type Sending = { ok: true; body: Body } | { ok: false; wrong: Wrong }

/** What is sent, or what keeps it from being sent. */
export function sendingOf(draft: Draft, plan: boolean): Sending {
  const places = placesOf(draft)
  const goal = places.length > 0 ? filled(draft.goal, draft.values) : draft.goal
  if (goal.trim() === '') return no('goal', '')
  if (goal.length > GOAL_LIMIT) return no('goal', words.tooLong(GOAL_LIMIT, goal.length))
  const open = places.filter((place) => (draft.values[place] ?? '').trim() === '')
  if (open.length > 0) return no('values', words.unfilled(open))
  const criteria = criteriaOf(draft.criteria)
  if (criteria.length > MOST_CRITERIA) return no('criteria', words.criteriaMany(MOST_CRITERIA))
  const long = criteria.find((one) => one.length > CRITERION_LENGTH)
  if (long !== undefined) return no('criteria', words.criterionLong(CRITERION_LENGTH, long.slice(0, 40)))
  const budget: Budget = {}
  for (const cap of CAPS) {
    const value = capOf(cap, draft.budget[cap] ?? '')
    if (typeof value === 'string') return no('budget', value)
    if (value === undefined) continue
    if (cap === 'minutes') budget.wallSeconds = Math.max(1, Math.round(value * 60))
    else budget[cap] = value
  }
  if (draft.attachments.length > ATTACHMENTS) return no('attachments', words.tooMany(ATTACHMENTS))
  if (sum(draft.attachments) > ATTACHED_BYTES) return no('attachments', words.tooMuch(ATTACHED_BYTES))
  const { agent, example, model, approval, priority, workspace, mode } = draft
  const settings = { agent, example, model, approval, priority, workspace, mode }
  return {
    ok: true,
    body: {
      goal,
      ...Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined)),
      ...(Object.keys(budget).length > 0 ? { budget } : {}),
      ...(draft.attachments.length > 0 ? { attachments: draft.attachments.map(({ id }) => id) } : {}),
      ...(criteria.length > 0 ? { criteria } : {}),
      ...(draft.rules.length > 0 ? { rules: [...draft.rules] } : {}),
      ...(plan ? { plan } : {}),
    },
  }
}
/** One a line; marks of a list at the beginning of a line are none of its words. */
export const criteriaOf = (typed = ''): string[] =>
  typed
    .split('\n')
    .map((line) => line.replace(/^\s*(?:[-*•]|\d{1,3}[.)])\s+/, '').trim())
    .filter(Boolean)
const no = (field: Wrong['field'], why: string): Sending => ({ ok: false, wrong: { field, why } })
export const sum = (files: readonly { bytes: number }[]): number => files.reduce((all, { bytes }) => all + bytes, 0)

/** Caps as a person would have typed them. */
export function typedBudget({ wallSeconds, ...rest }: Budget): Draft['budget'] {
  const caps: Partial<Record<Cap, number | undefined>> = { ...rest, ...(wallSeconds === undefined ? {} : { minutes: wallSeconds / 60 }) }
  return Object.fromEntries(CAPS.flatMap((cap) => (caps[cap] === undefined ? [] : [[cap, String(caps[cap])]])))
}

/** The draft that a template begins; files that are there already stay. */
export function fromTemplate(template: Template, before: Draft): Draft {
  const { id, goal, agent, example, model, approval, priority, workspace, mode, budget } = template
  const set = { agent, example, model, approval, priority, workspace, mode }
  const kept = Object.fromEntries(Object.entries(before.values).filter(([name]) => template.variables.includes(name)))
  return {
    ...EMPTY,
    goal,
    template: id,
    ...Object.fromEntries(Object.entries(set).filter(([, value]) => value !== undefined)),
    values: kept,
    budget: typedBudget(budget ?? {}),
    attachments: before.attachments,
    ...(template.criteria?.length ? { criteria: template.criteria.join('\n') } : {}),
    rules: template.rules ?? [],
  }
}
