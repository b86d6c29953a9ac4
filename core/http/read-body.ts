/** Reads what a request brings: JSON that is what it says, no deeper than anything needs to be, and of the shape its route wants. */
import type * as z from 'zod'
import { Fault, type FaultCode, httpStatus } from '../contract/fault.ts'

/** Levels of objects and lists within each other. */
const DEPTH = 64

/** Bytes of a body that is too large which are read and thrown away, so that its sender gets to reading the answer. */
const PATIENCE = 64_000_000

/** The body, or a Fault if it is larger. Too large is not held in memory. */
export async function readAtMost(limit: number, request: Request): Promise<Uint8Array> {
  let chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of request.body ?? []) {
    size += chunk.byteLength
    if (size <= limit) chunks.push(chunk)
    else chunks = []
    if (size > PATIENCE) break
  }
  if (size > limit)
    throw new Fault('too_large', `The body is larger than ${limit / 1_000_000} MB; send less, or put the long part into a file.`)
  return Buffer.concat(chunks)
}

export type Upload = {
  /** Bytes that the sender announced. */
  announced: number | null
  chunks(): AsyncGenerator<Uint8Array>
  /** Reads on, for so long as it is bearable, so that the sender gets to reading why it was refused. */
  drain(): Promise<void>
}

/** A body as it comes. Who stops taking chunks has not closed it yet: an answer can still reach the sender. */
export function uploadOf(request: Request | null): Upload {
  const reader = request?.body?.getReader()
  const announced = request?.headers.get('content-length')
  return {
    announced: announced && /^\d{1,15}$/.test(announced) ? Number(announced) : null,
    async *chunks() {
      for (;;) {
        const next = await reader?.read()
        if (!next || next.done) return
        yield next.value
      }
    },
    async drain() {
      for (let size = 0; size < PATIENCE; ) {
        const next = await reader?.read()
        if (!next || next.done) return
        size += next.value.byteLength
      }
      await reader?.cancel()
    },
  }
}

/** Throws a Fault that names the place where the text stops being JSON. */
export function parseJson(bytes: Uint8Array): unknown {
  const text = decode(bytes)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    const at = placeOf(text) // JSON.parse throws for nothing else, and names the place of some mistakes only
    const before = text.slice(0, at).split('\n')
    const what = at >= text.length ? 'it ends too early' : `unexpected ${JSON.stringify([...text.slice(at, at + 2)][0])}`
    throw new Fault('invalid', `The body is not JSON: ${what} at line ${before.length}, column ${before.at(-1)!.length + 1}.`)
  }
  checkTree(value, '', 0)
  return value
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new Fault('invalid', 'The body is not UTF-8 text.') // a fatal decoder throws for nothing else
  }
}

const SPACE = /[ \t\n\r]*/y
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON forbids exactly these in a string
const STRING = /"(?:[^"\\\u0000-\u001f]+|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*/y
const SCALAR = /(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)(?![\w.+-])/y

/** A value or an escape that the end of the text cut through. */
const CUT = /(?:-?\d*\.?\d*(?:[eE][+-]?)?|t(?:ru?)?|f(?:a(?:ls?)?)?|n(?:ul?)?|\\(?:u[\da-fA-F]{0,3})?)$/y

/** Where text stops being JSON; its length if it only ends too early. Made for text that JSON.parse refused. */
export function placeOf(text: string): number {
  const open: string[] = []
  let at = 0
  const take = (pattern: RegExp): boolean => {
    pattern.lastIndex = at
    const found = pattern.exec(text)
    if (found) at += found[0].length
    return found !== null
  }
  const takeString = (): boolean => {
    if (!take(STRING)) return false
    if (text[at] !== '"') {
      take(CUT)
      return false
    }
    at++
    return true
  }
  /** What may stand here: a value, a name, or what follows a value. `first`: a bracket may close at once. */
  let wanted: 'value' | 'name' | 'next' = 'value'
  let first = false
  for (;;) {
    take(SPACE)
    const char = text[at]
    if (wanted === 'next' || (first && (char === '}' || char === ']'))) {
      const around = open.at(-1)
      if (around === undefined || char === undefined) return at
      if (char === around) {
        open.pop()
        at++
        wanted = 'next'
        first = false
      } else if (wanted === 'next' && char === ',') {
        at++
        wanted = around === '}' ? 'name' : 'value'
      } else return at
    } else if (wanted === 'name') {
      if (!takeString()) return at
      take(SPACE)
      if (text[at] !== ':') return at
      at++
      wanted = 'value'
      first = false
    } else if (char === '{' || char === '[') {
      open.push(char === '{' ? '}' : ']')
      at++
      wanted = char === '{' ? 'name' : 'value'
      first = true
    } else {
      if (char === '"' ? !takeString() : !take(SCALAR)) {
        if (char !== '"' && char !== '\\') take(CUT)
        return at
      }
      wanted = 'next'
      first = false
    }
  }
}

/** PostgreSQL keeps no NUL in text, and whatever walks a value must not run out of stack. */
function checkTree(value: unknown, path: string, depth: number): void {
  if (typeof value === 'string') {
    if (value.includes('\u0000')) throw new Fault('invalid', `${path || 'The body'} holds a NUL character; leave it out.`)
    return
  }
  if (typeof value !== 'object' || value === null) return
  if (depth >= DEPTH) throw new Fault('invalid', `The body is nested deeper than ${DEPTH} levels.`)
  for (const [name, inner] of Object.entries(value)) {
    if (name.includes('\u0000')) throw new Fault('invalid', `${path || 'The body'} has a name with a NUL character; leave it out.`)
    checkTree(inner, path ? `${path}.${name}` : name, depth + 1)
  }
}

/** The value in the shape wanted, or a Fault that names the first fields that are not right. */
export function inShape<S extends z.ZodType>(shape: S, value: unknown, what: 'body' | 'query'): z.output<S> {
  const parsed = shape.safeParse(value)
  if (parsed.success) return parsed.data
  const issues = parsed.error.issues
  throw new Fault(codeOf(issues[0]!), `The ${what} is not right: ${issues.slice(0, 3).map(words).join('; ')}.`)
}

function words(issue: z.core.$ZodIssue): string {
  const place = issue.path.join('.')
  if (issue.code === 'unrecognized_keys')
    return `${place ? `\`${place}\` has` : 'it has'} no field ${issue.keys.map((key) => JSON.stringify(key.slice(0, 100))).join(', ')}`
  const message = issue.message.replace(/\.$/, '')
  return place ? `\`${place}\` ${/^[A-Z]/.test(message) ? `is not right: ${message}` : message}` : message
}

/** A field may say that its breach is another fault than `invalid`. */
function codeOf(issue: z.core.$ZodIssue): FaultCode {
  const named: unknown = issue.code === 'custom' ? issue.params?.fault : undefined
  return typeof named === 'string' && named in httpStatus ? (named as FaultCode) : 'invalid'
}
