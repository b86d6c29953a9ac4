import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Locator, Page } from 'playwright-core'
import { afterEach, describe, expect, test } from 'vitest'
import { harness, noBrowser } from './harness.ts'

describe.skipIf(noBrowser)('the page of a goal', () => {
  const { banyan, open, api, axe, overflow, complaints } = harness()
  /** Goals of the test; what is still at work at its end is ended, so that it takes no worker from the next. */
  const given: string[] = []
  const submit = async (goal: string, more: object = {}) => {
    const id = (await api('/api/goals', { goal, ...more })).treeId!
    given.push(id)
    return id
  }
  afterEach(async () => {
    for (const id of given.splice(0)) {
      const { status } = await api(`/api/trees/${id}`)
      if (!['done', 'failed', 'cancelled', 'dead'].includes(status!)) await api(`/api/tasks/${id}/abort`, {})
    }
  })
  const row = (page: Page, name: string | RegExp) => page.getByRole('treeitem', { name })
  const chosen = (page: Page) => page.locator('[role=treeitem][aria-selected=true]')
  /** What is read out for a row. */
  const said = (line: Locator) => line.locator('.hidden').textContent()
  const status = (page: Page, word: string) => page.locator('.goal-head').getByText(word, { exact: true })
  const key = async (page: Page, keys: string) => page.keyboard.press(keys)
  const folder = (treeId: string) => join(banyan().dataDir, 'workspaces', treeId)
  /** A goal with a task of every kind of end: done, failed, skipped, asking and at work. */
  const mixed = [
    'Sort the letters of this week',
    '1. Run `echo alpha > alpha.txt; echo alpha`',
    '2. Run `false`',
    '3. Then run `echo never`',
    '4. Which of the two drafts is the better one?',
    '5. Run `sleep 300`',
  ].join('\n')
  const mixedTree = async () => {
    const id = await submit(mixed)
    const page = await open(`/trees/${id}`)
    await row(page, /two drafts.*waiting for you/).waitFor()
    await row(page, /sleep 300.*running/).waitFor()
    await row(page, /^Run `false`.*failed/).waitFor()
    await row(page, /^Run `echo alpha.*done/).waitFor()
    return { id, page }
  }

  test('says in its head what failed, runs and waits, and in each row what that is', async () => {
    const { page } = await mixedTree()
    const head = page.locator('.goal-head')
    for (const words of ['1 needs you', '1 failed', '1 running', '1 done', '6 tasks'])
      await head.getByText(words, { exact: true }).waitFor()
    expect(await said(row(page, /^Then run `echo never/))).toContain('skipped')
    const first = row(page, /Sort the letters/)
    expect(await said(first)).toContain('1 of 5 done, 1 failed')
    expect(
      await row(page, /two drafts/).evaluate((line) =>
        ['aria-level', 'aria-posinset', 'aria-setsize'].map((name) => line.getAttribute(name)),
      ),
    ).toEqual(['2', '4', '5'])
    await axe(page)
  })

  test('is walked by keys alone: arrows, next failure, next question, fold, and Enter into the details', async () => {
    const { page } = await mixedTree()
    expect(await page.locator('[role=treeitem][tabindex="0"]').count()).toBe(1)
    await chosen(page).focus()
    await key(page, 'ArrowDown')
    await expect.poll(() => said(chosen(page))).toContain('alpha')
    await key(page, 'End')
    await expect.poll(() => said(chosen(page))).toContain('sleep 300')
    await expect.poll(() => page.url()).toContain('task=')
    await key(page, 'Home')
    await key(page, '.')
    await expect.poll(() => said(chosen(page))).toContain('false')
    await key(page, '!')
    await expect.poll(() => said(chosen(page))).toContain('two drafts')
    await key(page, 'z')
    await expect.poll(() => page.getByRole('treeitem').count()).toBe(1)
    await key(page, 'ArrowRight')
    await expect.poll(() => page.getByRole('treeitem').count()).toBe(6)
    await key(page, 'k')
    await key(page, 'j')
    await expect.poll(() => said(chosen(page))).toContain('alpha')
    await chosen(page).focus()
    await key(page, 'Enter')
    await expect.poll(() => page.evaluate(() => document.activeElement?.className)).toContain('task-scroll')
  })

  test('keeps task, view and filter in its address: reload and back show the same', async () => {
    const { page } = await mixedTree()
    await page.getByRole('button', { name: 'Failed', exact: true }).click()
    await expect.poll(() => page.getByRole('treeitem').count()).toBe(2)
    await page.getByRole('button', { name: 'Need you', exact: true }).click()
    await expect.poll(() => page.getByRole('treeitem').count()).toBe(3)
    await row(page, /two drafts/).click()
    await page.getByRole('button', { name: 'Timeline' }).click()
    await page.locator('.time-bar').first().waitFor()
    await page.reload()
    await page.locator('.time-bar').first().waitFor()
    expect(await page.getByRole('treeitem').count()).toBe(3)
    expect(await said(chosen(page))).toContain('two drafts')
    await axe(page)
    await page.goBack()
    await expect.poll(() => page.locator('.time-bar').count()).toBe(0)
    await page.getByRole('button', { name: 'Failed', exact: true }).click()
    await page.getByRole('button', { name: 'Need you', exact: true }).click()
    await page.getByRole('button', { name: 'More filters' }).click()
    await page.getByLabel('Cost more than, in dollars').fill('9')
    await page.getByRole('button', { name: 'Apply' }).click()
    await page.getByText('No task fits').waitFor()
    await page.getByRole('button', { name: 'Show all tasks' }).click()
    await expect.poll(() => page.getByRole('treeitem').count()).toBe(6)
    await page.getByRole('button', { name: 'More filters' }).click()
    await page.getByLabel('Has called the tool').fill('use_terminal')
    await page.getByRole('button', { name: 'Apply' }).click()
    await expect.poll(() => row(page, /two drafts/).count()).toBe(0)
    await row(page, /echo alpha/).waitFor()
  })

  test('is searched by the server; n goes from place to place and opens the branches above', async () => {
    const { page } = await mixedTree()
    await chosen(page).focus()
    await key(page, 'z')
    await expect.poll(() => page.getByRole('treeitem').count()).toBe(1)
    await key(page, '/')
    await page.keyboard.type('never')
    await page.locator('.hit-line').first().waitFor()
    await axe(page)
    await key(page, 'Enter')
    await expect.poll(() => said(chosen(page))).toContain('echo never')
    expect(new URL(page.url()).searchParams.get('q')).toBe('never')
    await key(page, 'Escape')
    await expect.poll(() => page.locator('.hits').count()).toBe(0)
  })

  test('a task is paused, resumed, told something, aborted and retried by its keys; the menu says what cannot be done and why', async () => {
    const { page } = await mixedTree()
    await row(page, /sleep 300/).click()
    await page.getByRole('region', { name: 'What you can do with this task' }).waitFor()
    await key(page, 's')
    await page.keyboard.type('Mind the gap')
    await key(page, 'Enter')
    await page.locator('.steer-trail').getByText('Mind the gap').waitFor()
    await page
      .locator('.steer-trail')
      .getByText(/queued/)
      .waitFor()
    await key(page, 'Escape')
    await page.getByRole('button', { name: 'More to do with this task' }).click()
    const menu = page.getByRole('menu')
    expect(await menu.getByRole('menuitem', { name: /^Retry/ }).getAttribute('aria-disabled')).toBe('true')
    await menu.getByText('Only a task that failed or was stopped can be retried.').waitFor()
    await axe(page)
    await key(page, 'Escape')
    await key(page, 'Shift+C')
    await page.getByRole('button', { name: 'Keep it' }).click()
    await row(page, /sleep 300.*running/).waitFor()
    await key(page, 'Shift+C')
    await page.getByRole('button', { name: 'Abort now' }).click()
    await row(page, /sleep 300.*stopped/).waitFor()
    await key(page, 'r')
    await row(page, /sleep 300.*(running|queued)/).waitFor()

    await row(page, /Sort the letters/).click()
    await expect.poll(() => page.url()).not.toContain('task=')
    await key(page, 'p')
    await row(page, /Sort the letters.*paused/).waitFor()
    await page.getByRole('button', { name: 'Resume', exact: true }).click()
    await row(page, /Sort the letters.*waiting for subtasks/).waitFor()
  })

  test('a goal in steps runs one turn at a time from its button', async () => {
    const id = await submit('1. Run `echo one`\n2. Run `echo two`', { mode: 'step' })
    const page = await open(`/trees/${id}`)
    await status(page, 'paused').waitFor()
    await page.getByRole('button', { name: 'Run one turn' }).click()
    await expect.poll(() => page.getByRole('treeitem').count()).toBe(3)
  })

  test('a task runs again with its files put back, its changes are undone, and its goal starts anew with other words', async () => {
    const id = await submit('Keep a list\n1. Run `echo more >> notes.txt; cat notes.txt`\n2. Run `true`')
    const page = await open(`/trees/${id}`)
    await status(page, 'done').waitFor()
    await row(page, /^Run `echo more/).click()
    await expect.poll(() => page.url()).toContain('task=')
    const taskId = new URL(page.url()).searchParams.get('task')!
    const found = async () => (await api<{ items: { path: string }[] }>(`/api/tasks/${taskId}/files`)).items.map((item) => item.path)
    const [path] = await found()
    const file = join(folder(id), path!)
    expect(readFileSync(file, 'utf8')).toBe('more\n')
    await page.getByRole('button', { name: 'Run again from…' }).click()
    await page.getByRole('dialog').getByText('1 file was changed since then').waitFor()
    await axe(page)
    await page.getByRole('combobox', { name: 'Files' }).click()
    await page.getByRole('option', { name: 'Put files back to that point' }).click()
    expect(await page.getByRole('textbox', { name: 'Its task' }).inputValue()).toContain('echo more')
    await page.getByRole('combobox', { name: /^Model/ }).click()
    await page.getByRole('option', { name: 'playbook' }).click()
    await page.getByRole('button', { name: 'Run again', exact: true }).click()
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    await row(page, /^Run `echo more.*done/).waitFor()
    await expect.poll(async () => (await found()).length).toBeGreaterThan(1)
    expect(readFileSync(file, 'utf8')).toBe('more\n')
    expect(await api(`/api/tasks/${taskId}`)).toMatchObject({ model: 'playbook' })

    await key(page, 'Shift+U')
    await page.getByRole('button', { name: /^Undo \d+ changes?$/ }).click()
    await page.getByText('1 file was put back.').first().waitFor()
    expect(existsSync(file)).toBe(false)

    await key(page, 'Shift+F')
    await page.getByLabel('What should be done?').fill('1. Run `echo anew`\n2. Run `true`')
    await page.getByRole('button', { name: 'Start', exact: true }).click()
    await row(page, /^Run `echo anew/).waitFor()
    expect(page.url()).not.toContain(id)
    await page.getByRole('link', { name: id }).waitFor()
  })

  test('a goal at a limit says so, and one click raises it', async () => {
    // It takes eight turns: at four it is held, and twice that is just enough.
    const id = await submit('1. Run `echo a`\n2. Run `echo b`\n3. Run `echo c`', { budget: { turns: 4 } })
    const page = await open(`/trees/${id}`)
    await page.locator('.held').waitFor()
    await axe(page)
    await page.getByRole('button', { name: /^Raise to 8 turns/ }).click()
    await page.locator('.held').waitFor({ state: 'detached' })
    await status(page, 'done').waitFor()
  })

  test('what came out is shown with proof and files to take along', async () => {
    const id = await submit('1. Run `echo hello > hello.txt; echo made`\n2. Run `true`')
    const page = await open(`/trees/${id}`)
    await page.getByRole('button', { name: 'Show the result' }).click()
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: /Download .*hello.txt/ }).click()])
    expect(readFileSync(await download.path(), 'utf8')).toBe('hello\n')
    await axe(page)
  })

  test('who comes back is told what happened meanwhile and jumps to it', async () => {
    const id = await submit('1. Run `until test -e open; do sleep 0.05; done; false`\n2. Run `sleep 300`')
    const page = await open(`/trees/${id}`)
    await row(page, /until test.*running/).waitFor()
    await page.goto(`${banyan().url}/goals`)
    writeFileSync(join(folder(id), 'open'), '', { mode: 0o644 })
    await expect.poll(async () => (await api<{ counts: Record<string, number> }>(`/api/trees/${id}`)).counts.failed).toBe(1)
    await page.goto(`${banyan().url}/trees/${id}`)
    const away = page.getByRole('region', { name: 'While you were away' })
    await away.getByRole('button', { name: '1 failed' }).click()
    await expect.poll(() => said(chosen(page))).toContain('until test')
    await axe(page)
    await away.getByRole('button', { name: 'Show only what changed' }).click()
    await expect.poll(() => row(page, /sleep 300/).count()).toBe(0)
  })

  test('follow mode goes along with what begins', async () => {
    const id = await submit('1. Run `until test -e open; do sleep 0.05; done`\n2. Then run `sleep 300`')
    const page = await open(`/trees/${id}?follow=1`)
    await expect.poll(() => said(chosen(page))).toContain('until test')
    writeFileSync(join(folder(id), 'open'), '', { mode: 0o644 })
    await expect.poll(() => said(chosen(page))).toContain('sleep 300')
  })

  test('the graph shows who started whom and who waits for whom, and a box opens its task', async () => {
    const { page } = await mixedTree()
    await key(page, 'v')
    await key(page, 'g')
    await page.locator('.graph-box').getByText('Sort the letters').waitFor()
    await expect.poll(() => page.locator('.graph-box').count()).toBe(6)
    await page.locator('.graph-box').getByText('two drafts').click()
    await expect.poll(() => page.url()).toContain('task=')
    await axe(page)
  })

  test('on a phone it is a list to go down into, with a way back up, and every act under the thumb', async () => {
    const { id } = await mixedTree()
    const page = await open(`/trees/${id}`, { width: 390, height: 844 })
    await row(page, /two drafts/).waitFor()
    expect(await overflow(page)).toBe(0)
    await axe(page)
    await row(page, /sleep 300/).click()
    await page.getByRole('button', { name: 'Abort now' }).waitFor()
    expect(await page.getByRole('tree').count()).toBe(0)
    expect(await overflow(page)).toBe(0)
    const small = await page
      .locator('.dock button:visible, .task-back')
      .evaluateAll((parts) => parts.filter((part) => part.getBoundingClientRect().height < 44).map((part) => part.textContent))
    expect(small).toEqual([])
    await axe(page)
    await page.getByRole('link', { name: 'All tasks' }).click()
    await page.getByRole('tree').waitFor()
  })

  test('an address of a task that is not there says so', async () => {
    const id = await submit('Run `true`')
    const page = await open(`/trees/${id}?task=never`)
    await page.getByText('There is no task never in this goal').waitFor()
    await page.getByRole('link', { name: 'Show the goal itself' }).click()
    await status(page, 'done').waitFor()
    complaints.splice(0)
  })
})
