import { describe, expect, test } from 'vitest'
import { need } from '../needs.ts'
import { cut } from './power-cut.ts'

describe.skipIf(!need('bubblewrap'))('a power cut', () => {
  test.each(['change.after-decision', 'change.after-land'])(
    'at %s costs a repetition and nothing else',
    async (point) => {
      expect(await cut(point)).toEqual([])
    },
    300_000,
  )
})
