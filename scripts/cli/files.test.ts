import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Bench, openBench } from './fixture/banyan.ts'

let bench: Bench
beforeAll(async () => {
  bench = openBench()
  await bench.engine()
})
afterAll(() => bench.remove())

test('what a goal did to files is listed, fetched and put back; a rerun restores them', async () => {
  const made = await bench.run(['goal', '--wait', '--json', 'Run `mkdir -p out; echo one > out/a.txt; echo two > b.txt`'])
  expect(made.code, made.err).toBe(0)
  const id = (JSON.parse(made.out) as { id?: string; treeId?: string }).id ?? JSON.parse(made.out).treeId
  const list = await bench.run(['files', 'ls', id, '--depth', '3'])
  expect(list.out).toMatch(/out\/\n/)
  expect(list.out).toMatch(/4 +b\.txt/)
  expect((await bench.run(['files', 'get', id, 'out/a.txt', '-o', '-'])).out).toBe('one\n')
  expect((await bench.run(['files', 'get', id, 'out'])).code).toBe(2)
  expect((await bench.run(['files', 'get', id, 'nope'])).code).toBe(1)
  expect((await bench.run(['files', 'ls', id, 'b.txt'])).err).toContain(`files get ${id} b.txt`)

  const log = JSON.parse((await bench.run(['files', 'log', id, '--json'])).out) as { items: { path: string; callId: string }[] }
  expect(log.items.map((one) => one.path).sort()).toEqual(['b.txt', 'out/a.txt'])
  expect((await bench.run(['files', 'undo', id])).code).toBe(2)
  const undone = await bench.run(['files', 'undo', id, '--call', log.items[0]!.callId])
  expect(undone.code, undone.err).toBe(0)
  expect(undone.out).toMatch(/removed +b\.txt\nremoved +out\/a\.txt|removed +out\/a\.txt\nremoved +b\.txt/)
  const back = /files undo (\S+) --call (\S+)/.exec(undone.err)!
  expect((await bench.run(['files', 'undo', back[1]!, '--call', back[2]!])).out).toContain('brought back')

  const again = await bench.run(['rerun', id, '--from', '1', '--restore-files', '--yes'])
  expect(again.code, again.err).toBe(0)
  expect((await bench.run(['tree', id, '--watch'])).code).toBe(0)
})

test('a file is sent, replaced, fetched without overwriting, and an undo tells what it left', async () => {
  const made = await bench.run(['goal', '--wait', '--json', 'Run `true`'])
  const id = (JSON.parse(made.out) as { id?: string; treeId?: string }).id ?? JSON.parse(made.out).treeId
  const local = join(bench.folder, 'prices.csv')
  writeFileSync(local, 'a,1\n')
  const put = await bench.run(['files', 'put', id, local, 'data/prices.csv'])
  expect(put.code, put.err).toBe(0)
  expect(put.err).toContain('data/prices.csv: 4 bytes, new, text/plain')
  const got = join(bench.folder, 'got.csv')
  expect((await bench.run(['files', 'get', id, 'data/prices.csv', '-o', got])).code).toBe(0)
  expect(readFileSync(got, 'utf8')).toBe('a,1\n')
  expect((await bench.run(['files', 'get', id, 'data/prices.csv', '-o', got])).err).toContain('--force overwrites it')
  const { items } = JSON.parse((await bench.run(['files', 'log', id, '--json'])).out) as { items: { callId: string }[] }
  writeFileSync(local, 'b,2\n')
  expect((await bench.run(['files', 'put', id, local, 'data/prices.csv'])).err).toContain('replaced')
  const undone = await bench.run(['files', 'undo', id, '--call', items[0]!.callId])
  expect(undone.code).toBe(1)
  expect(undone.err).toMatch(/left as it is: data\/prices\.csv: it was changed since by \w+/)
  expect((await bench.run(['files', 'put', id, join(bench.folder, 'none')])).code).toBe(2)
})
