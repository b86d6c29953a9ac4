import { join } from 'node:path'
import BetterSqlite from 'better-sqlite3'
import { describe, expect, test } from 'vitest'
import { harness, noBrowser } from './harness.ts'

/** Fails once as a lock that another holds makes it fail, and goes well when it is done again. */
const lockedOnce = (n: number) =>
  `Note it:\n\n1. Run \`test -f t${n} || { touch t${n}; echo "/bin/sh: 1: cannot create /x/job${n}.lock: File exists" >&2; exit 2; }\` (retry 2)\n2. Run \`echo ${n}\``

describe.skipIf(noBrowser)('what the history taught', { timeout: 120_000 }, () => {
  const { open, api, axe, overflow, banyan, complaints } = harness()

  test('is found with one press, shows its cases, and is put away', async () => {
    const page = await open('/evolution')
    await page.getByText('It takes three cases in two goals').waitFor()
    for (const n of [1, 2, 3]) {
      const { treeId } = await api('/api/goals', { goal: lockedOnce(n) })
      await expect.poll(async () => (await api(`/api/trees/${treeId}`)).status, { timeout: 15_000 }).toBe('done')
    }
    await page.getByRole('button', { name: 'Look now' }).click()
    const lesson = page.locator('.lesson')
    await lesson.getByText('…: cannot create …: File exists').waitFor()
    await lesson.getByText('3 commands in 3 goals failed with it').waitFor()
    expect(await lesson.getByRole('link').count()).toBe(3)
    await lesson.getByRole('button', { name: 'Try it' }).waitFor()
    expect(await lesson.getByRole('button', { name: 'Keep' }).count()).toBe(0) // nothing was measured yet
    await axe(page)
    await page.setViewportSize({ width: 390, height: 844 })
    expect(await overflow(page)).toBe(0)
    await lesson.getByRole('button', { name: 'Decline' }).click()
    await lesson.getByText('declined', { exact: true }).waitFor()
    expect(await lesson.getByRole('button').count()).toBe(0)
  })

  test('words for an instruction are shown untested, with what was said in each case; kept, they are in its versions', async () => {
    const { treeId } = await api('/api/goals', { goal: 'Run `echo one`' })
    const database = new BetterSqlite(join(banyan().dataDir, 'agent_system.db'), { timeout: 10_000 })
    const target = { kind: 'agent', name: 'generalist' }
    const words = { target, sign: 'verdict', key: 'sources', text: 'Before you end a task, name the sources of its figures.' }
    const at = Date.now()
    database
      .prepare(
        `insert into lessons (id, state, tool, title, why, change, cases, seen, judgement, version, decided_by, created_at, updated_at)
         values ('ls_words', 'untested', 'generalist', 'Sources', '3 tasks in 3 goals', ?, ?, 3, null, null, null, ?, ?)`,
      )
      .run(
        JSON.stringify({ kind: 'words', words }),
        JSON.stringify([{ treeId, taskId: treeId, callId: null, words: 'No sources.' }]),
        at,
        at,
      )
    database.close()
    const page = await open('/evolution')
    const lesson = page.locator('#ls_words')
    await lesson.getByText('draft, untested').waitFor()
    await lesson.getByText(words.text).waitFor()
    await lesson.getByText('What was said in 1 case').click()
    await lesson.getByText('No sources.').waitFor()
    await axe(page)
    await lesson.getByLabel('Dollars at most').fill('2')
    await lesson.getByRole('button', { name: 'Try it' }).click()
    await page.getByText('no model is connected that could').first().waitFor()
    complaints.splice(0) // the answer 409
    await lesson.getByRole('button', { name: 'Keep' }).click()
    await lesson.getByText('kept', { exact: true }).waitFor()
    await page.goto(new URL('/agents/generalist?tab=history', page.url()).href)
    const newest = page.locator('.score-table tbody tr').first()
    await newest.getByRole('link', { name: 'from a lesson' }).click()
    await lesson.getByRole('button', { name: 'Take back' }).waitFor()
  })
})
