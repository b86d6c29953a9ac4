import { execFileSync, spawn } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Fault } from '../contract/fault.ts'
import { partsOf, type WorkspaceFiles, workspaceFiles } from './files.ts'

/** base/ws is the workspace; base/outside and base/ws-evil hold what must stay out of reach. */
let base: string
let root: string
let files: WorkspaceFiles
beforeEach(() => {
  base = realpathSync(mkdtempSync(join(tmpdir(), 'banyan-files-')))
  root = join(base, 'ws')
  for (const folder of ['ws/sub/deep', 'outside', 'ws-evil']) mkdirSync(join(base, folder), { recursive: true })
  for (const file of ['ws/plan.md', 'ws/sub/deep/note.txt', 'outside/secret', 'ws-evil/secret']) writeFileSync(join(base, file), file)
  files = workspaceFiles(root)
})
afterEach(() => rmSync(base, { recursive: true, force: true }))

const read = async (path: string) => {
  const handle = await files.open(path)
  try {
    return await handle.readFile('utf8')
  } finally {
    await handle.close()
  }
}
/** Everything outside the workspace as it is now, to compare. */
const outside = () =>
  ['', 'outside', 'ws-evil'].flatMap((folder) =>
    readdirSync(join(base, folder)).map((name) => {
      const path = join(base, folder, name)
      return statSync(path).isFile() ? `${path}: ${readFileSync(path, 'utf8')}` : path
    }),
  )

const ESCAPES = [
  '..', '../', '../outside/secret', '../../etc/passwd', '../ws-evil/secret', '../ws', 'sub/../../outside/secret', 'sub/../../../etc/passwd',
  './../outside/secret', './/..//outside/secret', 'sub/deep/../../../outside/secret', 'a/b/c/../../../../outside/secret', '.././outside/secret',
  `${'../'.repeat(40)}etc/passwd`, 'missing/../../outside/secret', '/etc/passwd', '//etc/passwd', '///etc/passwd', '/', '/..', '/proc/self/environ',
  '/dev/zero', '/./etc/passwd', '/tmp/../etc/passwd', '{ws}-evil/secret', '{ws}/../outside/secret', '{ws}/../ws-evil/secret', '{ws}/sub/../../outside/secret',
  '..\\outside\\secret', 'sub\\..\\..\\outside', 'C:\\Windows\\win.ini', '\\\\server\\share', 'file:///etc/passwd', 'http://example.org/x',
  'plan.md\0.png', '\0', '../outside/secret\0', '~', '~/secret', '~root/.ssh/id_rsa', 'x'.repeat(300), 'y/'.repeat(3_000), './~/x', '..//', 'sub/..//../outside/secret',
] // biome-ignore format: a list
const ONLY_NAMES = [
  '%2e%2e/outside/secret', '..%2foutside', '%2e%2e%2fetc%2fpasswd', '%252e%252e/x', '..;/outside', '.../outside', '....//outside', '..\u2215outside', '\uff0e\uff0e/outside',
  '..\u2024/outside', '$HOME/x', '$' + '{HOME}', '$(id)', '`id`', '*', '-rf', '--help', ' ../x', '.. /x', '..\u00a0/x', 'C:/Windows', '..%c0%af..', '.git/../..x',
] // biome-ignore format: a list

describe('a path', () => {
  test.each(ESCAPES)('that escapes is refused: %j', async (written) => {
    const path = written.replace('{ws}', root)
    const before = outside()
    for (const use of [
      () => files.existing(path),
      () => files.target(path),
      () => files.open(path),
      () => files.write(path, 'x'),
      () => files.remove(path),
      () => files.move(path, 'stolen'),
      () => files.move('plan.md', path),
    ]) {
      await expect(use()).rejects.toBeInstanceOf(Fault)
    }
    expect(outside()).toEqual(before)
  })

  test.each(ONLY_NAMES)('that only looks odd is a name like any other, inside: %j', async (path) => {
    await expect(files.existing(path)).rejects.toMatchObject({ code: 'not_found' })
    const before = outside()
    expect((await files.target(path)).startsWith(`${root}/`)).toBe(true)
    await files.write(path, 'inside')
    expect(await read(path)).toBe('inside')
    expect(outside()).toEqual(before)
  })

  test('is taken in the ways that people and models write it', () => {
    for (const path of ['sub/a.md', './sub/a.md', 'sub//a.md', 'sub/./a.md', 'sub/x/../a.md', '/ws/sub/a.md', '/real/ws/sub/a.md']) {
      expect(partsOf(path, ['/ws', '/real/ws']), path).toEqual(['sub', 'a.md'])
    }
    for (const path of ['', '.', './', '/ws', '/ws/']) expect(partsOf(path, ['/ws']), path).toEqual([])
  })

  test('that does not exist, is a folder, or goes through a file is told apart', async () => {
    await expect(files.existing('gone.md')).rejects.toMatchObject({ code: 'not_found', message: 'There is no "gone.md" in the workspace.' })
    await expect(files.open('sub')).rejects.toMatchObject({ code: 'invalid', message: /is a folder/ })
    await expect(files.target('sub')).rejects.toMatchObject({ code: 'invalid', message: /is a folder/ })
    await expect(files.target('new/')).rejects.toMatchObject({ code: 'invalid', message: /names a folder/ })
    await expect(files.existing('plan.md/x')).rejects.toMatchObject({ code: 'invalid', message: /"plan.md" is a file, not a folder/ })
    await expect(files.write('plan.md/x/y', '')).rejects.toMatchObject({ code: 'invalid', message: /"plan.md" is a file/ })
    await expect(files.write('a\nb', '')).rejects.toMatchObject({ code: 'invalid', message: /line break/ })
    expect(await files.existing('sub')).toBe(join(root, 'sub'))
    expect(await files.existing('.')).toBe(root)
  })

  test('in a workspace that is gone says so', async () => {
    await expect(workspaceFiles(join(base, 'none')).existing('x')).rejects.toMatchObject({
      code: 'not_found',
      message: /workspace folder .* is gone/,
    })
  })
})

