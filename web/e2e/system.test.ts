import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { SYSTEM_TABS } from '../pages/system/tabs.ts'
import { harness, noBrowser } from './harness.ts'

describe.skipIf(noBrowser)('the page of the system', () => {
  const { open, api, axe, overflow, banyan } = harness()

  test.each([1440, 390])('every part is free of what axe finds at %i pixels, in light and dark', { timeout: 90_000 }, async (width) => {
    await api('/api/goals', {
      goal: '1. Run `echo one`\n2. What would a duck say, and why, in words that are too many for one line of a phone?',
    })
    const page = await open('/system', { width })
    await page.getByRole('img', { name: /^CPU, last hour/ }).waitFor()
    const header = await page.locator('header.top').boundingBox()
    expect(header!.height, 'the header is one line').toBeLessThan(60)
    for (const part of SYSTEM_TABS) {
      await page.locator('body').press(String(SYSTEM_TABS.indexOf(part) + 1))
      await expect.poll(() => new URL(page.url()).searchParams.get('tab') ?? 'overview').toBe(part)
      await page.locator('.read-age').first().waitFor()
      await expect.poll(() => page.locator('.skeleton').count()).toBe(0)
      await axe(page)
      expect(await overflow(page), part).toBe(0)
    }
  })

  test('the parts are reached by digits and by the palette, and the address brings one back', async () => {
    const page = await open('/')
    await page.locator('body').press('g')
    await page.locator('body').press('s')
    await page.getByRole('tab', { name: 'Overview', selected: true }).waitFor()
    await page.locator('body').press('3')
    await page.getByRole('tab', { name: 'Queue', selected: true }).waitFor()
    expect(new URL(page.url()).search).toBe('?tab=queue')
    await page.reload()
    await page.getByRole('tab', { name: 'Queue', selected: true }).waitFor()
    expect(await page.title()).toContain('Queue · System')
    await page.keyboard.press('Control+k')
    await page.keyboard.type('checks system')
    await page.keyboard.press('Enter')
    await page.getByRole('tab', { name: 'Checks', selected: true }).waitFor()
    await page.goBack()
    await page.getByRole('tab', { name: 'Queue', selected: true }).waitFor()
  })

  test('a plot has its numbers as a table by the address and as a file', async () => {
    const page = await open('/system')
    await page.getByRole('button', { name: 'CPU as a table' }).click()
    const table = page.getByRole('region', { name: 'CPU as a table' })
    await table.getByRole('columnheader', { name: 'Banyan' }).waitFor()
    expect(await table.getByRole('row').count()).toBeGreaterThan(1)
    await axe(page)
    await page.reload()
    await table.waitFor()
    const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Save all as CSV' }).click()])
    const { readFileSync } = await import('node:fs')
    const [head, first] = readFileSync(await file.path(), 'utf8').split('\r\n')
    expect(head).toMatch(/^Time,Work: turns,/)
    expect(first!.split(',')).toHaveLength(head!.split(',').length)
    await page.getByRole('link', { name: 'Last day' }).click()
    await expect.poll(() => new URL(page.url()).searchParams.get('window')).toBe('24h')
    await page.locator('body').press('w')
    await expect.poll(() => new URL(page.url()).searchParams.get('window')).toBe(null)
  })

  test('new samples come by themselves', async () => {
    const page = await open('/system?table=work')
    const rows = page.getByRole('region', { name: 'Work as a table' }).getByRole('row')
    const before = await rows.count()
    await expect.poll(() => rows.count(), { timeout: 15_000 }).toBeGreaterThan(before)
  })

  test('a goal that failed is under what is stuck with its reason, and runs again by its one button', async () => {
    const { treeId } = await api('/api/goals', { goal: 'Run `false`' })
    await expect.poll(async () => (await api(`/api/tasks/${treeId}`)).status, { timeout: 15_000 }).toBe('failed')
    const page = await open('/system')
    await page.getByText('1 task is stuck').click()
    const item = page.locator('.dead-item')
    await item.getByRole('link', { name: /false/ }).waitFor()
    expect(await page.getByRole('tab', { name: /Stuck/ }).innerText()).toContain('1')
    const before = await api(`/api/tasks/${treeId}`)
    await item.getByRole('button', { name: 'Run it again' }).click()
    await page
      .getByText(/runs again\./)
      .first()
      .waitFor()
    await expect.poll(async () => (await api(`/api/tasks/${treeId}`)).updatedAt).not.toBe(before.updatedAt)
    await api(`/api/tasks/${treeId}/abort`, {}).catch(() => undefined)
  })

  test('what failed is put away after a question, and is told no more', async () => {
    const { treeId } = await api('/api/goals', { goal: 'Run `exit 9`' })
    await expect.poll(async () => (await api(`/api/tasks/${treeId}`)).status, { timeout: 15_000 }).toBe('failed')
    const page = await open('/system?tab=dead')
    const item = page.locator('.dead-item', { hasText: 'exit 9' })
    await item.getByRole('button', { name: 'Put away' }).click()
    const dialog = page.getByRole('alertdialog', { name: 'Put it away?' })
    await dialog.getByRole('button', { name: 'Put away' }).click()
    await page
      .getByText(/is put away\./)
      .first()
      .waitFor()
    await expect.poll(() => item.count(), { timeout: 15_000 }).toBe(0)
    await page.reload()
    await page.locator('.read-age').first().waitFor()
    await expect.poll(() => item.count()).toBe(0)
  })

  test('a turn under way shows its task, and leads to it', async () => {
    const { treeId } = await api('/api/goals', { goal: 'Run `sleep 30`' })
    const page = await open('/system?tab=workers')
    const row = page.getByRole('link', { name: /sleep 30/ })
    await row.waitFor()
    await row.click()
    await page.waitForURL(`**/trees/${treeId}*`)
    await api(`/api/tasks/${treeId}/abort`, {})
  })

  test('the log follows, is searched and narrowed by the address, and leads to the goal', async () => {
    const page = await open('/system?tab=logs')
    const lines = page.locator('.log-line')
    await lines.first().waitFor()
    await api('/api/secrets/HERON_KEY', { value: 'abcdefgh1234', description: '' }, 'PUT')
    await page.getByText('Secret HERON_KEY set by owner').waitFor()
    await page.locator('body').press('/')
    await page.keyboard.type('heron')
    await expect.poll(() => lines.count()).toBe(1)
    expect(page.url()).toContain('q=heron')
    await page.reload()
    await expect.poll(() => lines.count()).toBe(1)
    await page.getByRole('searchbox', { name: 'Search the log' }).fill('goal submitted')
    await lines.first().getByRole('button', { name: 'Only this goal' }).click()
    await expect.poll(() => lines.count()).toBe(1)
    await page.getByRole('searchbox').blur()
    await page.locator('body').press('f')
    await expect.poll(() => page.getByRole('switch', { name: 'Follow' }).getAttribute('aria-checked')).toBe('false')
    await lines.first().getByRole('link', { name: 'Goal' }).click()
    await page.waitForURL('**/trees/*')
  })

  test('the checks say first what deserves a look, and run again by a key', async () => {
    const page = await open('/system?tab=doctor')
    await page.locator('.check').first().waitFor()
    expect(await page.locator('.check-state').first().innerText()).not.toBe('fine')
    const [again] = await Promise.all([
      page.waitForResponse((one) => one.url().includes('/api/system/doctor')),
      page.locator('body').press('r'),
    ])
    expect(again.status()).toBe(200)
  })

  test('a backup is made by key, checked, and the way back is one command; a damaged one is said to be so', async () => {
    const page = await open('/system?tab=backups')
    await page.getByText('There is no backup yet').waitFor()
    await page.locator('body').press('b')
    await page.getByText(/The newest backup is from/).waitFor()
    const row = page.locator('.backups tbody tr')
    await row.getByText('not looked at yet').waitFor()
    await row.getByRole('button', { name: /^Check the backup/ }).click()
    await row.getByText('whole', { exact: true }).waitFor()
    await row.getByRole('button', { name: /^Go back to the backup/ }).click()
    const { items } = await api<{ items: { id: string }[] }>('/api/backups')
    await page.getByRole('dialog').getByText(`npx banyan db restore ${items[0]!.id}`).waitFor()
    await axe(page)
    await page.keyboard.press('Escape')
    appendFileSync(join(banyan().dataDir, 'backups', items[0]!.id), 'x')
    await row.getByRole('button', { name: /^Check the backup/ }).click()
    await row.getByText('damaged: its checksum differs').waitFor()
    await page.getByText('No backup is whole. Make one now.').waitFor()
  })
})

describe.skipIf(noBrowser)('a machine that is used above its limit', () => {
  const { open, api, axe } = harness({ ALERT_PERCENT: '1' })

  test('says so in one calm line on every page, which leads to the page of the system', async () => {
    await expect.poll(async () => (await api<{ alerts: unknown[] }>('/api/system')).alerts.length, { timeout: 15_000 }).toBeGreaterThan(0)
    const page = await open('/agents')
    const line = page.getByRole('status').filter({ hasText: /Memory is used to \d+ %/ })
    await line.waitFor()
    await axe(page)
    await line.getByRole('link').click()
    await page.getByRole('tab', { name: 'Overview', selected: true }).waitFor()
    await page
      .getByRole('list', { name: 'Look at this' })
      .getByText(/Memory is used/)
      .waitFor()
    const { items } = await api<{ items: { type: string; what?: string }[] }>('/api/events?after=0&limit=1000')
    expect(items.filter((one) => one.type === 'alert.raised' && one.what === 'memory')).toHaveLength(1)
  })
})
