/**
 * The few forms of goal text that mean the same to everybody, with or without a model: lists, "Run `command`", "Then …", "(retry N)",
 * "(once)". Pure, so that the playbook, the tools and the tests read a goal alike.
 */
export type GoalLine = {
  /** The line as the person wrote it, without its number or bullet. */
  text: string
  /** Begins with "Then": waits for the line before and does not run if that failed. */
  afterPrevious: boolean
  command: GoalCommand | null
}
export type GoalCommand = { command: string; retries: number; once: boolean }

const BULLET = /^\s*(?:\d{1,3}[.)]|[-*•])\s+(.*\S)\s*$/
const RUN = /^(?:then[,:]?\s+)?(?:please\s+)?(?:run|execute)[:]?\s+(`{1,3})(.+?)\1\s*((?:\((?:retry\s+\d{1,2}|once)\)\s*)*)[.;]?$/is

/** "Run `npm test` (retry 2)" → the command; null when the text is anything else. At most 20 retries. */
export function commandOf(text: string): GoalCommand | null {
  const found = RUN.exec(text.trim())
  if (!found) return null
  const marks = found[3] ?? ''
  return {
    command: found[2]!.trim(),
    retries: Math.min(20, Number(/retry\s+(\d+)/i.exec(marks)?.[1] ?? 0)),
    once: /\(once\)/i.test(marks),
  }
}

/** The lines of a goal that is a numbered or bulleted list of at least two; null when it is anything else. Words before the list are its heading. */
export function listOf(goal: string): { heading: string; lines: GoalLine[] } | null {
  const lines: GoalLine[] = []
  const heading: string[] = []
  for (const raw of goal.split('\n')) {
    if (!raw.trim()) continue
    const item = BULLET.exec(raw)
    if (item) {
      const text = item[1]!
      lines.push({ text, afterPrevious: /^then\b/i.test(text), command: commandOf(text) })
    } else if (lines.length === 0) heading.push(raw.trim())
    else return null
  }
  return lines.length >= 2 ? { heading: heading.join(' '), lines } : null
}
