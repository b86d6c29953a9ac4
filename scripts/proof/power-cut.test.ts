import { describe, expect, test } from 'vitest'
import { need } from '../needs.ts'
import { cut, cutKept } from './power-cut.ts'

describe.skipIf(!need('bubblewrap'))('a power cut', () => {
  test.each(['change.after-decision', 'change.after-land'])(
    'at %s costs a repetition and nothing else',
    async (point) => {
      expect(await cut(point)).toEqual([])
    },
    300_000,
  )
  test('in the middle of the hand-over to the keeper costs nothing: the change goes on and is kept', async () => {
    expect(await cutKept('change.after-request', 'good')).toEqual([])
  }, 300_000)
  test('after the keeper undid a bad one costs nothing: main is taken back once, and the tree stays known as failed', async () => {
    expect(await cutKept('change.after-undo', 'bad')).toEqual([])
  }, 300_000)
})