describe('links', () => {
  const LAYOUTS: Record<string, { make: () => void; use: string; allowed?: true }> = {
    'a file link out': { make: () => symlinkSync(join(base, 'outside/secret'), join(root, 'l')), use: 'l' },
    'a relative file link out': { make: () => symlinkSync('../outside/secret', join(root, 'l')), use: 'l' },
    'a folder link out': { make: () => symlinkSync('../outside', join(root, 'l')), use: 'l/secret' },
    'a new file through a folder link out': { make: () => symlinkSync('../outside', join(root, 'l')), use: 'l/new' },
    'new folders through a folder link out': { make: () => symlinkSync('../outside', join(root, 'l')), use: 'l/a/b/new' },
    'a link to the sibling with the same prefix': { make: () => symlinkSync('../ws-evil', join(root, 'l')), use: 'l/secret' },
    'a dangling link out': { make: () => symlinkSync('../outside/new', join(root, 'l')), use: 'l' },
    'a dangling folder link out': { make: () => symlinkSync('../none', join(root, 'l')), use: 'l/new' },
    'a link to a link out': {
      make: () => {
        symlinkSync('../outside', join(root, 'a'))
        symlinkSync('a', join(root, 'l'))
      },
      use: 'l/secret',
    },
    'a link out deep inside': { make: () => symlinkSync('../../../outside', join(root, 'sub/deep/l')), use: 'sub/deep/l/secret' },
    'a link to /': { make: () => symlinkSync('/', join(root, 'l')), use: 'l/etc/passwd' },
    'a link to the folder above': { make: () => symlinkSync('..', join(root, 'l')), use: 'l/outside/secret' },
    'a link that goes out and in again, then out': { make: () => symlinkSync('../ws/..', join(root, 'l')), use: 'l/outside/secret' },
    'a circle': {
      make: () => {
        symlinkSync('b', join(root, 'a'))
        symlinkSync('a', join(root, 'b'))
      },
      use: 'a/x',
    },
    'a link to /proc/self': { make: () => symlinkSync('/proc/self', join(root, 'l')), use: 'l/environ' },
    'a file link inside': { make: () => symlinkSync('sub/deep/note.txt', join(root, 'l')), use: 'l', allowed: true },
    'an absolute link inside': { make: () => symlinkSync(join(root, 'sub'), join(root, 'l')), use: 'l/deep/note.txt', allowed: true },
    'a link out and back in': { make: () => symlinkSync('../ws/sub', join(root, 'l')), use: 'l/deep/note.txt', allowed: true },
  }
  test.each(Object.entries(LAYOUTS))('%s', async (_, { make, use, allowed }) => {
    make()
    const before = outside()
    if (allowed) {
      expect(await read(use)).toBe('ws/sub/deep/note.txt')
      await files.write(use, 'changed')
      expect(readFileSync(join(root, 'sub/deep/note.txt'), 'utf8')).toBe('changed')
      if (use === 'l') expect(lstatSync(join(root, 'l')).isSymbolicLink()).toBe(true)
    } else {
      for (const attempt of [
        () => files.open(use),
        () => files.target(use),
        () => files.write(use, 'evil'),
        () => files.write(use, 'evil', { append: true }),
        () => files.remove(use),
        () => files.move(use, 'stolen'),
        () => files.move('plan.md', use),
      ]) {
        await expect(attempt()).rejects.toBeInstanceOf(Fault)
      }
    }
    expect(outside()).toEqual(before)
  })

  test('are neither moved nor removed, and what they lead to stays', async () => {
    symlinkSync('sub/deep/note.txt', join(root, 'l'))
    for (const act of [() => files.remove('l'), () => files.move('l', 'm')])
      await expect(act()).rejects.toMatchObject({ code: 'invalid', message: /is a link; name the file itself/ })
    expect(lstatSync(join(root, 'l')).isSymbolicLink()).toBe(true)
    expect(await read('sub/deep/note.txt')).toBe('ws/sub/deep/note.txt')
  })

  test('a workspace that is itself reached through a link works', async () => {
    symlinkSync(root, join(base, 'alias'))
    const through = workspaceFiles(join(base, 'alias'))
    expect(await through.existing('plan.md')).toBe(join(root, 'plan.md'))
    expect(await through.existing(join(base, 'alias/plan.md'))).toBe(join(root, 'plan.md'))
    expect(await through.existing(join(root, 'plan.md'))).toBe(join(root, 'plan.md'))
  })

  test('swapped in while files are used never lead out', async () => {
    mkdirSync(join(root, 'flip'))
    writeFileSync(join(root, 'flip/secret'), 'inside')
    const swapper = spawn(process.execPath, [
      '-e',
      `const fs = require('fs'); process.chdir(${JSON.stringify(root)})
       fs.symlinkSync('../outside', 'evil')
       for (;;) { fs.renameSync('flip', 'kept'); fs.renameSync('evil', 'flip'); fs.renameSync('flip', 'evil'); fs.renameSync('kept', 'flip') }`,
    ])
    const before = readdirSync(join(base, 'outside'))
    let reads = 0
    let refused = 0
    try {
      for (let turn = 0; turn < 3_000; turn++) {
        try {
          if ((await read('flip/secret')) !== 'inside') throw new Error('a file outside was read')
          reads++
          if (turn % 3 === 0) await files.write('flip/secret', 'inside')
        } catch (error) {
          if (
            !(error instanceof Fault) &&
            !(error instanceof Error && 'code' in error && /^E(NOENT|LOOP|NOTDIR)$/.test(String(error.code)))
          )
            throw error
          refused++
        }
      }
    } finally {
      swapper.kill('SIGKILL')
    }
    expect(readFileSync(join(base, 'outside/secret'), 'utf8')).toBe('outside/secret')
    expect(readdirSync(join(base, 'outside'))).toEqual(before)
    expect(reads).toBeGreaterThan(0)
    expect(refused).toBeGreaterThan(0)
  }, 60_000)
})

