/**
 * Takes held values out of a text, in every form in which programs usually print them: as they are, base64 and base64url (also inside a
 * longer encoded text), hex, URL-encoded, JSON-escaped, and each of these broken over lines. Pure. It stops accidents, not an opponent: a
 * program that turns a value round or prints it letter by letter gets past any search.
 *
 * One pass over the text for all values together: a rolling hash of six characters picks the few places that are compared.
 */
export type Redact = (text: string) => string

/** Shorter values would be found in innocent words. */
export const LEAST = 6
const BASE = 0x01000193
const TOP = Math.imul(Math.imul(Math.imul(BASE, BASE), Math.imul(BASE, BASE)), BASE)
const BITS = 20
/** A character that base64 writes. */
const BASE64 = /[A-Za-z0-9+/_-]/

type Pattern = { name: string; codes: Uint16Array; base64: boolean }
export type Span = { from: number; to: number; name: string }
/** Characters to compare, where in the text each begins, and where it ends (null: it is one long). */
type View = { codes: Uint16Array; at: Uint32Array; ends: Uint32Array | null; length: number }

export function redactorOf(values: Iterable<readonly [name: string, value: string]>): Redact {
  const { spans } = searchOf(values)
  return (text) => {
    const found = spans(text)
    return found.length === 0 ? text : without(text, found)
  }
}

export type Search = {
  /** Where values stand in the text; some may overlap. */
  spans(text: string): Span[]
  /** Characters at the end of the text that may be the beginning of a value; 0 when it is only a few. */
  open(text: string): number
}
/** The beginning of a value shorter than this is told: it would hold back too much innocent text. */
const LEAST_OPEN = 4
const HALF_ESCAPE = /(?:\\+(?:u[\da-fA-F]{0,3})?|%[\da-fA-F]?)$/

export function searchOf(values: Iterable<readonly [name: string, value: string]>): Search {
  const patterns = [...values].flatMap(([name, value]) => patternsOf(name, value))
  if (patterns.length === 0) return { spans: () => [], open: () => 0 }
  const marks = new Uint8Array(1 << BITS)
  const byHash = new Map<number, Pattern[]>()
  for (const pattern of patterns) {
    let hash = 0
    for (let i = 0; i < LEAST; i++) hash = (Math.imul(hash, BASE) + pattern.codes[i]!) | 0
    marks[hash >>> (32 - BITS)] = 1
    byHash.set(hash, [...(byHash.get(hash) ?? []), pattern])
  }
  const viewsOf = (text: string): View[] => [
    asItStands(text),
    ...(text.includes('%') ? [percentDecoded(text)] : []),
    ...(text.includes('\\') ? [unescaped(text)] : []),
  ]
  return {
    spans: (text) => (text.length < LEAST ? [] : viewsOf(text).flatMap(spansIn)),
    open(text) {
      let start = text.length
      // What is half an escape now is nothing of the value, or one letter of it, once the rest is there.
      for (const form of new Set([text, text.replace(HALF_ESCAPE, '')]))
        for (const { codes, at, length } of viewsOf(form))
          for (const pattern of patterns) {
            const first = beginningAt(codes, length, pattern.codes)
            if (first < length) start = Math.min(start, at[first]!)
          }
      return text.length - start
    },
  }

  function spansIn({ codes, at, ends, length }: View): Span[] {
    const found: Span[] = []
    let hash = 0
    for (let end = 0; end < length; end++) {
      if (end >= LEAST) hash = (hash - Math.imul(codes[end - LEAST]!, TOP)) | 0
      hash = (Math.imul(hash, BASE) + codes[end]!) | 0
      if (marks[hash >>> (32 - BITS)] === 0 || end < LEAST - 1) continue
      const start = end - LEAST + 1
      for (const pattern of byHash.get(hash) ?? []) {
        if (start + pattern.codes.length > length || !matches(codes, start, pattern.codes)) continue
        let [first, last] = [start, start + pattern.codes.length]
        if (pattern.base64) {
          // The characters at both ends hold some bits of the value and some of what stands beside it.
          if (first > 0 && BASE64.test(String.fromCharCode(codes[first - 1]!))) first--
          if (last < length && BASE64.test(String.fromCharCode(codes[last]!))) last++
          while (last < length && codes[last] === 61) last++ // =
        }
        found.push({ from: at[first]!, to: ends ? ends[last - 1]! : at[last - 1]! + 1, name: pattern.name })
      }
    }
    return found
  }
}

/** Where the beginning of `wanted` that ends the text starts; the length of the text when there is none. */
function beginningAt(codes: Uint16Array, length: number, wanted: Uint16Array): number {
  for (let start = Math.max(0, length - wanted.length + 1); start <= length - LEAST_OPEN; start++) {
    let i = start
    while (i < length && codes[i] === wanted[i - start]) i++
    if (i === length) return start
  }
  return length
}
function matches(codes: Uint16Array, start: number, wanted: Uint16Array): boolean {
  for (let i = 0; i < wanted.length; i++) if (codes[start + i] !== wanted[i]) return false
  return true
}

