import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { afterAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { MODEL, startAskingModel } from '../../scripts/testing/asking-model.ts'
import { harness, noBrowser } from './harness.ts'
import { ask, asks } from './review-items.ts'

type Item = {
  id: string
  state: string
  decision: string | null
  comment: string | null
  kind: string
  title: string
  decidedBy: string | null
}

describe.skipIf(noBrowser)('the review queue', { timeout: 60_000 }, async () => {
  const model = noBrowser ? null : await startAskingModel()
  afterAll(() => model?.close())
  const kit = harness({
    MODEL: `openai/${MODEL}`,
    OPENAI_BASE_URL: model?.url ?? '',
    REVIEW_EXPIRY: 'deny',
    REVIEW_EXPIRY_SECONDS: '86400',
  })
  const { open, api, axe, overflow } = kit
  const item = (id: string) => api<Item>(`/api/reviews/${encodeURIComponent(id)}`)
  const one = async (goal: string | Record<string, unknown>, words: string) => {
    const { items } = await api<{ items: Item[] }>('/api/reviews?state=open&limit=200')
    const known = new Set(items.map(({ id }) => id))
    const found = (await ask(kit, [goal], items.length + 1)).find(({ id, title }) => !known.has(id) && title.includes(words))
    return found!
  }
  const at = (id: string, tail = '') => `/reviews/${encodeURIComponent(id)}${tail}`
  const clear = async () => {
    const { items } = await api<{ items: Item[] }>('/api/reviews?state=open&limit=200')
    for (const { id } of items) await api(`/api/reviews/${encodeURIComponent(id)}/decision`, { decision: 'reject' })
  }
  beforeEach(clear)
  const seen = (page: Page) => page.locator('.review-item')

  test('shows what would happen as data, why it is asked and what is risky, apart from the words of the agent', async () => {
    const { id } = await one(asks.fetch(), 'curl')
    const page = await open(at(id))
    await page.locator('.review-command mark', { hasText: 'curl' }).waitFor()
    const shown = seen(page)
    await shown.getByText('high risk').first().waitFor()
    await shown.getByText(/curl reaches the network/).waitFor()
    await shown.getByText(/then it is rejected by itself/).waitFor()
    const words = page.locator('.agent-words')
    await words.getByText('The project wants the newest linter.').waitFor()
    await words.getByText(/Written by the agent/).waitFor()
    await page.reload()
    await shown.getByText('high risk').first().waitFor()
    await axe(page)
    const phone = await open(at(id), { width: 390, height: 844 })
    await seen(phone).waitFor()
    expect(await overflow(phone)).toBe(0)
    for (const button of await phone.locator('.review-buttons > button').all())
      expect((await button.boundingBox())!.height).toBeGreaterThanOrEqual(44)
    await axe(phone)
  })

  test('a decision of high risk needs the key twice, can be undone, and is sent when the page is closed', async () => {
    const { id } = await one(asks.remove(), 'rm -rf')
    const page = await open(at(id))
    await page.locator('.review-command mark', { hasText: 'rm' }).waitFor()
    await page.keyboard.press('a')
    await page.getByRole('button', { name: 'Press again to approve' }).waitFor()
    expect((await item(id)).state).toBe('open')
    await page.keyboard.press('a')
    await seen(page).getByText('sent in a moment').waitFor()
    await page.keyboard.press('u')
    await page.getByRole('button', { name: 'Reject' }).waitFor()
    expect((await item(id)).state).toBe('open')
    await page.keyboard.press('r')
    await page.keyboard.type('Keep the cache, it is slow to fill')
    await page.keyboard.press('Enter')
    await seen(page).getByText('sent in a moment').waitFor()
    expect((await item(id)).state).toBe('open')
    await page.close({ runBeforeUnload: false })
    await expect.poll(async () => (await item(id)).state).toBe('decided')
    expect(await item(id)).toMatchObject({ decision: 'reject', comment: 'Keep the cache, it is slow to fill' })
  })

  test('a question is answered with one of its choices, changes need words', async () => {
    const question = await one(asks.question(), 'database')
    const page = await open(at(question.id))
    await page.getByRole('button', { name: 'PostgreSQL, which several machines can share' }).waitFor()
    await page.keyboard.press('2')
    await page.keyboard.press('Enter')
    await expect
      .poll(async () => (await item(question.id)).comment, { timeout: 9_000 })
      .toBe('PostgreSQL, which several machines can share')
    const build = await one(asks.build(77), 'make part-77')
    await page.goto(`${kit.banyan().url}${at(build.id)}`)
    await page.getByRole('button', { name: 'Ask for changes' }).click()
    await page.keyboard.press('Enter')
    await page.getByText('Write a few words first.').waitFor()
    await page.keyboard.type('Build part 78')
    await page.keyboard.press('Enter')
    await expect.poll(async () => (await item(build.id)).decision, { timeout: 9_000 }).toBe('changes')
  })

  test('words that were begun are there again after another item and a reload, and after a decision was taken back', async () => {
    const build = await one(asks.build(31), 'make part-31')
    const other = await one(asks.build(32), 'make part-32')
    const page = await open(at(build.id))
    await page.getByRole('button', { name: 'Ask for changes' }).waitFor()
    await page.keyboard.press('c')
    await page.keyboard.type('Build part 33 fi')
    await page.locator('.review-line', { hasText: 'part-32' }).getByRole('link').click()
    await page.waitForURL(`**${at(other.id)}`)
    expect(await page.getByRole('textbox', { name: 'What should be different' }).count()).toBe(0)
    await page.keyboard.press('k')
    const box = page.getByRole('textbox', { name: 'What should be different' })
    await box.waitFor()
    await page.reload()
    expect(await box.inputValue()).toBe('Build part 33 fi')
    await page.keyboard.press('c')
    await page.keyboard.press('End')
    await page.keyboard.type('rst')
    await page.keyboard.press('Enter')
    await page.waitForURL(`**${at(other.id)}`)
    await page.keyboard.press('u')
    await page.locator('.review-line', { hasText: 'part-31' }).getByRole('link').click()
    await expect.poll(() => box.inputValue(), { timeout: 9_000 }).toBe('Build part 33 first')
  })

  test('on a phone the buttons are one row on the bar of the pages, the rest is in a menu', async () => {
    const { id } = await one(asks.build(41), 'make part-41')
    const phone = await open(at(id), { width: 390, height: 844 })
    const buttons = phone.locator('.review-buttons > button')
    await buttons.first().waitFor()
    const boxes = await Promise.all((await buttons.all()).map((button) => button.boundingBox()))
    expect(new Set(boxes.map((box) => Math.round(box!.y))).size).toBe(1)
    const bar = (await phone.locator('.review-bar').boundingBox())!
    expect(Math.abs(bar.y + bar.height - (await phone.locator('.bottom-bar').boundingBox())!.y)).toBeLessThan(1)
    await phone.getByRole('button', { name: 'More ways to decide' }).click()
    await axe(phone)
    await phone.getByRole('menuitem', { name: 'Always…' }).click()
    await phone.getByRole('button', { name: 'Approve and remember' }).waitFor()
    await phone.keyboard.press('Escape')
    await phone.getByRole('button', { name: 'More ways to decide' }).click()
    await phone.getByRole('menuitem', { name: 'Ask for changes' }).click()
    const box = phone.getByRole('textbox', { name: 'What should be different' })
    await expect.poll(() => box.evaluate((one) => one === document.activeElement)).toBe(true)
    await phone.getByRole('button', { name: 'Close' }).click()
    await phone.getByRole('button', { name: 'More ways to decide' }).click()
    await phone.getByRole('menuitem', { name: 'Edit' }).click()
    await phone.getByRole('button', { name: 'Approve as edited' }).waitFor()
    expect(await overflow(phone)).toBe(0)
  })

  test('what was edited is checked by the server, shown as a difference and done instead', async () => {
    const { id } = await one(asks.build(5), 'make part-5')
    const page = await open(at(id))
    await page.getByRole('button', { name: 'Edit' }).waitFor()
    await page.keyboard.press('e')
    await page.getByRole('textbox', { name: 'Command', exact: true }).fill('')
    await page.getByRole('button', { name: 'Approve as edited' }).click()
    await page.getByText('The edited action is not right').waitFor()
    await page.getByRole('textbox', { name: 'Command', exact: true }).fill('echo five')
    await page.getByRole('tab', { name: 'What you changed' }).click()
    await page.locator('.cm-insertedLine, .cm-changedLine', { hasText: 'echo five' }).first().waitFor()
    await page.getByRole('button', { name: 'Approve as edited' }).click()
    await seen(page).getByText('Edited before it was approved').waitFor()
    expect(await item(id)).toMatchObject({ decision: 'approve', edit: { command: 'echo five' } })
    kit.complaints.splice(0) // the browser tells of the answer 400 that the test caused
  })

  test('an approval becomes a rule, which is listed, used, and taken back unless that is undone', async () => {
    const { id } = await one(asks.test(), 'npm test')
    const page = await open(at(id))
    await page.getByRole('button', { name: 'Always' }).waitFor()
    await page.keyboard.press('w')
    await page.getByRole('button', { name: 'Approve and remember' }).click()
    await expect.poll(async () => (await item(id)).state, { timeout: 9_000 }).toBe('decided')
    await page.keyboard.press('g')
    await page.keyboard.press('u')
    const row = page.getByRole('row').filter({ hasText: 'npm test' })
    await row.getByText('allows').waitFor()
    await axe(page)
    await row.getByRole('button', { name: 'Take back' }).click()
    await row.getByRole('button', { name: 'Undo' }).click()
    await row.getByRole('button', { name: 'Take back' }).click()
    await row.waitFor({ state: 'detached' })
    await page.getByLabel('Name').fill('printf')
    await page.getByRole('button', { name: 'Add it' }).click()
    await page.getByRole('row').filter({ hasText: 'printf' }).getByText('asks first').waitFor()
    expect(await overflow(await open('/reviews/rules', { width: 390 }))).toBe(0)
  })

  test('two people see what the other decides; who comes late is told, and nothing is decided twice', async () => {
    const { id } = await one(asks.build(6), 'make part-6')
    const [first, second] = [await open(at(id)), await open(at(id))]
    await second.getByRole('button', { name: 'Approve' }).waitFor()
    await first.getByRole('button', { name: 'Approve' }).waitFor()
    await second.keyboard.press('a')
    await api(`/api/reviews/${encodeURIComponent(id)}/decision`, { decision: 'reject', comment: 'no' })
    await seen(first).getByText('Rejected').waitFor()
    await second
      .getByRole('alert')
      .getByText(/decided it first: rejected/)
      .waitFor({ timeout: 9_000 })
    expect(await item(id)).toMatchObject({ decision: 'reject', comment: 'no' })
    kit.complaints.splice(0) // the answer 409
  })

  test('an item that was decided takes no second decision while the news of it are slow', async () => {
    const { id } = await one(asks.build(9), 'make part-9')
    const page = await open('/')
    const held: (() => void)[] = []
    let isSlow = false
    await page.routeWebSocket(/\/api\/live/, (line) => {
      const server = line.connectToServer()
      server.onMessage((frame) => (isSlow ? held.push(() => line.send(frame)) : line.send(frame)))
    })
    const sent: string[] = []
    page.on('request', (request) => request.url().endsWith('/decision') && sent.push(request.postData() ?? ''))
    await page.goto(`${kit.banyan().url}${at(id)}`)
    await page.getByRole('button', { name: 'Approve' }).waitFor()
    await page.getByText('live', { exact: true }).waitFor()
    isSlow = true
    await page.keyboard.press('a')
    await page.keyboard.press('a')
    await seen(page).getByText('sent in a moment').waitFor()
    await page.evaluate(() => dispatchEvent(new Event('pagehide')))
    await seen(page).getByText('sent', { exact: true }).waitFor()
    await page.keyboard.press('a')
    await page.keyboard.press('Shift+A')
    await page.evaluate(() => dispatchEvent(new Event('pagehide')))
    isSlow = false
    for (const pass of held.splice(0)) pass()
    await seen(page).getByText(/^by /).waitFor()
    expect(sent).toHaveLength(1)
  })

  test('a command that a crash cut off is put before a person, who looks and tells what happened', async () => {
    const { treeId } = await api('/api/goals', { goal: 'Run `echo sent >> letters.log; sleep 60` (once)', model: 'playbook' })
    await expect.poll(() => existsSync(join(kit.banyan().dataDir, 'workspaces', treeId!, 'letters.log'))).toBe(true)
    await kit.banyan().kill()
    await kit.banyan().restart()
    const { items } = await vi.waitUntil(
      async () => {
        const open = await api<{ items: Item[] }>('/api/reviews?state=open')
        return open.items.length > 0 && open
      },
      { timeout: 15_000 },
    )
    expect(items).toMatchObject([{ kind: 'in_doubt' }])
    const { id } = items[0]!
    const page = await open(at(id))
    await page.getByRole('heading', { name: 'Banyan was cut off while this command ran' }).waitFor()
    await page.locator('.review-command', { hasText: 'echo sent >> letters.log' }).waitFor()
    await seen(page)
      .getByText(/Look where it should have had an effect/)
      .waitFor()
    await axe(page)
    await page.keyboard.press('q')
    await page.keyboard.type('The letter is in the log.')
    await page.keyboard.press('Enter')
    await seen(page).getByText('sent in a moment').waitFor()
    await page.evaluate(() => dispatchEvent(new Event('pagehide')))
    await expect.poll(async () => (await api(`/api/trees/${treeId}`)).status).toBe('done')
    expect(await item(id)).toMatchObject({ decision: 'answer', comment: 'The letter is in the log.' })
  })

  test('what comes in waits behind a button; what is put off comes back', async () => {
    const held = await one(asks.build(7), 'make part-7')
    const page = await open('/reviews')
    await page.locator('.review-line').first().waitFor()
    const late = await one(asks.build(8), 'make part-8')
    await page.getByRole('button', { name: '1 new' }).waitFor()
    expect(await page.locator('.review-line').count()).toBe(1)
    await page.getByRole('button', { name: '1 new' }).click()
    await page.locator('.review-line', { hasText: 'part-8' }).waitFor()
    await page.locator('.review-line', { hasText: 'part-7' }).getByRole('link').click()
    await page.keyboard.press('s')
    await page.getByRole('menuitem', { name: 'For an hour' }).click()
    await expect.poll(async () => (await item(held.id)).state).toBe('snoozed')
    await page.goto(`${kit.banyan().url}/reviews?tab=snoozed`)
    await page.locator('.review-line', { hasText: 'part-7' }).waitFor()
    await api(`/api/reviews/${encodeURIComponent(late.id)}/decision`, { decision: 'reject' })
    await page.goto(`${kit.banyan().url}/reviews?tab=done&q=part-8`)
    await page.locator('.review-line', { hasText: 'part-8' }).getByText('Rejected').waitFor()
    await page.goto(`${kit.banyan().url}/reviews?q=nothing-has-these-words`)
    await page.getByText('Nothing fits these filters').waitFor()
  })

  test('100 mixed items are triaged from the keyboard, each decided exactly once', async () => {
    const goals = [
      ...Array.from({ length: 40 }, (_, i) => asks.build(100 + i)),
      ...Array.from({ length: 25 }, asks.test),
      ...Array.from({ length: 20 }, (_, i) => asks.question(i)),
      ...Array.from({ length: 5 }, asks.fetch),
      ...Array.from({ length: 10 }, asks.flag),
    ]
    const items = await ask(kit, goals, 100)
    const page = await open('/reviews')
    await page.locator('.review-line').first().waitFor()
    let strokes = 0
    const press = async (keys: string) => {
      strokes += 1
      await page.keyboard.press(keys)
    }
    const left = () => page.evaluate(() => Number(document.querySelector('.review-tabs .place-count')?.textContent ?? 0))
    const current = () => page.locator('.review-line.is-current .review-line-title').textContent()
    await press('j')
    for (let rounds = 0; (await left()) > 0 && rounds < 200; rounds++) {
      const before = await left()
      const title = (await current()) ?? ''
      const batch = title.includes('npm test')
      if (title.includes('curl')) {
        await press('r')
        await press('Enter')
      } else if (title.includes('database')) {
        await press('1')
        await press('Enter')
      } else if (batch) {
        await press('Shift+A')
        await page.getByLabel('Type 25 to go on').fill('25')
        strokes += 2
        await page.keyboard.press('Tab')
        await press('Enter')
      } else await press('a')
      await expect.poll(left).toBeLessThan(before)
    }
    await expect
      .poll(async () => (await api<{ items: Item[] }>('/api/reviews?state=open&limit=200')).items.length, { timeout: 15_000 })
      .toBe(0)
    const ends = await Promise.all(items.map(({ id }) => item(id)))
    for (const end of ends) {
      expect(end.decidedBy, end.title).not.toBe('system')
      expect(end.decision, end.title).toBe(end.title.includes('curl') ? 'reject' : end.kind === 'question' ? 'answer' : 'approve')
    }
    const facts = await allFacts()
    for (const { id } of items) expect(facts.filter((fact) => fact.type === 'review.decided' && fact.review?.id === id)).toHaveLength(1)
    console.log(`100 items: ${strokes} keystrokes`)
    expect(strokes).toBeLessThanOrEqual(130)
  }, 180_000)

  async function allFacts() {
    const facts: { type: string; seq: number; review?: { id: string } }[] = []
    for (;;) {
      const { items } = await api<{ items: typeof facts }>(`/api/events?after=${facts.at(-1)?.seq ?? 0}&limit=1000`)
      facts.push(...items)
      if (items.length < 1000) return facts
    }
  }
})
