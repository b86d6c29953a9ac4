/** How a catalogue says amounts. One language today; another is another set of catalogues and another locale here. */
export const LOCALE = 'en'

const rules = new Intl.PluralRules(LOCALE)
const numbers = new Intl.NumberFormat(LOCALE)
const times = new Intl.DateTimeFormat(LOCALE, { dateStyle: 'medium', timeStyle: 'medium' })
const relative = new Intl.RelativeTimeFormat(LOCALE, { numeric: 'auto', style: 'short' })
const amounts = new Intl.NumberFormat(LOCALE, { style: 'currency', currency: 'USD' })
const smallAmounts = new Intl.NumberFormat(LOCALE, { style: 'currency', currency: 'USD', maximumFractionDigits: 4 })

export type Forms = Partial<Record<Intl.LDMLPluralRule, string>> & { other: string }

/** "1 task", "3 tasks": the form of the language for the number, in which # is the number. */
export const plural = (n: number, forms: Forms): string => (forms[rules.select(n)] ?? forms.other).replaceAll('#', numbers.format(n))

export const wholeNumber = (n: number): string => numbers.format(n)

const minutes = new Intl.DateTimeFormat(LOCALE, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })
const seconds = new Intl.DateTimeFormat(LOCALE, { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' })
const days = new Intl.DateTimeFormat(LOCALE, { month: 'short', day: 'numeric' })
/** "13:41", or "13:41:26", in the reader's time zone. */
export const clockTime = (at: string | number, withSeconds = true): string => (withSeconds ? seconds : minutes).format(new Date(at))
/** "Nov 21". */
export const dayOf = (at: string | number): string => days.format(new Date(at))

/** Day and time of day, in the reader's time zone. */
export const dayAndTime = (at: string | number): string => times.format(new Date(at))

const STEPS = [
  [60, 'second'],
  [3_600, 'minute'],
  [86_400, 'hour'],
  [86_400 * 30, 'day'],
  [86_400 * 365, 'month'],
] as const

/** "3 min. ago", "in 2 hr.". */
export function relativeTime(at: string | number, now: number): string {
  const seconds = (new Date(at).getTime() - now) / 1_000
  const far = Math.abs(seconds)
  let size = 1
  for (const [below, unit] of STEPS) {
    if (far < below) return relative.format(Math.trunc(seconds / size), unit)
    size = below
  }
  return relative.format(Math.trunc(seconds / size), 'year')
}

/** Millionths of a dollar as money; small amounts keep digits that mean something. */
export function usd(micros: number): string {
  const value = micros / 1_000_000
  if (value > 0 && value < 0.0001) return `< ${smallAmounts.format(0.0001)}`
  return value !== 0 && value < 0.01 ? smallAmounts.format(value) : amounts.format(value)
}
