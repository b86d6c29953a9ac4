/**
 * The few forms of goal text that mean the same to everybody, with or without a model: lists, "Run `command`", "Then …", "(retry N)",
 * "(once)". Pure, so that the playbook, the tools and the tests read a goal alike. What is not exactly of such a form is left to judgement:
 * a command that was only nearly understood must not run.
 */
export type GoalLine = {
  /** The line as the person wrote it, without its number or bullet. */
  text: string
  /** Begins with "Then": waits for the line before and does not run if that failed. */
  afterPrevious: boolean
  command: GoalCommand | null
}
export type GoalCommand = { command: string; retries: number; once: boolean }

const BULLET = /^([ \t]*)(?:\d{1,9}[.)]|[-*+•–])\s+(\S.*)$/su
/** `* * *` and the like draw a line across the page. */
const RULE = /^\s*([-*_])(?:\s*\1){2,}\s*$/
const THEN = /^then\b(?![-'’])/i
const RUN = /^(?:then[,:]?\s+)?(?:please\s+)?(?:run|execute):?\s+(`{1,3})(?!`)/i
const MARKS = /^((?:\s*\((?:retry\s+\d{1,9}|once)\))*)\s*[.;]?$/i
/** The first line of a fenced block may name its language. */
const LANGUAGE = /^(?:sh|bash|shell)[ \t]*\n/
const MOST_RETRIES = 20

/** "Run `npm test` (retry 2)" → the command; null when the text is anything else. At most 20 retries. */
export function commandOf(text: string): GoalCommand | null {
  const plain = text.replaceAll('\r\n', '\n').trim()
  const opening = RUN.exec(plain)
  if (!opening) return null
  const ticks = opening[1]!
  const rest = plain.slice(opening[0].length)
  // As in Markdown, the code ends at the first run of exactly as many backticks; what follows may only be marks.
  const close = rest.matchAll(/`+/g).find((run) => run[0] === ticks)
  if (!close) return null
  const inside = rest.slice(0, close.index)
  const command = (ticks === '```' ? inside.replace(LANGUAGE, '') : inside).trim()
  const marks = MARKS.exec(rest.slice(close.index + ticks.length))?.[1]
  if (!command || marks === undefined) return null
  return {
    command,
    retries: Math.min(MOST_RETRIES, Number(/retry\s+(\d+)/i.exec(marks)?.[1] ?? 0)),
    once: /\(once\)/i.test(marks),
  }
}

/**
 * The lines of a goal that is a numbered or bulleted list of at least two; null when it is anything else, such as a list with words after
 * it or with items below items. Words before the list are its heading.
 */
export function listOf(goal: string): { heading: string; lines: GoalLine[] } | null {
  const lines: GoalLine[] = []
  const heading: string[] = []
  let indent = 0
  for (const raw of goal.split(/\r\n|\r|\n/)) {
    const line = raw.trimEnd()
    if (!line) continue
    const item = RULE.test(line) ? null : BULLET.exec(line)
    if (item) {
      const deep = item[1]!.replaceAll('\t', '    ').length
      if (lines.length === 0) indent = deep
      if (deep > indent + 1) return null
      const text = item[2]!
      lines.push({ text, afterPrevious: lines.length > 0 && THEN.test(text), command: commandOf(text) })
    } else if (lines.length === 0) heading.push(line.trim())
    else return null
  }
  return lines.length >= 2 ? { heading: heading.join(' '), lines } : null
}
