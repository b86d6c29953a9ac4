import { describe, expect, test } from 'vitest'
import { openStore } from '../../core/store/store.ts'
import { harness, noBrowser } from './harness.ts'

const DAY_MS = 86_400_000

describe.skipIf(noBrowser)('looking after goals', () => {
  const { open, api, axe, overflow, banyan } = harness()

  test('the page of a goal says whether the watchdog looks after it, and changes it with a way back', { timeout: 60_000 }, async () => {
    const { treeId } = await api('/api/goals', { goal: 'Write a report about trees' })
    const watched = async () => {
      const { watched, patient } = await api<{ watched: boolean; patient?: boolean }>(`/api/trees/${treeId}`)
      return watched ? (patient ? 'patient' : 'on') : 'off'
    }
    const page = await open(`/trees/${treeId}`)
    const select = page.getByRole('combobox', { name: 'Watchdog of this goal' })
    await select.click()
    await page.getByRole('option', { name: /^Watch it with patience/ }).click()
    await expect.poll(watched, { timeout: 15_000 }).toBe('patient')
    await expect.poll(() => select.innerText(), { timeout: 15_000 }).toContain('Watch it with patience')
    await select.click()
    await page.getByRole('option', { name: /^Leave it alone/ }).click()
    await expect.poll(watched, { timeout: 15_000 }).toBe('off')
    await page.getByText('The watchdog leaves this goal alone.', { exact: true }).first().waitFor()
    await page.getByRole('button', { name: 'Undo' }).last().click()
    await expect.poll(watched, { timeout: 15_000 }).toBe('patient')
    await axe(page)
  })

  test('what is kept is shown; an old goal is downloaded, leaves after a question, and is told of', { timeout: 60_000 }, async () => {
    const { treeId } = await api('/api/goals', { goal: 'Run `echo old`' })
    await expect.poll(async () => (await api(`/api/tasks/${treeId}`)).status, { timeout: 15_000 }).toBe('done')
    const store = await openStore(`sqlite:${banyan().dataDir}/agent_system.db`)
    const long = Date.now() - 40 * DAY_MS
    await store.transact(async ({ db }) => {
      await db.updateTable('trees').set({ created_at: long }).where('id', '=', treeId!).execute()
      await db.updateTable('tasks').set({ created_at: long, updated_at: long }).where('tree_id', '=', treeId!).execute()
    })
    await store.close()
    const page = await open('/system?tab=storage')
    await page.getByText('Goals are kept for good.', { exact: false }).waitFor()
    await page.getByText('No goal is that old.').waitFor()
    await page.getByLabel('Ended more than so many days ago').fill('30')
    const link = page.getByRole('link', { name: /^Download Run/ })
    await link.waitFor()
    await axe(page)
    const [file] = await Promise.all([page.waitForEvent('download'), link.click()])
    expect(file.suggestedFilename()).toBe(`${treeId}.jsonl`)
    await page.getByRole('button', { name: 'Remove these goals' }).click()
    await page.getByRole('alertdialog').getByRole('button', { name: 'Remove these goals' }).click()
    await page.getByText(`exports/${treeId}.jsonl.gz`).waitFor()
    await page.getByText('No goal is that old.').waitFor()
    const phone = await open('/system?tab=storage', { width: 390, height: 780 })
    await phone.getByText(`exports/${treeId}.jsonl.gz`).waitFor()
    expect(await overflow(phone)).toBe(0)
    await axe(phone)
  })
})
