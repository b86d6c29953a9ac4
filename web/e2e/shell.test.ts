import type { Page } from 'playwright-core'
import { describe, expect, test } from 'vitest'
import { harness, noBrowser } from './harness.ts'

describe.skipIf(noBrowser)('the frame around every page', () => {
  const { open, api, axe, overflow, complaints, banyan } = harness()
  const heading = (page: Page, name: string) => page.getByRole('heading', { name, level: 1, exact: true })
  const PAGES = { '/': 'Goals', '/goals': 'Goals', '/reviews': 'Reviews' }

  test('every page is free of what axe finds and of refused styles, in light and dark, wide and narrow', async () => {
    await api('/api/goals', { goal: '1. Run `echo one`\n2. What would a duck say?' })
    for (const width of [1440, 390]) {
      for (const path of Object.keys(PAGES)) {
        const page = await open(path, { width })
        await page.locator('.goal, .review-line').first().waitFor()
        await axe(page)
        expect(await overflow(page), `${path} at ${width}`).toBe(0)
        await page.close()
      }
    }
  })

  test('the palette goes to pages and goals by keyboard alone, and its key works from a text field', async () => {
    const { treeId } = await api('/api/goals', { goal: 'Run `echo palette-finds-this`' })
    const page = await open('/')
    await page.getByLabel('What should be done?').focus()
    await page.keyboard.press('Control+k')
    const palette = page.getByRole('dialog')
    await palette.getByRole('combobox').waitFor()
    await axe(page)
    await page.keyboard.type('revi')
    await page.keyboard.press('Enter')
    await heading(page, 'Reviews').waitFor()
    expect(new URL(page.url()).pathname).toBe('/reviews')
    await page.keyboard.press('Control+k')
    await page.keyboard.type('palette finds')
    await palette.getByRole('option', { name: /palette-finds-this/ }).waitFor()
    await page.keyboard.press('Enter')
    await page.waitForURL(`**/trees/${treeId}`)
    await page.keyboard.press('Control+k')
    await page.keyboard.type('dark')
    await page.keyboard.press('Enter')
    await expect.poll(() => page.locator('html').getAttribute('data-theme')).toBe('dark')
    await page.keyboard.press('Control+k')
    await page.keyboard.type('colours of the system')
    await page.keyboard.press('Enter')
    await expect.poll(() => page.locator('html').getAttribute('data-theme')).toBe(null)
  })

  test('g and a letter go to a page, with Caps Lock too; the sheet names them; in a text field a letter is a letter', async () => {
    const page = await open('/')
    await page.locator('body').press('?')
    const sheet = page.getByRole('dialog', { name: 'Keys' })
    await sheet.getByText('Reviews').waitFor()
    await axe(page)
    await page.keyboard.press('g')
    await page.keyboard.press('r')
    expect(new URL(page.url()).pathname).toBe('/')
    await page.keyboard.press('Escape')
    await sheet.waitFor({ state: 'detached' })
    await page.keyboard.press('G')
    await page.keyboard.press('R')
    await heading(page, 'Reviews').waitFor()
    await page.keyboard.press('g')
    await page.keyboard.press('h')
    await page.getByLabel('What should be done?').fill('')
    await page.getByLabel('What should be done?').pressSequentially('gr?')
    expect(await page.getByLabel('What should be done?').inputValue()).toBe('gr?')
    expect(new URL(page.url()).pathname).toBe('/')
    await page.getByLabel('What should be done?').fill('')
  })

  test('everything is paused after a question, said so on every page, also in another tab, and goes on by the same button', async () => {
    const page = await open('/')
    const other = await open('/reviews')
    await page.getByRole('button', { name: 'Pause all' }).click()
    await axe(page)
    await page.getByRole('alertdialog').getByRole('button', { name: 'Pause all' }).click()
    await page.getByText(/^Everything is paused by /).waitFor()
    await other.getByText(/^Everything is paused by /).waitFor()
    const { treeId } = await api('/api/goals', { goal: 'Run `echo held`' })
    await page.reload()
    await page.getByText(/^Everything is paused by /).waitFor()
    expect((await api(`/api/tasks/${treeId}`)).status).toBe('pending')
    await page.getByRole('button', { name: 'Resume all' }).click()
    await expect.poll(async () => (await api(`/api/tasks/${treeId}`)).status, { timeout: 10_000 }).toBe('done')
    await other.getByText(/^Everything is paused by /).waitFor({ state: 'detached' })
  })

  test('keys of one letter can be switched off for good; the palette stays', async () => {
    const page = await open('/')
    await page.locator('body').press('?')
    await page.getByRole('button', { name: 'Switch keys of one letter off' }).click()
    await page.keyboard.press('Escape')
    await page.reload()
    await page.getByText('live', { exact: true }).waitFor()
    await page.locator('body').press('g')
    await page.locator('body').press('r')
    await page.keyboard.press('Control+k')
    await page.getByRole('dialog').getByRole('combobox').fill('show the keys')
    expect(new URL(page.url()).pathname).toBe('/')
    await page.keyboard.press('Enter')
    await page.getByRole('button', { name: 'Switch them on' }).click()
  })

  test('theme, density and the width of the rail are chosen once and stay, in other tabs too', async () => {
    const page = await open('/')
    const other = await open('/reviews')
    await page.getByRole('button', { name: 'Appearance' }).click()
    await axe(page)
    await page.emulateMedia({ colorScheme: 'light' })
    await page.getByRole('menuitemradio', { name: 'Compact' }).click()
    await page.getByRole('menuitemradio', { name: 'Dark' }).click()
    await page.keyboard.press('Escape')
    await page.getByRole('button', { name: 'Make the rail narrow' }).click()
    await expect.poll(() => other.locator('.shell').getAttribute('data-rail')).toBe('icons')
    await page.reload()
    await page.getByRole('button', { name: 'Make the rail wide' }).waitFor()
    const html = page.locator('html')
    expect([await html.getAttribute('data-theme'), await html.getAttribute('data-density')]).toEqual(['dark', 'compact'])
    await page
      .getByRole('navigation', { name: 'Pages' })
      .getByRole('link', { name: /Reviews/ })
      .focus()
    await page.getByRole('tooltip', { name: 'Reviews' }).waitFor()
    await axe(page)
    await page.getByRole('button', { name: 'Make the rail wide' }).click()
    await page.evaluate(() => localStorage.clear())
  })

  test('a narrow screen has the pages at its bottom, every target large enough for a thumb', async () => {
    const page = await open('/', { width: 390, height: 780 })
    await page
      .getByRole('navigation', { name: 'Pages' })
      .getByRole('link', { name: /Reviews/ })
      .click()
    await heading(page, 'Reviews').waitFor()
    const small = await page.locator('.top :is(a, button), .bottom-bar :is(a, button)').evaluateAll((all) =>
      all
        .map((one) => ({ html: one.outerHTML.slice(0, 80), box: one.getBoundingClientRect() }))
        .filter(({ box }) => box.width > 0 && (box.height < 44 || box.width < 44))
        .map(({ html, box }) => `${html} ${box.width}×${box.height}`),
    )
    expect(small).toEqual([])
  })

  test('goals are searched and filtered by the address', async () => {
    await api('/api/goals', { goal: 'Run `echo herons`' })
    await api('/api/goals', { goal: 'Run `false` and count the storks' })
    const page = await open('/goals')
    await page.getByRole('searchbox').fill('herons')
    await expect.poll(() => page.locator('.goal').count()).toBe(1)
    expect(page.url()).toContain('q=herons')
    await page.reload()
    await page.getByText('live', { exact: true }).waitFor()
    await expect.poll(() => page.locator('.goal').count()).toBe(1)
    await page.getByRole('link', { name: 'Failed', exact: true }).click()
    await page.getByText('No goal fits').waitFor()
    await page.goBack()
    await expect.poll(() => page.locator('.goal').count()).toBe(1)
  })

  test('the lasting address of a task shows it and leads to it in its tree, and one of nobody says so', async () => {
    const { treeId } = await api('/api/goals', { goal: '1. Run `echo lasting`\n2. Run `echo other`' })
    await expect.poll(async () => (await api<{ tasks: unknown[] }>(`/api/trees/${treeId}`)).tasks.length).toBeGreaterThan(1)
    const { tasks } = await api<{ tasks: { id: string; title: string }[] }>(`/api/trees/${treeId}`)
    const task = tasks.find(({ title }) => title.includes('lasting') && title.includes('echo'))!
    const page = await open(`/t/${task.id}`)
    await page.getByRole('heading', { name: task.title, level: 2 }).waitFor()
    await page.getByRole('link', { name: 'Show it in its goal' }).click()
    await page.waitForURL(`**/trees/${treeId}*`)
    await page.goto(`${banyan().url}/t/nobody-1`)
    await page.getByText('There is no task nobody-1', { exact: true }).waitFor()
    complaints.splice(0, complaints.length, ...complaints.filter((words) => !words.includes('404')))
  })

  test('an address that is no page says so and leads back', async () => {
    const page = await open('/no/such/page')
    await heading(page, 'There is no page /no/such/page').waitFor()
    await axe(page)
    await page.getByRole('link', { name: 'Go to the goals' }).click()
    await page.getByLabel('What should be done?').waitFor()
  })
})
