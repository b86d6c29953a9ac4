/** How values become words for a person at a terminal. Pure. */
import { stripVTControlCharacters } from 'node:util'
import { DECISIONS_OF, type Review } from '../../core/contract/review.ts'
import type { Spend } from '../../core/contract/task.ts'

/** Everything that drives a terminal instead of being shown: control characters of both ranges, and what turns the direction of text. */
const DRIVES = /(?![\n\t])[\p{Cc}\p{Bidi_Control}]/gu

/** Text that an agent, a command or a model wrote, without anything that could drive the terminal. Line ends and tabs stay. */
export function plain(text: string): string {
  return stripVTControlCharacters(text).replace(/\r\n?/g, '\n').replace(DRIVES, '')
}

/** The same on one line, cut to `most` characters. */
export function oneLine(text: string, most = 120): string {
  const line = plain(text).replace(/\s+/g, ' ').trim()
  const points = [...line]
  return points.length <= most ? line : `${points.slice(0, Math.max(0, most - 1)).join('')}…`
}

/** JSON for stdout: what `JSON.stringify` leaves bare and a terminal would obey is written as an escape, which means the same. */
export function json(value: unknown, indent?: number): string {
  return JSON.stringify(value, null, indent).replace(DRIVES, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** "$1.20", "$0.0004", "$1.20+?" when some calls have no known price, "$?" when none has. */
export function money({ costMicros, unpricedCalls }: Pick<Spend, 'costMicros' | 'unpricedCalls'>): string {
  if (costMicros === 0) return unpricedCalls > 0 ? '$?' : '$0'
  const dollars = costMicros / 1_000_000
  return `$${dollars < 0.01 ? dollars.toFixed(4) : dollars.toFixed(2)}${unpricedCalls > 0 ? '+?' : ''}`
}

/** 950, 12k, 3.4M. */
export function short(n: number): string {
  if (n < 1_000) return String(n)
  const [value, unit] = n < 999_500 ? [n / 1_000, 'k'] : [n / 1_000_000, 'M']
  return `${value < 9.95 ? value.toFixed(1).replace(/\.0$/, '') : Math.round(value)}${unit}`
}

/** What was spent, in one line. */
export function spent(spend: Spend): string {
  const unknown = spend.unpricedCalls > 0 ? ` (${counted(spend.unpricedCalls, 'call')} of unknown price)` : ''
  return `${money({ ...spend, unpricedCalls: spend.costMicros === 0 ? spend.unpricedCalls : 0 })}${unknown}, ${short(spend.tokens)} tokens, ${counted(spend.turns, 'turn')}`
}

export const counted = (n: number, noun: string): string => `${n.toLocaleString('en')} ${noun}${n === 1 ? '' : 's'}`

/** "1 item of it waits for you", "2 items wait for you". */
export const waitFor = (n: number, noun: string, of = ''): string => `${counted(n, noun)}${of} ${n === 1 ? 'waits' : 'wait'} for you`

/** "12 s", "5 min", "3 h", "2 d". */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000))
  if (seconds < 60) return `${seconds} s`
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min`
  if (seconds < 48 * 3_600) return `${Math.floor(seconds / 3_600)} h`
  return `${Math.floor(seconds / 86_400)} d`
}

/** A word as a shell reads it back. */
export const quoted = (word: string): string => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`)

/** Exact commands that decide a review item, the likeliest first. `banyan` is how the command is called here. */
export function decisionCommands(banyan: string, review: Pick<Review, 'id' | 'kind'>): string[] {
  const id = quoted(plain(review.id))
  return DECISIONS_OF[review.kind].map((word) => {
    if (word === 'answer') return `${banyan} review answer ${id} "your answer"`
    return word === 'changes' ? `${banyan} review changes ${id} --comment "what to change"` : `${banyan} review ${word} ${id}`
  })
}

/** Columns, each as wide as its widest cell; the last one is left as it is. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows.reduce<number[]>((most, row) => row.map((cell, i) => Math.max(most[i] ?? 0, [...cell].length)), [])
  return rows.map((row) =>
    row
      .map((cell, i) => (i === row.length - 1 ? cell : cell + ' '.repeat(widths[i]! - [...cell].length)))
      .join('  ')
      .trimEnd(),
  )
}
