import { chmodSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { workspaceFiles } from '../core/exec/files.ts'
import type { Call, Capabilities, Tool } from '../core/tool.ts'
import editFile from './edit_file.ts'
import listFiles from './list_files.ts'
import readFile from './read_file.ts'
import searchFiles from './search_files.ts'
import writeFile from './write_file.ts'

let root: string
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'banyan-tools-')))
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

const put = (path: string, content: string | Buffer) => {
  mkdirSync(join(root, path, '..'), { recursive: true })
  writeFileSync(join(root, path), content)
}
const content = (path: string) => readFileSync(join(root, path), 'utf8')
const use = async (tool: Tool, raw: Record<string, unknown>, attempt = 1) => {
  const all = { files: workspaceFiles(root) } as unknown as Capabilities
  const outcome = await tool.call(raw, { id: 'c1', attempt, signal: new AbortController().signal } as Call, all)
  if (outcome.kind !== 'answer') throw new Error(`not an answer: ${outcome.kind}`)
  return outcome
}
const text = async (tool: Tool, raw: Record<string, unknown>) => {
  const outcome = await use(tool, raw)
  if (outcome.isError) throw new Error(outcome.text)
  return outcome.text
}
const problem = async (tool: Tool, raw: Record<string, unknown>) => {
  const outcome = await use(tool, raw)
  if (!outcome.isError) throw new Error(`no mistake: ${outcome.text}`)
  return outcome.text
}

test('every file tool keeps to the workspace and says so', async () => {
  symlinkSync('/etc', join(root, 'link'))
  for (const path of ['../x', '/etc/passwd', 'link/passwd']) {
    for (const [tool, more] of [
      [readFile, {}],
      [writeFile, { content: 'x' }],
      [editFile, { edits: [{ old_text: 'a', new_text: 'b' }] }],
      [listFiles, {}],
      [searchFiles, { pattern: 'root' }],
    ] as const) {
      expect(await problem(tool, { path, ...more }), `${tool.name} ${path}`).toMatch(/workspace/)
    }
  }
})

describe('read_file', () => {
  test('shows lines with their numbers', async () => {
    put('notes/plan.md', '# Plan\n\n\tfirst\nlast')
    expect(await text(readFile, { path: 'notes/plan.md' })).toBe(
      'notes/plan.md · lines 1–4 of 4 · 19 bytes\n1\t# Plan\n2\t\n3\t\tfirst\n4\tlast',
    )
  })

  test('shows a part, and says how to read on', async () => {
    put('long', Array.from({ length: 100 }, (_, i) => `line ${i + 1}\n`).join(''))
    expect(await text(readFile, { path: 'long', from_line: 11, lines: 2 })).toBe(
      'long · lines 11–12 of 100 · 792 bytes\n11\tline 11\n12\tline 12\n(lines 13–100 are left; read on with from_line 13)',
    )
    expect(await text(readFile, { path: 'long', from_line: 101 })).toBe('long has only 100 lines (792 bytes); there is no line 101.')
  })

  test('of a large file gives at most 50 kB, and the pages together are the file', async () => {
    const lines = Array.from({ length: 30_000 }, (_, i) => `${i} ${'ä'.repeat(i % 40)}`)
    put('large', lines.join('\n'))
    const seen: string[] = []
    for (let from = 1, pages = 0; ; pages++) {
      if (pages > 100) throw new Error('it does not end')
      const page = await text(readFile, { path: 'large', from_line: from, lines: 10_000 })
      expect(Buffer.byteLength(page)).toBeLessThan(50_300)
      seen.push(
        ...page
          .split('\n')
          .filter((line) => /^\d+\t/.test(line))
          .map((line) => line.slice(line.indexOf('\t') + 1)),
      )
      const next = /read on with from_line (\d+)\)$/.exec(page)
      if (!next) break
      from = Number(next[1])
    }
    expect(seen).toEqual(lines)
  })

  test('cuts a line that is a file of its own', async () => {
    put('one-line.json', `${'€'.repeat(100_000)}\nend`)
    const [, first, second] = (await text(readFile, { path: 'one-line.json' })).split('\n')
    expect(first).toMatch(/^1\t€+… \(cut: this line has 300000 bytes\)$/)
    expect(second).toBe('2\tend')
  })

  test('tells line ends of Windows, an empty file, and what is not text', async () => {
    put('crlf', 'a\r\nb\r\n')
    expect(await text(readFile, { path: 'crlf' })).toBe('crlf · lines 1–2 of 2 · 6 bytes · lines end with CR LF\n1\ta\n2\tb')
    put('empty', '')
    expect(await text(readFile, { path: 'empty' })).toBe('empty is empty (0 bytes).')
    put('image', Buffer.from('89504e470d0a1a0a', 'hex'))
    expect(await text(readFile, { path: 'image' })).toMatch(/^image is not text: a PNG image, 8 bytes/)
    put('data', Buffer.from([1, 0, 2]))
    expect(await text(readFile, { path: 'data' })).toMatch(/not text: binary data, 3 bytes/)
  })

  test('of a file that is not there, or a folder, is a mistake', async () => {
    mkdirSync(join(root, 'sub'))
    expect(await problem(readFile, { path: 'none' })).toBe('There is no "none" in the workspace.')
    expect(await problem(readFile, { path: 'sub' })).toMatch(/is a folder/)
    expect(await problem(readFile, {})).toMatch(/path/)
  })
})

