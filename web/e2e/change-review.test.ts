/** A person reads and decides a change of Banyan: marks of what was viewed, approvals that come too late, twice or without a line, and a host without a sandbox. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Change } from '../../core/contract/change.ts'
import { need } from '../../scripts/needs.ts'
import { changesOf, GREETING, MAKER, playedKeeper, sampleCheckout } from '../../scripts/sample-changes.ts'
import { goalOf, MODEL, startAskingModel } from '../../scripts/testing/asking-model.ts'
import { harness, noBrowser } from './harness.ts'
import { writeHistory } from './history-fixture.ts'

const FAREWELL = 'core/contract/farewell.ts'
const LOUD = [
  '/** What is said first. */',
  "export const greeting = (name: string): string => ['Hello', name].join(', ')",
  '/** The same, for the far end of the room. */',
  "export const loud = (name: string): string => greeting(name).concat('!')",
  '',
].join('\n')
/** A person writes the head of it, an agent the word at its end. */
const bye = (word: string, head = 'What is said last.') =>
  [
    `/** ${head} */`,
    "export const parting = (): string => 'So long'",
    '',
    '/** For those who stay. */',
    "export const staying = (): string => 'Until later'",
    '',
    '/** The word itself. */',
    `export const farewell = (): string => '${word}'`,
    '',
  ].join('\n')
const write = (path: string, content: string) => ({ tool: 'write_file', input: { path: `banyan/${path}`, content } })
const submit = (title: string) => ({ tool: 'propose_change', input: { step: 'submit', kind: 'feature', title, why: 'It was too short.' } })
const SOON = { timeout: 15_000 }

