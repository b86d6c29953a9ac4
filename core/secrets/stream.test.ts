import { describe, expect, test } from 'vitest'
import { searchOf } from './redact.ts'
import { streamRedactor } from './stream.ts'

const VALUE = 'tok-4f9a8c1e77'
const forms = {
  raw: VALUE,
  base64: Buffer.from(VALUE).toString('base64'),
  hex: Buffer.from(VALUE).toString('hex'),
  escaped: JSON.stringify('k"4f9a8c\n1e77'),
}
const search = searchOf([
  ['TOKEN', VALUE],
  ['ODD', 'k"4f9a8c\n1e77'],
])
const through = (pieces: readonly string[]): string[] => {
  const redactor = streamRedactor(() => search)
  return [...pieces.map((piece) => redactor.add(piece)), redactor.end()]
}

describe('a text that comes in pieces', () => {
  test.for(Object.entries(forms))('has no value that was cut at any place: %s', ([, form]) => {
    const text = `before ${form} after`
    for (let cut = 0; cut <= text.length; cut++) {
      const out = through([text.slice(0, cut), text.slice(cut)]).join('')
      expect(out, `cut at ${cut}`).toMatch(/^before .*\[secret (TOKEN|ODD)\].* after$/s)
      for (let at = 0; at + 6 <= form.length; at++) expect(out, `cut at ${cut}`).not.toContain(form.slice(at, at + 6))
    }
  })

  test('has no value that came letter by letter, or over line breaks', () => {
    expect(through([...`x ${VALUE} y`]).join('')).toMatch(/^x \S{0,3}\[secret TOKEN\] y$/)
    expect(through(['x tok-4f\n', '  9a8c1e77 y']).join('')).toBe('x [secret TOKEN] y')
  })

  test('holds back the beginning of a value only, and tells it when it was none', () => {
    expect(through(['name: tok-4f', 'oo bar'])).toEqual(['name: ', 'tok-4foo bar', ''])
    expect(through(['name? '])).toEqual(['name? ', ''])
    expect(through(['tok-4f9a8c1e7'])).toEqual(['', 'tok-4f9a8c1e7'])
  })

  test('keeps everything else to the letter, however it is cut', () => {
    const text = 'a line\nand another%20one \\" '.repeat(40)
    for (const size of [1, 2, 7, 64, 65, 500]) {
      const pieces = Array.from({ length: Math.ceil(text.length / size) }, (_, i) => text.slice(i * size, (i + 1) * size))
      expect(through(pieces).join('')).toBe(text)
    }
  })
})
