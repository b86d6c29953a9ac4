/** Numbers and times as a person reads them. Pure: the clock comes as an argument. */
import type { Spend } from '../core/contract/task.ts'

/** What was spent. An unknown price is never shown as 0: "unpriced", or "≥ $x" when only a part has a price; '' when no model was called. */
export function money(spend: Pick<Spend, 'costMicros' | 'unpricedCalls' | 'turns'>): string {
  if (spend.unpricedCalls > 0) return spend.costMicros > 0 ? `≥ ${dollars(spend.costMicros)}` : 'unpriced'
  if (spend.costMicros === 0) return spend.turns === 0 ? '' : '$0'
  return dollars(spend.costMicros)
}

/** Millionths of a dollar; small amounts keep two digits that mean something. */
export function dollars(micros: number): string {
  const value = micros / 1_000_000
  if (value === 0) return '$0'
  if (value < 0.0001) return '< $0.0001'
  return `$${value.toFixed(value < 0.01 ? 4 : 2)}`
}

const BYTES = ['bytes', 'kB', 'MB', 'GB']
export function size(bytes: number): string {
  let value = bytes
  let unit = 0
  while (value >= 1000 && unit < BYTES.length - 1) {
    value /= 1000
    unit += 1
  }
  return `${unit === 0 ? value : value.toFixed(value < 10 ? 1 : 0)} ${BYTES[unit]}`
}

export function count(n: number): string {
  if (n < 10_000) return String(n)
  return n < 1_000_000 ? `${(n / 1000).toFixed(n < 100_000 ? 1 : 0)} k` : `${(n / 1_000_000).toFixed(1)} M`
}

/** "1 task", "3 tasks". */
export const counted = (n: number, one: string, many = `${one}s`): string => `${count(n)} ${n === 1 ? one : many}`

/** A length of time in its two largest units. */
export function duration(ms: number): string {
  const seconds = Math.max(0, ms) / 1000
  if (seconds < 1) return `${Math.round(Math.max(0, ms))} ms`
  if (seconds < 10) return `${seconds.toFixed(1)} s`
  if (seconds < 60) return `${Math.floor(seconds)} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes} min ${Math.floor(seconds % 60)} s`
  const hours = Math.floor(minutes / 60)
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} days`
}

/** How long ago, roughly. */
export function ago(at: string, now: number): string {
  const seconds = Math.max(0, Math.round((now - Date.parse(at)) / 1000))
  if (seconds < 5) return 'just now'
  if (seconds < 60) return `${seconds} s ago`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`
  if (seconds < 48 * 3600) return `${Math.floor(seconds / 3600)} h ago`
  return `${Math.floor(seconds / 86_400)} days ago`
}

const ESC = '\u001b'
/** Colours and moves of a terminal. */
const TERMINAL = new RegExp(`${ESC}\\[[0-9;?]*[A-Za-z]`, 'g')
/** Between the points of a list that stand on one line. */
const POINT = ' · '
/** Marks of Markdown, codes of a terminal, tables and line ends taken off, the points of a list told apart, cut: what fits a line of a list. */
export function preview(text: string, length = 160): string {
  const line = text
    .replace(TERMINAL, '')
    .replace(/^\s*\|.*$/gm, ' ')
    .replace(/^\s*(#{1,6}|>|```\w*)(\s+|$)/gm, ' ')
    .replace(/`|\*\*/g, '')
    .replace(/^[^\S\n]*(?:[-*•]|\d{1,3}[.)])[^\S\n]+/gm, POINT)
    .replace(/\s+/g, ' ')
    .replace(/(^|:) ?· /g, (_, before: string) => (before === '' ? '' : ': '))
    .trim()
  return line.length <= length ? line : `${line.slice(0, length - 1).trimEnd()}…`
}