function patternsOf(name: string, value: string): Pattern[] {
  const whole = value.trim()
  const bytes = Buffer.from(whole, 'utf8')
  const plain = [
    whole,
    bytes.toString('hex'),
    bytes.toString('hex').toUpperCase(),
    encodeURIComponent(whole.toWellFormed()),
    encodeURIComponent(whole.toWellFormed()).replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()),
    encodeURIComponent(whole.toWellFormed()).replaceAll('%20', '+'),
    JSON.stringify(whole).slice(1, -1),
    JSON.stringify(JSON.stringify(whole).slice(1, -1)).slice(1, -1),
  ]
  const encoded = [0, 1, 2].flatMap((before) => {
    const text = Buffer.concat([Buffer.alloc(before), bytes])
      .toString('base64')
      .replace(/=+$/, '')
    const inner = text.slice([0, 2, 3][before], (before + bytes.length) % 3 === 0 ? undefined : -1)
    return [inner, inner.replaceAll('+', '-').replaceAll('/', '_')]
  })
  const patterns: Pattern[] = []
  for (const [texts, base64] of [
    [plain, false],
    [encoded, true],
  ] as const)
    for (const text of new Set(texts)) {
      const { codes, length } = asItStands(text)
      if (length >= LEAST) patterns.push({ name, codes: codes.slice(0, length), base64 })
    }
  return patterns
}

/** Without line breaks and the indentation after them, written out or as the escape `\n`: a wrapped value is whole again. */
function asItStands(text: string): View {
  const codes = new Uint16Array(text.length)
  const at = new Uint32Array(text.length)
  let length = 0
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code <= 13 || code === BACKSLASH) {
      const next = afterBreak(text, i, code)
      if (next > i) {
        i = next - 1
        continue
      }
    }
    codes[length] = code
    at[length++] = i
  }
  return { codes, at, ends: null, length }
}

const BACKSLASH = 92
/** Where the text goes on after a line break that begins here, or `i` itself. */
function afterBreak(text: string, i: number, code: number): number {
  const second = code === BACKSLASH ? text.charCodeAt(i + 1) : 0
  if (code !== 10 && code !== 13 && second !== 110 && second !== 114) return i
  let next = i + (code === BACKSLASH ? 2 : 1)
  while (text.charCodeAt(next) === 32 || text.charCodeAt(next) === 9) next++
  return next
}

function decoded(text: string, mark: number, read: (i: number) => { code: number; width: number } | null): View {
  const codes = new Uint16Array(text.length)
  const at = new Uint32Array(text.length)
  const ends = new Uint32Array(text.length)
  let length = 0
  for (let i = 0; i < text.length; ) {
    const code = text.charCodeAt(i)
    const next = afterBreak(text, i, code)
    if (next > i) {
      i = next
      continue
    }
    const one = code === mark ? read(i) : null
    const plain = one?.code ?? code
    const end = i + (one?.width ?? 1)
    if (plain !== 10 && plain !== 13) {
      codes[length] = plain
      at[length] = i
      ends[length++] = end
    }
    i = end
  }
  return { codes, at, ends, length }
}

/** %XX, also of letters that UTF-8 writes with two or three bytes. */
function percentDecoded(text: string): View {
  const byteAt = (i: number) => (text.charCodeAt(i) === 37 ? hexAt(text, i + 1, 2) : -1)
  return decoded(text, 37, (i) => {
    const first = byteAt(i)
    if (first < 0) return null
    if (first < 0x80) return { code: first, width: 3 }
    const second = byteAt(i + 3) & 0x3f
    if (first < 0xe0) return { code: ((first & 0x1f) << 6) | second, width: 6 }
    return first < 0xf0 ? { code: ((first & 0x0f) << 12) | (second << 6) | (byteAt(i + 6) & 0x3f), width: 9 } : null
  })
}

const ESCAPES: Readonly<Record<string, number>> = { '"': 34, '\\': BACKSLASH, '/': 47, b: 8, f: 12, t: 9, "'": 39, '`': 96, $: 36 }
function unescaped(text: string): View {
  return decoded(text, BACKSLASH, (i) => {
    const next = text[i + 1] ?? ''
    const unit = next === 'u' ? hexAt(text, i + 2, 4) : -1
    if (unit >= 0) return { code: unit, width: 6 }
    const plain = ESCAPES[next]
    return plain === undefined ? null : { code: plain, width: 2 }
  })
}

/** -1: not that many hexadecimal digits. */
function hexAt(text: string, from: number, digits: number): number {
  const written = text.slice(from, from + digits)
  return new RegExp(`^[\\da-fA-F]{${digits}}$`).test(written) ? Number.parseInt(written, 16) : -1
}

function without(text: string, spans: Span[]): string {
  spans.sort((a, b) => a.from - b.from || b.to - a.to)
  let out = ''
  let done = 0
  for (const { from, to, name } of spans) {
    if (to <= done) continue
    if (from >= done) out += `${text.slice(done, from)}[secret ${name}]`
    done = to
  }
  return out + text.slice(done)
}
