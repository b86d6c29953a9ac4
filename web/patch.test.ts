import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parsePatch } from './patch.ts'

const git = (folder: string, ...args: string[]) =>
  execFileSync('git', ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.org', ...args], { cwd: folder, encoding: 'utf8' })

test('what git writes of new, changed, renamed, deleted, binary and oddly named files is read with the numbers of its lines', () => {
  const folder = mkdtempSync(join(tmpdir(), 'banyan-patch-'))
  try {
    const write = (name: string, text: string | Buffer) => writeFileSync(join(folder, name), text)
    git(folder, 'init', '--quiet')
    const long = Array.from({ length: 30 }, (_, i) => `line ${i + 1}`)
    write('long.txt', `${long.join('\n')}\n`)
    write('gone.txt', 'bye\n')
    write('old name.txt', `${long.join('\n')}\n`)
    write('run.sh', 'true\n')
    git(folder, 'add', '.')
    git(folder, 'commit', '--quiet', '-m', 'a')
    write('long.txt', `${long.with(1, '-- a/gone.txt').with(27, '@@ -1 +1 @@').join('\n')}`)
    write('brücke.txt', 'über\n')
    write('blob.bin', Buffer.from([0, 1, 2, 0]))
    git(folder, 'rm', '--quiet', 'gone.txt')
    git(folder, 'mv', 'old name.txt', 'new name.txt')
    git(folder, 'add', '.')
    git(folder, 'update-index', '--chmod=+x', 'run.sh')
    const text = git(folder, 'diff', '--cached', '--find-renames')
    const files = parsePatch(text)
    expect(files.map((file) => file.path).sort()).toEqual(
      ['blob.bin', 'brücke.txt', 'gone.txt', 'long.txt', 'new name.txt', 'run.sh'].sort(),
    )
    const of = (path: string) => files.find((file) => file.path === path)!
    expect(of('blob.bin').binary).toBe(true)
    expect(of('new name.txt').hunks).toEqual([])
    expect(of('gone.txt').hunks[0]!.lines).toEqual([{ sign: '-', text: 'bye', before: 1, after: null }])
    const [first, second] = of('long.txt').hunks
    expect(first!.lines.filter((line) => line.sign !== ' ')).toEqual([
      { sign: '-', text: 'line 2', before: 2, after: null },
      { sign: '+', text: '-- a/gone.txt', before: null, after: 2 },
    ])
    expect(second!.lines.filter((line) => line.sign === '+').map((line) => [line.text, line.after])).toEqual([
      ['@@ -1 +1 @@', 28],
      ['line 30', 30],
    ])
    expect(files.map((file) => file.text).join('\n')).toBe(text)
    expect(parsePatch(text.slice(0, -20), true)).toHaveLength(files.length - 1)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

test('what is no diff has no files', () => {
  expect(parsePatch('')).toEqual([])
  expect(parsePatch('hello\nworld')).toEqual([])
})
