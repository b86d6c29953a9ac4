/** What providers say of their limits: when one is over, and whose it is. */
import { createHash } from 'node:crypto'

/**
 * Milliseconds until the limit that was met is over, by the headers of Anthropic (`anthropic-ratelimit-*-reset`, dates) or OpenAI and
 * OpenRouter (`x-ratelimit-reset*`, spans or moments), or by the words "try again in 20s"; undefined if the provider did not say. Of several
 * limits those count of which nothing remains; where none is said to be used up, the one that is over first.
 */
export function resetMs(headers: Headers | undefined, words: string, now: number): number | undefined {
  const used: number[] = []
  const others: number[] = []
  for (const [name, value] of headers ?? []) {
    if (!/ratelimit/.test(name) || !/(^|-)reset(-|$)/.test(name)) continue
    const wait = waitOf(value, now)
    if (wait === undefined) continue
    const remaining = headers?.get(name.replace(/(^|-)reset(-|$)/, '$1remaining$2'))
    ;(remaining !== null && Number(remaining) === 0 ? used : others).push(wait)
  }
  if (used.length > 0) return Math.max(...used)
  if (others.length > 0) return Math.min(...others)
  const said = /(?:try again|retry|resets?) in ((?:\d+(?:\.\d+)?\s?(?:ms|[dhms])[a-z]*\s?)+)/i.exec(words)
  return said ? spanMs(said[1]!) : undefined
}

/** A span ("6m0s", "250ms"), a date, or a number: seconds or milliseconds since 1970 where it is that large, else seconds to wait. */
function waitOf(value: string, now: number): number | undefined {
  const text = value.trim()
  if (text === '') return undefined
  const number = Number(text)
  if (Number.isFinite(number)) {
    const wait = number > 1e11 ? number - now : number > 1e8 ? number * 1_000 - now : number * 1_000
    return Math.max(0, Math.ceil(wait))
  }
  const span = spanMs(text)
  if (span !== undefined) return span
  const date = Date.parse(text)
  return Number.isNaN(date) ? undefined : Math.max(0, date - now)
}

const UNITS: Readonly<Record<string, number>> = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000, ms: 1 }

function spanMs(text: string): number | undefined {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)\s?(ms|[dhms])[a-z]*\s?/gi)]
  if (
    parts.length === 0 ||
    parts
      .map(([whole]) => whole)
      .join('')
      .trim() !== text.trim()
  )
    return undefined
  return Math.ceil(parts.reduce((sum, [, count, unit]) => sum + Number(count) * UNITS[unit!.toLowerCase()]!, 0))
}

/** The mark of an account: tells two keys or addresses apart and gives neither away. */
export const accountOf = (apiKey: string | undefined, address: string | undefined): string =>
  createHash('sha256')
    .update(JSON.stringify([apiKey ?? null, address ?? null]))
    .digest('hex')
    .slice(0, 16)
