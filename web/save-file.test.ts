import { expect, test } from 'vitest'
import { csvOf } from './save-file.ts'

test('commas, quotes and line ends stay in their cell, and nothing that is unknown becomes 0', () => {
  expect(
    csvOf([
      ['a', 'b'],
      [1.5, null],
      ['x, "y"', 'two\nlines'],
    ]),
  ).toBe('a,b\r\n1.5,\r\n"x, ""y""","two\nlines"\r\n')
})

test('a text that a spreadsheet would run as a formula is text', () => {
  expect(csvOf([['=cmd()', '-1', '@x', -1]])).toBe("'=cmd(),'-1,'@x,-1\r\n")
})
