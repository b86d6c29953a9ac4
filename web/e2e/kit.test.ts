import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Browser, chromium, type Page } from 'playwright-core'
import { build } from 'vite'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type Server, serve } from '../../core/http/fixture/serve.ts'
import { need } from '../../scripts/needs.ts'
import { axeFaults } from './harness.ts'

const executablePath = need('chromium')

describe.skipIf(!executablePath)('the parts of the kit, under the policy of the real server', () => {
  const folder = mkdtempSync(join(tmpdir(), 'banyan-kit-'))
  let server: Server
  let browser: Browser
  let page: Page
  const complaints: string[] = []

  beforeAll(async () => {
    const root = join(import.meta.dirname, 'gallery')
    const configFile = join(import.meta.dirname, '..', 'vite.config.ts')
    await build({ configFile, root, logLevel: 'warn', build: { outDir: folder, emptyOutDir: true } })
    server = await serve({ pageFolder: folder })
    browser = await chromium.launch({ executablePath: executablePath!, args: process.getuid?.() === 0 ? ['--no-sandbox'] : [] })
    const context = await browser.newContext({ reducedMotion: 'reduce', viewport: { width: 1280, height: 1000 } })
    context.setDefaultTimeout(15_000)
    page = await context.newPage()
    page.on('console', (said) => said.type() === 'error' && complaints.push(said.text()))
    page.on('pageerror', (error) => complaints.push(error.message))
    await page.goto(server.url)
    await page.getByRole('textbox', { name: 'Some JSON' }).waitFor()
  })
  afterAll(async () => {
    await browser?.close()
    await server?.stop()
    rmSync(folder, { recursive: true, force: true })
  })
  afterEach(() => {
    // Nobody is logged in here, and what that costs is not the kit's.
    expect(complaints.splice(0).filter((words) => !/401|WebSocket/.test(words))).toEqual([])
  })
  const state = () => page.locator('output').first().innerText()

  test('nothing in them that axe finds, in light and in dark', async () => {
    await page.locator('.cm-collapsedLines').first().waitFor()
    expect(await axeFaults(page)).toEqual([])
  })

  test('the editor takes what is typed, marks JSON that cannot be read, and Tab leaves it', async () => {
    const editor = page.getByRole('textbox', { name: 'Some JSON' })
    await editor.click()
    await page.keyboard.press('Control+a')
    await page.keyboard.type('[1, 2')
    await page.keyboard.press('Delete')
    await page.keyboard.type(', oops')
    await page.locator('.cm-lint-marker-error').waitFor()
    expect(await state()).toContain('oops')
    await page.keyboard.press('Escape')
    await page.keyboard.press('Tab')
    expect(await editor.evaluate((element) => element.contains(document.activeElement))).toBe(false)
    const colour = await page
      .locator('.cm-gutters')
      .first()
      .evaluate((element) => getComputedStyle(element).backgroundColor)
    expect(colour).not.toBe('rgba(0, 0, 0, 0)')
  })

  test('a difference shows the line that went and the line that came, and folds the rest', async () => {
    const file = page.locator('.diff-file').filter({ hasText: 'long.yaml' })
    await file.locator('.cm-deletedChunk').getByText('line 30').waitFor()
    await file.locator('.cm-changedLine').getByText('line thirty').waitFor()
    expect(await file.locator('.cm-collapsedLines').count()).toBe(2)
    expect(await page.locator('.diff-file').filter({ hasText: 'new.md' }).innerText()).toContain('added')
  })

  test('select, combobox, switch and tabs are worked by keyboard', async () => {
    await page.getByRole('combobox', { name: 'A duck', exact: true }).focus()
    await page.keyboard.press('Enter')
    await page.getByRole('option', { name: 'PINTAIL' }).waitFor()
    await page.keyboard.press('p')
    // A letter moves the focus in a task of its own; Enter takes what has it.
    await expect.poll(() => page.getByRole('option', { name: 'PINTAIL' }).evaluate((one) => one === document.activeElement)).toBe(true)
    await page.keyboard.press('Enter')
    await expect.poll(state).toContain('|pintail|')
    await page.getByRole('combobox', { name: /A duck by typing/ }).focus()
    await page.keyboard.press('Enter')
    await page.getByRole('option', { name: 'TEAL' }).waitFor()
    await page.keyboard.type('mall')
    await page.keyboard.press('Enter')
    await expect.poll(state).toContain('|mallard|')
    await page.getByRole('switch', { name: 'Switched' }).press(' ')
    await expect.poll(state).toContain('|true|')
    await page.getByRole('tab', { name: 'First' }).focus()
    await page.keyboard.press('ArrowRight')
    await page.getByText('The second').waitFor()
  })

  test('what cannot be undone asks first, and for its word; what can be undone offers it', async () => {
    await page.getByRole('button', { name: 'Delete' }).click()
    const asks = page.getByRole('alertdialog', { name: 'Delete it?' })
    expect(await asks.getByRole('button', { name: 'Delete it' }).isDisabled()).toBe(true)
    await page.keyboard.press('Escape')
    await asks.waitFor({ state: 'detached' })
    await page.getByRole('button', { name: 'Delete' }).click()
    await asks.getByRole('textbox').fill('teal')
    await asks.getByRole('button', { name: 'Delete it' }).click()
    await expect.poll(state).toContain('|deleted')
    await page.getByRole('button', { name: 'Do it' }).click()
    await page.locator('.toast').getByRole('button', { name: 'Undo' }).click()
    await expect.poll(state).toContain('|undone')
  })

  test('a price that is not known is never 0, and colours of a terminal bring no HTML', async () => {
    const text = await page.locator('main').innerText()
    expect(text).toContain('≥ $1.50')
    expect(text).toContain('unpriced')
    expect(text).toContain('green <b>not bold</b>')
    expect(await page.locator('.ansi b').count()).toBe(0)
  })

  test('the widths of a splitter are set by arrow keys and kept', async () => {
    const bar = page.getByRole('separator', { name: 'Change the widths' })
    const before = await bar.getAttribute('aria-valuenow')
    await bar.focus()
    await page.keyboard.press('ArrowRight')
    await expect.poll(() => bar.getAttribute('aria-valuenow')).not.toBe(before)
    const set = await bar.getAttribute('aria-valuenow')
    await page.reload()
    await expect.poll(() => bar.getAttribute('aria-valuenow')).toBe(set)
  })
})
