import { afterEach, expect, test } from 'vitest'
import { type Harness, harness } from '../../scripts/testing/harness.ts'
import { answersIn, endWith } from '../../scripts/testing/scripted.ts'

let h: Harness | undefined
afterEach(async () => {
  expect((await h?.end()) ?? []).toEqual([])
  h = undefined
})
const REASON = 'The report does not name the sources of its figures.'

/** Every report is sent back once for the same reason, and passes after that. */
async function open() {
  const judged = new Set<string>()
  h = await harness(
    ({ task, messages }) => {
      if (task.kind === 'evaluate') {
        const subject = /report (\w+)/.exec(task.instruction)?.[1] ?? ''
        const passed = judged.has(subject)
        judged.add(subject)
        return endWith('judged', 'success', { verdict: { passed, score: passed ? 90 : 40, reasons: passed ? 'All is there.' : REASON } })
      }
      if (task.kind === 'summarize' || task.kind === 'document') return endWith('done')
      if (answersIn({ task, messages } as never).length === 0)
        return { calls: [{ tool: 'write_file', input: { path: 'report.md', content: 'x' } }] }
      return endWith('written', 'success', { evidence: [{ kind: 'file', path: 'report.md' }] })
    },
    { judges: true },
  )
  const { lessons, registry } = h.runtime
  for (const name of ['one', 'two', 'three']) expect((await h.over(await h.goal(`Write report ${name}`))).status).toBe('done')
  return { lessons, registry }
}
const instructionOf = async (registry: Harness['runtime']['registry']) => (await registry.get('agent', 'generalist'))!.instruction

test('a reason that evaluators give again and again becomes a draft for the instruction, which only a person puts into it', {
  timeout: 60_000,
}, async () => {
  const { lessons, registry } = await open()
  const before = await instructionOf(registry)
  expect(await lessons.look()).toMatchObject({ found: 1 })
  expect(await lessons.look()).toMatchObject({ found: 0 })
  const [lesson] = await lessons.list()
  expect(lesson).toMatchObject({
    state: 'untested',
    tool: 'generalist',
    why: '3 tasks in 3 goals were found not to be solved for it; solved after they had been told: 3.',
    cases: [{ words: REASON }, { words: REASON }, { words: REASON }],
    judgement: null,
  })
  expect(await instructionOf(registry)).toBe(before) // drafted, and nothing else
  await expect(lessons.judge(lesson!.id, 'owner')).rejects.toThrow('No built-in goal can tell')

  const kept = await lessons.keep(lesson!.id, 'owner')
  expect(kept).toMatchObject({ state: 'kept', version: 2, decidedBy: 'owner' })
  expect(await instructionOf(registry)).toBe(
    `${before.trimEnd()}\n\n## Learnt from earlier tasks\n\nBefore you end a task, check what earlier tasks were sent back for: "${REASON}"\n`,
  )
  expect((await registry.lineage('agent', 'generalist'))[0]).toMatchObject({
    author: 'owner',
    cause: { kind: 'lesson', lesson: lesson!.id },
  })
  expect(await lessons.look()).toMatchObject({ found: 0 })

  expect(await lessons.undo(lesson!.id, 'owner')).toMatchObject({ state: 'undone' })
  expect((await instructionOf(registry)).trimEnd()).toBe(before.trimEnd())
})

test('words that somebody changed since are not taken out blindly', { timeout: 60_000 }, async () => {
  const { lessons, registry } = await open()
  await lessons.look()
  const [lesson] = await lessons.list()
  await lessons.keep(lesson!.id, 'owner')
  const { version: _v, author: _a, updatedAt: _u, ...agent } = (await registry.get('agent', 'generalist'))!
  await registry.save('agent', { ...agent, instruction: agent.instruction.replace('sent back for', 'refused for') }, 'anna')
  await expect(lessons.undo(lesson!.id, 'owner')).rejects.toThrow('were changed in generalist since')
  expect((await lessons.get(lesson!.id)).state).toBe('kept')
})

test('tasks that had read words of others teach nothing', { timeout: 60_000 }, async () => {
  const { lessons } = await open()
  const { store } = h!.runtime
  const taint = JSON.stringify([{ kind: 'web', from: 'https://example.org/' }])
  await store.transact(async (tx) => void (await tx.db.updateTable('tasks').set({ taint }).execute()))
  expect(await lessons.look()).toMatchObject({ found: 0 })
  await store.transact(async (tx) => void (await tx.db.updateTable('tasks').set({ taint: '[]' }).execute()))
})
