import { expect, test } from 'vitest'
import { pairsOf, stateOf, wordsOf } from './server-words.ts'

test.each([
  ['npx -y  @example/server', ['npx', '-y', '@example/server']],
  [`run "two words" 'and "these"' a\\ b ""`, ['run', 'two words', 'and "these"', 'a b', '']],
  ['"a \\"quoted\\" c:\\dir"', ['a "quoted" c:\\dir']],
  ['echo $HOME; rm *', ['echo', '$HOME;', 'rm', '*']],
  ['', []],
  ['echo "open', null],
])('%s is split as a terminal would, and no shell reads it', (line, words) => expect(wordsOf(line)).toEqual(words))

test('lines are pairs, values may hold the sign again, and a line that is none is named', () => {
  expect(pairsOf('KEY=secret:A\n\n URL = https://a.example/?b=c ', '=')).toEqual({ KEY: 'secret:A', URL: 'https://a.example/?b=c' })
  expect(pairsOf('Authorization: Bearer secret:A', ':')).toEqual({ Authorization: 'Bearer secret:A' })
  expect(pairsOf('A=b\nnothing', '=')).toBe('nothing')
  expect(pairsOf('=b', '=')).toBe('=b')
})

test('what a server waits for comes before what went wrong, and a pause before the next try is told', () => {
  const now = Date.parse('2026-01-01T00:00:00Z')
  const failed = { state: 'failed', login: 'none', walls: null, retryAt: '2026-01-01T00:01:00Z' } as const
  expect(stateOf(failed, now).word).toBe('failing, waits')
  expect(stateOf({ ...failed, retryAt: null }, now).word).toBe('failing')
  expect(stateOf({ ...failed, login: 'needed' }, now)).toMatchObject({ word: 'waits for a login', tone: 'you' })
  expect(stateOf({ ...failed, walls: 'asks' }, now)).toMatchObject({ word: 'waits for you: no sandbox here', tone: 'you' })
  expect(stateOf({ ...failed, state: 'off', login: 'needed' }, now).word).toBe('off')
})
