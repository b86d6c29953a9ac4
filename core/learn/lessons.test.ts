import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { type Harness, harness } from '../../scripts/testing/harness.ts'

let h: Harness | undefined
afterEach(async () => {
  expect(await h?.end()).toEqual([])
  h = undefined
})

/** Fails three times with what a shell says of a lock that another holds, and then goes well. */
const LOCKED = (n: number) =>
  `1. Run \`echo x >> tries${n}; test $(wc -l < tries${n}) -gt 3 || { echo "/bin/sh: 1: cannot create /x/job${n}.lock: File exists" >&2; exit 2; }\` (retry 4)\n2. Run \`echo ${n}\``
const LOCKS = ['one', 'two', 'three'].map(
  (w, i) => `${i + 1}. Run \`(set -C; : > a.lock) && sleep 0.3 && echo ${w} >> a.txt && rm a.lock\``,
)

test('an error that passes by itself is found in the history, judged on built-in goals, kept, and then changes what runs', {
  timeout: 120_000,
}, async () => {
  h = await harness(() => ({ text: '' }), { learning: { goals: ['lock-file'], tries: 5 } })
  const { lessons, registry, tasks } = h.runtime
  const goal = async (text: string): Promise<string> => {
    const { treeId } = await h!.runtime.submitGoal({ goal: text, model: 'playbook' }, 'owner')
    return (await h!.over(treeId)).status
  }
  expect(await goal(`Write under a lock:\n\n${LOCKS.join('\n')}`)).toBe('failed')
  for (const n of [1, 2, 3]) expect(await goal(`Note it:\n\n${LOCKED(n)}`)).toBe('done')

  expect(await lessons.look()).toMatchObject({ found: 1 })
  expect(await lessons.look()).toMatchObject({ found: 0 })
  const [lesson] = await lessons.list()
  expect(lesson).toMatchObject({ state: 'found', change: { kind: 'repeat', repeat: { error: '…: cannot create …: File exists' } } })
  await expect(lessons.keep(lesson!.id, 'owner')).rejects.toThrow('Only a lesson that was judged better can be kept')

  // As a crash in the middle leaves it.
  const left = join(h.dataDir, 'arms', 'arm-left')
  await mkdir(left, { recursive: true })
  await h.runtime.store.transact(async (tx) => void (await tx.db.updateTable('lessons').set({ state: 'judging' }).execute()))
  await expect(lessons.judge(lesson!.id, 'owner')).rejects.toThrow('is "being tried" by now')
  await lessons.recover()
  expect([(await lessons.get(lesson!.id)).state, existsSync(left)]).toEqual(['found', false])

  const said = await lessons.judge(lesson!.id, 'owner')
  // On a busy machine one of five may still lose every round.
  expect(said).toMatchObject({ better: true, before: [{ goal: 'lock-file', done: 0 }] })
  expect(said.after[0]!.done).toBeGreaterThanOrEqual(4)
  expect((await lessons.get(lesson!.id)).state).toBe('better')
  const before = (await registry.get('tool', 'use_terminal'))!.version

  expect(await lessons.keep(lesson!.id, 'owner')).toMatchObject({ state: 'kept', version: before + 1, decidedBy: 'owner' })
  const { treeId } = await h.runtime.submitGoal({ goal: `Write under a lock again:\n\n${LOCKS.join('\n')}`, model: 'playbook' }, 'owner')
  expect((await h.over(treeId)).status).toBe('done')
  const told = await Promise.all((await tasks.tree(treeId)).tasks.map((task) => tasks.messages(task.id)))
  expect(JSON.stringify(told)).toContain('its error is known to pass by itself')
  expect(await lessons.look()).toMatchObject({ found: 0 }) // it is a habit by now

  expect(await lessons.undo(lesson!.id, 'owner')).toMatchObject({ state: 'undone' })
  expect((await registry.get('tool', 'use_terminal'))!.habits).toEqual({ limits: [], repeats: [] })
  expect(await goal(`Write under a lock at last:\n\n${LOCKS.join('\n')}`)).toBe('failed')
})
