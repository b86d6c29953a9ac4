import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Plan } from '../../core/contract/api-plans.ts'
import { harness, noBrowser } from './harness.ts'

/** Machines that run tests are busy. */
const SOON = { timeout: 10_000 }

describe.skipIf(noBrowser)('writing goals and looking at them', { timeout: 60_000 }, () => {
  const { open, api, axe, overflow, complaints, banyan } = harness()
  const box = (page: Page) => page.getByLabel('What should be done?')
  const chip = (page: Page, name: string) => page.locator('.says').getByRole('button', { name })
  const idOf = (page: Page) => page.url().split('/').at(-1)!.split('?')[0]!
  const tree = (id: string) => api<Record<string, unknown>>(`/api/trees/${id}`)
  const status = (id: string) => expect.poll(async () => (await tree(id)).status, { timeout: 15_000 })

  test('before the first goal there are three examples and a field for a key; nothing that axe finds, no sideways scrolling', async () => {
    for (const width of [1440, 390]) {
      const page = await open('/', { width })
      await page.getByRole('heading', { name: 'Try it now' }).waitFor()
      expect(await page.getByRole('button', { name: /^Start: / }).count()).toBe(3)
      await page.getByRole('heading', { name: 'Add a model' }).waitFor()
      await axe(page)
      expect(await overflow(page)).toBe(0)
      await page.close()
    }
  })

  describe('a model is added on the first page', () => {
    let provider: Server
    beforeAll(async () => {
      provider = createServer((request, response) => {
        const good = request.headers.authorization === 'Bearer sk-the-right-key'
        response.writeHead(good ? 200 : 401, { 'content-type': 'application/json' })
        response.end(JSON.stringify(good ? { object: 'list', data: [] } : { error: { message: 'Incorrect API key' } }))
      })
      await new Promise<void>((done) => provider.listen(0, '127.0.0.1', done))
    })
    afterAll(() => new Promise((done) => provider.close(done)))

    test('a key is tried while it is typed, a refused one cannot be kept, one that works is kept', async () => {
      const page = await open('/')
      await page.getByLabel('Provider').click()
      await page.getByRole('option', { name: 'OpenAI or compatible' }).click()
      await page.getByLabel('Address').fill(`http://127.0.0.1:${(provider.address() as AddressInfo).port}/v1`)
      const key = page.getByLabel('Key', { exact: true })
      const keep = page.getByRole('button', { name: 'Keep it and use it' })
      await key.fill('short')
      await page.getByText('A key is one line of at least 8 characters').waitFor()
      await key.fill('sk-a-wrong-key')
      await page.getByText('The provider refuses it:').waitFor()
      expect(await keep.isDisabled()).toBe(true)
      await axe(page)
      await key.fill('sk-the-right-key')
      await page.getByText('The key works.').waitFor()
      await keep.click()
      await page.getByText('OpenAI or compatible is connected.').first().waitFor()
      const { items } = await api<{ items: { id: string; source: string }[] }>('/api/providers')
      expect(items.find((one) => one.id === 'openai')?.source).toBe('stored')
    })
  })

  test('a file of the web is fetched by the server, shown meanwhile, and what is no place of the public web is told', async () => {
    const page = await open('/')
    const held = Promise.withResolvers<void>()
    await page.route('**/api/uploads/from-url', async (route) => {
      await held.promise
      await route.continue()
    })
    await box(page).fill('Run `true`')
    await chip(page, 'From the web').click()
    const dialog = page.getByRole('dialog', { name: 'From the web' })
    await dialog.getByLabel('Address of a file').fill('rows.csv')
    await page.keyboard.press('Enter')
    await dialog.getByText('Write a whole address').waitFor()
    await axe(page)
    await dialog.getByLabel('Address of a file').fill('http://127.0.0.1:8080/rows.csv')
    await page.keyboard.press('Enter')
    await page.getByRole('progressbar', { name: 'Fetching http://127.0.0.1:8080/rows.csv' }).waitFor()
    expect(await page.getByRole('button', { name: /^Run Ctrl/ }).isDisabled()).toBe(true)
    held.resolve()
    await page
      .getByRole('alert')
      .getByText(/rows.csv was not fetched: 127.0.0.1 is not on the public web/)
      .waitFor()
    await page.getByRole('button', { name: /^Remove/ }).click()
    expect(await page.getByRole('button', { name: /^Run Ctrl/ }).isEnabled()).toBe(true)
    complaints.splice(0) // the answer 403
  })

  test('a goal is written, kept over a reload and a restart of Banyan with all that was said beside it, and sent', async () => {
    const page = await open('/')
    await box(page).fill('Run `cat notes.txt`')
    await page
      .locator('input[type=file]')
      .setInputFiles({ name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('from the file') })
    await page.getByRole('listitem').filter({ hasText: 'notes.txt' }).getByText('text/plain').waitFor()
    await chip(page, 'Model').click()
    await page.getByRole('option', { name: /^playbook/ }).click()
    await chip(page, 'Budget').click()
    await page.getByLabel('Money').fill('two')
    await page.getByText('Money is a number from 0').first().waitFor()
    await page.getByLabel('Money').fill('1.25')
    await page.keyboard.press('Escape')
    await chip(page, 'Asks').click()
    await page.getByRole('menuitemradio', { name: /Run free in the sandbox/ }).click()
    await chip(page, 'Priority').click()
    await page.getByRole('menuitemradio', { name: 'High' }).click()
    await axe(page)
    await banyan().kill()
    await page
      .getByText(/reconnecting…|offline/)
      .first()
      .waitFor()
    await page.getByText('The draft is kept in this browser').waitFor()
    expect(await page.getByRole('button', { name: /^Run Ctrl/ }).isDisabled()).toBe(true)
    await banyan().restart()
    await page.getByText('live', { exact: true }).waitFor()
    complaints.splice(0)
    await page.reload()
    await page.getByText('live', { exact: true }).waitFor()
    expect(await box(page).inputValue()).toBe('Run `cat notes.txt`')
    await chip(page, 'Asks runs free').waitFor()
    await box(page).press('Control+Enter')
    await page.waitForURL('**/trees/*')
    const id = idOf(page)
    await page.getByText('Started: Run `cat notes.txt`').first().waitFor()
    await status(id).toBe('done')
    expect(await tree(id)).toMatchObject({
      approval: 'run_free',
      model: 'playbook',
      limits: { costMicros: 1_250_000 },
      result: expect.stringContaining('from the file'),
    })
    await page.goto(banyan().url)
    expect(await box(page).inputValue()).toBe('')
  })

  test('a goal just started is stopped from its message', async () => {
    const page = await open('/')
    await box(page).fill('1. Run `sleep 300`\n2. Then run `echo never`')
    await page.getByRole('button', { name: /^Run Ctrl/ }).click()
    await page.waitForURL('**/trees/*')
    await page.getByRole('button', { name: 'Undo' }).click()
    await page.getByText('Stopped.').first().waitFor()
    await status(idOf(page)).toBe('cancelled')
  })

  test('files are dropped, pasted and taken away; what cannot be sent says why', async () => {
    const page = await open('/')
    const give = (how: 'drop' | 'paste') =>
      box(page).evaluate((at, kind) => {
        const data = new DataTransfer()
        data.items.add(new File(['x'], `${kind}.txt`, { type: 'text/plain' }))
        if (kind === 'drop') at.dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }))
        else at.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }))
      }, how)
    await give('drop')
    await give('paste')
    const files = page.getByRole('list', { name: 'Attached files' }).getByRole('listitem')
    await expect.poll(() => page.getByRole('button', { name: /^Remove / }).count(), SOON).toBe(2)
    await page.getByRole('button', { name: 'Remove drop.txt' }).click()
    await expect.poll(() => files.count(), SOON).toBe(1)
    await box(page).evaluate((at) => {
      const large = new File(['x'], 'film.bin')
      Object.defineProperty(large, 'size', { value: 100_000_001 })
      const data = { files: [large], types: ['Files'], getData: () => '' }
      const paste = new Event('paste', { bubbles: true, cancelable: true })
      Object.defineProperty(paste, 'clipboardData', { value: data })
      at.dispatchEvent(paste)
    })
    await page.getByText('film.bin is larger than 100 MB').waitFor()
    await page.getByRole('button', { name: 'Remove film.bin' }).click()
    await page.getByRole('button', { name: 'Clear the draft' }).click()
    await expect.poll(() => files.count(), SOON).toBe(0)
  })

  test('a goal is kept as a template, used with its places filled in, and a past goal is given again with edits', async () => {
    const page = await open('/')
    await box(page).fill('Run `echo {{word}}`')
    await page.locator('h2').first().click()
    await page.keyboard.press('o')
    await page.keyboard.press('t')
    await page.getByText('Keep this goal as a template').click()
    await page.getByLabel('Name').fill('Say It')
    expect(await page.getByRole('button', { name: 'Keep it', exact: true }).isDisabled()).toBe(true)
    await page.getByLabel('Name').fill('say-it')
    await axe(page)
    await page.getByRole('button', { name: 'Keep it', exact: true }).click()
    await page.getByText('Kept as the template say-it.').first().waitFor()
    await page.goto(`${banyan().url}/goals/new?template=say-it`)
    await page.getByLabel('word').waitFor()
    expect(await page.getByRole('button', { name: /^Run Ctrl/ }).isDisabled()).toBe(true)
    await page.getByLabel('word').fill('heron')
    await page.getByRole('button', { name: 'Copy as' }).click()
    expect(await page.getByLabel('The same by other ways').last().inputValue()).toContain("-- 'Run `echo heron`'")
    await page.keyboard.press('Escape')
    await page.keyboard.press('Control+Enter')
    await page.waitForURL('**/trees/*')
    const id = idOf(page)
    await status(id).toBe('done')

    await page.goto(`${banyan().url}/goals?q=heron`)
    await page.getByRole('button', { name: /^More for Run/ }).click()
    await page.getByRole('menuitem', { name: 'Run again with edits' }).click()
    await expect.poll(() => box(page).inputValue(), SOON).toBe('Run `echo heron`')
    await box(page).fill('Run `echo stork`')
    await box(page).press('Control+Enter')
    await page.waitForURL('**/trees/*')
    expect(await tree(idOf(page))).toMatchObject({ forkedFrom: id, goal: 'Run `echo stork`' })
  })

  test('a plan is made first, changed by keys, by dragging and by its menu, frozen by its hash, and runs as it was approved', async () => {
    const page = await open('/')
    await box(page).fill('1. Run `echo a`\n2. Then run `echo b`\n3. Run `echo c`')
    await box(page).press('Control+Shift+Enter')
    await page.waitForURL('**/plans/*')
    const id = idOf(page)
    const row = (name: RegExp) => page.getByRole('treeitem', { name })
    await row(/echo c` begins at once, beside others/).waitFor()
    await page.getByText('No model is called, so nothing is spent.').waitFor()
    await axe(page)
    const { hash } = await api<Plan>(`/api/plans/${id}`)
    await row(/^Run `echo c/).focus()
    await page.keyboard.press('Alt+ArrowUp')
    await page.keyboard.press('a')
    await row(/echo c`.*asks you first/).waitFor()
    await page.keyboard.press('a')
    await page.keyboard.press('Alt+ArrowUp')
    await page.keyboard.press('Enter')
    await page.getByLabel('Title').fill('See')
    await axe(page)
    await page.getByRole('button', { name: 'Done' }).click()
    await row(/^Run `echo a/).focus()
    await page.keyboard.press('m')
    await expect.poll(() => page.getByRole('treeitem').count(), SOON).toBe(2)
    await page.getByRole('button', { name: 'Undo the last change' }).click()
    await expect.poll(() => page.getByRole('treeitem').count(), SOON).toBe(3)
    await row(/^See/).dragTo(row(/^Then run/), { targetPosition: { x: 80, y: 40 } })
    await expect.poll(() => page.locator('.plan-title').allInnerTexts(), SOON).toEqual(['Run `echo a`', 'Then run `echo b`', 'See'])
    await row(/^Run `echo a/)
      .getByRole('button')
      .click()
    await page.getByRole('menuitem', { name: 'Add a part' }).click()
    await page.getByLabel('Title').fill('Last')
    await page.getByLabel('What is to be done').fill('Run `echo d`')
    await page.getByRole('button', { name: 'Done' }).click()
    await row(/^See/).focus()
    await page.keyboard.press('Delete')
    await expect.poll(() => page.locator('.plan-title').allInnerTexts(), SOON).toEqual(['Run `echo a`', 'Last', 'Then run `echo b`'])
    await page.getByRole('button', { name: 'Save the changes' }).click()
    await page.getByText('The plan is saved.').first().waitFor()
    expect((await api<Plan>(`/api/plans/${id}`)).hash).not.toBe(hash)
    await page.reload()
    await row(/^Last/).waitFor()
    await page.getByRole('button', { name: 'Approve and run' }).click()
    await page.waitForURL(`**/trees/${id}`)
    await status(id).toBe('done')
    const tasks = (await tree(id)).tasks as { title: string }[]
    expect(tasks.map((task) => task.title)).toContain('Last')
    await page.goto(`${banyan().url}/plans/${id}`)
    await page.getByText('Exactly these parts run.').waitFor()
    await axe(page)
  })

  test('a plan that somebody else changed meanwhile is not approved blindly', async () => {
    const { treeId } = await api('/api/goals', { goal: '1. Run `echo a`\n2. Run `echo b`', plan: true })
    await expect
      .poll(
        async () => (await fetch(`${banyan().url}/api/plans/${treeId}`, { headers: { authorization: `Bearer ${banyan().token}` } })).status,
      )
      .toBe(200)
    await api('/api/goals', { goal: 'Which plan is kinder?' })
    const page = await open('/', { width: 390 })
    await page
      .getByRole('article', { name: /kinder/ })
      .getByRole('button', { name: 'Answer', exact: true })
      .waitFor()
    await axe(page)
    expect(await overflow(page)).toBe(0)
    await page
      .getByRole('article', { name: /^A plan of 2 parts/ })
      .getByRole('link', { name: 'Change it on the page of the plan' })
      .click()
    await page.waitForURL(`**/plans/${treeId}`)
    await page.getByRole('treeitem').first().focus()
    await page.keyboard.press('a')
    const plan = await api<Plan>(`/api/plans/${treeId}`)
    await api(`/api/plans/${plan.id}`, { hash: plan.hash, items: plan.items.slice(0, 1) }, 'PUT')
    await page.getByText('The plan changed meanwhile.').waitFor()
    expect(await page.getByRole('button', { name: 'Approve and run' }).isDisabled()).toBe(true)
    expect(await overflow(page)).toBe(0)
    await page.getByRole('button', { name: 'Try again' }).click()
    await expect.poll(() => page.getByRole('treeitem').count(), SOON).toBe(1)
    await page.getByRole('button', { name: 'Reject' }).click()
    await page.getByRole('alertdialog').getByRole('button', { name: 'Reject' }).click()
    await status(treeId!).toBe('failed')
  })

  test('goals are paged, searched and narrowed by the server, and each state of the list has an address', async () => {
    for (let n = 0; n < 52; n++) await api('/api/goals', { goal: `Run \`echo finch ${n}\`` })
    const page = await open('/goals?q=finch')
    await expect.poll(() => page.locator('.goal').count(), SOON).toBe(50)
    await page.getByRole('link', { name: 'Older' }).click()
    await expect.poll(() => page.locator('.goal').count(), SOON).toBe(2)
    await page.reload()
    await expect.poll(() => page.locator('.goal').count(), SOON).toBe(2)
    await page.goBack()
    await expect.poll(() => page.locator('.goal').count(), SOON).toBe(50)
    await page.keyboard.press('/')
    await page.keyboard.type(' 51')
    await expect.poll(() => page.locator('.goal').count(), SOON).toBe(1)
    await page.locator('body').click({ position: { x: 700, y: 840 } })
    await page.keyboard.press('5')
    await page.getByText('No goal fits').waitFor()
    expect(page.url()).toContain('f=failed')
    await axe(page)
  })

  test('what happened while the page was hidden is told on the first page until it is seen', async () => {
    const page = await open('/')
    // As if this browser had been away since the first fact; said once, before the page reads it.
    await page.addInitScript(() => {
      if (!sessionStorage.getItem('set')) localStorage.setItem('seen:home', '1')
      sessionStorage.setItem('set', '1')
    })
    await page.reload()
    await page.getByRole('heading', { name: 'While you were away' }).waitFor()
    await page.setViewportSize({ width: 390, height: 844 })
    await axe(page)
    expect(await overflow(page)).toBe(0)
    const small = await page.locator('main :is(button, a.button):visible').evaluateAll((all) =>
      all
        .map((one) => [one.textContent, one.getBoundingClientRect()] as const)
        .filter(([, at]) => at.width > 0 && at.height < 43.5)
        .map(([text]) => text),
    )
    expect(small).toEqual([])
    await page.getByRole('button', { name: 'I have seen it' }).click()
    await page.reload()
    await page.getByRole('heading', { name: 'Recent' }).waitFor()
    expect(await page.getByRole('heading', { name: 'While you were away' }).count()).toBe(0)
  })
})
