/** Small forms of words and times that the parts of a change share. */
import { clockTime, dayOf } from '../../words/words.ts'

/** The time of day; of another day, that day too. */
export const momentOf = (at: string, now: number): string =>
  dayOf(at) === dayOf(now) ? clockTime(at) : `${dayOf(at)}, ${clockTime(at, false)}`

/** Notes of the gates begin in the middle of a sentence. */
export const sentenceOf = (note: string): string => `${note.charAt(0).toUpperCase()}${note.slice(1)}`
