/** Banyan changes itself: its pages, with a real agent, real gates and a small source. The keeper is played by the files that it writes. */
import { rmSync } from 'node:fs'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Change } from '../../core/contract/change.ts'
import { need } from '../../scripts/needs.ts'
import { changeGoal, changesOf, GREETING, playedKeeper, sampleCheckout } from '../../scripts/sample-changes.ts'
import { MODEL, startAskingModel } from '../../scripts/testing/asking-model.ts'
import { harness, noBrowser } from './harness.ts'

const LOUD = [
  '/** What is said first. */',
  "export const greeting = (name: string): string => ['Hello', name].join(', ')",
  '/** The same, for the far end of the room. */',
  "export const loud = (name: string): string => greeting(name).concat('!')",
  '',
].join('\n')
const BYE = "/** What is said last. */\nexport const farewell = (): string => 'Goodbye'\n"

describe.skipIf(noBrowser || !need('bubblewrap'))('the pages of evolution', { timeout: 180_000 }, async () => {
  const model = noBrowser ? null : await startAskingModel()
  const source = sampleCheckout()
  const kit = harness({ MODEL: `openai/${MODEL}`, OPENAI_BASE_URL: model?.url ?? '' }, source.folder)
  const { open, axe, overflow, complaints } = kit
  let keeper: ReturnType<typeof playedKeeper>
  let changes: ReturnType<typeof changesOf>
  let louder: Change
  let refused: Change
  beforeAll(async () => {
    keeper = playedKeeper(kit.banyan().dataDir, source)
    changes = changesOf(kit.banyan())
  })
  afterAll(async () => {
    await model?.close()
    rmSync(source.folder, { recursive: true, force: true })
  })
  const at = (change: Change, tail = '') => `/evolution/${change.id}${tail}`
  const state = (page: Page) => page.locator('.change-marks .status .word')

  test('say how to ask for a change while there is none, by key and on a phone', async () => {
    const page = await open('/')
    await page.locator('body').press('g')
    await page.locator('body').press('e')
    await page.getByText('Banyan has not changed itself yet').waitFor()
    await page.getByText(/Give a goal such as/).waitFor()
    await axe(page)
    await page.locator('body').press('n')
    await page.getByText('It goes to review_agent.').waitFor()
    expect(new URL(page.url()).search).toBe('?agent=review_agent')
  })

  test('a refused change says why, in the list and on its page; the log of the gate is in the address', async () => {
    await changes.begin()
    const open1 = await changes.give(
      changeGoal(
        'Let everybody do everything',
        { 'core/policy/policy.ts': '/** Who may. */\nexport const may = (): boolean => true\n' },
        {
          title: 'Everybody may',
          why: 'It is simpler.',
        },
      ),
    )
    const page = await open('/evolution')
    await page.getByRole('link', { name: /Everybody may.*refused/ }).waitFor({ timeout: 30_000 })
    refused = (await changes.ofGoal(open1))!
    await page.locator('body').press('j')
    await page.keyboard.press('Enter')
    await page.waitForURL(`**${at(refused)}`)
    await page.locator('.change-why', { hasText: 'guards the system' }).waitFor()
    await page.getByRole('button', { name: /^protected paths failed/ }).click()
    await expect.poll(() => new URL(page.url()).searchParams.get('gate')).toBe('protected paths')
    await page.reload()
    await page.getByRole('region', { name: 'What protected paths wrote' }).waitFor()
    expect(await page.getByRole('button', { name: 'Undo this change' }).count()).toBe(0)
    await axe(page)
  })

  test('a change that waits is decided with its difference, its gates and its level; marks of what was viewed stay', async () => {
    const goal = await changes.give(
      changeGoal(
        'Greet louder',
        { [GREETING]: LOUD, 'core/contract/farewell.ts': BYE },
        {
          title: 'Greets louder',
          why: 'The **far end** did not hear it. <img src=x onerror=alert(1)>',
        },
      ),
    )
    louder = await changes.until(goal, 'review')
    const page = await open(at(louder))
    await expect.poll(() => state(page).innerText()).toBe('waits for you')
    await page.locator('body').press('r')
    await page.waitForURL('**/reviews/**')
    const item = page.locator('.review-item')
    await item.getByText('Level 2, code of the system').waitFor()
    await item.getByText('loud = (name: string)').waitFor()
    await item.getByRole('button', { name: /^Gates .* passed/ }).click()
    await item.getByRole('button', { name: /^affected tests passed/ }).waitFor()
    expect(await item.locator('img').count()).toBe(0)
    await axe(page)
    await page.locator('body').press('v')
    await item.getByText('1 of 2 viewed').waitFor()
    await page.locator('body').press('v')
    await item.getByText('2 of 2 viewed').waitFor()
    await page.reload()
    await item.getByText('2 of 2 viewed').waitFor()
    const other = await open(at(louder))
    await other.getByText('2 of 2 viewed').waitFor()
    await other.close()
    const phone = await open(`/reviews/${louder.reviewId}`, { width: 390, height: 844 })
    await phone.locator('.self-change').waitFor()
    expect(await overflow(phone)).toBe(0)
    for (const one of await phone.locator('.self-change :is(button, .file-viewed):visible').all())
      expect((await one.boundingBox())!.height).toBeGreaterThanOrEqual(44)
    await axe(phone)
  })

  test('a change whose ground moved is judged anew, and the item from before leads to the newer one', async () => {
    const before = louder.reviewId!
    const page = await open(`/reviews/${before}`)
    await page.locator('.self-change').waitFor()
    source.write('README.md', '# Small, and moved on\n')
    source.commit('A person goes on')
    keeper.started()
    await expect.poll(async () => (await changes.ofGoal(louder.treeId!))?.round, { timeout: 30_000 }).toBe(2)
    await page.getByText('It was judged anew').waitFor()
    louder = await changes.until(louder.treeId!, 'review')
    await page.getByText('Its 2 files are the same').waitFor()
    await page.getByText('Every gate said the same again.').waitFor()
    await page.getByRole('link', { name: 'Decide the newer one' }).click()
    await page.waitForURL(`**/reviews/${louder.reviewId}`)
    await page.locator('.self-change').getByText('2 of 2 viewed').waitFor()
  })

  test('approved, it restarts under an open page that goes on by itself, is watched, and is kept', async () => {
    const page = await open(at(louder))
    const decide = await open(`/reviews/${louder.reviewId}`)
    await decide.locator('.self-change').waitFor()
    await decide.getByRole('button', { name: /^Let it run/ }).click()
    await kit.banyan().ended()
    await decide.close()
    await page.getByText('restarting…').waitFor()
    expect(keeper.request().changeId).toBe(louder.id)
    keeper.runs(louder, 'trial')
    for (const type of ['boot', 'ready']) keeper.tell(type, louder, null, 120)
    await kit.banyan().restart()
    await page.getByText('live', { exact: true }).waitFor({ timeout: 30_000 })
    await expect.poll(() => state(page).innerText(), { timeout: 30_000 }).toBe('runs, watched')
    await page.getByText(/^Watched for 2 min .* of 10 min/).waitFor()
    await page.getByRole('link', { name: 'on trial' }).waitFor()
    await axe(page)
    keeper.tell('kept', louder)
    keeper.runs(louder, 'kept')
    await expect.poll(() => state(page).innerText(), { timeout: 30_000 }).toBe('kept')
    await expect.poll(() => page.getByRole('link', { name: 'on trial' }).count()).toBe(0)
    complaints.splice(0) // the server was away
    const phone = await open(at(louder), { width: 390, height: 844 })
    await phone.getByText('is kept', { exact: true }).waitFor()
    expect(await overflow(phone)).toBe(0)
    await axe(phone)
  })

  test('a kept change is undone after it was said what that does, and both pages tell', async () => {
    const page = await open(at(louder))
    await page.locator('body').press('Shift+U')
    const dialog = page.getByRole('alertdialog')
    await dialog.getByText(/Its 2 files go back to how they were/).waitFor()
    await dialog.getByText(/Banyan restarts with it/).waitFor()
    await axe(page)
    await dialog.getByLabel(/^Why/).fill('Too loud.')
    await dialog.getByRole('button', { name: 'Undo it' }).click()
    await page.getByRole('heading', { name: 'Take back: Greets louder' }).waitFor()
    await kit.banyan().ended()
    for (const type of ['boot', 'ready', 'kept']) keeper.tell(type, { ...keeper.request(), id: keeper.request().changeId })
    await kit.banyan().restart()
    await page.getByText('live', { exact: true }).waitFor({ timeout: 30_000 })
    await page.getByRole('link', { name: louder.id }).click()
    await expect.poll(() => state(page).innerText()).toBe('taken back')
    expect(source.read(GREETING)).not.toContain('loud')
    complaints.splice(0) // the server was away
  })

  test('the list is narrowed by the address and live; what may land without a person is asked before it is let', async () => {
    const page = await open('/evolution')
    await page.getByRole('link', { name: 'Under way' }).click()
    await expect.poll(() => new URL(page.url()).search).toBe('?f=open')
    await expect.poll(() => page.getByRole('link', { name: /Everybody may/ }).count()).toBe(0)
    await page.locator('body').press('1')
    await page.getByRole('link', { name: /Everybody may/ }).waitFor()
    await page.getByRole('combobox', { name: 'Lands without you' }).click()
    await page.getByRole('option', { name: /^Code too/ }).click()
    await page.getByRole('alertdialog').getByRole('button', { name: 'Keep it' }).click()
    await page.getByRole('combobox', { name: 'Lands without you' }).click()
    await page.getByRole('option', { name: /^Nothing/ }).click()
    await expect.poll(async () => (await changes.call<{ autonomy: string }>('/api/system/self-change')).autonomy).toBe('none')
    await axe(page)
    await page.setViewportSize({ width: 390, height: 844 })
    expect(await overflow(page)).toBe(0)
    await axe(page)
  })

  test('in safe mode every page says so and leads here', async () => {
    await kit.banyan().kill()
    await kit.banyan().restart({ SAFE_MODE: '1' })
    const page = await open('/')
    await page.getByText(/^Safe mode: agents are off/).waitFor()
    await page.getByRole('link', { name: 'Look at the changes' }).click()
    await page.getByRole('heading', { name: 'Evolution' }).waitFor()
    await page
      .getByRole('link', { name: /Greets louder/ })
      .first()
      .waitFor()
    await axe(page)
    expect(refused.state).toBe('refused')
  })
})
