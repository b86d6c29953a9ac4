import { describe, expect, test } from 'vitest'
import { withEntry } from './commented-json.ts'

const ENTRY = { type: 'stdio', command: '/bin/node', args: ['a', '}'] }
const put = (text: string) => withEntry(text, 'servers', 'banyan', ENTRY)

describe('an entry in settings with comments', () => {
  test('is put beside others, and every other character stays', () => {
    const before = `{
  // mine, with a "quote" and a }
  "inputs": [1, /* two */ 2,],
  "servers": { // here
    "other": { "command": "x // no comment, \\" }" }, // trailing
  },
}
`
    const after = put(before)!
    const added =
      '\n    "banyan": {\n      "type": "stdio",\n      "command": "/bin/node",\n      "args": [\n        "a",\n        "}"\n      ]\n    },'
    expect(after).toBe(before.replace('"servers": {', `"servers": {${added}`))
    expect(put(after)).toBe(after)
  })

  test('takes the place of an older one, whatever follows it', () => {
    const older = (value: string) => `{ "servers": { /* a */ "banyan": ${value} /* b */, "z": 1 } } // end`
    const written = JSON.stringify(ENTRY, null, 2).replaceAll('\n', '\n    ')
    for (const value of ['{ "command": "old", /* } */ "env": {"A": [1, 2]} }', '"text"', 'null'])
      expect(put(older(value))).toBe(older(written))
  })

  test('comes with what holds it where that is not there', () => {
    for (const before of ['{}', '{ // nothing\n}', '{ "theme": "dark", }', '// first\n{ "servers": {} }', '{"servers":{/* none */}}']) {
      const after = put(before)
      expect(after, before).toContain('"banyan": {')
      expect(put(after!), before).toBe(after)
    }
  })

  test('is not put into what is no JSON, or where no object is', () => {
    for (const before of ['', '[]', '{', '{ "servers": [] }', '{ "servers": 1 }', '{ "a": 1 "b": 2 }', '{ /* open }', '{ "a": undefined }'])
      expect(put(before), before).toBeNull()
  })
})
