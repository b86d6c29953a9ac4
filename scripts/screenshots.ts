/**
 * `node scripts/screenshots.ts [folder [page …]]`: works through sample goals on a private instance and writes a picture of every page, or of
 * those that are named, light and dark, wide and on a phone, to docs/screenshots. README shows some of them. Names are those of the pages, so a second run replaces the first.
 */
import { mkdirSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type Browser, chromium, type Page } from 'playwright-core'
import { type Instance, startInstance } from './instance.ts'
import { NEEDS, need } from './needs.ts'
import { giveSampleChanges, sampleCheckout } from './sample-changes.ts'
import { giveSampleWork, type SampleWork } from './sample-work.ts'
import { MODEL, startAskingModel } from './testing/asking-model.ts'

/** Bytes. A larger picture makes a clone slower for everybody. */
const MAY_WEIGH = 250_000
const PAGES: Readonly<Record<string, (work: SampleWork) => string>> = {
  home: () => '/',
  goals: () => '/goals',
  tree: ({ newsletter }) => `/trees/${newsletter}`,
  timeline: ({ newsletter }) => `/trees/${newsletter}?view=time`,
  graph: ({ newsletter }) => `/trees/${newsletter}?view=graph`,
  result: ({ inventory }) => `/trees/${inventory}`,
  task: ({ askingTask }) => `/t/${askingTask}`,
  'new-goal': () => '/goals/new',
  plan: ({ plan }) => `/plans/${plan}`,
  reviews: ({ permission }) => `/reviews/${encodeURIComponent(permission)}`,
  rules: () => '/reviews/rules',
  agents: () => '/agents',
  agent: () => '/agents/newsletter_editor',
  documents: () => '/documents',
  document: () => '/documents/house_style',
  tools: () => '/tools',
  tool: () => '/tools/use_terminal?tab=try',
  system: () => '/system',
  settings: () => '/settings/providers',
  clients: () => '/settings/clients',
  servers: () => '/settings/servers',
}
const EVOLUTION = ['evolution', 'change', 'change-review']
const SIZES = { '': { width: 1280, height: 800 }, '-phone': { width: 390, height: 844 } }

const executablePath = need('chromium')
if (!executablePath) {
  console.error(`A Chromium is needed: apt-get install -y --no-install-recommends ${NEEDS.chromium.apt}`)
  process.exit(1)
}
const folder = process.argv[2] ?? join(dirname(import.meta.dirname), 'docs', 'screenshots')
mkdirSync(folder, { recursive: true })
/** Empty: all. */
const named = process.argv.slice(3)
const wanted = (name: string): boolean => named.length === 0 || named.includes(name)

/** Until nothing is being read and no picture or list moves any more. */
async function drawn(page: Page): Promise<void> {
  await page.getByText('live', { exact: true }).waitFor()
  await page.locator('main h1').first().waitFor({ state: 'attached' })
  await page.waitForFunction(() => document.querySelectorAll('main :is(.skeleton, .plot-place:empty, [aria-busy=true])').length === 0)
  await page.evaluate(() => document.fonts.ready)
}

async function pictures(browser: Browser, banyan: Instance, pages: () => Promise<Readonly<Record<string, string>>>): Promise<void> {
  const context = await browser.newContext({ reducedMotion: 'reduce', locale: 'en-GB', timezoneId: 'UTC' })
  const page = await context.newPage()
  await page.goto(banyan.loginUrl)
  await page.getByText('live', { exact: true }).waitFor()
  const addresses = Object.entries(await pages()).filter(([name]) => wanted(name))
  for (const [size, viewport] of Object.entries(SIZES)) {
    await page.setViewportSize(viewport)
    for (const [name, address] of addresses) {
      await page.goto(banyan.url + address)
      await drawn(page)
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
        const path = join(folder, `${name}${size}${colorScheme === 'dark' ? '-dark' : ''}.png`)
        await page.screenshot({ path })
        if (statSync(path).size <= MAY_WEIGH) continue
        console.error(`${path} has ${statSync(path).size} bytes, ${MAY_WEIGH} are allowed`)
        process.exitCode = 1
      }
    }
  }
  await context.close()
}

const browser = await chromium.launch({ executablePath, args: process.getuid?.() === 0 ? ['--no-sandbox'] : [] })
try {
  if (Object.keys(PAGES).some(wanted)) await work(browser)
  if (EVOLUTION.some(wanted)) {
    if (need('bubblewrap')) await evolution(browser)
    else
      console.error(
        `Without a sandbox Banyan does not change itself: apt-get install -y ${NEEDS.bubblewrap.apt}, for ${EVOLUTION.join(', ')}`,
      )
  }
  console.log(`Pictures are in ${folder}`)
} finally {
  await browser.close()
}

async function work(browser: Browser): Promise<void> {
  const banyan = await startInstance()
  try {
    await pictures(browser, banyan, async () => {
      const given = await giveSampleWork(banyan)
      return Object.fromEntries(Object.entries(PAGES).map(([name, address]) => [name, address(given)]))
    })
  } finally {
    await banyan.remove()
  }
}

/** Banyan changes a small source, by an agent whose model does what its goal says. */
async function evolution(browser: Browser): Promise<void> {
  const [model, source] = [await startAskingModel(), sampleCheckout()]
  const banyan = await startInstance({ MODEL: `openai/${MODEL}`, OPENAI_BASE_URL: model.url }, source.folder)
  try {
    await pictures(browser, banyan, async () => {
      const { kept, review } = await giveSampleChanges(banyan, source)
      return { evolution: '/evolution', change: `/evolution/${kept}`, 'change-review': `/reviews/${review}` }
    })
  } finally {
    await banyan.remove()
    await model.close()
    rmSync(source.folder, { recursive: true, force: true })
  }
}
