import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseJson, placeOf } from './read-body.ts'

const bytes = (text: string) => new TextEncoder().encode(text)
const fails = (text: string) => {
  try {
    JSON.parse(text)
    return false
  } catch {
    return true
  }
}

test('what JSON.parse takes is taken as it is', () => {
  fc.assert(fc.property(fc.json({ maxDepth: 6 }), (text) => void expect(parseJson(bytes(text))).toEqual(JSON.parse(text))))
})

test('JSON that was cut off is found to end too early', () => {
  fc.assert(
    fc.property(fc.json(), fc.nat(), (text, n) => {
      const cut = text.slice(0, n % text.length)
      fc.pre(fails(cut))
      expect(placeOf(cut)).toBe(cut.length)
    }),
  )
})

test('a sign that belongs nowhere is found where it was put', () => {
  const spaced = fc.jsonValue().map((value) => JSON.stringify(value, null, 1))
  fc.assert(
    fc.property(spaced, fc.nat(), (text, n) => {
      const ends = [...text.matchAll(/[\n{}[\],]/g)].map((m) => m.index)
      const at = ends[n % (ends.length || 1)] ?? 0
      const broken = `${text.slice(0, at)}§${text.slice(at)}`
      fc.pre(fails(broken) && !/^"|^[\w-]/.test(text) && !text.slice(0, at).match(/[\w.+-]$/))
      const place = placeOf(broken)
      expect(place === at || broken.slice(0, at).split('"').length % 2 === 0, `${broken} at ${place}`).toBe(true)
    }),
  )
})

test('whatever JSON.parse refuses has a place, and all before that place might have been JSON', () => {
  const jsonish = fc.string({ unit: fc.constantFrom(...'{}[],:"\\ \n01e.-truefalsn\u0001é'), maxLength: 30 })
  fc.assert(
    fc.property(jsonish, (text) => {
      fc.pre(fails(text))
      const at = placeOf(text)
      expect(at).toBeLessThanOrEqual(text.length)
      const before = text.slice(0, at)
      if (fails(before)) expect(placeOf(before)).toBe(at)
    }),
    { numRuns: 2_000 },
  )
})

test('a string of a million characters overflows nothing', () => {
  expect(placeOf(`{"a":"${'x'.repeat(1_000_000)}`)).toBe(1_000_006)
  expect(placeOf(`{"a":"${'\\n'.repeat(400_000)}"`)).toBe(800_007)
})
