import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { SECTION_KEYS, SECTIONS } from '../pages/settings/sections.ts'
import { harness, noBrowser } from './harness.ts'

describe.skipIf(noBrowser)('the settings', () => {
  const { open, api, axe, overflow, banyan, complaints } = harness({ DAILY_BUDGET_DOLLARS: '10' })
  /** Speaks as far of an OpenAI-compatible server as a check of its key needs. */
  let provider: Server
  beforeAll(async () => {
    provider = createServer((request, response) => {
      const good = request.headers.authorization === 'Bearer the-right-key'
      response.writeHead(good ? 200 : 401, { 'content-type': 'application/json' })
      response.end(JSON.stringify(good ? { data: [] } : { error: { message: 'no such key' } }))
    })
    await new Promise<void>((resolve) => provider.listen(0, '127.0.0.1', resolve))
  })
  afterAll(() => void provider.close())

  test.each([1440, 390])('the name of a secret may be long at %i pixels', async (width) => {
    const name = 'A_SECRET_WITH_A_NAME_THAT_IS_TOO_LONG_FOR_THE_LINE'
    await api(`/api/secrets/${name}`, { value: 'abcdefgh', grants: ['*'] }, 'PUT')
    const page = await open('/settings/secrets', { width })
    await page.getByText(name).first().waitFor()
    await axe(page)
    expect(await overflow(page)).toBe(0)
  })

  test('a key leads to each part', async () => {
    const page = await open('/settings')
    for (const section of SECTIONS) {
      await page.locator('body').press(SECTION_KEYS[section])
      await page.waitForURL(`**/settings/${section}`)
    }
  })

  test('on a narrow screen the list of parts comes first, every target large enough for a thumb, and back leads to it', async () => {
    const page = await open('/settings', { width: 390, height: 844 })
    await axe(page)
    await page.getByRole('link', { name: 'Policies' }).click()
    await page.getByRole('heading', { name: 'Policies', level: 1 }).waitFor()
    const small = await page.locator('.settings-body :is(button, a, input):not(.hidden)').evaluateAll((all) =>
      all
        .map((one) => ({ html: one.outerHTML.slice(0, 80), box: one.getBoundingClientRect() }))
        .filter(({ box }) => box.width > 0 && box.height < 44)
        .map(({ html, box }) => `${html} ${box.width}×${box.height}`),
    )
    expect(small).toEqual([])
    await page.getByRole('link', { name: 'All settings' }).click()
    await page.getByRole('heading', { name: 'Settings', level: 1 }).waitFor()
  })

  test("a provider's key is asked about first: a wrong one is told, a right one is kept, shown to nobody and removed", async () => {
    const page = await open('/settings/providers')
    const card = page.locator('.setting-card').filter({ hasText: 'OpenAI or compatible' })
    await card.getByRole('button', { name: 'Add a key' }).click()
    const key = page.getByLabel('API key')
    await key.fill('a-wrong-key')
    await page.getByLabel('Address').fill(`http://127.0.0.1:${(provider.address() as AddressInfo).port}`)
    await page.getByRole('button', { name: 'Check and save' }).click()
    await page.getByText(/does not accept the key \(401\): no such key/).waitFor()
    expect(
      (await api<{ items: { id: string; source: string }[] }>('/api/providers')).items.find((one) => one.id === 'openai')?.source,
    ).toBe('none')
    await key.fill('the-right-key')
    await page.getByRole('button', { name: 'Check and save' }).click()
    await card.getByText('stored here').waitFor()
    await key.waitFor({ state: 'detached' })
    expect(await page.content()).not.toContain('the-right-key')
    await card.getByRole('button', { name: 'Check', exact: true }).click()
    await card.getByText(/accepts the key/).waitFor()
    await card.getByRole('button', { name: 'Remove' }).click()
    await axe(page)
    await page.getByRole('alertdialog').getByRole('button', { name: 'Remove' }).click()
    await card.getByText('no key').waitFor()
  })

  test('a secret is set, granted and removed; its value is in no answer', async () => {
    const page = await open('/settings/secrets')
    await page.locator('body').press('n')
    const form = page.getByRole('dialog', { name: 'Add a secret' })
    await form.getByLabel('Name').fill('DUCK_TOKEN')
    await form.getByLabel('Value').fill('quack-quack-quack')
    await form.getByRole('combobox', { name: /Grant it to/ }).click()
    await page.getByRole('option', { name: 'Agent generalist' }).click()
    await axe(page)
    await form.getByRole('button', { name: 'Save' }).click()
    const line = page.locator('.setting-line').filter({ hasText: 'DUCK_TOKEN' })
    await line.getByText('Agent generalist').waitFor()
    expect(await page.content()).not.toContain('quack-quack')
    await line.getByRole('button', { name: 'Change or rotate' }).click()
    await page.getByRole('button', { name: 'No longer: Agent generalist' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click()
    await line.getByText('Nobody yet').waitFor()
    await line.getByRole('button', { name: 'Remove' }).click()
    await page.getByRole('alertdialog').getByRole('button', { name: 'Remove' }).click()
    await line.waitFor({ state: 'detached' })
  })

  test('a token is shown once, works with its scopes only, and is refused once it is revoked', async () => {
    const page = await open('/settings/tokens')
    await page.getByRole('button', { name: 'Make a token' }).click()
    const form = page.getByRole('dialog')
    await form.getByRole('textbox', { name: 'Name' }).fill('ci')
    await form.getByRole('button', { name: 'Make it' }).click()
    const value = await page.getByRole('textbox', { name: 'Token' }).inputValue()
    await axe(page)
    const ask = (path: string, method = 'GET') =>
      fetch(banyan().url + path, {
        method,
        headers: { authorization: `Bearer ${value}`, 'content-type': 'application/json' },
        ...(method === 'POST' ? { body: '{"goal":"Run `true`"}' } : {}),
      })
    expect([(await ask('/api/trees')).status, (await ask('/api/goals', 'POST')).status]).toEqual([200, 403])
    await page.reload()
    const line = page.locator('.setting-line').filter({ hasText: 'ci' })
    await line.waitFor()
    expect(await page.content()).not.toContain(value)
    await line.getByRole('button', { name: 'Revoke' }).click()
    await page.getByRole('alertdialog').getByRole('button', { name: 'Revoke' }).click()
    await page.getByText('1 that is revoked or ended').waitFor()
    expect((await ask('/api/trees')).status).toBe(401)
  })

  test('a policy is saved as a version; over a newer one of somebody else nothing is written', async () => {
    const page = await open('/settings/policies')
    await page.getByRole('combobox', { name: 'Run commands' }).click()
    await page.getByRole('option', { name: 'Always ask' }).click()
    await axe(page)
    await page.getByRole('button', { name: /^Save/ }).click()
    await page.getByText('Version 1 by owner').first().waitFor()
    expect((await api<{ policy: { permissions: object } }>('/api/policy')).policy.permissions).toEqual({ exec: 'ask' })
    await page.getByRole('combobox', { name: 'Write files' }).click()
    await page.getByRole('option', { name: 'Never' }).click()
    await api('/api/policy', { tainted: 'deny' }, 'PUT')
    await page.getByRole('button', { name: /^Save/ }).click()
    await page.getByText('Somebody saved another version meanwhile').waitFor()
    expect((await api<{ policy: { tainted: string; permissions: object } }>('/api/policy')).policy).toMatchObject({
      tainted: 'deny',
      permissions: {},
    })
    await page.getByRole('button', { name: 'Read the new one' }).click()
    await page.getByText('Earlier versions').click()
    await page.getByRole('button', { name: /Take this one Version 1/ }).click()
    await page.keyboard.press('Control+s')
    await expect.poll(async () => (await api<{ version: number }>('/api/policy')).version).toBe(3)
    await api('/api/policy', {}, 'PUT')
    complaints.splice(0, complaints.length, ...complaints.filter((words) => !words.includes('412')))
  })

  test('caps are typed in dollars and hours; what is no amount is told and not saved', async () => {
    const page = await open('/settings/budgets')
    await page.getByLabel('Hours').fill('many')
    await page.getByText('A number.').waitFor()
    await page.getByLabel('Hours').fill('2')
    await page.getByLabel('Dollars', { exact: true }).fill('2.5')
    await page.getByRole('button', { name: 'Save Ctrl S' }).click()
    await page.getByText('Saved. It holds from now on.').first().waitFor()
    expect((await api<{ policy: { limits: object } }>('/api/policy')).policy.limits).toMatchObject({
      costMicros: 2_500_000,
      wallSeconds: 7_200,
    })
  })

  test('the limit of a day is changed and taken back here, and holds at once', async () => {
    const page = await open('/settings/budgets')
    const limit = page.getByLabel('Limit of a day, in dollars')
    const spend = async () => (await api<{ limit: { dollars: number } | null }>('/api/spend')).limit?.dollars
    const before = await spend()
    await limit.fill('lots')
    await page.getByRole('button', { name: 'Save DAILY_BUDGET_DOLLARS' }).click()
    await page.locator('.field-error', { hasText: 'DAILY_BUDGET_DOLLARS' }).waitFor()
    await limit.fill('7.5')
    await page.keyboard.press('Enter')
    await page.getByText('of $7.50').waitFor()
    expect(await spend()).toBe(7.5)
    await page.getByRole('button', { name: 'Take the change back' }).click()
    await expect.poll(spend).toBe(before)
    complaints.splice(0) // the answer 400
  })

  test('what can change while it runs is changed here, and taken back; the rest says which variable sets it', async () => {
    const page = await open('/settings/runtime')
    await page.getByLabel('Change MAX_CONCURRENT_AGENTS').fill('0')
    await page.getByRole('button', { name: 'Save MAX_CONCURRENT_AGENTS' }).click()
    await page.getByText(/must be a whole number from 1/).waitFor()
    complaints.splice(0, complaints.length, ...complaints.filter((words) => !words.includes('400')))
    await page.getByLabel('Change MAX_CONCURRENT_AGENTS').fill('5')
    await page.getByRole('button', { name: 'Save MAX_CONCURRENT_AGENTS' }).click()
    await page.getByRole('button', { name: 'Take the change back' }).waitFor()
    expect((await api<{ slots: number }>('/api/system/queue')).slots as unknown).toBe(5)
    await page.getByRole('button', { name: 'Take the change back' }).click()
    await expect.poll(async () => (await api<{ slots: number }>('/api/system/queue')).slots).toBe(3)
    await page.getByRole('searchbox').fill('admin_token')
    const line = page.locator('.setting-line').filter({ has: page.getByText('ADMIN_TOKEN', { exact: true }) })
    await page.getByRole('strong').filter({ hasText: 'MAX_CONCURRENT_AGENTS' }).waitFor({ state: 'detached' })
    expect(await line.innerText()).toMatch(/set, not shown[\s\S]*environment/)
    expect(await page.content()).not.toContain(banyan().token)
  })

  test('keys are changed, may not clash, and can be the usual ones again', async () => {
    const page = await open('/settings/keyboard')
    await page.getByRole('button', { name: 'Other keys for Reviews' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByText('Press one or two keys').waitFor()
    await axe(page)
    await page.keyboard.press('g')
    await page.keyboard.press('h')
    await dialog.getByText('These keys already do: Home.').waitFor()
    await page.keyboard.press('x')
    await dialog.getByRole('button', { name: 'Use these' }).click()
    await dialog.waitFor({ state: 'detached' })
    await page.reload()
    await page.getByText('yours').waitFor()
    await page.locator('body').press('x')
    await page.waitForURL('**/reviews')
    await page.goBack()
    await page.getByRole('button', { name: 'All usual keys' }).click()
    await page.getByText('yours').waitFor({ state: 'detached' })
  })

  test('colours, density and motion are chosen and stay', async () => {
    const page = await open('/settings/appearance')
    await page.getByLabel('Dark').check()
    await page.getByLabel('Compact').check()
    await page.getByLabel('As little as possible').check()
    await page.reload()
    const html = page.locator('html')
    await expect.poll(() => html.getAttribute('data-motion')).toBe('less')
    expect([await html.getAttribute('data-theme'), await html.getAttribute('data-density')]).toEqual(['dark', 'compact'])
    await page.evaluate(() => localStorage.clear())
  })

  test('another browser is logged out from here', async () => {
    await fetch(`${banyan().url}/api/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: banyan().url, 'user-agent': 'Mozilla/5.0 (Windows NT 10.0) Firefox/149.0' },
      body: JSON.stringify({ token: banyan().token }),
    })
    const page = await open('/settings/people')
    const line = page.locator('.setting-line').filter({ hasText: 'Firefox on Windows' })
    await line.getByRole('button', { name: 'Log out' }).click()
    await line.waitFor({ state: 'detached' })
    await page.getByText('this browser', { exact: true }).waitFor()
  })

  test('while Banyan cannot be reached nothing can be changed, and that is said; what is of this browser can', async () => {
    const page = await open('/settings/tokens')
    const make = page.getByRole('button', { name: 'Make a token' })
    await make.waitFor()
    expect(await make.isDisabled()).toBe(false)
    await make.click()
    const dialog = page.getByRole('dialog')
    await dialog.getByRole('textbox', { name: 'Name' }).fill('half-written')
    await banyan().kill()
    const why = page.getByText('Nothing here can be changed until the connection is back.')
    await dialog.locator(why).waitFor()
    expect(await dialog.getByRole('button', { name: 'Make it' }).isDisabled()).toBe(true)
    expect(await dialog.getByRole('textbox', { name: 'Name' }).inputValue()).toBe('half-written')
    await page.keyboard.press('Escape')
    await why.waitFor()
    expect(await make.isDisabled()).toBe(true)
    await page.locator('body').press('9')
    await page.getByRole('heading', { name: 'Appearance', level: 1 }).waitFor()
    expect(await why.count()).toBe(0)
    await page.locator('body').press('5')
    await banyan().restart()
    await why.waitFor({ state: 'detached' })
    await expect.poll(() => make.isDisabled(), { timeout: 5_000 }).toBe(false)
    complaints.splice(0)
  })
})
