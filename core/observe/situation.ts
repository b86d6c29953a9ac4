/** How things stand, in plain words. Pure. Titles are the first words of what people typed. */
import { labelOf } from '../contract/label.ts'
import type { Review } from '../contract/review.ts'
import { isOver, type Spend, titleOf } from '../contract/task.ts'
import type { Halt } from '../tasks/halt.ts'
import type { TreeView } from '../tasks/trees.ts'

export type Situation = {
  open: readonly TreeView[]
  more: boolean
  /** The newest that are over. */
  over: readonly TreeView[]
  reviews: readonly Pick<Review, 'createdAt' | 'kind' | 'risk'>[]
  spend: { today: { dollars: number; unpricedCalls: number }; limit: { dollars: number } | null }
  halt: Halt | null
  now: number
}

const DAY_MS = 86_400_000
const LONGEST_RESULT = 4_000

export function situationInWords({ open, more, over, reviews, spend, halt, now }: Situation): string {
  const today = over.filter((goal) => now - Date.parse(goal.updatedAt) < DAY_MS)
  const ended = (statuses: readonly string[]) => today.filter((goal) => statuses.includes(goal.status)).length
  const oldest = reviews[0] && since(reviews[0].createdAt, now)
  const limit = spend.limit === null ? '' : ` of ${dollars(spend.limit.dollars)}`
  return [
    ...(halt ? [`Everything is paused by ${halt.by}${halt.comment ? ` (${halt.comment})` : ''}; nothing begins until it is resumed.`] : []),
    open.length === 0
      ? 'No goal is under way.'
      : `${counted(open.length, 'goal')}${more ? ' and more are' : open.length === 1 ? ' is' : ' are'} under way:`,
    ...open.map((goal) => `- ${lineOf(goal, now)}`),
    reviews.length === 0
      ? 'Nothing waits for you.'
      : `${counted(reviews.length, 'item')} ${reviews.length === 1 ? 'waits' : 'wait'} for you in the review queue; the oldest for ${oldest}.`,
    `In the last day ${counted(ended(['done']), 'goal')} ended well, ${ended(['failed', 'dead'])} failed, ${ended(['cancelled'])} were stopped. Spent today: ${dollars(spend.today.dollars)}${limit}${spend.today.unpricedCalls > 0 ? `, and ${counted(spend.today.unpricedCalls, 'call')} of unknown price` : ''}.`,
  ].join('\n')
}

export function goalInWords(goal: TreeView, now: number): string {
  const result = goal.summary ?? goal.result
  return [
    lineOf(goal, now),
    `Asked by ${goal.submittedBy} ${since(goal.createdAt, now)} ago: ${oneLine(goal.goal, 1_000)}`,
    ...(goal.pausedReason ? [`Held: ${goal.pausedReason}.`] : []),
    ...(goal.note ? [`Note: ${oneLine(goal.note, 500)}`] : []),
    ...(goal.needsYou > 0
      ? [`${counted(goal.needsYou, 'question')} of it ${goal.needsYou === 1 ? 'waits' : 'wait'} in the review queue.`]
      : []),
    ...(isOver(goal.status) && result ? [`Result:\n${result.slice(0, LONGEST_RESULT)}`] : []),
  ].join('\n')
}

function lineOf(goal: TreeView, now: number): string {
  const total = Object.values(goal.counts).reduce((sum, n) => sum + n, 0)
  const parts = [
    `${goal.counts.done ?? 0} of ${counted(total, 'task')} done`,
    ...((goal.counts.failed ?? 0) + (goal.counts.dead ?? 0) > 0 ? [`${(goal.counts.failed ?? 0) + (goal.counts.dead ?? 0)} failed`] : []),
    ...(goal.needsYou > 0 ? [`${goal.needsYou} waiting for you`] : []),
    spent(goal.spend),
  ]
  const when = isOver(goal.status) ? ` ${since(goal.updatedAt, now)} ago` : `, begun ${since(goal.createdAt, now)} ago`
  return `${oneLine(titleOf(goal.goal), 120)} (${goal.id}): ${labelOf(goal).word}${when}; ${parts.join(', ')}.`
}

const oneLine = (text: string, most: number): string => {
  const line = text.replace(/\s+/g, ' ').trim()
  return line.length > most ? `${line.slice(0, most - 1)}…` : line
}
const counted = (n: number, noun: string): string => `${n.toLocaleString('en')} ${noun}${n === 1 ? '' : 's'}`
const dollars = (amount: number): string => `$${amount.toFixed(amount > 0 && amount < 0.01 ? 4 : 2)}`
const spent = ({ costMicros, tokens, unpricedCalls }: Spend): string =>
  unpricedCalls > 0 && costMicros === 0 ? `${tokens.toLocaleString('en')} tokens of unknown price` : dollars(costMicros / 1_000_000)
function since(at: string, now: number): string {
  const minutes = Math.max(0, Math.floor((now - Date.parse(at)) / 60_000))
  if (minutes < 1) return 'less than a minute'
  if (minutes < 60) return counted(minutes, 'minute')
  return minutes < 2_880 ? counted(Math.floor(minutes / 60), 'hour') : counted(Math.floor(minutes / 1_440), 'day')
}