describe('write_file', () => {
  test('makes folders, replaces, and appends', async () => {
    expect(await text(writeFile, { path: 'a/b.txt', content: 'one\n' })).toBe('Wrote a/b.txt: 4 bytes (new file).')
    expect(await text(writeFile, { path: 'a/b.txt', content: 'zwö\n' })).toBe('Wrote a/b.txt: 5 bytes (replaced).')
    expect(await text(writeFile, { path: 'a/b.txt', content: 'drei\n', append: true })).toBe('Wrote a/b.txt: 10 bytes (5 bytes added).')
    expect(content('a/b.txt')).toBe('zwö\ndrei\n')
  })

  test('takes at most 1 MB at once', async () => {
    expect(await problem(writeFile, { path: 'x', content: 'ä'.repeat(500_001) })).toMatch(/1000002 bytes.*"append"/)
    expect(await text(writeFile, { path: 'x', content: 'ä'.repeat(500_000) })).toMatch(/1000000 bytes/)
  })

  test('may be repeated, appending may not', () => {
    const effect = (raw: unknown) => writeFile.effect(raw, {} as Call, {} as Capabilities)
    expect(effect({ path: 'x', content: 'y' })).toBe('idempotent')
    expect(effect({ path: 'x', content: 'y', append: true })).toBe('once')
  })
})

