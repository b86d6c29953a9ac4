import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { redactorOf } from './redact.ts'

const fold = (text: string, width: number): string => text.match(new RegExp(`.{1,${width}}`, 'gs'))!.join('\n')
const utf8 = (text: string) => Buffer.from(text, 'utf8')
/** How programs print a value; each keeps what stands around it. */
const FORMS: Record<string, (value: string) => string> = {
  raw: (v) => v,
  base64: (v) => utf8(v).toString('base64'),
  'base64 of more, one character before': (v) => utf8(`x${v}yz`).toString('base64'),
  'base64 of more, two before': (v) => utf8(`ab${v}`).toString('base64'),
  'base64 of a header': (v) => `Basic ${utf8(`user:${v}`).toString('base64')}`,
  base64url: (v) => utf8(v).toString('base64url'),
  'base64url of more': (v) => utf8(`{"a":"${v}"}`).toString('base64url'),
  hex: (v) => utf8(v).toString('hex'),
  HEX: (v) => utf8(v).toString('hex').toUpperCase(),
  'URL-encoded': (v) => encodeURIComponent(v),
  'URL-encoded, every character': (v) => [...utf8(v)].map((b) => `%${b.toString(16).padStart(2, '0')}`).join(''),
  'URL-encoded base64': (v) => encodeURIComponent(utf8(v).toString('base64')),
  'JSON-escaped': (v) => JSON.stringify(v).slice(1, -1),
  'JSON-escaped twice': (v) => JSON.stringify(JSON.stringify(v)).slice(1, -1),
  'JSON-escaped, every character': (v) => [...v].map((c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`).join(''),
  'raw over lines': (v) => fold(v, 8),
  'base64 over lines': (v) => fold(utf8(v).toString('base64'), 8),
  'base64 over indented lines': (v) => fold(utf8(v).toString('base64'), 12).replaceAll('\n', '\r\n    '),
  'hex over lines': (v) => fold(utf8(v).toString('hex'), 10),
  'base64 over lines inside JSON': (v) => JSON.stringify(fold(utf8(v).toString('base64'), 16)).slice(1, -1),
}
/** Random, of the alphabets and lengths that keys and passwords have. */
const secretsOf = (count: number): Map<string, string> => {
  const make: ((i: number) => string)[] = [
    () => `sk-${randomBytes(24).toString('base64url')}`,
    () => randomBytes(20).toString('hex'),
    () => `${randomBytes(9).toString('base64')}"\\/ü%&+ =${randomBytes(3).toString('hex')}`.slice(0, 24),
    () => `pa ss\t${randomBytes(6).toString('base64')}`,
    () => `-----BEGIN KEY-----\n${fold(randomBytes(96).toString('base64'), 64)}\n-----END KEY-----`,
  ]
  return new Map(Array.from({ length: count }, (_, i) => [`S${i}`, make[i % make.length]!(i)]))
}

describe('held values are taken out of a text', () => {
  const secrets = secretsOf(100)
  const redact = redactorOf(secrets)
  test.each(Object.entries(FORMS))('as %s', (_, form) => {
    for (const [name, value] of secrets) {
      const printed = form(value)
      const told = redact(`before <${printed}> after`)
      expect(told, JSON.stringify([value, printed])).toContain(`[secret ${name}]`)
      // What remains is what stood around the value, never a part of it.
      const left = told.replace(`[secret ${name}]`, '').replace(/^before <|> after$/g, '')
      expect(left.length, told).toBeLessThanOrEqual(20)
    }
  })

  test('several at once, side by side and overlapping', () => {
    const both = redactorOf(
      new Map([
        ['A', 'abcdefgh'],
        ['B', 'efghijkl'],
        ['C', 'abcdefghijklmnop'],
      ]),
    )
    expect(both('abcdefgh efghijkl')).toBe('[secret A] [secret B]')
    expect(both('xabcdefghijklmnopx')).toBe('x[secret C]x')
    expect(both('abcdefghijkl!')).toBe('[secret A]!')
    expect(both('abcdefg')).toBe('abcdefg')
  })

  test('and everything else stays as it is, line breaks included', () => {
    const text = 'one\n  two\r\n%41 \\n \\u0041 three\n'.repeat(50)
    expect(redact(text)).toBe(text)
    expect(redact('')).toBe('')
    expect(redactorOf(new Map())('anything at all')).toBe('anything at all')
    const [name, value] = [...secrets][1]!
    expect(redact(`a\n${value}\nb`)).toBe(`a\n[secret ${name}]\nb`)
  })

  test('in time: 100 values in 1 MB within 50 ms', async () => {
    const text = `${randomBytes(500_000).toString('base64')}${'plain words and numbers 123 \n'.repeat(12_000)}`.slice(0, 1_000_000)
    // Of this thread's own time, at a moment when others leave it its caches.
    const took = () => {
      const begun = process.threadCpuUsage()
      redact(text)
      const { user, system } = process.threadCpuUsage(begun)
      return (user + system) / 1_000
    }
    await expect.poll(took).toBeLessThan(50)
  })
})