describe.skipIf(noBrowser || !need('bubblewrap'))('a person who decides a change', { timeout: 180_000 }, async () => {
  const model = noBrowser ? null : await startAskingModel()
  const source = sampleCheckout()
  const kit = harness({ MODEL: `openai/${MODEL}`, OPENAI_BASE_URL: model?.url ?? '' }, source.folder)
  const { open, axe, complaints } = kit
  let keeper: ReturnType<typeof playedKeeper>
  let changes: ReturnType<typeof changesOf>
  let goal: string
  let change: Change
  const others: BrowserContext[] = []
  beforeAll(async () => {
    source.write(FAREWELL, bye('Bye'))
    source.commit('More words at the end')
    keeper = playedKeeper(kit.banyan().dataDir, source)
    changes = changesOf(kit.banyan())
    await changes.begin()
    const work = goalOf(
      'Say more at the end',
      'I make it.',
      { tool: 'propose_change', input: { step: 'begin' } },
      write(GREETING, LOUD),
      write(FAREWELL, bye('Goodbye')),
      submit('Says more'),
      write(FAREWELL, bye('Goodbye, and thank you')),
      submit('Says more'),
    )
    goal = await changes.give(work)
    change = await changes.until(goal, 'review', 'refused')
    expect(change.note).toBeNull()
  }, 240_000)
  afterAll(async () => {
    for (const one of others) await one.close()
    await model?.close()
    rmSync(source.folder, { recursive: true, force: true })
  })
  const review = () => `/reviews/${change.reviewId}`
  const mark = (page: Page, path: string) => page.getByRole('checkbox', { name: `Viewed: ${path}` })
  /** The same person in another browser: it shares the login and nothing else. */
  async function elsewhere(page: Page, path: string): Promise<Page> {
    const cookies = await page.context().cookies()
    const other = await page
      .context()
      .browser()!
      .newContext({ storageState: { cookies, origins: [] } })
    other.setDefaultTimeout(15_000)
    others.push(other)
    const there = await other.newPage()
    await there.goto(kit.banyan().url + path)
    return there
  }

  test('finds the marks of what they viewed in another browser, also those that are made meanwhile', async () => {
    const here = await open(review())
    await mark(here, GREETING).check()
    await here.getByText('1 of 2 viewed').waitFor()
    const there = await elsewhere(here, `/evolution/${change.id}`)
    await there.getByText('1 of 2 viewed').waitFor()
    await mark(there, FAREWELL).check()
    await here.getByText('2 of 2 viewed').waitFor()
    await mark(here, GREETING).uncheck()
    await there.getByText('1 of 2 viewed').waitFor()
    await mark(there, GREETING).check()
    await here.getByText('2 of 2 viewed').waitFor()
    await here.reload()
    await here.getByText('2 of 2 viewed').waitFor()
  })

  test('loses no mark that could not be sent: the page says so, keeps it over a reload, and sends it when it can', async () => {
    const here = await open(review())
    await here.getByText('2 of 2 viewed').waitFor()
    await here.route('**/viewed', (route) => (route.request().method() === 'PUT' ? route.abort() : route.continue()))
    await mark(here, GREETING).uncheck()
    await here.getByText('1 mark is not saved yet').waitFor()
    await axe(here)
    await here.reload()
    await here.getByText('1 of 2 viewed').waitFor()
    await here.getByText('1 mark is not saved yet').waitFor()
    const there = await elsewhere(here, review())
    await there.getByText('2 of 2 viewed').waitFor()
    await here.unroute('**/viewed')
    await there.getByText('1 of 2 viewed').waitFor()
    await expect.poll(() => here.getByText('is not saved yet').count(), SOON).toBe(0)
    await mark(here, GREETING).check()
    await there.getByText('2 of 2 viewed').waitFor()
    expect(complaints.splice(0).every((one) => one.includes('ERR_FAILED'))).toBe(true)
  })

  test('has only the file to look at again that the agent changed after it was sent back', async () => {
    const { actionHash } = await changes.call<{ actionHash: string }>(`/api/reviews/${change.reviewId}`)
    await changes.call(`/api/reviews/${change.reviewId}/decision`, { decision: 'changes', comment: 'Say thank you.', actionHash })
    await expect.poll(async () => (await changes.ofGoal(goal))?.id, { timeout: 30_000 }).not.toBe(change.id)
    change = await changes.until(goal, 'review')
    const here = await open(review())
    await here.getByText('1 of 2 viewed').waitFor()
    expect(await mark(here, GREETING).isChecked()).toBe(true)
    expect(await mark(here, FAREWELL).isChecked()).toBe(false)
    await here.locator('.file-diff', { hasText: 'farewell.ts' }).getByText('changed since you viewed it').waitFor()
    await here.getByText('Goodbye, and thank you').waitFor()
    await axe(here)
  })

  test('approves nothing that changed under them: the page says what differs and shows it', async () => {
    const before = change
    const here = await open(review())
    let release: () => void = () => undefined
    const released = new Promise<void>((resolve) => {
      release = resolve
    })
    const asked = here.waitForRequest('**/decision', { timeout: 30_000 })
    await here.route('**/decision', async (route) => {
      await released
      await route.continue()
    })
    await here.getByRole('button', { name: /^Let it run/ }).click()
    await asked
    source.write(FAREWELL, bye('Bye', 'What is said last of all.'))
    source.commit('A person changes its first line')
    keeper.started()
    await expect.poll(async () => (await changes.ofGoal(goal))?.state, { timeout: 30_000 }).not.toBe('review')
    const ended = await changes.until(goal, 'review', 'refused')
    const answered = here.waitForResponse('**/decision', { timeout: 30_000 })
    release()
    expect((await answered).status()).toBe(409)
    expect(ended).toMatchObject({ id: before.id, state: 'review', decidedBy: null })
    await here.getByText('Your decision was not taken').waitFor()
    const now = here.getByRole('region', { name: 'What is different now' })
    await now.getByText('1 file differs of 2').waitFor()
    await now
      .getByText(/Goodbye/)
      .first()
      .waitFor()
    await axe(here)
    await now.getByRole('link', { name: 'Decide the newer one' }).click()
    change = (await changes.ofGoal(goal))!
    await here.waitForURL(`**${review()}`)
    await here.getByRole('button', { name: /^Let it run/ }).waitFor()
    expect(change).toMatchObject({ id: before.id, state: 'review', decidedBy: null, round: before.round + 1 })
    complaints.splice(0) // the 409
  })

  test('approves once by two clicks, and a line that is lost meanwhile holds it back and loses nothing', async () => {
    const here = await open(review())
    const sent: string[] = []
    here.on('request', (request) => request.url().endsWith('/decision') && sent.push(request.url()))
    await here.context().setOffline(false)
    await here.getByRole('button', { name: /^Let it run/ }).dblclick()
    await here.context().setOffline(true)
    await here
      .getByText(/1 decision is kept here and sent when it does/)
      .first()
      .waitFor()
    expect((await changes.ofGoal(goal))?.decidedBy).toBeNull()
    const failed = sent.length
    await here.context().setOffline(false)
    await kit.banyan().ended()
    expect(sent.length).toBeGreaterThan(0)
    expect(keeper.request().changeId).toBe(change.id)
    for (const type of ['boot', 'ready', 'kept']) keeper.tell(type, change)
    keeper.runs(change, 'kept')
    await kit.banyan().restart()
    change = await changes.until(goal, 'kept')
    expect(failed).toBeGreaterThan(0)
    const { items } = await kit.api<{ items: { type: string; review?: { kind: string; decision: string; decidedBy: string } }[] }>(
      '/api/events?after=0&limit=1000',
    )
    const approvals = items.filter(({ type, review }) => type === 'review.decided' && review?.decision === 'approve')
    expect(approvals).toMatchObject([{ review: { kind: 'self_change', decidedBy: 'owner' } }])
    complaints.splice(0) // the server was away
  })

  test('finds the change that a goal lists as evidence on the page of the goal, and follows it', async () => {
    await expect.poll(async () => (await kit.api(`/api/trees/${goal}`)).status, { timeout: 60_000 }).toBe('done')
    await kit.banyan().kill()
    const listed = { kind: 'change', id: change.id, title: change.title, state: 'kept', ok: true }
    await writeHistory(kit.banyan(), goal, { evidence: JSON.stringify([listed]) })
    await kit.banyan().restart()
    const here = await open(`/trees/${goal}?result=1`)
    await here.getByRole('link', { name: 'Says more', exact: true }).first().click()
    await here.waitForURL(`**/evolution/${change.id}`)
    await expect.poll(() => here.locator('.change-marks .status .word').innerText()).toBe('kept')
  })

  test('without a sandbox on the host reads why code cannot be changed, and can still take one back', async () => {
    const bare = mkdtempSync(join(tmpdir(), 'banyan-bare-'))
    chmodSync(bare, 0o755)
    // As on a host whose kernel lets nobody make namespaces.
    writeFileSync(join(bare, 'bwrap'), '#!/bin/sh\necho "bwrap: No permissions to create new namespace" >&2\nexit 1\n', { mode: 0o755 })
    const PATH = `${bare}:${process.env.PATH}`
    await kit.banyan().kill()
    await kit.banyan().restart({ PATH })
    const here = await open('/evolution')
    const note = here.getByRole('note').filter({ hasText: 'Banyan cannot change its own code here' })
    await note.getByText(/No permissions to create new namespace.*allow it user namespaces/).waitFor({ timeout: 60_000 })
    expect(await here.getByRole('link', { name: 'Ask for a change' }).count()).toBe(0)
    await axe(here)
    await here.getByRole('link', { name: /Says more.*kept/ }).click()
    await here.getByRole('button', { name: 'Undo this change' }).click()
    await here.getByRole('alertdialog').getByRole('button', { name: 'Undo it' }).click()
    await here.getByRole('heading', { name: 'Take back: Says more' }).waitFor()
    await kit.banyan().ended()
    for (const type of ['boot', 'ready', 'kept']) keeper.tell(type, { ...keeper.request(), id: keeper.request().changeId })
    await kit.banyan().restart({ PATH })
    await expect.poll(async () => (await changes.call<{ change: Change }>(`/api/changes/${change.id}`)).change.state, SOON).toBe('undone')
    expect(source.read(FAREWELL)).not.toContain('thank you')
    // Data is changed as ever.
    await kit.api(`/api/agents/${MAKER.name}`, { ...MAKER, description: 'Changes Banyan, where that is possible.' }, 'PUT')
    rmSync(bare, { recursive: true, force: true })
    complaints.splice(0) // the server was away
  })
})
