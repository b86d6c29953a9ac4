/** What `banyan change status` says. Pure. */
import type { ResponseOf } from '../../core/contract/api.ts'
import { oneLine } from './words.ts'

export const stateRows = (state: ResponseOf<'selfState'>): string[][] => [
  ['code', state.on ? 'can be changed' : `cannot be changed: ${oneLine(state.why ?? '', 400)}`],
  ...(state.nested === false ? [['sandbox', 'does not start within the gates here, so a change is not tried with its tests']] : []),
  ['without a person', state.autonomy],
  ['keeper', state.keeper ? 'watches and goes back by itself' : 'none; a change runs from the next start on'],
]
