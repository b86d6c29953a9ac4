import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { afterAll, describe, expect, test } from 'vitest'
import { fixture } from '../../core/mcp/fixture/servers.ts'
import { goalOf, MODEL, startAskingModel } from '../../scripts/testing/asking-model.ts'
import { harness, noBrowser } from './harness.ts'

type Tool = { name: string; state: string; policy: string | null; sha: string }
type Detail = { id: string; state: string; enabled: boolean; toolList: Tool[]; policy: string }

describe.skipIf(noBrowser)('the servers of others in the settings', { timeout: 120_000 }, async () => {
  const model = noBrowser ? null : await startAskingModel()
  afterAll(() => model?.close())
  const { open, api, axe, overflow, complaints } = harness({ MODEL: `openai/${MODEL}`, OPENAI_BASE_URL: model?.url ?? '' })
  const folder = mkdtempSync(join(tmpdir(), 'banyan-servers-'))
  // A server does not run as root, and must be able to look into it.
  chmodSync(folder, 0o755)
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  const command = (mode: string) => fixture(mode).command
  const add = (name: string, mode: string, env: Record<string, string> = {}, scope: 'shared' | 'task' = 'shared') =>
    api<Detail>('/api/servers', { name, command: command(mode), isolation: 'plain', env, scope })
  const detail = (name: string) => api<Detail>(`/api/servers/${name}`)
  const toolOf = async (name: string, tool: string) => (await detail(name)).toolList.find((one) => one.name === tool)!
  const heading = (page: Page, name: string) => page.getByRole('heading', { name, level: 2, exact: true }).waitFor()

  test('one is added by its command, its tools looked at, approved and ruled, all by keys; it is turned off, on again and removed', async () => {
    await api('/api/secrets/FILES_TOKEN', { value: 'not-to-be-shown', grants: ['*'] }, 'PUT')
    const page = await open('/settings/servers')
    await page.getByText('No servers yet').waitFor()
    await axe(page)
    await page.locator('body').press('n')
    const form = page.getByRole('dialog', { name: 'Add a server' })
    await form.getByText('By a command').click()
    await form.getByLabel('Name', { exact: true }).fill('files')
    await form.getByRole('textbox', { name: 'Command' }).fill('"open')
    await form.getByRole('button', { name: 'Add and start it' }).click()
    await form.getByText('A quote is not closed.').waitFor()
    await form.getByRole('textbox', { name: 'Command' }).fill(
      command('honest')
        .map((one) => `"${one}"`)
        .join(' '),
    )
    await form.getByLabel('Put a secret in').click()
    await page.getByRole('option', { name: 'FILES_TOKEN' }).click()
    await form.getByText('Sandbox and network').click()
    await form.getByText('All that its user on this machine sees').click()
    await axe(page)
    await form.getByRole('button', { name: 'Add and start it' }).click()

    await page.waitForURL('**/settings/servers?server=files')
    await heading(page, 'files')
    await page.getByText('from the secret FILES_TOKEN').waitFor()
    expect(await page.locator('main').innerText()).not.toContain('not-to-be-shown')
    await page.getByRole('button', { name: 'Approve echo' }).click()
    await expect.poll(() => toolOf('files', 'echo').then((one) => one.state), { timeout: 15_000 }).toBe('approved')
    await page.getByRole('button', { name: 'Approve look' }).waitFor()
    await page.locator('body').press('Shift+A')
    await page.getByRole('alertdialog').getByRole('button', { name: 'Approve it' }).click()
    await expect.poll(() => toolOf('files', 'look').then((one) => one.state), { timeout: 15_000 }).toBe('approved')

    await page.getByRole('combobox', { name: 'Calls of echo' }).click()
    await page.getByRole('option', { name: 'Never' }).click()
    await expect.poll(() => toolOf('files', 'echo').then((one) => one.policy), { timeout: 15_000 }).toBe('deny')
    await page.getByText('Run', { exact: true }).click()
    await expect.poll(() => detail('files').then((one) => one.policy), { timeout: 15_000 }).toBe('allow')
    await page.getByText('Calls run without asking.').waitFor()
    await axe(page)

    await page.getByLabel('Search the tools').fill('changes nothing')
    await page.waitForURL('**q=changes**')
    await page.getByText('echo', { exact: true }).waitFor({ state: 'detached' })
    await page.reload()
    await page.getByText('look', { exact: true }).waitFor()
    expect(await page.getByText('echo', { exact: true }).count()).toBe(0)

    await page.locator('body').press('o')
    await page.getByText('Its tools answer nothing until it is turned on.').waitFor()
    expect((await detail('files')).enabled).toBe(false)
    await page.getByRole('button', { name: 'Undo' }).last().click()
    await page.getByRole('button', { name: 'Turn off' }).waitFor()
    await page.locator('body').press('Shift+D')
    await page.getByRole('alertdialog').getByRole('button', { name: 'Remove' }).click()
    await page.getByText('No servers yet').waitFor()
  })

  test('a tool that became another shows what changed and is approved by what was shown; one that is gone says so', async () => {
    const file = join(folder, 'changed')
    await add('shifty', 'changing', { SWITCH: file })
    await api('/api/servers/shifty/approve', {})
    const page = await open('/settings/servers?server=shifty')
    await page.getByText('2 of 2 tools approved').waitFor()
    writeFileSync(file, '')
    await page.locator('body').press('r')
    await page.getByText('shifty was looked at anew.').first().waitFor()
    await page.getByText('changed: waits for you').waitFor()
    const diff = page.getByRole('region', { name: 'What changed since it was approved' }).first()
    await diff.getByText(/^removed: .*Says the words again\.$/).waitFor()
    await diff.getByText('Says the words again, and mails them to the maker.').waitFor()
    await page.getByText('gone', { exact: true }).waitFor()
    await axe(page)
    await page.getByRole('link', { name: 'All servers' }).click()
    await page.getByText('2 tools wait for you').waitFor()
    await page.goBack()
    await page.getByRole('button', { name: 'Approve the change echo' }).click()
    await expect.poll(() => toolOf('shifty', 'echo').then((one) => one.state), { timeout: 15_000 }).toBe('approved')

    // The library knows where it comes from.
    await page.goto(new URL('/tools?f=server', page.url()).href)
    await page.getByText('mcp__shifty__echo').waitFor()
    expect(await page.getByText('use_terminal', { exact: true }).count()).toBe(0)
    await axe(page)
    await page.getByText('mcp__shifty__echo').click()
    await page.getByRole('link', { name: 'the MCP server shifty' }).click()
    await page.waitForURL('**/settings/servers?server=shifty')
  })

  test('a task that meets a changed tool asks a person, who reads what changed and takes it', async () => {
    const file = join(folder, 'met')
    // Each task starts its own, and finds out at its call.
    await add('drift', 'changing', { SWITCH: file }, 'task')
    await api('/api/servers/drift/approve', {})
    await api('/api/servers/drift/rules', { policy: 'allow' }, 'PUT')
    const { items } = await api<{ items: { name: string; tools: string[] }[] }>('/api/agents')
    const { tools } = items.find((one) => one.name === 'generalist')!
    const agent = { ...(await api<object>('/api/agents/generalist')), tools: [...tools, 'mcp__drift__echo'] }
    const known = ['name', 'description', 'instruction', 'tools', 'documents', 'capabilities', 'enabled', 'max_turns']
    await api('/api/agents/generalist', Object.fromEntries(Object.entries(agent).filter(([field]) => known.includes(field))), 'PUT')
    writeFileSync(file, '')
    const goal = goalOf('Say hello', 'I say it.', { tool: 'mcp__drift__echo', input: { words: 'hello' } })
    await api('/api/goals', { goal, agent: 'generalist' })
    const waiting = () =>
      api<{ items: { id: string }[] }>('/api/reviews?state=open').then((all) => all.items.find(({ id }) => id.startsWith('mcp/')))
    await expect.poll(waiting, { timeout: 15_000 }).toBeDefined()
    const page = await open(`/reviews/${encodeURIComponent((await waiting())!.id)}`)
    const diff = page.getByRole('region', { name: 'What changed in mcp__drift__echo' })
    await diff.getByText(/^added: .*mails them to the maker\.$/).waitFor()
    await page.getByText('Looks and changes nothing.').waitFor()
    await axe(page)
    // What is of high risk takes two presses.
    await page.getByRole('button', { name: /^Agree/ }).click()
    await page.locator('button.armed').click()
    await expect.poll(() => toolOf('drift', 'echo').then((one) => one.state), { timeout: 15_000 }).toBe('approved')
  })

  test('words of a hostile server are text, and on a phone nothing is too wide or too small for a thumb', async () => {
    await add('poison', 'poisoned')
    await add('dead', 'dead')
    const page = await open('/settings/servers', { width: 390, height: 844 })
    await page.getByText('failing').first().waitFor()
    await page.getByText('cannot find my settings').first().waitFor()
    await axe(page)
    expect(await overflow(page)).toBe(0)
    await page.getByRole('link', { name: /poison/ }).click()
    await page.getByText('<IMPORTANT>').first().waitFor()
    expect(await page.locator('main important').count()).toBe(0)
    await axe(page)
    expect(await overflow(page)).toBe(0)
    const small = await page.locator('.settings-body :is(button, a, input):not(.hidden)').evaluateAll((all) =>
      all
        .map((one) => ({ html: one.outerHTML.slice(0, 80), box: one.getBoundingClientRect() }))
        .filter(({ html, box }) => box.width > 0 && box.height < 44 && !/role="switch"|type="radio"/.test(html))
        .map(({ html, box }) => `${html} ${box.width}×${box.height}`),
    )
    expect(small).toEqual([])
    await page.goto(new URL('/settings/servers?server=none', page.url()).href)
    await page.getByText('There is no server none').waitFor()
    // The browser tells of the answer 404 by itself.
    expect(complaints.splice(0).filter((one) => !one.includes('404'))).toEqual([])
  })
})
