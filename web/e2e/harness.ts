/**
 * For tests of pages: a real Banyan driven by the playbook, a real Chromium that is logged in, and what every page has to hold: no
 * complaint of the browser (a refused style or script is one) and no fault that axe finds, in light and in dark.
 */
import { AxeBuilder } from '@axe-core/playwright'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect } from 'vitest'
import { type Instance, startInstance } from '../../scripts/instance.ts'
import { need } from '../../scripts/needs.ts'

const executablePath = need('chromium')
/** A network interface of the machine came or went, as with each container: no fault of a page, which asks again. */
const OF_THE_MACHINE = /net::ERR_NETWORK_CHANGED/
/** `describe.skipIf(noBrowser)`. */
export const noBrowser = !executablePath

export type Harness = {
  banyan: () => Instance
  /** A new tab at that address, once it is live and its page, which is fetched by itself, is drawn: its keys work from then on. `width` in pixels, 1280 when left out. */
  open(path?: string, how?: { width?: number; height?: number }): Promise<Page>
  /** A JSON call as the administrator; any answer but a good one fails the test. */
  api<T = Record<string, string>>(path: string, body?: unknown, method?: string): Promise<T>
  /** Nothing that axe finds, in both themes. */
  axe(page: Page): Promise<void>
  /** Pixels by which the page is wider than the screen. */
  overflow(page: Page): Promise<number>
  /** What the browser complained about since the test began. A test that causes one takes it out. */
  complaints: string[]
}

/** Call it inside `describe`: it starts, watches and ends everything by itself. `settings`: environment of the engine; `checkout`: the source that it may change, in place of this one. */
export function harness(settings: Readonly<Record<string, string>> = {}, checkout?: string): Harness {
  let instance: Instance
  let browser: Browser
  let context: BrowserContext
  const complaints: string[] = []

  beforeAll(async () => {
    // How full the machine of the test is shall change no picture.
    instance = await startInstance({ ALERT_PERCENT: '100', ...settings }, checkout)
    browser = await chromium.launch({ executablePath: executablePath!, args: process.getuid?.() === 0 ? ['--no-sandbox'] : [] })
    context = await browser.newContext({ reducedMotion: 'reduce' })
    context.setDefaultTimeout(15_000)
    const first = await context.newPage()
    await first.goto(instance.loginUrl)
    await first.getByText('live', { exact: true }).waitFor()
    await first.close()
  })
  afterAll(async () => {
    await browser?.close()
    await instance?.remove()
  })
  afterEach(async () => {
    for (const page of context.pages()) await page.close()
    expect(complaints.splice(0)).toEqual([])
  })

  return {
    banyan: () => instance,
    complaints,
    async open(path = '/', how = {}) {
      const page = await context.newPage()
      page.on('console', (said) => said.type() === 'error' && !OF_THE_MACHINE.test(said.text()) && complaints.push(said.text()))
      page.on('pageerror', (error) => complaints.push(error.message))
      await page.setViewportSize({ width: how.width ?? 1280, height: how.height ?? 860 })
      await page.goto(instance.url + path)
      await page.getByText('live', { exact: true }).waitFor()
      await page.locator('main h1').first().waitFor({ state: 'attached' })
      return page
    },
    async api<T>(path: string, body?: unknown, method = body === undefined ? 'GET' : 'POST') {
      const response = await fetch(instance.url + path, {
        method,
        headers: { authorization: `Bearer ${instance.token}`, 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      expect(response.ok, `${method} ${path}: ${response.status}`).toBe(true)
      return (await response.json()) as T
    },
    axe: async (page) => expect(await axeFaults(page)).toEqual([]),
    overflow: (page) => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth),
  }
}

/** What depends on the theme; the rest of a page is the same in both, and axe takes seconds for it. */
const OF_COLOUR = ['color-contrast', 'link-in-text-block']

/** What axe finds on a page as it is, in light and in dark; one line each. */
export async function axeFaults(page: Page): Promise<string[]> {
  const faults: string[] = []
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
    // The old way looks at the page in the page alone; the new one opens another page each time to put frames together, and ours cannot be looked into.
    const axe = new AxeBuilder({ page }).setLegacyMode()
    const { violations } = await (colorScheme === 'dark' ? axe.withRules(OF_COLOUR) : axe).analyze()
    for (const { id, nodes } of violations) {
      // A menu or a tooltip floats outside of the landmarks, but belongs to the control that opened it.
      const real = nodes.filter(({ html }) => id !== 'region' || !html.includes('data-radix-popper-co'))
      if (real.length > 0) faults.push(`${colorScheme} ${id}: ${real.map((node) => node.html.slice(0, 160)).join(' | ')}`)
    }
  }
  return faults
}
