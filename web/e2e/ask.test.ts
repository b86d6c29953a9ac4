import { describe, expect, test } from 'vitest'
import { harness, noBrowser } from './harness.ts'

describe.skipIf(noBrowser)('asking Banyan about itself, on any page', () => {
  const { open, api, axe, overflow } = harness()
  const status = async (id: string) => (await api(`/api/tasks/${id}`)).status
  const given = async (goal: string) => (await api('/api/goals', { goal })).treeId!
  const waits = (id: string) => expect.poll(() => status(id), { timeout: 15_000 }).toBe('waiting')

  test('what is typed into the palette can be asked; the answer comes, a goal is cancelled by name after a choice, and goes on again', async () => {
    const goals = [await given('Write a report about trees'), await given('Write a report about rivers')] as const
    await Promise.all(goals.map(waits))
    const page = await open('/')
    await page.keyboard.press('Control+k')
    await page.getByRole('combobox').fill('cancel the report goal')
    await page.getByRole('option', { name: 'Ask: cancel the report goal' }).click()
    const panel = page.getByRole('dialog', { name: 'Ask Banyan' })
    await panel.getByText('Which one do you mean?').waitFor()
    await axe(page)
    for (const id of goals) expect(await status(id)).toBe('waiting')
    await panel.getByRole('button', { name: 'Cancel Write a report about rivers' }).click()
    await panel.getByText('stopped', { exact: true }).waitFor()
    expect([await status(goals[0]), await status(goals[1])]).toEqual(['waiting', 'cancelled'])
    await panel.getByRole('button', { name: 'Let it go on: Write a report about rivers' }).click()
    await expect.poll(() => status(goals[1]), { timeout: 15_000 }).not.toBe('cancelled')
    expect((await api<{ items: { goal: string }[] }>('/api/trees')).items.map((tree) => tree.goal)).not.toContain('cancel the report goal')
    // The panel leads to the goal, and closing it keeps the conversation.
    await panel.getByRole('link', { name: 'Write a report about rivers' }).last().click()
    await page.waitForURL(`**/trees/${goals[1]}`)
    await panel.waitFor({ state: 'detached' })
    await page.locator('body').press('h')
    await panel.getByText('cancel the report goal', { exact: true }).waitFor()
    await panel.getByRole('button', { name: 'Close' }).click()
    await panel.waitFor({ state: 'detached' })
  }, 60_000)

  test('by keyboard alone: a key opens it, examples work without a model, what is not understood says what is, old conversations are kept', async () => {
    const page = await open('/reviews')
    await page.locator('body').press('h')
    const panel = page.getByRole('dialog', { name: 'Ask Banyan' })
    await panel.getByRole('button', { name: 'Start a goal: Run `date`' }).waitFor()
    await axe(page)
    await panel.getByRole('textbox').waitFor()
    await page.keyboard.type('What is going on?')
    await page.keyboard.press('Enter')
    await panel.getByText(/In the last day/).waitFor()
    expect(await panel.getByRole('textbox').inputValue()).toBe('')
    await page.keyboard.type('Start a goal: Run `echo from-the-panel`')
    await page.keyboard.press('Enter')
    await panel.getByRole('link', { name: 'Run `echo from-the-panel`' }).waitFor()
    await page.keyboard.type('Ponder the moon')
    await page.keyboard.press('Enter')
    await panel.getByText(/Without a model only plain forms are understood/).waitFor()
    await axe(page)
    await panel.getByRole('button', { name: 'New conversation' }).click()
    await page.reload()
    await page.getByText('live', { exact: true }).waitFor()
    await page.locator('body').press('h')
    await panel.getByRole('button', { name: /^What is going on\?.*3 questions/ }).click()
    await panel.getByText('Ponder the moon', { exact: true }).waitFor()
  }, 60_000)

  test('on a phone it fills the screen, with targets for a thumb', async () => {
    const page = await open('/', { width: 390, height: 780 })
    await page.getByRole('button', { name: 'Ask Banyan a question' }).click()
    const panel = page.getByRole('dialog', { name: 'Ask Banyan' })
    await panel.getByRole('button', { name: 'What is going on?', exact: true }).click()
    await panel.getByText(/In the last day/).waitFor()
    expect(await overflow(page)).toBeLessThanOrEqual(0)
    const box = (await panel.boundingBox())!
    expect([box.x, box.y, box.height]).toEqual([0, 0, 780])
    // All but the place of a scroll bar.
    expect(box.width).toBeGreaterThan(370)
    const small = await panel
      .locator('button')
      .evaluateAll((all) => all.map((one) => one.getBoundingClientRect().height).filter((height) => height < 44))
    expect(small).toEqual([])
    await axe(page)
  }, 60_000)
})
