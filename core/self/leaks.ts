/** Values that must not stand in source. Pure. Exact values that the system holds are looked for by the caller; these are the usual forms. */

const FORMS: readonly [string, RegExp][] = [
  ['a private key', /-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----/],
  ['a key of AWS', /\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/],
  ['a token of GitHub', /\b(?:gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{40,})\b/],
  ['a key of a model provider', /\bsk-(?:ant-|proj-|or-)?[A-Za-z0-9_-]{24,}\b/],
  ['a token of Slack', /\bxox[abprs]-[A-Za-z0-9-]{20,}\b/],
  ['a key of Google', /\bAIza[0-9A-Za-z_-]{35}\b/],
  ['a token of npm', /\bnpm_[A-Za-z0-9]{36}\b/],
  ['a token of Banyan', /\bbny_[0-9A-Za-z]{49}\b/],
  ['a signed token', /\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\b/],
  ['an address with a password', /\b[a-z][a-z0-9+.-]*:\/\/[^\s/:@'"`$]+:[^\s/:@'"`$]{6,}@/],
]
const WORD = /[A-Za-z0-9+/_=-]{32,}/g
const LEAST_ENTROPY = 4.6

/** Bits a character. */
export function entropyOf(text: string): number {
  const counts = new Map<string, number>()
  for (const char of text) counts.set(char, (counts.get(char) ?? 0) + 1)
  let bits = 0
  for (const count of counts.values()) bits -= (count / text.length) * Math.log2(count / text.length)
  return bits
}

/** What in these lines looks like a secret; at most ten, none of them quoted. */
export function leaksIn(lines: readonly string[]): string[] {
  const found: string[] = []
  for (const [i, line] of lines.entries()) {
    const form = FORMS.find(([, pattern]) => pattern.test(line))?.[0]
    if (form) found.push(`line ${i + 1}: ${form}`)
    // Hashes and integrity sums are meant to be read; words of prose have no digits.
    else if (
      !/sha(?:256|384|512)-/.test(line) &&
      [...line.matchAll(WORD)].some(
        ([word]) => /\d/.test(word) && /[a-z]/.test(word) && /[A-Z]/.test(word) && !word.includes('/') && entropyOf(word) >= LEAST_ENTROPY,
      )
    )
      found.push(`line ${i + 1}: a long random word`)
    if (found.length === 10) break
  }
  return found
}
