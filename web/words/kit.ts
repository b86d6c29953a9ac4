/** Words of the parts that every page uses. */
import { plural } from './words.ts'

export const kit = {
  cancel: 'Keep it',
  close: 'Close',
  copy: 'Copy',
  copied: 'Copied',
  notCopied: 'The browser does not allow it; select the text and copy it by hand.',
  retry: 'Try again',
  notAgain: (why: string) => `What is shown may be out of date, because it could not be read again: ${why}`,
  readAt: (ago: string) => `Read ${ago}`,
  readOld: (ago: string) => `Not live; as it was ${ago}`,
  readAgain: 'Read again now',
  loading: 'Reading…',
  unpriced: 'unpriced',
  atLeast: (amount: string) => `≥ ${amount}`,
  nothingFits: 'Nothing fits',
  choose: 'Choose…',
  filter: 'Type to filter',
  added: 'added',
  removed: 'removed',
  tooLong: 'This file is too long to be compared here. Fetch it, or look at it on the command line.',
  noChange: 'Nothing differs.',
  files: (n: number) => plural(n, { one: '# file', other: '# files' }),
  resize: 'Change the widths',
  optional: 'optional',
  typeToConfirm: (word: string) => `Type ${word} to go on`,
} as const