describe('edit_file', () => {
  const edit = (...edits: [string, string, boolean?][]) => ({
    path: 'f',
    edits: edits.map(([old_text, new_text, all]) => ({ old_text, new_text, ...(all ? { all } : {}) })),
  })

  test('replaces exact text and names the lines', async () => {
    put('f', 'one\ntwo\nthree\n')
    chmodSync(join(root, 'f'), 0o700)
    expect(await text(editFile, edit(['two\nthree', 'TWO'], ['one', '$& $1 one']))).toBe('Edited f: 2 places, lines 2, 1; now 14 bytes.')
    expect(content('f')).toBe('$& $1 one\nTWO\n')
    expect(statSync(join(root, 'f')).mode & 0o777).toBe(0o700)
  })

  test('replaces every place when told', async () => {
    put('f', 'a b\na c\n')
    expect(await text(editFile, edit(['a', 'x', true]))).toBe('Edited f: 2 places, lines 1, 2; now 8 bytes.')
  })

  test('does all edits or none, and says which one did not fit', async () => {
    put('f', 'const a = 1\nconst b = 2\n')
    const said = await problem(editFile, edit(['const a = 1', 'let a'], ['const b = 3', 'let b']))
    expect(said).toBe('f was not changed. The old_text of edit 2 is not in the file. The nearest is line 2: "const b = 2".')
    expect(content('f')).toBe('const a = 1\nconst b = 2\n')
  })

  test('says how often a text is found that is not the only one', async () => {
    put('f', 'x\ny\nx\n')
    expect(await problem(editFile, edit(['x', 'z']))).toBe(
      'f was not changed. The old_text is found 2 times (line 1, 3); add lines around it until it is the only one, or set "all".',
    )
  })

  test('recognises the usual slips', async () => {
    put('f', 'if (a) {\n\treturn 1\n}\n')
    expect(await problem(editFile, edit(['if (a) {\n    return 1', 'x']))).toMatch(/Line 1 begins the same, with other white space/)
    expect(await problem(editFile, edit(['if (a) {\n\treturn 2', 'x']))).toMatch(/Line 1 begins the same, but what follows differs/)
    expect(await problem(editFile, edit(['1\tif (a) {', 'x']))).toMatch(/leave the number and the tab out/)
    expect(await problem(editFile, edit(['zzzz qqqq', 'x']))).toMatch(/Nothing in it is like it/)
    expect(await problem(editFile, edit(['return 1', 'return 1']))).toMatch(/are the same/)
  })

  test('keeps the line ends of Windows and a byte order mark', async () => {
    put('f', '\uFEFFone\r\ntwo\r\nthree\r\n')
    await text(editFile, edit(['one\ntwo', '1\n2']))
    expect(content('f')).toBe('\uFEFF1\r\n2\r\nthree\r\n')
  })

  test('does not touch what is not text', async () => {
    put('f', Buffer.from([0x61, 0xff, 0x62]))
    expect(await problem(editFile, edit(['a', 'b']))).toMatch(/not UTF-8/)
  })

  test('repeated after a restart, it sees that it was done', async () => {
    put('f', 'new\n')
    expect(await use(editFile, edit(['old', 'new']), 2)).toMatchObject({ text: 'Edited f: the edits had been made before the restart.' })
    expect((await use(editFile, edit(['old', 'new']), 1)).isError).toBe(true)
  })

  test('is not to be repeated when it adds to what it looked for', () => {
    const effect = (raw: unknown) => editFile.effect(raw, {} as Call, {} as Capabilities)
    expect(effect(edit(['old', 'new']))).toBe('idempotent')
    expect(effect(edit(['line', 'line\nline']))).toBe('once')
  })
})

describe('list_files', () => {
  test('has one entry a line after the heading', async () => {
    put('b.txt', '12345')
    put('a/c/d.txt', '1')
    put('.git/config', 'x')
    symlinkSync('b.txt', join(root, 'link'))
    put('node_modules/x/y.js', 'y')
    expect(await text(listFiles, {})).toBe(
      [
        '2 files (6 bytes), 4 folders, 1 other entry in . · depth 3 · not opened: .git/, node_modules/',
        '-\t.git/', '-\ta/', '-\ta/c/', '1\ta/c/d.txt', '5\tb.txt', '-\tlink', '-\tnode_modules/',
      ].join('\n'), // biome-ignore format: one entry a line
    )
    expect(await text(listFiles, { path: 'a', depth: 1 })).toBe('0 files (0 bytes), 1 folder in a · depth 1\n-\ta/c/')
    expect(await text(listFiles, { path: 'b.txt' })).toMatch(/\n5\tb.txt$/)
  })

  test('finds by pattern, by name or by path, at any depth', async () => {
    put('a/b/c/d/e.md', '1')
    put('f.md', '22')
    put('f.txt', '1')
    expect(await text(listFiles, { pattern: '*.md' })).toBe(
      '2 files (3 bytes), 0 folders in . · matching *.md · depth 30\n1\ta/b/c/d/e.md\n2\tf.md',
    )
    expect(await text(listFiles, { pattern: 'a/**/*.md' })).toMatch(/^1 file /)
  })

  test('of very many shows 500, the upper levels first, and says how many more there are', async () => {
    for (let i = 0; i < 600; i++) put(`deep/${i}`, '')
    put('zz-top', '')
    const lines = (await text(listFiles, {})).split('\n')
    expect(lines[0]).toMatch(/^601 files \(0 bytes\), 1 folder in \. · depth 3 · the first 500 are shown, 102 more are not$/)
    expect(lines).toHaveLength(501)
    expect(lines.at(-1)).toBe('0\tzz-top')
  })

  test('keeps to one line an entry whatever a name holds', async () => {
    put('a\nb\tc', '')
    expect((await text(listFiles, {})).split('\n')).toEqual(['1 file (0 bytes), 0 folders in . · depth 3', '0\ta?b?c'])
  })

  test('of an empty workspace is only its heading', async () => {
    expect(await text(listFiles, {})).toBe('0 files (0 bytes), 0 folders in . · depth 3')
  })
})

