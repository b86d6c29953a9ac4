/** Caps of a goal between what people type (dollars, hours) and what is kept (millionths, seconds). Pure. */
import type { Limits } from '../../../core/contract/limits.ts'
import { settings } from '../../words/settings.ts'
import { wholeNumber } from '../../words/words.ts'

const words = settings.budgets
export type CapName = keyof Limits
/** `unit`: kept amount of one that is typed. The bounds are those of `core/contract/limits.ts`, in what is typed. */
type Cap = { name: CapName; unit: number; whole: boolean; least: number; most: number }
export const CAPS: readonly Cap[] = [
  { name: 'costMicros', unit: 1_000_000, whole: false, least: 0, most: 1_000_000 },
  { name: 'wallSeconds', unit: 3_600, whole: false, least: 1 / 3_600, most: 8_760 },
  { name: 'turns', unit: 1, whole: true, least: 1, most: 1_000_000 },
  { name: 'tokens', unit: 1, whole: true, least: 1, most: 1_000_000_000 },
  { name: 'tasks', unit: 1, whole: true, least: 1, most: 100_000 },
  { name: 'depth', unit: 1, whole: true, least: 0, most: 50 },
  { name: 'fanOut', unit: 1, whole: true, least: 0, most: 1_000 },
]

export const typedOf = (cap: Cap, kept: number): string => String(Number((kept / cap.unit).toFixed(6)))

/** What is kept for what was typed, or what is wrong with it. */
export function keptOf(cap: Cap, typed: string): { kept: number } | { wrong: string } {
  const text = typed.trim().replace(',', '.')
  if (!/^\d+(\.\d+)?$/.test(text)) return { wrong: cap.whole ? words.whole : words.number }
  const value = Number(text)
  if (cap.whole && !Number.isInteger(value)) return { wrong: words.whole }
  const kept = Math.round(value * cap.unit)
  if (kept < Math.round(cap.least * cap.unit))
    return { wrong: words.least(wholeNumber(cap.whole ? cap.least : Math.ceil(cap.least * 1000) / 1000)) }
  return value > cap.most ? { wrong: words.most(wholeNumber(cap.most)) } : { kept }
}
