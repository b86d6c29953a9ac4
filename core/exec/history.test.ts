import { execFile } from 'node:child_process'
import { chmod, lstat, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { DEFAULT_LIMITS } from '../contract/limits.ts'
import { openStore, type Store } from '../store/store.ts'
import { openTasks } from '../tasks/tasks.ts'
import { workspaceFiles } from './files.ts'
import type { History } from './history/shapes.ts'
import { openHistory } from './history.ts'

let base: string
let store: Store
let history: History
let tree: string
let folder: string
const open = (more: object = {}) => openHistory({ store, dataDir: base, folderOf: (id) => join(base, 'workspaces', id), ...more })

beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'banyan-history-'))
  store = await openStore(`sqlite:${join(base, 'x.db')}`)
  tree = (
    await openTasks(store).createGoal({
      goal: 'g',
      agent: 'a',
      mode: 'auto',
      limits: DEFAULT_LIMITS,
      priority: 0,
      workspace: 'task',
      submittedBy: 'o',
      origin: 'person',
    })
  ).treeId
  folder = join(base, 'workspaces', tree)
  await mkdir(folder, { recursive: true })
  history = open()
})
afterEach(async () => {
  await store.close()
  await rm(base, { recursive: true, force: true })
})

const at = (callId: string, taskId = tree) => ({ treeId: tree, taskId, callId })
/** As the file tools write. */
async function write(callId: string, path: string, data: string, append = false, taskId = tree): Promise<void> {
  await history.writing(at(callId, taskId), folder, path, { data, append }, () => workspaceFiles(folder).write(path, data, { append }))
}
/** A real command. */
const command = (callId: string, line: string) =>
  history.around(at(callId), folder, () => promisify(execFile)('/bin/sh', ['-c', line], { cwd: folder }))
const read = (path: string) => readFile(join(folder, path), 'utf8')
const undo = (callId?: string) => history.undo({ taskId: tree, scope: 'subtree', callId, by: 'owner' })

describe('what the file tools write', () => {
  test('is put back call by call, or all of a task at once; what was new goes away', async () => {
    await writeFile(join(folder, 'a.txt'), 'person')
    await write('c1', 'a.txt', 'one')
    await write('c2', 'a.txt', ' two', true)
    await write('c3', 'deep/new.txt', 'new')
    expect(await read('a.txt')).toBe('one two')
    expect((await undo('c2')).files).toEqual([{ path: 'a.txt', what: 'restored' }])
    expect(await read('a.txt')).toBe('one')
    const all = await undo()
    expect(all.files).toEqual([
      { path: 'a.txt', what: 'restored' },
      { path: 'deep/new.txt', what: 'removed' },
    ])
    expect(await read('a.txt')).toBe('person')
    await expect(lstat(join(folder, 'deep', 'new.txt'))).rejects.toThrow('ENOENT')
    expect(await undo()).toMatchObject({ id: null, files: [], already: 2 })
  })

  test('an undo is undone like any other change', async () => {
    await write('c1', 'a.txt', 'one')
    const first = await undo('c1')
    const back = await history.undo({ taskId: tree, scope: 'node', callId: first.id!, by: 'owner' })
    expect(back.files).toEqual([{ path: 'a.txt', what: 'brought back' }])
    expect(await read('a.txt')).toBe('one')
    expect((await history.changes(tree, { scope: 'node', after: 0, limit: 10 })).map((c) => [c.path, c.by])).toEqual([
      ['a.txt', 'agent'],
      ['a.txt', 'owner'],
      ['a.txt', 'owner'],
    ])
  })

  test('is noted before it is written: cut off in between, there is nothing to undo and no conflict', async () => {
    await writeFile(join(folder, 'a.txt'), 'before')
    await expect(
      history.writing(at('c1'), folder, 'a.txt', { data: 'after', append: false }, () => Promise.reject(new Error('cut off'))),
    ).rejects.toThrow('cut off')
    expect(await undo('c1')).toMatchObject({ files: [], conflicts: [], already: 1 })
  })
})