describe('what is not a file', () => {
  test('is refused without waiting for it', async () => {
    execFileSync('mkfifo', [join(root, 'pipe')])
    await expect(files.open('pipe')).rejects.toMatchObject({ code: 'invalid', message: /pipe/ })
    await expect(files.write('pipe', 'x')).rejects.toMatchObject({ code: 'invalid' })
    await expect(files.write('pipe', 'x', { append: true })).rejects.toMatchObject({ code: 'invalid' })
  })
})

describe('protected paths', () => {
  test('stay closed in a workspace that contains them, also through links of both kinds', async () => {
    mkdirSync(join(root, 'data'))
    writeFileSync(join(root, 'data/agent_system.db'), 'db')
    symlinkSync('data', join(root, 'alias'))
    linkSync(join(root, 'data/agent_system.db'), join(root, 'hard.txt'))
    files = workspaceFiles(root, { protectedPaths: [join(root, 'data'), join(base, 'not-there')] })
    for (const path of ['data/agent_system.db', 'data', 'alias/agent_system.db', 'hard.txt', 'data/new', 'data/a/new']) {
      await expect(files.open(path), path).rejects.toMatchObject({ code: expect.stringMatching(/forbidden|not_found/) })
      await expect(files.write(path, 'x'), path).rejects.toMatchObject({ code: 'forbidden' })
    }
    expect(readdirSync(join(root, 'data'))).toEqual(['agent_system.db'])
    expect(await read('plan.md')).toBe('ws/plan.md')
  })

  test('do not close a workspace that lies in them', async () => {
    files = workspaceFiles(root, { protectedPaths: [base] })
    expect(await read('plan.md')).toBe('ws/plan.md')
    linkSync(join(base, 'outside/secret'), join(base, 'secret-key'))
    linkSync(join(base, 'secret-key'), join(root, 'hard'))
    await expect(files.open('hard')).rejects.toMatchObject({ code: 'forbidden' })
  })
})

