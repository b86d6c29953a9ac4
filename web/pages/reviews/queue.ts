/** Which items the page lists, in which order, and which may be decided together. Pure. */
import { DECISIONS_OF, type DecisionWord, REVIEW_KINDS, type Review } from '../../../core/contract/review.ts'
import { oneOf, texts } from '../../search.ts'

export const TABS = ['you', 'snoozed', 'done'] as const
export type QueueTab = (typeof TABS)[number]
export const RISKS = ['high', 'medium', 'low'] as const
export const SORTS = ['urgent', 'oldest', 'newest'] as const
export type Sort = (typeof SORTS)[number]

/** What the address says after `?`. */
export const queueSearch = (search: Record<string, unknown>) => ({
  ...oneOf(search, 'tab', TABS),
  ...oneOf(search, 'kind', REVIEW_KINDS),
  ...oneOf(search, 'risk', RISKS),
  ...oneOf(search, 'sort', SORTS),
  ...texts(search, 'tree', 'q'),
})
export type QueueSearch = ReturnType<typeof queueSearch>

export const reviewPath = (id: string | null, search: QueueSearch = {}): string => {
  const words = new URLSearchParams(Object.entries(search).filter((one): one is [string, string] => Boolean(one[1]))).toString()
  return `/reviews${id === null ? '' : `/${encodeURIComponent(id)}`}${words ? `?${words}` : ''}`
}

/** `goalOf`: words of the item's goal, which are searched too. */
export function fits(review: Review, search: QueueSearch, goalOf: (treeId: string) => string): boolean {
  if (search.kind !== undefined && review.kind !== search.kind) return false
  if (search.risk !== undefined && review.risk !== search.risk) return false
  if (search.tree !== undefined && review.treeId !== search.tree) return false
  if (search.q === undefined) return true
  const words = `${review.title}\n${goalOf(review.treeId)}\n${review.id}\n${JSON.stringify(review.action)}`.toLowerCase()
  return search.q
    .toLowerCase()
    .split(/\s+/)
    .every((word) => words.includes(word))
}

const RISK = { high: 0, medium: 1, low: 2 }
export function inOrder(sort: Sort): (a: Review, b: Review) => number {
  const older = (a: Review, b: Review) =>
    (a.createdAt < b.createdAt ? -1 : Number(a.createdAt > b.createdAt)) || (a.id < b.id ? -1 : Number(a.id > b.id))
  if (sort === 'oldest') return older
  if (sort === 'newest') return (a, b) => older(b, a)
  return (a, b) => Number(b.escalatedAt !== null) - Number(a.escalatedAt !== null) || RISK[a.risk] - RISK[b.risk] || older(a, b)
}

/** What one request may hold. */
const MOST = 200
/** Above this many a person types how many they mean. */
export const TYPED_ABOVE = 10

/** Why these cannot be decided with that one word; null: they can. */
export function batchProblem(
  items: readonly Review[],
  decision: DecisionWord,
): 'none' | 'single' | 'differ' | 'risky' | 'many' | 'needsWords' | null {
  const [first] = items
  if (!first) return 'none'
  if (items.length > MOST) return 'many'
  if (items.some((item) => item.risk === 'high')) return 'risky'
  if (
    items.length > 1 &&
    (first.signature === null || items.some((item) => item.signature !== first.signature || item.kind !== first.kind))
  )
    return 'differ'
  return items.every((item) => DECISIONS_OF[item.kind].includes(decision)) ? null : 'needsWords'
}

/** The answers that a question offers: its lines with a bullet, a number or a letter before them. Nothing for fewer than two or more than nine. */
export function choicesIn(question: string): string[] {
  const found = question.split('\n').flatMap((line) => /^\s*(?:[-*•]|\d{1,2}[.)]|[a-zA-Z][.)])\s+(\S.*)$/.exec(line)?.[1]?.trim() ?? [])
  return found.length >= 2 && found.length <= 9 ? found : []
}

/** The next place in a list of `length` from `at`; -1 begins before the first. It stops at the ends. */
export const step = (at: number, by: 1 | -1, length: number): number =>
  Math.max(0, Math.min(length - 1, at < 0 ? (by > 0 ? 0 : length - 1) : at + by))

/** What a goal is called where there is one line for it. */
export const firstLine = (text: string): string => text.trim().split('\n', 1)[0] ?? ''

/** Without the command, where that is shown below in full. */
export function shortTitle(title: string, command: string | null): string {
  const at = title.indexOf(': ')
  if (command === null || at < 0) return title
  const told = title
    .slice(at + 2)
    .replace(/…$/, '')
    .trim()
  return told !== '' && command.replace(/\s+/g, ' ').trim().startsWith(told) ? title.slice(0, at) : title
}