describe('search_files', () => {
  test('finds plain text, whatever signs it has', async () => {
    put('src/a.ts', 'one\nif (x.y[0]) {\n')
    put('b.ts', 'if (xay[0]) {\n')
    expect(await text(searchFiles, { pattern: 'x.y[0]' })).toBe('src/a.ts:2: if (x.y[0]) {\n1 match in 2 searched files')
    expect(await text(searchFiles, { pattern: 'IF (', ignore_case: true, files: '*.ts' })).toMatch(
      /^b.ts:1: .*\nsrc\/a.ts:2: .*\n2 matches/,
    )
    expect(await text(searchFiles, { pattern: 'nowhere' })).toBe('0 matches in 2 searched files')
    expect(await text(searchFiles, { pattern: 'one', path: 'src/a.ts' })).toBe('src/a.ts:1: one\n1 match in 1 searched file')
  })

  test('finds by regular expression and refuses what that engine lacks', async () => {
    put('a', 'v1.2.3\nversion\n')
    expect(await text(searchFiles, { pattern: '^v\\d+(\\.\\d+)+$', regex: true })).toBe('a:1: v1.2.3\n1 match in 1 searched file')
    expect(await problem(searchFiles, { pattern: '(?=x)', regex: true })).toMatch(/not right.*Look-around/)
    expect(await problem(searchFiles, { pattern: '(', regex: true })).toMatch(/not right/)
    expect(await problem(searchFiles, { pattern: 'a\nb' })).toMatch(/line break/)
  })

  test('shows lines around each match once', async () => {
    put('a', '1\n2\nhit 3\nhit 4\n5\n6\n7\n8\nhit 9\n')
    expect(await text(searchFiles, { pattern: 'hit', context: 1 })).toBe(
      'a-2- 2\na:3: hit 3\na:4: hit 4\na-5- 5\n--\na-8- 8\na:9: hit 9\n3 matches in 1 searched file',
    )
  })

  test('leaves out what is not text and what is noise, and says so', async () => {
    put('bin', Buffer.from('needle\0'))
    put('node_modules/x/a.js', 'needle')
    put('a', 'needle')
    expect(await text(searchFiles, { pattern: 'needle' })).toBe(
      'a:1: needle\n1 match in 1 searched file (1 not text; not opened: node_modules/)',
    )
    expect(await text(searchFiles, { pattern: 'needle', path: 'node_modules' })).toMatch(/^node_modules\/x\/a.js:1: needle\n/)
  })

  test('ends after 200 matches and cuts long lines around the match', async () => {
    put('a', 'hit\n'.repeat(1_000))
    const lines = (await text(searchFiles, { pattern: 'hit' })).split('\n')
    expect(lines).toHaveLength(201)
    expect(lines.at(-1)).toMatch(/^200 matches in 1 searched file \(ended, there may be more matches\)$/)
    put('b', `${'x'.repeat(100_000)}needle${'y'.repeat(100_000)}`)
    const [line] = (await text(searchFiles, { pattern: 'needle' })).split('\n')
    expect(line).toMatch(/^b:1: …x{100}needley+…$/)
    expect(line!.length).toBeLessThan(320)
  })

  test('takes no more than linear time for a pattern made to explode', async () => {
    put('a', `${'a'.repeat(50_000)}!`)
    const began = performance.now()
    expect(await text(searchFiles, { pattern: '^(a+)+$', regex: true })).toBe('0 matches in 1 searched file')
    expect(performance.now() - began).toBeLessThan(5_000)
  })
})