describe('writing', () => {
  test('makes folders, replaces at once, and leaves nothing behind', async () => {
    expect(await files.write('new/deep/a.txt', 'one')).toEqual({ bytes: 3, created: true })
    expect(await files.write('new/deep/a.txt', 'zwö')).toEqual({ bytes: 4, created: false })
    expect(await read('new/deep/a.txt')).toBe('zwö')
    expect(readdirSync(join(root, 'new/deep'))).toEqual(['a.txt'])
  })

  test('keeps the mode of a file', async () => {
    chmodSync(join(root, 'plan.md'), 0o755)
    await files.write('plan.md', '#!/bin/sh')
    expect(statSync(join(root, 'plan.md')).mode & 0o777).toBe(0o755)
  })

  test('at the end adds to what is there, or begins a file', async () => {
    expect(await files.write('log', 'a\n', { append: true })).toEqual({ bytes: 2, created: true })
    expect(await files.write('log', 'b\n', { append: true })).toEqual({ bytes: 4, created: false })
    expect(await read('log')).toBe('a\nb\n')
  })

  test.runIf(process.getuid?.() === 0)('as root in a workspace of another user makes files of that user', async () => {
    chownSync(root, 65_534, 65_534)
    await files.write('made/here.txt', 'x')
    for (const path of ['made', 'made/here.txt']) expect(lstatSync(join(root, path)).uid, path).toBe(65_534)
    expect(existsSync(join(root, 'made/here.txt'))).toBe(true)
  })
})

describe('listing', () => {
  test('goes level by level, follows no link and enters no noise unless asked', async () => {
    mkdirSync(join(root, 'node_modules/pkg'), { recursive: true })
    writeFileSync(join(root, 'node_modules/pkg/index.js'), '1')
    symlinkSync('../outside', join(root, 'out'))
    const all = await files.list('.', { depth: 9, most: 100 })
    expect(all.entries).toEqual([
      { path: 'node_modules', kind: 'folder', bytes: null },
      { path: 'out', kind: 'other', bytes: null },
      { path: 'plan.md', kind: 'file', bytes: 10 },
      { path: 'sub', kind: 'folder', bytes: null },
      { path: 'sub/deep', kind: 'folder', bytes: null },
      { path: 'sub/deep/note.txt', kind: 'file', bytes: 20 },
    ])
    expect(all).toMatchObject({ closed: ['node_modules'], complete: true })
    expect((await files.list('node_modules', { depth: 9, most: 100 })).entries.map((one) => one.path)).toEqual([
      'node_modules/pkg',
      'node_modules/pkg/index.js',
    ])
    expect((await files.list('sub', { depth: 1, most: 100 })).entries.map((one) => one.path)).toEqual(['sub/deep'])
    expect(await files.list('plan.md', { depth: 1, most: 100 })).toMatchObject({ entries: [{ path: 'plan.md', bytes: 10 }] })
    expect(await files.list('.', { depth: 9, most: 3 })).toMatchObject({ complete: false, entries: { length: 3 } })
    await expect(files.list('out', { depth: 1, most: 9 })).rejects.toMatchObject({ code: 'forbidden' })
  })

  test('does not look into protected folders', async () => {
    mkdirSync(join(root, 'data'))
    writeFileSync(join(root, 'data/agent_system.db'), 'db')
    files = workspaceFiles(root, { protectedPaths: [join(root, 'data')] })
    const { entries, closed } = await files.list('.', { depth: 9, most: 100 })
    expect(entries.map((one) => one.path)).not.toContain('data/agent_system.db')
    expect(closed).toEqual(['data'])
  })
})

describe('a file', () => {
  test('is moved with its mode to where there is none, and removed; a folder is not', async () => {
    chmodSync(join(root, 'plan.md'), 0o750)
    await files.move('plan.md', 'new/folder/plan.md')
    expect(statSync(join(root, 'new/folder/plan.md')).mode & 0o777).toBe(0o750)
    expect(existsSync(join(root, 'plan.md'))).toBe(false)
    await expect(files.move('new/folder/plan.md', 'sub/deep/note.txt')).rejects.toMatchObject({ code: 'conflict' })
    expect(await read('sub/deep/note.txt')).toBe('ws/sub/deep/note.txt')
    for (const act of [
      () => files.remove('sub'),
      () => files.move('sub', 'other'),
      () => files.remove('.'),
      () => files.move('new/folder/plan.md', 'sub'),
    ])
      await expect(act()).rejects.toMatchObject({ code: 'invalid' })
    await files.remove('new/folder/plan.md')
    await expect(files.remove('new/folder/plan.md')).rejects.toMatchObject({ code: 'not_found' })
    await files.remove('new/folder/plan.md', { again: true })
  })

  test('that is a hard link to a protected one is neither moved nor removed', async () => {
    linkSync(join(base, 'outside/secret'), join(root, 'hard'))
    const guarded = workspaceFiles(root, { protectedPaths: [join(base, 'outside')] })
    for (const act of [() => guarded.remove('hard'), () => guarded.move('hard', 'mine')])
      await expect(act()).rejects.toMatchObject({ code: 'forbidden' })
    expect(existsSync(join(root, 'hard'))).toBe(true)
  })
})
