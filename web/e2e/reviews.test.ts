import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Instance, startInstance } from '../../scripts/instance.ts'
import { need } from '../../scripts/needs.ts'

const executablePath = need('chromium')

describe.skipIf(!executablePath)('the queue in a real browser', () => {
  let banyan: Instance
  let browser: Browser
  let page: Page
  beforeAll(async () => {
    banyan = await startInstance()
    browser = await chromium.launch({ executablePath: executablePath!, args: process.getuid?.() === 0 ? ['--no-sandbox'] : [] })
    page = await browser.newPage()
    page.setDefaultTimeout(15_000)
    await page.goto(banyan.loginUrl)
    await page.getByText('live', { exact: true }).waitFor()
    await api('/api/rules', { verdict: 'ask', scope: 'program', signature: 'echo' })
  })
  afterAll(async () => {
    await browser?.close()
    await banyan?.remove()
  })
  const api = async (path: string, body: unknown) => {
    const response = await fetch(banyan.url + path, {
      method: 'POST',
      headers: { authorization: `Bearer ${banyan.token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    expect(response.ok, `${path}: ${response.status}`).toBe(true)
    return (await response.json()) as Record<string, string>
  }

  test('an item says why it asks, and can be put off', async () => {
    await api('/api/goals', { goal: 'Run `echo later`' })
    await page.goto(`${banyan.url}/reviews`)
    const card = page.getByRole('article').filter({ hasText: 'echo later' })
    await card.getByText('a rule for the system asks a person about the program echo').waitFor()
    await card.getByLabel('Put off').selectOption('4')
    await card.waitFor({ state: 'detached' })
    await page.getByText('Nothing waits for you.').waitFor()
  })

  test('items that ask the same are decided with one word', async () => {
    for (let i = 0; i < 3; i++) await api('/api/goals', { goal: 'Run `echo same`' })
    await page.goto(`${banyan.url}/reviews`)
    await page.getByRole('button', { name: 'Approve all 3' }).click()
    await page.getByText('Nothing waits for you.').waitFor()
    await page.goto(banyan.url)
    await expect.poll(() => page.locator('.goal').filter({ hasText: 'echo same' }).getByText('done', { exact: true }).count()).toBe(3)
  })
})
