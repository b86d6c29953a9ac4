import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { type Harness, harness } from '../../scripts/testing/harness.ts'
import { answersIn, endWith, type Scripted } from '../../scripts/testing/scripted.ts'

let h: Harness | undefined
afterEach(async () => {
  expect((await h?.end()) ?? []).toEqual([])
  h = undefined
})
const call = (tool: string, input: object): Scripted => ({ calls: [{ tool, input }] })

test('an agent moves and deletes files without a person, and both are undone', async () => {
  const steps = [
    call('write_file', { path: 'a.txt', content: 'one' }),
    call('write_file', { path: 'b.txt', content: 'two' }),
    call('move_file', { from: 'a.txt', to: 'deep/c.txt' }),
    call('move_file', { from: 'deep/c.txt', to: 'b.txt' }),
    call('delete_file', { path: 'b.txt' }),
    call('delete_file', { path: '../b.txt' }),
  ]
  h = await harness((request) => steps[answersIn(request).length] ?? endWith(answersIn(request).join('\n')))
  const id = await h.goal('Tidy up')
  expect((await h.over(id)).result?.split('\n').slice(2)).toEqual([
    'Moved a.txt to deep/c.txt.',
    'There is a "b.txt" already; delete it first, or choose another name.',
    'Deleted b.txt.',
    expect.stringContaining('leaves the workspace'),
  ])
  const folder = join(h.dataDir, 'workspaces', id)
  const there = () => ['a.txt', 'b.txt', 'deep/c.txt'].filter((path) => existsSync(join(folder, path)))
  expect(there()).toEqual(['deep/c.txt'])
  const calls = await h.runtime.store.db.selectFrom('calls').select(['id', 'tool', 'ok']).orderBy('n').execute()
  const ids = calls.filter((one) => one.ok === 1 && /move|delete/.test(one.tool)).map((one) => one.id)
  for (const callId of ids.reverse())
    expect((await h.runtime.history.undo({ taskId: id, scope: 'node', callId, by: 'owner' })).conflicts).toEqual([])
  expect(there()).toEqual(['a.txt', 'b.txt'])
  expect(readFileSync(join(folder, 'a.txt'), 'utf8') + readFileSync(join(folder, 'b.txt'), 'utf8')).toBe('onetwo')
})
