import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openLog } from './log.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'banyan-log-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const redact = (text: string) => text.replaceAll('hunter2', '***')
const all = { level: 'debug', limit: 1_000 } as const

test('a line is found by level, tree and number, and holds no secret, in the file neither', async () => {
  const log = await openLog({ folder: join(folder, 'logs'), redact })
  log.write('info', 'started')
  log.write('warn', 'the key hunter2 was refused', { treeId: 't1', taskId: 't1' })
  log.write('error', 'broken', { treeId: 't2' })
  expect(log.list({ ...all, level: 'warn' }).map((line) => line.text)).toEqual(['the key *** was refused', 'broken'])
  expect(log.list({ ...all, treeId: 't1' })).toMatchObject([{ n: 2, level: 'warn', taskId: 't1' }])
  expect(log.list({ ...all, after: 2 }).map((line) => line.n)).toEqual([3])
  expect(log.list({ ...all, limit: 1 }).map((line) => line.n)).toEqual([3])
  expect(log.list({ ...all, after: 0, limit: 1 }).map((line) => line.n)).toEqual([1])
  await log.close()
  const text = await readFile(join(folder, 'logs', 'runtime.jsonl'), 'utf8')
  expect(text).not.toContain('hunter2')
  expect(text.trim().split('\n')).toHaveLength(3)
  expect((await stat(join(folder, 'logs', 'runtime.jsonl'))).mode & 0o077).toBe(0)
})

test('a restart goes on counting and still has the lines before it', async () => {
  const first = await openLog({ folder, redact })
  first.write('info', 'one')
  await first.close()
  const second = await openLog({ folder, redact })
  second.write('info', 'two')
  expect(second.list(all).map((line) => [line.n, line.text])).toEqual([
    [1, 'one'],
    [2, 'two'],
  ])
  await second.close()
})

test('the file is rotated, and never more than five of them are kept', async () => {
  const log = await openLog({ folder, redact, maxBytes: 500 })
  for (let i = 0; i < 40; i++) {
    log.write('info', `line ${i} ${'x'.repeat(100)}`)
    await log.close() // each in a write of its own
  }
  const files = (await readdir(folder)).sort()
  expect(files).toEqual(['runtime.jsonl', 'runtime.jsonl.1', 'runtime.jsonl.2', 'runtime.jsonl.3', 'runtime.jsonl.4'])
  for (const file of files) expect((await stat(join(folder, file))).size).toBeLessThanOrEqual(500)
  expect(log.list({ ...all, limit: 1 })[0]?.text).toMatch(/^line 39 /)
})