describe('what somebody else changed since is told and left alone', () => {
  test.each([
    ['by another task', () => write('d1', 'a.txt', 'theirs', false, `${tree}.9a`), `it was changed since by task`],
    ['by nobody known', () => writeFile(join(folder, 'a.txt'), 'theirs'), 'nobody noted by whom'],
    ['by taking it away', () => rm(join(folder, 'a.txt')), 'nobody noted by whom'],
    ['into a folder', () => rm(join(folder, 'a.txt')).then(() => mkdir(join(folder, 'a.txt'))), 'it is a folder now'],
    [
      'into a link',
      () => rm(join(folder, 'a.txt')).then(() => symlink('/etc/passwd', join(folder, 'a.txt'))),
      'it is a link or a device now',
    ],
  ])('%s', async (_, change, why) => {
    await writeFile(join(folder, 'a.txt'), 'before')
    await write('c1', 'a.txt', 'mine')
    await write('c1', 'b.txt', 'mine')
    await change()
    const done = await undo('c1')
    expect(done.files).toEqual([{ path: 'b.txt', what: 'removed' }])
    expect(done.conflicts).toEqual([{ path: 'a.txt', why: expect.stringContaining(why) }])
  })

  test("and so is another task's work between two changes of this one", async () => {
    await write('c1', 'a.txt', 'mine')
    await write('d1', 'a.txt', 'theirs', false, `${tree}.9a`)
    await write('c2', 'a.txt', 'mine again')
    const done = await history.undo({ taskId: tree, scope: 'node', by: 'owner' })
    expect(done.conflicts).toEqual([{ path: 'a.txt', why: `it was changed since by task ${tree}.9a` }])
    expect(await read('a.txt')).toBe('mine again')
    expect((await history.undo({ taskId: tree, scope: 'subtree', by: 'owner' })).files).toEqual([{ path: 'a.txt', what: 'removed' }])
  })

  test('a folder that became a link leads nowhere', async () => {
    await write('c1', 'd/a.txt', 'mine')
    const outside = join(base, 'outside')
    await mkdir(outside)
    await writeFile(join(outside, 'a.txt'), 'mine')
    await rm(join(folder, 'd'), { recursive: true })
    await symlink(outside, join(folder, 'd'))
    expect((await undo('c1')).conflicts).toEqual([{ path: 'd/a.txt', why: 'a folder above it is a link or a file now' }])
    expect(await readFile(join(outside, 'a.txt'), 'utf8')).toBe('mine')
  })
})

describe('what a command did', () => {
  test('is put back: changed, made, deleted, moved, mode', async () => {
    await mkdir(join(folder, 'src'))
    for (const name of ['a', 'b', 'c', 'd']) await writeFile(join(folder, 'src', name), name)
    await command(
      'c1',
      'echo x >> src/a; rm src/b; mv src/c moved; chmod 755 src/d; mkdir -p n/m; echo new > n/m/e; ln -s /etc/passwd link',
    )
    const { files, conflicts } = await undo('c1')
    expect(conflicts).toEqual([])
    expect(files.map((f) => `${f.what} ${f.path}`).sort()).toEqual([
      'brought back src/b',
      'brought back src/c',
      'removed moved',
      'removed n/m/e',
      'restored src/a',
      'restored src/d',
    ])
    for (const name of ['a', 'b', 'c', 'd']) expect(await read(`src/${name}`)).toBe(name)
    expect((await lstat(join(folder, 'src', 'd'))).mode & 0o777).toBe(0o644)
  })

  test('also when it failed; a second change of the same size in the same moment is seen', async () => {
    await writeFile(join(folder, 'a'), '1111')
    await expect(command('c1', 'echo -n 2222 > a; exit 3')).rejects.toThrow()
    await command('c2', 'echo -n 3333 > a')
    await undo('c2')
    expect(await read('a')).toBe('2222')
    await undo('c1')
    expect(await read('a')).toBe('1111')
  })

  test('in a folder too large to look at is told as not kept', async () => {
    history = open({ most: { files: 5, bytes: 1_000_000 } })
    await command('c1', 'for i in 1 2 3 4 5 6 7; do echo $i > f$i; done')
    expect((await undo('c1')).conflicts).toEqual([{ path: '', why: expect.stringContaining('holds more than 5 files or 1 MB') }])
    history = open({ most: { files: 100, bytes: 1_000 } })
    await command('c2', 'head -c 2000 /dev/zero > big')
    expect((await undo('c2')).conflicts).toHaveLength(1)
  })

  test('to a single file larger than is kept is told as such, the others come back', async () => {
    history = open({ fileBytes: 100 })
    await writeFile(join(folder, 'big'), 'x'.repeat(200))
    await writeFile(join(folder, 'small'), 'x')
    await command('c1', 'echo more >> big; echo more >> small')
    const done = await undo('c1')
    expect(done.files).toEqual([{ path: 'small', what: 'restored' }])
    expect(done.conflicts).toEqual([{ path: 'big', why: expect.stringContaining('it is larger than') }])
  })

  test('before the runtime died is noted at the next start', async () => {
    await writeFile(join(folder, 'a'), 'before')
    const running = Promise.withResolvers<void>()
    // This runtime never comes back from its command; another one opens the same data.
    void history.around(at('c1'), folder, async () => {
      await writeFile(join(folder, 'a'), 'half done')
      running.resolve()
      await Promise.withResolvers<void>().promise
    })
    await running.promise
    history = open()
    expect(await history.recover()).toBe(1)
    expect(await history.recover()).toBe(0)
    expect((await undo('c1')).files).toEqual([{ path: 'a', what: 'restored' }])
    expect(await read('a')).toBe('before')
  })

  test('a second look at 1,000 files that did not change reads none of them', async () => {
    await mkdir(join(folder, 'many'))
    for (let i = 0; i < 1_000; i++) await writeFile(join(folder, 'many', `${i}`), `${i}`)
    await new Promise((resolve) => setTimeout(resolve, 60)) // younger files are read again, which is what the promise below is not about
    await command('c1', 'true')
    await rm(join(base, 'history', tree, 'objects'), { recursive: true })
    await command('c2', 'echo x > many/new')
    // Had they been read, they would be kept again.
    expect((await readdir(join(base, 'history', tree, 'objects'), { recursive: true })).length).toBeLessThan(5)
  })
})

