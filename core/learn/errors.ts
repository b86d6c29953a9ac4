/** Makes of an error's text the pattern that it shares with others of its kind. Pure. */
/** Characters of the fixed part below which a pattern says too little. */
const LEAST = 12
const LONGEST = 300
const TELLING =
  /\b(error|fatal|cannot|can't|unable|failed|failure|refused|denied|busy|locked|timed? ?out|not found|no such|exists|reset)\b/i

/** The line that tells why, with what differs from case to case as `…`; null where no line says enough. */
export function patternOf(text: string): string | null {
  const lines = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
  const telling = lines.find((line) => TELLING.test(line)) ?? lines.at(-1)
  if (telling === undefined) return null
  const pattern = telling
    .slice(0, 1_000)
    .replace(/(['"`])(?:(?!\1).){0,400}\1/g, '$1…$1')
    .replace(/(?:\.{0,2}\/)[^\s'":,;()]+/g, '…')
    .replace(/\b[\w-]+\.[a-z][a-z0-9]{0,7}\b/gi, '…')
    .replace(/\b(?=[0-9a-f]*\d)[0-9a-f]{6,}\b/gi, '…')
    .replace(/\d+/g, '…')
    .replace(/…(?:[\s.:,-]*…)+/g, '…')
    .slice(0, LONGEST)
    .trim()
  return pattern.replaceAll('…', '').replace(/\s+/g, ' ').trim().length >= LEAST ? pattern : null
}
