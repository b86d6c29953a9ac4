/** The time that a goal's timeline shows, and where something stands in it. Pure. */
export type Span = { from: number; to: number }

/** Never empty, so that a goal that has just begun has a timeline too. */
export const spanOf = (from: number, to: number): Span => ({ from, to: Math.max(to, from + 1_000) })

/** Percent from the left, and of the whole; what is short is still seen. */
export function barIn(span: Span, from: number, to: number): { left: number; width: number } {
  const whole = span.to - span.from
  const left = Math.min(100, Math.max(0, ((from - span.from) / whole) * 100))
  const right = Math.min(100, Math.max(left, ((to - span.from) / whole) * 100))
  return { left: Math.min(left, 99.5), width: Math.max(right - left, 0.5) }
}

const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 43_200, 86_400, 604_800].map((s) => s * 1_000)

/** Round times after the start, in milliseconds, at most `most` of them. */
export function ticksIn(span: Span, most = 6): number[] {
  const whole = span.to - span.from
  const step = STEPS.find((one) => whole / one <= most) ?? Math.ceil(whole / most / STEPS.at(-1)!) * STEPS.at(-1)!
  return Array.from({ length: Math.floor(whole / step) + 1 }, (_, i) => i * step)
}
