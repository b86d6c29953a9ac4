import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Instance, startInstance } from '../../scripts/instance.ts'
import { need } from '../../scripts/needs.ts'

const executablePath = need('chromium')

describe.skipIf(!executablePath)('the page in a real browser', () => {
  let banyan: Instance
  let browser: Browser
  let context: BrowserContext
  let page: Page
  /** What the browser complained about. */
  let complaints: string[]

  beforeAll(async () => {
    banyan = await startInstance()
    browser = await chromium.launch({ executablePath: executablePath!, args: process.getuid?.() === 0 ? ['--no-sandbox'] : [] })
    context = await browser.newContext()
    const first = await context.newPage()
    await first.goto(banyan.loginUrl)
    await first.getByText('live', { exact: true }).waitFor()
    await first.close()
  })
  afterAll(async () => {
    await browser?.close()
    await banyan?.remove()
  })
  beforeEach(async () => {
    page = await watched(await context.newPage())
  })
  afterEach(async () => {
    await page.close()
    expect(complaints).toEqual([])
  })

  async function watched(fresh: Page): Promise<Page> {
    complaints = []
    fresh.setDefaultTimeout(15_000)
    fresh.on('console', (said) => said.type() === 'error' && complaints.push(said.text()))
    fresh.on('pageerror', (error) => complaints.push(error.message))
    return fresh
  }
  const api = async (path: string, body?: unknown) => {
    const response = await fetch(banyan.url + path, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { authorization: `Bearer ${banyan.token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    expect(response.ok, `${path}: ${response.status}`).toBe(true)
    return (await response.json()) as Record<string, string>
  }
  const submit = async (goal: string, mode = 'auto') => (await api('/api/goals', { goal, mode })).treeId!
  /** The status of the goal that is open. */
  const status = (word: string) => page.locator('.goal-head').getByText(word, { exact: true })
  const row = (name: string | RegExp) => page.getByRole('treeitem', { name })
  const overflow = () => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)

  test('whoever is not logged in is told in one sentence how to', async () => {
    const stranger = await browser.newContext()
    const theirs = await stranger.newPage()
    await theirs.goto(`${banyan.url}/reviews`)
    await theirs.getByRole('heading', { name: 'You are not logged in' }).waitFor()
    expect(await theirs.locator('main').innerText()).toContain('npx banyan open')
    await stranger.close()
  })

  test('the admin token logs a browser in, and a wrong one is told where the right one is', async () => {
    const stranger = await browser.newContext()
    const theirs = await stranger.newPage()
    await theirs.goto(`${banyan.url}/?login=not_allowed`)
    await theirs.getByText('This account may not sign in here.').waitFor()
    const field = theirs.getByLabel('Admin token')
    expect(await field.getAttribute('autocomplete')).toBe('current-password')
    await field.fill('not-the-token')
    await theirs.getByRole('button', { name: 'Log in', exact: true }).click()
    await theirs.getByText('This is not the admin token').waitFor()
    await field.fill(banyan.token)
    await theirs.getByRole('button', { name: 'Log in', exact: true }).click()
    await theirs.getByText('live', { exact: true }).waitFor()
    expect(new URL(theirs.url()).search).toBe('')
    expect((await stranger.cookies()).map((one) => [one.httpOnly, one.sameSite])).toEqual([[true, 'Lax']])
    await stranger.close()
  })

  test('the example goals start with one click, and without a model they come to a result or to a question', async () => {
    const ends = { 'Run a list of commands': 'done', 'Take stock of a folder': 'done', 'Ask for a judgement': 'waiting for you' }
    for (const [name, word] of Object.entries(ends)) {
      await page.goto(banyan.url)
      await page.getByRole('button', { name: `Start: ${name}` }).click()
      await status(word).waitFor()
    }
    await page.goto(banyan.url)
    await page.getByRole('heading', { name: 'Needs you' }).waitFor()
    expect(await page.title()).toMatch(/^\(1\)/)
    expect(await page.locator('.driver').innerText()).toContain('No model is connected')
    await expect.poll(() => page.locator('.goal').count()).toBe(3)
  })

  test('a tree grows under the eye, without a reload, until it is done', async () => {
    await page.goto(banyan.url)
    await page
      .getByLabel('What should be done?')
      .fill(`Two lines:\n1. Run \`until test -e open; do sleep 0.05; done; echo first\`\n2. Then run \`echo second\``)
    await page.reload()
    expect(await page.getByLabel('What should be done?').inputValue()).toContain('echo second')
    await page.getByLabel('What should be done?').press('Control+Enter')
    await row(/echo first.*running/).waitFor()
    await row(/echo second.*waiting for another task/).waitFor()
    // The gate lies in the goal's own folder: a sandbox shows its command no other.
    writeFileSync(join(banyan.dataDir, 'workspaces', page.url().split('/').at(-1)!.split('?')[0]!, 'open'), '', { mode: 0o644 })
    await status('done').waitFor()
    expect(await row(/echo (first|second).*done/).count()).toBe(2)
    await page.getByRole('heading', { name: 'Result' }).waitFor()
    await page.goto(banyan.url)
    expect(await page.getByLabel('What should be done?').inputValue()).toBe('')
  })

  test('a question is answered where it stands, and the answer becomes the result', async () => {
    await submit('Which of my two uncles is kinder?')
    await page.goto(banyan.url)
    const card = page.getByRole('article').filter({ hasText: 'two uncles' })
    await card.getByRole('button', { name: 'Answer', exact: true }).click()
    await card.getByRole('textbox', { name: 'Your answer' }).fill('Uncle **Theodor**, since 1987.')
    await card.getByRole('button', { name: 'Answer', exact: true }).click()
    await card.getByText('sent in a moment').waitFor()
    await card.waitFor({ state: 'detached' })
    const goal = page.locator('.goal').filter({ hasText: 'two uncles' })
    await goal.getByText('done', { exact: true }).waitFor()
    await goal.click()
    await page.locator('.framed').getByText('Theodor').waitFor()
    expect(await page.locator('.framed strong').innerText()).toBe('Theodor')
  })

  test('a task has an address: reload, back and a second tab show the same; arrow keys walk the tree', async () => {
    const id = await submit('1. Run `echo alpha`\n2. Run `echo beta`')
    await page.goto(`${banyan.url}/trees/${id}`)
    await status('done').waitFor()
    await row(/echo beta/).click()
    await page.getByRole('heading', { name: /echo beta/, level: 2 }).waitFor()
    // The result of the goal has such a heading too; the address follows when the choosing stops.
    await expect.poll(() => page.url()).toContain('task=')
    const address = page.url()
    await page.reload()
    await page.getByRole('heading', { name: /echo beta/, level: 2 }).waitFor()
    expect(await row(/echo beta/).getAttribute('aria-selected')).toBe('true')
    await page.locator('.call-line').filter({ hasText: 'use_terminal' }).first().click()
    await page.locator('.fact-list').getByText('Exit code', { exact: true }).waitFor()

    await row(/echo beta/).focus()
    await page.keyboard.press('ArrowUp')
    await page.getByRole('heading', { name: /echo alpha/, level: 2 }).waitFor()
    await page.keyboard.press('Home')
    await page.keyboard.press('ArrowLeft')
    await expect.poll(() => page.getByRole('treeitem').count()).toBe(1)
    await page.keyboard.press('ArrowRight')
    await expect.poll(() => page.getByRole('treeitem').count()).toBeGreaterThan(2)

    const second = await context.newPage()
    await second.goto(address)
    await second.getByRole('heading', { name: /echo beta/, level: 2 }).waitFor()
    await second.close()
  })

  test('a server that is killed and comes back heals the open page by itself', async () => {
    const id = await submit('1. Run `echo before`\n2. Run `sleep 2; echo after` (retry 2)')
    await page.goto(`${banyan.url}/trees/${id}`)
    await row(/echo after.*running/).waitFor()
    await banyan.kill()
    await page.getByText(/reconnecting…|offline/).waitFor()
    await banyan.restart()
    await page.getByText('live', { exact: true }).waitFor()
    await status('done').waitFor()
    await page.goBack().catch(() => null)
    // What was written while the line was down was a browser's complaint about the line, and nothing else.
    complaints = complaints.filter((words) => !/ERR_CONNECTION|WebSocket|net::ERR/.test(words))
  })

  test('what agents write runs nothing, loads nothing and links only to the web', async () => {
    const asked: string[] = []
    page.on('request', (request) => asked.push(request.url()))
    page.on('dialog', (dialog) => {
      asked.push(`dialog ${dialog.message()}`)
      void dialog.dismiss()
    })
    const hostile = [
      '# Fine <script>alert(1)</script><img src=x onerror=alert(2)>',
      '![pixel](http://example.invalid/pixel.png) <svg onload=alert(3)><style>body{display:none}</style>',
      '[good](https://example.org/) [bad](javascript:alert(4)) [worse](data:text/html,x) [ours](/api/logout)',
      '<a href="https://example.org" style="position:fixed;inset:0" onclick="alert(5)" id="root" target="_self">cover</a>',
      '<form action="/api/logout"><input name=x><button>go</button></form><iframe src="http://example.invalid/"></iframe>',
      '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert(6)&gt;">',
      `${'wide'.repeat(300)}`,
    ].join('\n\n')
    const id = await submit('Say something about hostility, in your own words')
    await expect.poll(async () => (await api(`/api/trees/${id}`)).status).toBe('waiting')
    await page.goto(`${banyan.url}/trees/${id}`)
    await page.getByRole('button', { name: 'Answer', exact: true }).click()
    await page.getByRole('textbox', { name: 'Your answer' }).fill(hostile)
    await page.getByRole('button', { name: 'Answer', exact: true }).click()
    const shown = page.locator('.framed .markdown')
    await shown.getByText('Fine').waitFor()
    const found = await shown.evaluate((element) => ({
      tags: [...new Set([...element.querySelectorAll('*')].map((one) => one.localName))],
      attributes: [...new Set([...element.querySelectorAll('*')].flatMap((one) => one.getAttributeNames()))].sort(),
      links: [...element.querySelectorAll('a[href]')].map((link) => link.getAttribute('href')),
      rels: [...element.querySelectorAll('a[href]')].map((link) => link.getAttribute('rel')),
    }))
    expect(found.tags.filter((tag) => /script|img|svg|style|form|input|button|iframe|math/.test(tag))).toEqual([])
    expect(found.attributes.filter((name) => !['href', 'rel', 'target', 'align', 'start'].includes(name))).toEqual([])
    expect(found.links).toEqual(['https://example.org/'])
    expect(await shown.innerText()).toContain('<script>alert(1)</script>')
    expect(new Set(found.rels)).toEqual(new Set(['noopener noreferrer']))
    expect(asked.filter((url) => !url.startsWith(banyan.url))).toEqual([])
    expect(await overflow()).toBe(0)
  })

  test('a narrow screen shows everything without scrolling sideways', async () => {
    await submit(`1. Run \`echo ${'narrow'.repeat(30)}\`\n2. What would a duck say?`)
    await page.setViewportSize({ width: 380, height: 740 })
    for (const path of ['/', '/reviews']) {
      await page.goto(banyan.url + path)
      await page.getByText('live', { exact: true }).waitFor()
      await page.locator('.goal, .review-line').first().waitFor()
      expect(await overflow(), path).toBe(0)
    }
  })

  test('light and dark follow the system until a person chooses, and the choice stays', async () => {
    const paper = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor)
    await page.emulateMedia({ colorScheme: 'light' })
    await page.goto(banyan.url)
    const light = await paper()
    await page.emulateMedia({ colorScheme: 'dark' })
    const dark = await paper()
    expect(dark).not.toBe(light)
    const choose = async (name: string) => {
      await page.getByRole('button', { name: 'Appearance' }).click()
      await page.getByRole('menuitemradio', { name }).click()
      await page.keyboard.press('Escape')
    }
    await choose('Light')
    expect(await paper()).toBe(light)
    await page.reload()
    expect(await paper()).toBe(light)
    await choose('Dark')
    expect(await paper()).toBe(dark)
    await choose('As the system')
    await page.emulateMedia({ colorScheme: 'light' })
    expect(await paper()).toBe(light)
  })

  test('an address that leads nowhere says so and leads back', async () => {
    await page.goto(`${banyan.url}/trees/never-was`)
    await page.getByRole('heading', { name: 'There is no goal never-was' }).waitFor()
    await page.getByRole('link', { name: 'Go to the goals' }).click()
    await page.getByLabel('What should be done?').waitFor()
    complaints = complaints.filter((words) => !words.includes('404'))
  })
})
