/** What a task's detail shows while its model is at work, and how files and figures go in and out. */
import { readFileSync } from 'node:fs'
import { afterAll, describe, expect, test } from 'vitest'
import { goalOf, MODEL, startAskingModel } from '../../scripts/testing/asking-model.ts'
import { harness, noBrowser } from './harness.ts'

describe.skipIf(noBrowser)('a task at work', { timeout: 60_000 }, async () => {
  const model = noBrowser ? null : await startAskingModel()
  afterAll(() => model?.close())
  const { open, api } = harness({ MODEL: `openai/${MODEL}`, OPENAI_BASE_URL: model?.url ?? '' })
  const words = Array.from({ length: 40 }, (_, i) => `Line ${i} of what I think.`).join('\n\n')
  const listing = { tool: 'list_files', input: { path: '.' } }
  const begin = async (title: string, more = `\nHOLD ${crypto.randomUUID()}`) =>
    (await api('/api/goals', { agent: 'generalist', goal: `${goalOf(title, words, listing)}${more}` })).treeId!

  test('words are seen while they are written, and are a message once they are said', async () => {
    const id = await begin('Think aloud')
    const page = await open(`/t/${id}`)
    const speaking = page.locator('.speaking')
    await page.locator('.timeline .entry').first().waitFor()
    await model!.release()
    await speaking.getByText('Line 39 of what I think.').waitFor()
    // The person's own message holds the words too: it told the model what to say.
    const said = page.locator('.entry-words:not(.speaking)').filter({ hasText: 'Line 0 of', hasNotText: 'SAY' })
    expect(await said.count()).toBe(0)
    await model!.release()
    await said.waitFor()
    await speaking.waitFor({ state: 'detached' })
  })

  test('what comes below the eye is counted, and one press leads to it', async () => {
    const id = await begin('Think long')
    const page = await open(`/t/${id}`, { height: 420 })
    await page.locator('.timeline .entry').first().waitFor()
    await model!.release()
    const fresh = page.getByRole('button', { name: /^\d+ new/ })
    await fresh.waitFor()
    expect(await page.evaluate(() => scrollY)).toBe(0)
    await fresh.click()
    await fresh.waitFor({ state: 'detached' })
    await page.locator('.speaking').waitFor()
    await expect
      .poll(() => page.evaluate(() => document.documentElement.scrollHeight - scrollY - innerHeight), { timeout: 5_000 })
      .toBeLessThan(80)
    await model!.release()
  })

  test('a file is put into the folder, and the cost is taken along as CSV', async () => {
    const id = await begin('Keep files', '')
    const page = await open(`/t/${id}?tab=artifacts`)
    await page
      .getByLabel('Put files in…')
      .setInputFiles({ name: 'letters of may.txt', mimeType: 'text/plain', buffer: Buffer.from('Dear duck') })
    await page.getByText('letters of may.txt is in the folder.').first().waitFor()
    await page.getByRole('button', { name: /letters of may\.txt/ }).click()
    await page.getByText('Dear duck').waitFor()
    await page.getByRole('tab', { name: 'Cost' }).click()
    const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'Download as CSV' }).click()])
    const lines = readFileSync(await file.path(), 'utf8')
      .trim()
      .split(/\r?\n/)
    expect(lines[0]).toMatch(/^scope,provider,model,/)
    expect(lines.slice(1).some((line) => line.includes(`"${MODEL}"`))).toBe(true)
  })
})
