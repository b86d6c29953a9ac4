import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import { workspaceFiles } from '../../core/exec/files.ts'
import { NOBODY } from '../../core/exec/local.ts'
import { openRepositories } from '../../core/git/git.ts'
import { harness, noBrowser } from './harness.ts'
import { saysAs, writeHistory } from './history-fixture.ts'

describe.skipIf(noBrowser)('one task taken apart', () => {
  const { banyan, open, api, axe, overflow } = harness()
  let long = ''
  let made = ''
  const done = (id: string) => vi.waitUntil(async () => (await api(`/api/trees/${id}`)).status === 'done', { timeout: 30_000 })
  const goal = async (words: string) => (await api<{ treeId: string }>('/api/goals', { goal: words })).treeId
  /** The task that ran the command: the root hands it on. */
  const worker = async (treeId: string) =>
    (await api<{ tasks: { id: string; agent: string }[] }>(`/api/trees/${treeId}`)).tasks.find((task) => task.agent === 'generalist')!.id

  beforeAll(async () => {
    long = await goal('Run `echo long`')
    made = await goal("Run `printf '\\033[31mred\\033[0m'; echo two > two.txt`")
    await done(long)
    await done(made)
    await banyan().kill()
    await changeRepository(banyan().dataDir, made)
    const messages = Array.from({ length: 5_000 }, (_, i) =>
      i % 5 === 0 ? ({ role: 'user', from: 'person', text: `Said number ${i}` } as const) : saysAs(`Answer **${i}**`),
    )
    await writeHistory(banyan(), long, {
      messages,
      facts: [
        { type: 'task.controlled', taskId: long, verb: 'steer', by: 'owner', comment: 'Be brief.' },
        { type: 'model.fault', taskId: long, provider: 'p', model: 'm', kind: 'later', message: 'Too many asked.', retryAt: null },
      ],
    })
    await banyan().restart()
  }, 120_000)

  test('five thousand messages open at once with few lines drawn, and any of them has an address', async () => {
    const page = await open(`/t/${long}`)
    await page.locator('.timeline .entry').first().waitFor()
    expect(await page.locator('.timeline > li').count()).toBeLessThan(60)
    await page.goto(`${banyan().url}/t/${long}#e:2506`)
    const chosen = page.locator('.entry[data-chosen]')
    await chosen.waitFor()
    expect(await chosen.getAttribute('data-event')).toBe('2506')
    await expect
      .poll(() => chosen.evaluate((one) => one.getBoundingClientRect().top > 0 && one.getBoundingClientRect().top < innerHeight))
      .toBe(true)
    await page.reload()
    await chosen.waitFor()
    expect(await page.locator('.timeline > li').count()).toBeLessThan(60)
  }, 60_000)

  test('the colours of a terminal are colours in a result too, and what a command left in its folder of drafts is no file', async () => {
    const page = await open(`/t/${await worker(made)}`)
    await page.locator('.framed pre .ansi-red', { hasText: 'red' }).waitFor()
    expect(await page.locator('.framed').innerText()).not.toContain('\u001b')
    await page.goto(`${banyan().url}/t/${made}?tab=artifacts`)
    await page.locator('.file-name', { hasText: 'two.txt' }).waitFor()
    expect(await page.locator('.file-name').allInnerTexts()).toEqual(['calc', 'two.txt'])
  })

  test('what a git work tree of the task holds is shown file by file, with what was added and removed', async () => {
    const page = await open(`/t/${made}?tab=diff`)
    const tree = page.getByRole('region', { name: 'Changes in the repository calc' })
    await tree.getByText('1 commit', { exact: true }).waitFor()
    await tree.getByText('New and in no commit: notes.txt').waitFor()
    const file = tree.locator('details', { hasText: 'readme.md' })
    expect(await file.locator('summary').innerText()).toMatch(/\+1\s+−2/)
    expect(await file.locator('.diff-old code').allTextContents()).toEqual(['removed: two', 'removed: three'])
    await axe(page)
  })

  test('kinds are shown and hidden by number keys, tabs by brackets, and a reload keeps both', async () => {
    const page = await open(`/t/${made}`)
    await page.locator('.entry-words').first().waitFor()
    await page.keyboard.press('1')
    await page.locator('.entry-words').first().waitFor({ state: 'detached' })
    await page.reload()
    await page.locator('.timeline .entry').first().waitFor()
    expect(await page.locator('.entry-words').count()).toBe(0)
    expect(await page.getByRole('button', { name: 'Words' }).getAttribute('aria-pressed')).toBe('false')
    await page.keyboard.press(']')
    await page.getByRole('tab', { name: 'Call', selected: true }).waitFor()
    await page.keyboard.press('[')
    await page.getByRole('tab', { name: 'Timeline', selected: true }).waitFor()
  }, 60_000)

  test('a call tells what it was given, what it answered in its colours, and where it ran; it can be tried with other arguments', async () => {
    const page = await open(`/t/${await worker(made)}`)
    await page.locator('.call-line').filter({ hasText: 'use_terminal' }).first().click()
    await page.locator('.ansi-red').filter({ hasText: 'red' }).waitFor()
    await page.locator('.fact-list').getByText('Isolation', { exact: true }).waitFor()
    await page.getByRole('button', { name: 'Try again with other arguments…' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.locator('.cm-content').waitFor()
    await dialog.getByRole('button', { name: 'Try it' }).click()
    await dialog.getByText('It worked.').waitFor({ timeout: 30_000 })
  }, 60_000)

  test('a change of a file is compared and put back, and that is told', async () => {
    const id = await goal('Run `echo mine > mine.txt`')
    await done(id)
    const page = await open(`/t/${id}?tab=diff`)
    await page.locator('.change').filter({ hasText: 'mine.txt' }).getByText('mine', { exact: true }).first().waitFor()
    await page.getByRole('button', { name: 'Undo all of it…' }).click()
    await page.getByRole('button', { name: 'Undo', exact: true }).click()
    await page.getByText('1 file was put back.').waitFor()
    await page.getByRole('tab', { name: 'Files' }).click()
    await expect.poll(() => page.getByRole('button', { name: 'mine.txt' }).count()).toBe(0)
  }, 60_000)

  test('going on from a message says first what that touches', async () => {
    const page = await open(`/t/${await worker(made)}`)
    await page.locator('.timeline .entry').first().getByRole('button', { name: 'More' }).click()
    await page.getByRole('menuitem', { name: 'Go on from here…' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByText('two.txt', { exact: true }).waitFor()
    expect(await dialog.getByRole('textbox', { name: 'Its task' }).inputValue()).toContain('two > two.txt')
    await dialog.getByRole('button', { name: 'Leave it' }).click()
    await dialog.waitFor({ state: 'detached' })
  }, 60_000)

  test.each(['timeline', 'call', 'diff', 'artifacts', 'context', 'cost', 'raw'])(
    'the part %s fits a phone and has no fault that axe finds',
    async (tab) => {
      const page = await open(`/t/${await worker(made)}?tab=${tab}&path=two.txt`, { width: 390, height: 844 })
      await page.locator('.tab-body:not([hidden])').waitFor()
      await page.locator('.skeleton').first().waitFor({ state: 'detached' })
      expect(await overflow(page)).toBe(0)
      await axe(page)
    },
    60_000,
  )
})

/** Gives a task a work tree with a commit and with changes that are in none, by the door that agents use. */
async function changeRepository(dataDir: string, treeId: string): Promise<void> {
  const source = mkdtempSync(join(tmpdir(), 'banyan-calc-'))
  const runAs = process.getuid?.() === 0 ? NOBODY : undefined
  const repositories = openRepositories({ dataDir, path: process.env.PATH!, runAs })
  const git = (...words: string[]) =>
    execFileSync('git', ['-c', 'user.name=P', '-c', 'user.email=p@example.org', ...words], { cwd: source, stdio: 'ignore' })
  try {
    writeFileSync(join(source, 'readme.md'), 'one\ntwo\nthree\n')
    writeFileSync(join(source, 'add.js'), 'export const add = (a, b) => a - b\n')
    git('init', '-q', '-b', 'main')
    git('add', '-A')
    git('commit', '-qm', 'first')
    const folder = join(dataDir, 'workspaces', treeId)
    const files = workspaceFiles(folder)
    const task = repositories.forTask({ treeId, taskId: treeId, agent: 'generalist', files, folder: async () => folder })
    await task.clone(source, 'calc')
    await files.write('calc/add.js', 'export const add = (a, b) => a + b\n')
    await task.commit({ message: 'Add', callId: 'c1' })
    await files.write('calc/readme.md', 'one\n2\n')
    await files.write('calc/notes.txt', 'new\n')
  } finally {
    await repositories.stop()
    rmSync(source, { recursive: true, force: true })
  }
}