describe('the store of contents', () => {
  test('is closed to others, and holds equal contents once', async () => {
    await write('c1', 'a', 'same')
    await write('c2', 'b', 'same')
    const objects = (await readdir(join(base, 'history', tree, 'objects'), { recursive: true })).filter((name) => name.length > 10)
    expect(objects).toHaveLength(1)
    expect((await lstat(join(base, 'history', tree, 'objects', objects[0]!))).mode & 0o077).toBe(0)
  })

  test('above its quota the oldest contents go, and undoing those says so', async () => {
    history = open({ treeBytes: 10_000 })
    for (let i = 0; i < 8; i++) await write(`c${i}`, `f${i}`, `${i}`.repeat(2_000))
    for (let i = 0; i < 8; i++) await write(`d${i}`, `f${i}`, 'x')
    expect((await undo('d0')).conflicts).toEqual([{ path: 'f0', why: expect.stringContaining('the oldest went') }])
    expect((await undo('d7')).files).toEqual([{ path: 'f7', what: 'restored' }])
    expect(await read('f7')).toBe('7'.repeat(2_000))
  })
})

describe("a person's file", () => {
  async function* parts(n: number, bytes: number): AsyncGenerator<Uint8Array> {
    for (let i = 0; i < n; i++) yield Buffer.alloc(bytes, i)
  }
  const upload = (path: string, content: AsyncIterable<Uint8Array>, most = 10_000) =>
    history.upload({ treeId: tree, taskId: tree, by: 'owner' }, path, content, most)

  test('arrives whole and can be undone', async () => {
    expect(await upload('in/put.bin', parts(5, 1_000))).toEqual({ bytes: 5_000, created: true, undoable: true })
    expect((await readFile(join(folder, 'in', 'put.bin'))).length).toBe(5_000)
    expect((await undo()).files).toEqual([{ path: 'in/put.bin', what: 'removed' }])
  })

  test('too large, or cut off on the way, leaves nothing behind and the old file as it was', async () => {
    await writeFile(join(folder, 'a'), 'old')
    await expect(upload('a', parts(20, 1_000))).rejects.toThrow('larger than 0.01 MB')
    async function* broken() {
      yield Buffer.from('half')
      throw new Error('line cut')
    }
    await expect(upload('a', broken())).rejects.toThrow('line cut')
    expect(await read('a')).toBe('old')
    expect(await readdir(folder)).toEqual(['a'])
    expect(await readdir(join(base, 'history', tree, 'incoming'))).toEqual([])
  })

  test.each(['../x', '/etc/x', 'a\0b', 'link/x', '~/x'])('does not go to %j', async (path) => {
    await symlink('/tmp', join(folder, 'link'))
    await expect(upload(path, parts(1, 10))).rejects.toMatchObject({ name: 'Fault' })
    expect(await history.changes(tree, { scope: 'subtree', after: 0, limit: 10 })).toEqual([])
  })
  test('keeps the mode of the file it replaces', async () => {
    await writeFile(join(folder, 'run.sh'), 'old')
    await chmod(join(folder, 'run.sh'), 0o755)
    await upload('run.sh', parts(1, 3))
    expect((await lstat(join(folder, 'run.sh'))).mode & 0o777).toBe(0o755)
  })
})
