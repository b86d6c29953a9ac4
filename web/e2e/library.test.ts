import type { Page } from 'playwright-core'
import { describe, expect, test } from 'vitest'
import { harness, noBrowser } from './harness.ts'

type Versioned = { version: number; enabled: boolean; instruction: string; description: string; tools: string[]; max_turns: number }

describe.skipIf(noBrowser)('agents, documents and tools', { timeout: 90_000 }, () => {
  const { open, api, axe, overflow, complaints } = harness()
  const heading = (page: Page, name: string) => page.getByRole('heading', { name, level: 1, exact: true })
  const save = (page: Page) => page.getByRole('button', { name: /^Save as version/ })
  const instruction = (page: Page) => page.getByRole('textbox', { name: 'Instruction' })
  const make = (name: string, more: object = {}) =>
    api('/api/agents', { name, description: `The ${name}.`, instruction: 'First line.\nSecond line.', ...more })
  const read = (name: string) => api<Versioned>(`/api/agents/${name}`)

  /** The parts that do not come first; those that do are tried with every page. */
  const PAGES = [
    '/agents/generalist?tab=try',
    '/agents/generalist?tab=history',
    '/agents/generalist?tab=used',
    '/agents/~new',
    '/tools/use_terminal?tab=try',
    '/tools/use_terminal?tab=edit',
  ]
  const NARROW = ['/agents/generalist?tab=history', '/tools/use_terminal?tab=try']
  test.each([1440, 390])(
    'every part is free of what axe finds in light and dark, and not wider than a screen of %i',
    { timeout: 180_000 },
    async (width) => {
      const page = await open('/agents', { width, height: 844 })
      for (const path of PAGES) {
        await page.goto(new URL(path, page.url()).href)
        await page.locator('.entries, .form-two .card, .cm-content, .try-form, .versions, .used, .args, .narrow').first().waitFor()
        await page.locator('.skeleton').first().waitFor({ state: 'detached' })
        // What a narrow screen changes is the same on each of the three kinds of page.
        if (width > 1000 || NARROW.includes(path)) await axe(page)
        expect(await overflow(page), `${path} at ${width}`).toBe(0)
      }
    },
  )

  test('a list is narrowed by words and filters in its address, and walked through by keys', async () => {
    const page = await open('/tools')
    await page.locator('body').press('/')
    await page.keyboard.type('_file')
    await expect.poll(() => page.locator('a.entry').count()).toBeLessThan(9)
    expect(page.url()).toContain('q=_file')
    await page.reload()
    await page.getByText('live', { exact: true }).waitFor()
    await expect.poll(() => page.locator('a.entry').count()).toBeLessThan(9)
    await page.getByRole('searchbox').press('ArrowDown')
    await page.keyboard.press('j')
    await page.keyboard.press('k')
    await page.keyboard.press('j')
    const name = await page.locator('a.entry:focus strong').textContent()
    await page.keyboard.press('Enter')
    await heading(page, name!).waitFor()
    await page.keyboard.press('u')
    await heading(page, 'Tools').waitFor()
    await page.getByRole('link', { name: 'Off', exact: true }).click()
    await page.getByText('Nothing fits').waitFor()
    await page.getByRole('button', { name: 'Show all' }).click()
    await page.locator('a.entry').nth(12).waitFor()
  })

  test('the way back to the list is open while an entry is still read, and when there is none', async () => {
    const page = await open('/tools')
    await page.route('**/api/tools/read_file', () => undefined)
    await page.getByRole('link', { name: /^read_file/ }).click()
    await heading(page, 'read_file').waitFor()
    await page.keyboard.press('u')
    await heading(page, 'Tools').waitFor()
    await page.goto(new URL('/agents/nobody', page.url()).href)
    await page.getByText('There is no agent').first().waitFor()
    await page.keyboard.press('u')
    await heading(page, 'Agents').waitFor()
    complaints.splice(0) // the answer 404
  })

  test('the palette finds an entry by its name', async () => {
    const page = await open('/')
    await page.keyboard.press('Control+k')
    await page.keyboard.type('task_evaluator')
    await page.getByRole('option', { name: 'task_evaluator' }).first().waitFor()
    await page.keyboard.press('Enter')
    await heading(page, 'task_evaluator').waitFor()
  })

  test('the history of an agent tells how each version did, and goes back with one press', async () => {
    await make('scored')
    const { treeId } = await api('/api/goals', { goal: 'Run `echo well`', agent: 'scored' })
    await expect.poll(async () => (await api(`/api/trees/${treeId}`)).status, { timeout: 15_000 }).toBe('done')
    const { version: _v, ...first } = await read('scored')
    await api('/api/agents/scored', { ...first, instruction: 'Another line.' }, 'PUT')
    const page = await open('/agents/scored?tab=history')
    const rows = page.locator('.score-table tbody tr')
    await rows.nth(1).waitFor()
    expect(await rows.allInnerTexts()).toEqual([
      expect.stringMatching(/^2 current[\s\S]*not used/),
      expect.stringMatching(/^1[\s\S]*1 of 1: too few to say[\s\S]*Restore/),
    ])
    await axe(page)
    await page.setViewportSize({ width: 390, height: 844 })
    expect(await overflow(page)).toBe(0)
    await rows.nth(1).getByRole('button', { name: 'Restore' }).click()
    await rows.first().getByText('brings back version 1').waitFor()
    expect(await read('scored')).toMatchObject({ version: 3, instruction: 'First line.\nSecond line.' })
  })

  test('an edit is kept over a reload, saved by its key as a new version, and undone', async () => {
    await make('editable')
    const page = await open('/agents/editable')
    await instruction(page).click()
    await page.keyboard.press('Control+End')
    await page.keyboard.type(' And a third.')
    await page.getByText('1 unsaved change').waitFor()
    await page.reload()
    await page.getByText('Second line. And a third.').waitFor()
    await page.getByRole('button', { name: 'Show changes' }).click()
    await page.getByRole('dialog').locator('.cm-changedLine').first().waitFor()
    await page.keyboard.press('Escape')
    await instruction(page).click()
    await page.keyboard.press('Control+s')
    await page.getByText('editable is saved as version 2.', { exact: true }).first().waitFor()
    expect(await read('editable')).toMatchObject({ version: 2, instruction: 'First line.\nSecond line. And a third.' })
    await page.getByText('1 unsaved change').waitFor({ state: 'detached' })
    await page.getByRole('button', { name: 'Undo' }).first().click()
    await expect.poll(async () => (await read('editable')).version).toBe(3)
    expect((await read('editable')).instruction).toBe('First line.\nSecond line.')
  })

  test('what is wrong is said while it is typed, and cannot be saved', async () => {
    await make('checked', { tools: ['web_fetch'] })
    const page = await open('/agents/checked')
    await page.getByText('The tool "web_fetch" needs web_search_allowed, which is off.').waitFor()
    await axe(page)
    await page.getByRole('switch', { name: 'May use the web' }).click()
    await page.getByText('The tool "web_fetch" needs').waitFor({ state: 'detached' })
    await page.getByLabel('Turns').fill('0')
    await page.getByText('1 problem', { exact: true }).waitFor()
    expect(await save(page).isDisabled()).toBe(true)
    await page.getByLabel('Turns').fill('7')
    await page.getByText('Nothing is wrong').waitFor()
    await page.getByRole('button', { name: 'Add to Tools' }).click()
    await page.getByRole('combobox', { name: 'Tools' }).fill('read_f')
    await page.getByRole('option', { name: /^read_file/, selected: true }).waitFor()
    await page.keyboard.press('Enter')
    await page.keyboard.press('Escape')
    await page.getByRole('button', { name: 'Take read_file away' }).waitFor()
    await save(page).click()
    await expect.poll(async () => (await read('checked')).version).toBe(2)
    expect(await read('checked')).toMatchObject({ max_turns: 7, tools: ['web_fetch', 'read_file'] })
  })

  test("somebody else's version goes below an edit of other fields by itself; where both changed the same, the person chooses", async () => {
    await make('shared')
    const page = await open('/agents/shared')
    const description = page.getByLabel('Description')
    await description.fill('Mine.')
    const theirs = await read('shared')
    await api('/api/agents/shared', { ...theirs, max_turns: 9 }, 'PUT')
    await page.getByText(/^Version 2 by .* came meanwhile/).waitFor()
    expect(await description.inputValue()).toBe('Mine.')
    expect(await page.getByLabel('Turns').inputValue()).toBe('9')
    await api('/api/agents/shared', { ...theirs, max_turns: 9, description: 'Theirs.' }, 'PUT')
    await page.getByRole('heading', { name: /^Version 3 by .* was saved while you were editing/ }).waitFor()
    expect(await save(page).isDisabled()).toBe(true)
    await axe(page)
    await page.getByRole('button', { name: 'Continue with this' }).click()
    await save(page).click()
    await expect.poll(async () => (await read('shared')).version).toBe(4)
    expect(await read('shared')).toMatchObject({ description: 'Mine.', max_turns: 9 })
  })

  test('an earlier version is compared at its own address and restored as a new one', async () => {
    await make('aged')
    const first = await read('aged')
    await api('/api/agents/aged', { ...first, instruction: 'Other words.', max_turns: 3 }, 'PUT')
    const page = await open('/agents/aged?tab=history&v=1&compare=2')
    await page.locator('.cm-changedLine').first().waitFor()
    await page.getByText('instruction, turns').waitFor()
    await page.getByRole('button', { name: 'Restore version 1' }).click()
    await page.getByText('Version 1 is back as version 3.', { exact: true }).first().waitFor()
    expect(await read('aged')).toMatchObject({ version: 3, max_turns: 60 })
    await axe(page)
  })

  test('an agent is duplicated, made, switched off and on, removed and brought back', async () => {
    const page = await open('/agents/generalist')
    await heading(page, 'generalist').waitFor()
    await page.locator('main').press('Shift+D')
    await heading(page, 'New agent').waitFor()
    const name = page.getByLabel('Name', { exact: true })
    expect(await name.inputValue()).toBe('generalist_copy')
    await name.fill('Bad Name')
    await page.getByText(/a name is 1 to 64 of/).waitFor()
    await name.fill('helper_two')
    await page.getByText('Nothing is wrong').waitFor()
    await page.getByRole('button', { name: /^Create/ }).click()
    await heading(page, 'helper_two').waitFor()
    expect((await read('helper_two')).tools).toEqual((await read('generalist')).tools)
    await page.getByRole('button', { name: 'Switch off' }).click()
    await page.getByRole('button', { name: 'Switch on' }).waitFor()
    expect((await read('helper_two')).enabled).toBe(false)
    await page.getByRole('button', { name: 'Undo' }).first().click()
    await page.getByRole('button', { name: 'Switch off' }).waitFor()
    await page.locator('main').press('#')
    await page.getByRole('alertdialog').getByRole('button', { name: 'Remove' }).click()
    await heading(page, 'Agents').waitFor()
    await page.getByText('1 removed').click()
    await page.getByRole('button', { name: 'Bring back helper_two' }).click()
    await page.getByRole('link', { name: /^helper_two/ }).waitFor()
    expect((await read('helper_two')).enabled).toBe(true)
  })

  test('a draft runs beside what is saved on the same goal, and the two runs are at an address', async () => {
    await make('tried', { model: 'playbook', tools: ['use_terminal'] })
    const page = await open('/agents/tried')
    await page.getByLabel('Description').fill('Tried.')
    await page.getByRole('tab', { name: 'Try it' }).click()
    await page.getByLabel('A small goal').fill('1. Run `echo ducks`\n2. Run `echo geese`')
    await page.keyboard.press('Control+Enter')
    const runs = page.locator('.run')
    await expect.poll(() => runs.count(), { timeout: 15_000 }).toBe(2)
    for (const i of [0, 1]) await runs.nth(i).getByText('2 of 2 lines are done.').waitFor()
    await runs.first().getByText('Run `echo geese`').first().waitFor()
    await axe(page)
    await page.reload()
    await page.locator('.run').nth(1).getByText('2 of 2 lines are done.').waitFor()
    expect((await read('tried')).version).toBe(1)
    await runs.first().getByRole('link', { name: 'Open the goal' }).click()
    await page.waitForURL('**/trees/**')
  })

  test('a tool is called from a form made of its schema, or as JSON, and its answer is shown', async () => {
    const page = await open('/tools/write_file?tab=try')
    await page.getByRole('button', { name: /^Call it/ }).click()
    await page.getByText('It is needed.').first().waitFor()
    await page.getByLabel('path').fill('notes/a.md')
    await page.getByLabel('content').fill('Hello')
    await page.getByLabel('content').press('Control+Enter')
    await page.getByRole('heading', { name: 'Answer' }).waitFor()
    await page.getByText('worked', { exact: true }).waitFor()
    await axe(page)
    await page.getByRole('button', { name: 'JSON', exact: true }).click()
    await page.getByText('"notes/a.md"').waitFor()
    await page.reload()
    await expect.poll(() => page.getByLabel('path').inputValue()).toBe('notes/a.md')
    await page.locator('.run').getByText('done').first().waitFor()
    await page.getByRole('tab', { name: 'About' }).click()
    await page.locator('.figures').waitFor()
  })

  test('a call that a rule wants decided says that it needs a person, and shows its answer when it was approved', async () => {
    await api('/api/rules', { verdict: 'ask', scope: 'tool', signature: 'edit_file' })
    const page = await open('/tools/edit_file?tab=try')
    await page.getByRole('button', { name: 'JSON', exact: true }).click()
    const editor = page.getByRole('textbox', { name: 'Arguments as JSON' })
    await editor.fill('{ "path": "a.md", "edits": [] ')
    await page.getByRole('button', { name: /^Call it/ }).click()
    await page.getByText('This is no JSON object').waitFor()
    await editor.fill('{ "path": "a.md", "edits": [{ "old_text": "a", "new_text": "b" }] }')
    await editor.press('Control+Enter')
    await page.getByRole('heading', { name: 'It needs a person' }).waitFor()
    await page.getByText('It waits for you.').waitFor()
    await axe(page)
    const { items } = await api<{ items: { id: string }[] }>('/api/reviews?state=open')
    await api(`/api/reviews/${encodeURIComponent(items[0]!.id)}/decision`, { decision: 'approve' })
    await page.getByText('It waits for you.').waitFor({ state: 'detached' })
  })

  test('text of agents does nothing in a preview but be read', async () => {
    const content = '# Title\n\n<img src=x onerror="document.title=\'owned\'">\n\n![secret](http://127.0.0.1:9/x.png)'
    await api('/api/documents', { name: 'hostile', description: '<b>bold</b>', content })
    const page = await open('/documents/hostile')
    await page.locator('.preview h1, .preview h2').first().waitFor()
    expect(await page.locator('.preview img').count()).toBe(0)
    expect(await page.title()).not.toContain('owned')
    await page.goto(new URL('/documents', page.url()).href)
    await page.getByText('<b>bold</b>').waitFor()
  })

  test('an address of nobody says so, and leads on', async () => {
    const page = await open('/agents/nobody_here')
    await page.getByText('There is no agent nobody_here').waitFor()
    await axe(page)
    await page.getByRole('link', { name: 'Go to agents' }).click()
    await heading(page, 'Agents').waitFor()
    complaints.splice(0, complaints.length, ...complaints.filter((words) => !words.includes('404')))
  })

  test('on a narrow screen every target is large enough for a thumb, and an edit is saved', async () => {
    await make('thumbs', { tools: ['read_file'] })
    const page = await open('/agents/thumbs', { width: 390, height: 844 })
    await page.getByLabel('Description').fill('By thumb.')
    await save(page).waitFor()
    const small = await page.locator('.library :is(button, input, a.button, [role=tab])').evaluateAll((all) =>
      all
        .map((one) => ({ html: one.outerHTML.slice(0, 90), box: one.getBoundingClientRect(), is: one.className }))
        .filter(({ box, is }) => !String(is).includes('switch') && box.width > 0 && (box.height < 44 || box.width < 44))
        .map(({ html, box }) => `${html} ${box.width}×${box.height}`),
    )
    expect(small).toEqual([])
    await save(page).click()
    await page.getByText('thumbs is saved as version 2.', { exact: true }).first().waitFor()
    expect(await read('thumbs')).toMatchObject({ version: 2, description: 'By thumb.' })
  })
})
