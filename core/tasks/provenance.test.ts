import { describe, expect, test } from 'vitest'
import { type Writing, writersOf } from './provenance.ts'

/** Written as `who:what`; the newest first. `+` made it, `-` took it away, `~` changed it; `up` a person's upload, `undo` a person's undo. */
const history = (words: string): Writing[] =>
  words
    .split(' ')
    .filter(Boolean)
    .map((word) => {
      const [who = '', what = ''] = word.split(':')
      const person = who === 'up' || who === 'undo'
      return {
        path: 'a.txt',
        taskId: person ? 'root' : who,
        by: person ? 'owner' : 'agent',
        callId: who === 'up' ? 'root/upload-0a1b2c3d' : who === 'undo' ? 'root/undo-0a1b2c3d' : `${who}/1`,
        made: what === '+',
        gone: what === '-',
      }
    })

describe('a file is of', () => {
  test.each([
    ['nobody when nobody in the tree wrote it', '', []],
    ['the one who made it', 'a:+', ['a']],
    ['all who wrote it since it was made', 'b:~ a:+', ['b', 'a']],
    ['all who wrote it, when it was there before', 'b:~ a:~', ['b', 'a']],
    ['nobody before it was made anew', 'b:+ a:- a:~', ['b']],
    ['nobody when it is gone', 'a:- a:+', []],
    ['the person who sent it', 'up:~ a:+', []],
    ['whoever changed it after a person sent it', 'b:~ up:~ a:+', ['b']],
    ['those who wrote it, when a person put it back', 'undo:~ b:~ a:+', ['b', 'a']],
    ['those who wrote it, when a person brought it back', 'undo:+ a:- a:+', ['a']],
  ])('%s', (_, words, writers) => {
    expect(writersOf(history(words))).toEqual(writers)
  })

  test('never fewer people than wrote since the last upload and the last making, whatever came in between', () => {
    const kinds = ['a:~', 'b:~', 'c:+', 'd:-', 'up:~', 'undo:~']
    let seed = 7
    const next = () => (seed = (seed * 48_271) % 2_147_483_647)
    for (let round = 0; round < 2_000; round++) {
      const rows = history(Array.from({ length: next() % 8 }, () => kinds[next() % kinds.length]!).join(' '))
      const writers = writersOf(rows)
      if (rows[0]?.by === 'agent' && rows[0].gone) expect(writers).toEqual([])
      else {
        const end = rows.findIndex((row) => row.callId.includes('upload') || (row.by === 'agent' && row.made))
        const since = rows.slice(0, end < 0 ? rows.length : end + 1).filter((row) => row.by === 'agent')
        expect(new Set(writers)).toEqual(new Set(since.map((row) => row.taskId)))
      }
    }
  })
})
