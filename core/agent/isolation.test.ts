import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { need } from '../../scripts/needs.ts'
import { type Harness, harness } from '../../scripts/testing/harness.ts'
import { answersIn, endWith } from '../../scripts/testing/scripted.ts'

let open: Harness | undefined
afterEach(async () => {
  expect(await open?.end()).toEqual([])
  open = undefined
})

describe.skipIf(!need('bubblewrap'))('the level at which a command runs', () => {
  test('is the sandbox where it works: shown before a person decides, and told in each answer', async () => {
    const told: string[] = []
    const typed = 'cat ../../agent_system.db /etc/passwd; echo typed > typed.txt'
    open = await harness((request) => {
      const answers = answersIn(request)
      told.splice(0, told.length, ...answers)
      if (answers.length === 0) return { calls: [{ tool: 'use_terminal', input: { command: typed } }] }
      if (answers.length === 1) return { calls: [{ tool: 'use_terminal', input: { command: 'ls ../..; echo thought > thought.txt' } }] }
      return endWith('done')
    })
    const { runtime } = open
    expect(runtime.exec.isolation).toBe('sandbox')
    const treeId = await open.goal(`Run \`${typed}\``)
    await open.until(treeId, (task) => task.status === 'waiting')
    const { items } = await runtime.tasks.reviews({ state: 'open', limit: 10 })
    expect(items.map((item) => item.action)).toMatchObject([{ tool: 'use_terminal', isolation: 'sandbox' }])
    await runtime.tasks.decide(items[0]!.id, { decision: 'approve' }, 'owner')
    expect((await open.over(treeId)).status).toBe('done')
    expect(told).toHaveLength(2)
    for (const answer of told) expect(answer).toMatch(/\nisolation: sandbox\n/)
    expect(told[0]).toMatch(/agent_system\.db: No such file/)
    expect(told[0]).not.toMatch(/daemon:/)
    expect(told[1]).toMatch(/\nworkspaces\n/)
    expect(told[1]).not.toMatch(/agent_system/)
    const folder = runtime.workspaces.path({ treeId, workspace: '' })
    expect([existsSync(join(folder, 'typed.txt')), existsSync(join(folder, 'thought.txt'))]).toEqual([true, true])
  }, 30_000)

  test('is the one that the person was shown, or the command does not run', async () => {
    open = await harness((request) => {
      const answers = answersIn(request)
      return answers.length === 0 ? { calls: [{ tool: 'use_terminal', input: { command: 'touch ran.txt' } }] } : endWith(answers[0]!)
    })
    const { runtime } = open
    const treeId = await open.goal('touch a file')
    await open.until(treeId, (task) => task.status === 'waiting')
    const { items } = await runtime.tasks.reviews({ state: 'open', limit: 10 })
    // What a machine without the sandbox would have shown.
    await runtime.store.transact(async (tx) => {
      const action = JSON.stringify({ ...(items[0]!.action as object), isolation: 'plain' })
      await tx.db.updateTable('reviews').set({ action }).where('id', '=', items[0]!.id).execute()
    })
    await runtime.tasks.decide(items[0]!.id, { decision: 'approve' }, 'owner')
    expect((await open.over(treeId)).result).toMatch(
      /Not done: a person allowed it to run at the isolation "plain", and this machine now has "sandbox"/,
    )
    expect(existsSync(join(runtime.workspaces.path({ treeId, workspace: '' }), 'ran.txt'))).toBe(false)
  }, 30_000)
})
