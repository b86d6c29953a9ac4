import { expect, test } from 'vitest'
import { DEFAULT_LIMITS, Limits } from '../../../core/contract/limits.ts'
import { CAPS, keptOf, typedOf } from './caps.ts'

const cap = (name: string) => CAPS.find((one) => one.name === name)!

test('every cap of the contract has a field, and its usual value survives the way there and back', () => {
  expect(CAPS.map((one) => one.name).sort()).toEqual(Object.keys(DEFAULT_LIMITS).sort())
  for (const one of CAPS) expect(keptOf(one, typedOf(one, DEFAULT_LIMITS[one.name]))).toEqual({ kept: DEFAULT_LIMITS[one.name] })
})

test('the bounds of the fields are those that the server takes', () => {
  for (const one of CAPS) {
    const shape = Limits.shape[one.name]
    expect(keptOf(one, String(one.most))).toEqual({ kept: one.most * one.unit })
    expect([one.name, shape.safeParse(one.most * one.unit).success, shape.safeParse(one.most * one.unit + 1).success]).toEqual([
      one.name,
      true,
      false,
    ])
    expect([one.name, shape.safeParse(Math.round(one.least * one.unit)).success]).toEqual([one.name, true])
  }
})

test('money and hours may be parts, all else is whole; nonsense is told', () => {
  expect(keptOf(cap('costMicros'), '2.5')).toEqual({ kept: 2_500_000 })
  expect(keptOf(cap('costMicros'), '2,5')).toEqual({ kept: 2_500_000 })
  expect(keptOf(cap('wallSeconds'), '0.5')).toEqual({ kept: 1_800 })
  expect(keptOf(cap('wallSeconds'), '0')).toEqual({ wrong: 'At least 0.001.' })
  expect(keptOf(cap('turns'), '1.5')).toEqual({ wrong: 'A whole number.' })
  expect(keptOf(cap('turns'), '-1')).toEqual({ wrong: 'A whole number.' })
  expect(keptOf(cap('depth'), '51')).toEqual({ wrong: 'At most 50.' })
  expect(keptOf(cap('costMicros'), 'much')).toEqual({ wrong: 'A number.' })
})
