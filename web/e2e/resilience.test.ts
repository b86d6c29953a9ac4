/** What a page that is kept open has to live through. Real processes; the network is a real wire that is cut, silent or slow. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Instance, startInstance } from '../../scripts/instance.ts'
import { need } from '../../scripts/needs.ts'
import { freePort, openRelay, type Relay } from './relay.fixture.ts'

const executablePath = need('chromium')
const SOON = { timeout: 30_000 }

describe.skipIf(!executablePath)('a page that is kept open', { timeout: 120_000 }, () => {
  let relay: Relay
  let banyan: Instance
  /** Its address without the wire between. */
  let engine: string
  let browser: Browser
  let context: BrowserContext
  /** What went wrong in the page's own code. A browser's complaints about a line that is down are no such thing. */
  const thrown: string[] = []

  beforeAll(async () => {
    relay = await openRelay()
    const port = await freePort()
    banyan = await startInstance({ PUBLIC_URL: relay.url, PORT: String(port) })
    engine = `http://127.0.0.1:${port}`
    relay.to(port)
    browser = await chromium.launch({ executablePath: executablePath!, args: process.getuid?.() === 0 ? ['--no-sandbox'] : [] })
  }, 120_000)
  afterAll(async () => {
    await browser?.close()
    await banyan?.remove()
    await relay?.close()
  })
  beforeEach(async () => {
    context = await logIn()
  })
  afterEach(async () => {
    relay.mend()
    relay.slow(null)
    await context.close()
    for (const { id, status } of (await api<{ items: { id: string; status: string }[] }>('/api/trees')).items)
      if (!['done', 'failed', 'cancelled', 'dead'].includes(status)) await api(`/api/tasks/${id}/abort`, {})
    expect(thrown.splice(0)).toEqual([])
  })

  async function logIn(): Promise<BrowserContext> {
    const fresh = await browser.newContext({ reducedMotion: 'reduce' })
    fresh.setDefaultTimeout(30_000)
    const page = await fresh.newPage()
    await page.goto(relay.url)
    await page.getByLabel('Admin token').fill(banyan.token)
    await page.getByRole('button', { name: 'Log in', exact: true }).click()
    await live(page).waitFor()
    await page.close()
    return fresh
  }
  async function api<T = Record<string, string>>(path: string, body?: unknown, method = body === undefined ? 'GET' : 'POST'): Promise<T> {
    const response = await fetch(engine + path, {
      method,
      headers: { authorization: `Bearer ${banyan.token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    expect(response.ok, `${method} ${path}: ${response.status}`).toBe(true)
    return (response.status === 204 ? {} : await response.json()) as T
  }
  const live = (page: Page) => page.locator('.line').getByText('live', { exact: true })
  const lost = (page: Page) => page.locator('.line').getByText(/reconnecting…|offline/)
  const row = (page: Page, name: RegExp) => page.getByRole('treeitem', { name })
  const submit = async (goal: string) => (await api('/api/goals', { goal })).treeId!
  /** Lets a command go on that waits for the file `open` in the goal's folder. */
  const letGo = (treeId: string) => writeFileSync(join(banyan.dataDir, 'workspaces', treeId, 'open'), '', { mode: 0o644 })
  const GATED = '1. Run `echo first`\n2. Run `until test -e open; do sleep 0.05; done; echo second`\n3. Then run `echo third`'
  /** The page at that address; `same` says afterwards that it was never loaded anew. */
  async function open(path: string, own = context) {
    const page = await own.newPage()
    page.on('pageerror', (error) => thrown.push(error.message))
    await page.goto(relay.url + path)
    await live(page).waitFor()
    await page.evaluate(() => Object.assign(window, { loadedOnce: true }))
    return { page, same: () => page.evaluate(() => 'loadedOnce' in window) }
  }

  test('shows the right tree after the server was killed and came back, without a reload and with what was being typed', async () => {
    const id = await submit(GATED)
    const { page, same } = await open(`/trees/${id}`)
    await row(page, /echo second.*running/).waitFor()
    const draft = page.getByPlaceholder(/Say something to the agent/)
    await draft.fill('Use the short words, please')
    await banyan.kill()
    await lost(page).waitFor()
    await banyan.restart()
    await live(page).waitFor()
    expect(await draft.inputValue()).toBe('Use the short words, please')
    letGo(id)
    await row(page, /^Then run `echo third.*done/).waitFor()
    await row(page, /^Run `echo first.*done/).waitFor()
    expect(await same()).toBe(true)
  })

  test('says that it is not live while the network is gone, and then shows what happened meanwhile', async () => {
    const id = await submit(GATED)
    const { page, same } = await open(`/trees/${id}`)
    await row(page, /echo second.*running/).waitFor()
    await context.setOffline(true)
    relay.cut()
    await lost(page).waitFor()
    letGo(id)
    await expect.poll(async () => (await api(`/api/trees/${id}`)).status, SOON).toBe('done')
    expect(await row(page, /echo third.*done/).count()).toBe(0)
    relay.mend()
    await context.setOffline(false)
    await live(page).waitFor()
    await row(page, /^Then run `echo third.*done/).waitFor()
    expect(await same()).toBe(true)
  })

  test('finds out after sleep that its line is dead although nobody closed it', async () => {
    const id = await submit(GATED)
    const page = await context.newPage()
    await page.clock.install()
    await page.goto(`${relay.url}/trees/${id}`)
    await live(page).waitFor()
    await row(page, /echo second.*running/).waitFor()
    relay.silence()
    letGo(id)
    await expect.poll(async () => (await api(`/api/trees/${id}`)).status, SOON).toBe('done')
    expect(await live(page).count()).toBe(1)
    relay.mend()
    await page.clock.fastForward('45:00')
    await row(page, /^Then run `echo third.*done/).waitFor()
    await live(page).waitFor()
  })

  test('comes to the same end over a slow line, and is live all the while', async () => {
    const { page, same } = await open('/goals')
    await page.setViewportSize({ width: 1280, height: 2_000 })
    relay.slow(20_000)
    const id = await submit(Array.from({ length: 18 }, (_, i) => `${i + 1}. Run \`seq 1 ${200 + i}\``).join('\n'))
    await expect.poll(async () => (await api(`/api/trees/${id}`)).status, SOON).toBe('done')
    await page.getByRole('link', { name: /seq 1 200/ }).click()
    await expect.poll(() => page.getByRole('treeitem', { name: /^Run `seq.*done/ }).count(), { timeout: 60_000 }).toBe(18)
    await live(page).waitFor()
    expect(await same()).toBe(true)
  })

  test('shows in every tab what is done in one', async () => {
    await submit('Which of my two aunts is kinder?')
    const { page: first } = await open('/')
    const { page: second, same } = await open('/')
    const card = (page: Page) => page.getByRole('article').filter({ hasText: 'two aunts' })
    await card(second).waitFor()
    await card(first).getByRole('button', { name: 'Answer', exact: true }).click()
    await card(first).getByRole('textbox', { name: 'Your answer' }).fill('Aunt Agathe.')
    await card(first).getByRole('button', { name: 'Answer', exact: true }).click()
    await card(second).waitFor({ state: 'detached' })
    expect(await same()).toBe(true)
  })

  test('offers the new page when Banyan was updated, and loads it only when asked to', async () => {
    const other = mkdtempSync(join(tmpdir(), 'banyan-revision-'))
    try {
      const git = (...words: string[]) => execFileSync('git', words, { cwd: other, stdio: 'pipe' })
      git('init', '-q')
      git('-c', 'user.name=t', '-c', 'user.email=t@localhost', 'commit', '-q', '--allow-empty', '-m', 'Another revision')
      const { page, same } = await open('/goals')
      await page.getByRole('searchbox').fill('kept words')
      await banyan.kill()
      await lost(page).waitFor()
      await banyan.restart({ GIT_DIR: join(other, '.git') })
      const load = page.getByRole('button', { name: 'Load the new page' })
      await load.waitFor()
      expect(await page.getByRole('searchbox').inputValue()).toBe('kept words')
      expect(await same()).toBe(true)
      await load.click()
      await expect.poll(same, SOON).toBe(false)
      await live(page).waitFor()
      expect(await load.count()).toBe(0)
    } finally {
      rmSync(other, { recursive: true, force: true })
      await banyan.kill()
      await banyan.restart()
    }
  })

  test('shows the login in its place when its session is ended elsewhere, and the same page after it', async () => {
    const id = await submit(GATED)
    const { page } = await open(`/trees/${id}`)
    const elsewhere = await logIn()
    const { page: other } = await open('/', elsewhere)
    expect(
      await other.evaluate(
        async () => (await fetch('/api/sessions', { method: 'DELETE', headers: { 'content-type': 'application/json' } })).status,
      ),
    ).toBe(200)
    await page.getByLabel('Admin token').waitFor()
    expect(await row(page, /echo first/).count()).toBe(0)
    await page.getByLabel('Admin token').fill(banyan.token)
    await page.getByRole('button', { name: 'Log in', exact: true }).click()
    await row(page, /echo second.*running/).waitFor()
    expect(page.url()).toContain(id)
    await elsewhere.close()
  })
})

describe.skipIf(!executablePath)('the first run', { timeout: 120_000 }, () => {
  test('leads from an empty data folder to a first result by the keyboard alone', async () => {
    const banyan = await startInstance()
    const browser = await chromium.launch({ executablePath: executablePath!, args: process.getuid?.() === 0 ? ['--no-sandbox'] : [] })
    try {
      const page = await browser.newPage()
      page.setDefaultTimeout(30_000)
      const complaints: string[] = []
      page.on('console', (said) => said.type() === 'error' && complaints.push(said.text()))
      page.on('pageerror', (error) => complaints.push(error.message))
      await page.goto(banyan.loginUrl)
      await page.getByText('live', { exact: true }).waitFor()
      await page.keyboard.press('Tab')
      await page.keyboard.press('Enter')
      const start = page.getByRole('button', { name: /^Start: Run a list of commands/ })
      await start.waitFor()
      const at = () => start.evaluate((element) => element === document.activeElement)
      for (let steps = 0; !(await at()); steps++) {
        expect(steps, 'presses of Tab before the example').toBeLessThan(40)
        await page.keyboard.press('Tab')
      }
      await page.keyboard.press('Enter')
      await page.locator('.goal-head').getByText('done', { exact: true }).waitFor()
      await page.getByRole('button', { name: 'Show the result' }).focus()
      await page.keyboard.press('Enter')
      await expect.poll(() => page.locator('.result-card').innerText(), SOON).toContain('machine.md')
      await expect.poll(() => page.getByRole('treeitem').count(), SOON).toBeGreaterThan(4)
      expect(complaints).toEqual([])
    } finally {
      await browser.close()
      await banyan.remove()
    }
  })
})
