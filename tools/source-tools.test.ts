import { expect, test } from 'vitest'
import type { Call, Capabilities } from '../core/tool.ts'
import readSource from './read_source.ts'

const source = (text: string) => ({ self: { read: async () => ({ kind: 'file', text }) } }) as unknown as Capabilities
const read = async (text: string, raw: object = {}) => {
  const outcome = await readSource.call({ path: 'a.ts', ...raw }, { id: 'c1', attempt: 1 } as Call, source(text))
  return outcome.kind === 'answer' ? outcome.text : outcome.kind
}

test('a file of the source comes with the lines that are shown and how many there are', async () => {
  expect(await read('one\ntwo\n')).toBe('a.ts, lines 1 to 2 of 2\none\ntwo')
  expect(await read('one\ntwo\nthree\n', { from_line: 2, lines: 1 })).toBe(
    'a.ts, lines 2 to 2 of 3\ntwo\n… 1 more lines; go on with "from_line": 3',
  )
  expect(await read('one\n', { from_line: 9 })).toBe('a.ts has only 1 lines.')
})
