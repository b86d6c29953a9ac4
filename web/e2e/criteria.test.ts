import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type PreparedAnswer, preparedModel } from '../../scripts/testing/prepared-model.ts'
import { harness, noBrowser } from './harness.ts'

const end = (result: string, more: object = {}): PreparedAnswer => ({
  calls: [{ tool: 'end_task', input: { status: 'success', result, ...more } }],
})
const verdict = {
  passed: false,
  score: 40,
  reasons: 'The sum of May is missing.',
  criteria: [
    { number: 1, met: true, evidence: 'The result says 4180.' },
    { number: 2, met: false, evidence: 'There is no word of May in it.' },
  ],
}

describe.skipIf(noBrowser)('what counts as done', { timeout: 90_000 }, () => {
  const settings: Record<string, string> = {}
  let model: Awaited<ReturnType<typeof preparedModel>>
  beforeAll(async () => {
    model = await preparedModel(({ task }) => {
      if (task.startsWith('Judge whether'))
        return end('judged', {
          verdict: task.includes('Learn')
            ? { passed: true, reasons: 'It is there.', criteria: [{ number: 1, met: true, evidence: 'It is told.' }] }
            : verdict,
        })
      if (task.startsWith('Write down what'))
        return {
          calls: [
            { tool: 'add_document', input: { name: 'evaluation_criteria', description: 'A scale.', content: 'Pass.', replace: true } },
          ],
        }
      return end('The sum is 4180.')
    })
    Object.assign(settings, { ANTHROPIC_API_KEY: 'of-a-test', ANTHROPIC_BASE_URL: model.url, MODEL: 'anthropic/prepared' })
  })
  const { open, api, axe, overflow } = harness(settings)
  afterAll(() => model.close())
  const list = (page: Page) => page.locator('.criteria')

  test('is written beside the goal, and its page tells what was found of each, and what watching took', async () => {
    const page = await open('/')
    await page.getByLabel('What should be done?').fill('Add up the sums of April and May.')
    await page.locator('.says').getByRole('button', { name: 'What counts as done' }).click()
    await page.getByRole('textbox', { name: 'What counts as done' }).fill('- April is named\n- May is named')
    await page.keyboard.press('Escape')
    await page.locator('.says').getByRole('button', { name: 'What counts as done 2 criteria' }).waitFor()
    await page.getByRole('button', { name: /^Run Ctrl/ }).click()
    await page.waitForURL('**/trees/**')
    const id = page.url().split('/').at(-1)!.split('?')[0]!
    await expect.poll(async () => (await api(`/api/trees/${id}`)).status, { timeout: 15_000 }).toBe('failed')
    await page.getByTitle('What the goal cost, of what it may cost').click()
    await page.getByText(/^Watching took \d+ % of the tokens; parts are watched up to 40 %$/).waitFor()

    const task = await open(`/t/${id}`)
    await list(task).waitFor()
    expect(await list(task).locator('li').allInnerTexts()).toEqual([
      expect.stringMatching(/April is named\s+The result says 4180\./),
      expect.stringMatching(/May is named\s+There is no word of May in it\./),
    ])
    expect(
      await list(task)
        .getByRole('img')
        .evaluateAll((marks) => marks.map((mark) => mark.getAttribute('aria-label'))),
    ).toEqual(['met', 'not met'])
    await task.getByText('1 of 2 met').waitFor()
    await axe(task)
    await task.setViewportSize({ width: 390, height: 844 })
    expect(await overflow(task)).toBe(0)
  })

  test('that its documentation agent wants to change is put before a person with the difference', async () => {
    const { treeId } = await api('/api/goals', { goal: 'Learn how sums are judged.', criteria: ['it is told'] })
    const item = async () => (await api<{ items: object[] }>(`/api/reviews?state=open&treeId=${treeId}`)).items
    await expect.poll(async () => (await api(`/api/trees/${treeId}`)).status, { timeout: 15_000 }).toBe('done')
    await expect.poll(async () => (await item()).length, { timeout: 15_000 }).toBe(1)
    const page = await open('/reviews')
    await page.getByText('Change the document evaluation_criteria, which another agent reads').first().click()
    await page.getByText('evaluation_criteria.md').first().waitFor()
    await page.getByText('task_evaluator', { exact: true }).first().waitFor()
  })
})
