/**
 * `node scripts/screenshots.ts [folder]`: runs the example goals on a private instance and writes pictures of the page, light and dark, to
 * docs/screenshots. README shows them.
 */
import { mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { chromium } from 'playwright-core'
import { startInstance } from './instance.ts'
import { NEEDS, need } from './needs.ts'

const executablePath = need('chromium')
if (!executablePath) {
  console.error(`A Chromium is needed: apt-get install -y --no-install-recommends ${NEEDS.chromium.apt}`)
  process.exit(1)
}
const folder = process.argv[2] ?? join(dirname(import.meta.dirname), 'docs', 'screenshots')
mkdirSync(folder, { recursive: true })

const banyan = await startInstance()
const browser = await chromium.launch({ executablePath, args: process.getuid?.() === 0 ? ['--no-sandbox'] : [] })
try {
  const context = await browser.newContext({ viewport: { width: 1280, height: 860 }, reducedMotion: 'reduce', locale: 'en-GB' })
  const page = await context.newPage()
  await page.goto(banyan.loginUrl)
  const trees: Record<string, string> = {}
  for (const name of ['Run a list of commands', 'Take stock of a folder', 'Ask for a judgement']) {
    await page.goto(banyan.url)
    await page.getByRole('button', { name: `Start: ${name}` }).click()
    await page.waitForURL(/\/trees\//)
    trees[name] = page.url()
    await page
      .locator('.goal-head')
      .getByText(/^(done|waiting for you)$/)
      .waitFor()
  }
  for (const scheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' })
    const shoot = (name: string) => page.screenshot({ path: join(folder, `${name}${scheme === 'dark' ? '-dark' : ''}.png`) })
    await page.setViewportSize({ width: 1280, height: 1060 })
    await page.goto(banyan.url)
    await page.locator('.goals').waitFor()
    await shoot('goal')
    await page.setViewportSize({ width: 1280, height: 860 })
    await page.goto(trees['Take stock of a folder']!)
    await page.getByRole('button', { name: 'Show the result' }).waitFor()
    await page.getByRole('treeitem').nth(1).waitFor()
    await shoot('tree')
  }
  console.log(`Pictures are in ${folder}`)
} finally {
  await browser.close()
  await banyan.remove()
}
