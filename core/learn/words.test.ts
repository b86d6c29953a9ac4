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
  /** Whether the prompt of each first turn of a task held the words of the lesson. */
  const told: boolean[] = []
  h = await harness(
    (request) => {
      const { task, system } = request
      if (task.kind === 'evaluate') {
        const subject = /report (\w+)/.exec(task.instruction)?.[1] ?? ''
        const passed = judged.has(subject)
        judged.add(subject)
        return endWith('judged', 'success', { verdict: { passed, score: passed ? 90 : 40, reasons: passed ? 'All is there.' : REASON } })
      }
      if (task.kind === 'summarize' || task.kind === 'document') return endWith('done')
      if (answersIn(request).length > 0) return endWith('written', 'success', { evidence: [{ kind: 'file', path: 'report.md' }] })
      told.push(system.includes('Learnt from earlier tasks'))
      return { calls: [{ tool: 'write_file', input: { path: 'report.md', content: 'x' } }], costMicros: 10_000 }
    },
    { judges: true },
  )
  const { lessons, registry } = h.runtime
  for (const name of ['one', 'two', 'three']) expect((await h.over(await h.goal(`Write report ${name}`))).status).toBe('done')
  return { lessons, registry, told }
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
  await expect(lessons.judge(lesson!.id, 'owner')).rejects.toThrow('say how many dollars at most')

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

test('words are tried by a live model on the tasks that they were found in, for the sum that a person named, and are not better where both arms do alike', {
  timeout: 60_000,
}, async () => {
  const { lessons, told } = await open()
  await lessons.look()
  const [lesson] = await lessons.list()
  told.splice(0)
  // The model of this test does the same with and without the words, so nothing may be found to be better.
  const said = await lessons.judge(lesson!.id, 'owner', 0.2)
  expect(said).toMatchObject({ better: false, p: 1, words: expect.stringMatching(/not better beyond chance.*of \$0\.20/) })
  expect(said.before.map(({ goal, tries }) => [goal.slice(0, 9), tries])).toEqual(
    said.after.map(({ goal, tries }) => [goal.slice(0, 9), tries]),
  )
  const half = said.before.reduce((sum, one) => sum + one.tries, 0)
  expect(half).toBeGreaterThan(0)
  expect(told.filter(Boolean)).toHaveLength(half)
  expect(told).toHaveLength(2 * half)
  expect(await lessons.get(lesson!.id)).toMatchObject({ state: 'no_better', judgement: { better: false } })
  const { store } = h!.runtime
  const spent = await store.db
    .selectFrom('trees')
    .select((e) => e.fn.sum('cost_micros').as('n'))
    .where('trees.submitted_by', '=', 'owner')
    .executeTakeFirst()
  expect(Number(spent!.n) - 3 * 10_000).toBeLessThanOrEqual(200_000)
  expect(await lessons.keep(lesson!.id, 'owner')).toMatchObject({ state: 'kept' }) // a person may think otherwise
})

test('without a model that can judge, words are not tried', async () => {
  h = await harness(() => endWith('well'), { judges: false })
  const { lessons, store } = h.runtime
  const words = { target: { kind: 'agent', name: 'generalist' }, sign: 'verdict', key: 'k', text: 'Name the sources.' }
  const row = {
    id: 'ls_w',
    state: 'untested',
    tool: 'generalist',
    title: 't',
    why: 'w',
    change: JSON.stringify({ kind: 'words', words }),
    cases: '[]',
  }
  await store.transact(async (tx) => {
    const more = { seen: 3, judgement: null, version: null, decided_by: null, created_at: tx.now, updated_at: tx.now }
    await tx.db
      .insertInto('lessons')
      .values({ ...row, ...more })
      .execute()
  })
  await expect(lessons.judge('ls_w', 'owner', 1)).rejects.toThrow('no model is connected that could')
  expect((await lessons.get('ls_w')).state).toBe('untested')
})
