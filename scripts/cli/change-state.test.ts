import { expect, test } from 'vitest'
import { stateRows } from './change-state.ts'

const state = { on: true, why: null, nested: true, autonomy: 'texts' as const, keeper: true, landing: null }
const said = (more: object) => stateRows({ ...state, ...more }).map((row) => row.join(': '))

test('the state of changes says that the gates try no sandbox only where that is so', () => {
  expect(said({ nested: false })).toContain('sandbox: does not start within the gates here, so a change is not tried with its tests')
  expect(said({}).join()).not.toContain('sandbox')
  expect(said({ on: false, nested: null, why: 'No bubblewrap.' })[0]).toBe('code: cannot be changed: No bubblewrap.')
})
