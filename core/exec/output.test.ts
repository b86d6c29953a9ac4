import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { keepEnds } from './output.ts'

const kept = (limit: number, ...chunks: (string | Buffer)[]) => {
  const ends = keepEnds(limit)
  for (const chunk of chunks) ends.add(Buffer.from(chunk))
  return ends
}

describe('the ends of a stream', () => {
  test('what fits is kept whole, however it was cut into chunks', () => {
    expect(kept(100, 'all ', 'of ', 'it').text()).toBe('all of it')
    expect(kept(9, 'all ', 'of ', 'it').text()).toBe('all of it')
    expect(kept(100).text()).toBe('')
  })

  test('of more, head and tail stay and a line between them says how many bytes are gone', () => {
    const ends = kept(20, 'a'.repeat(15), 'b'.repeat(100), 'c'.repeat(12))
    expect(ends.text()).toBe('aaaaaaaaaa\n[… 107 bytes left out …]\ncccccccccc')
    expect(ends.bytes).toBe(127)
  })

  test('a character is never cut in two', () => {
    const text = '€'.repeat(1_000) + '𝄞'.repeat(1_000) + 'ä'.repeat(1_000)
    for (let limit = 0; limit < 40; limit++) expect(kept(limit, text).text(), `limit ${limit}`).not.toContain('\uFFFD')
  })

  test('NUL bytes are made visible', () => {
    expect(kept(10, 'a\0b').text()).toBe('a␀b')
  })

  test('for any chunks and limit: the kept text begins and ends as the stream did, and kept plus dropped is all', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ maxLength: 30 }), { maxLength: 30 }), fc.integer({ min: 0, max: 120 }), (chunks, limit) => {
        const all = Buffer.from(chunks.join('').replaceAll('\0', '0'))
        const ends = keepEnds(limit)
        for (let at = 0; at < all.length; at += 7) ends.add(all.subarray(at, at + 7))
        expect(ends.bytes).toBe(all.length)
        const text = ends.text()
        if (all.length <= limit) {
          expect(text).toBe(all.toString())
          return
        }
        const [, head, dropped, tail] = /^([\s\S]*)\n\[… (\d+) bytes left out …\]\n([\s\S]*)$/.exec(text)!
        expect(all.toString().startsWith(head!)).toBe(true)
        expect(all.toString().endsWith(tail!)).toBe(true)
        expect(Buffer.byteLength(head!) + Number(dropped) + Buffer.byteLength(tail!)).toBe(all.length)
        expect(Buffer.byteLength(head!) + Buffer.byteLength(tail!)).toBeLessThanOrEqual(limit)
      }),
    )
  })
})
