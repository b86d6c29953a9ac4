import type { Page } from 'playwright-core'
import { describe, expect, test } from 'vitest'
import { modernClient, oldClient } from '../../core/mcp/fixture/clients.ts'
import { harness, noBrowser } from './harness.ts'

type Seen = { items: { name: string; protocol: string; token: { name: string } | null }[] }

describe.skipIf(noBrowser)('the programs that use Banyan, in the settings', { timeout: 120_000 }, () => {
  const { open, api, axe, overflow, banyan } = harness()
  /** Chooses, presses, and reads the token out of what is to be copied. */
  async function connect(page: Page, program: string, rights?: string): Promise<{ block: string; token: string }> {
    await page.getByLabel('Program', { exact: true }).click()
    await page.getByRole('option', { name: program }).click()
    if (rights) {
      await page.getByLabel('What it may do').click()
      await page.getByRole('option', { name: rights }).click()
    }
    await page.getByRole('button', { name: 'Make a token and show what to copy' }).click()
    await page.getByText('waiting for its first call…').waitFor()
    const block = await page.locator('.client-block').first().innerText()
    const all = await page.locator('.client-ready').innerText()
    return { block, token: /(?:Bearer |BANYAN_TOKEN=)([\w.-]+)/.exec(all)![1]! }
  }

  test('one is connected by what was copied; the page says so at its first call, lists it, and ends its token', async () => {
    const page = await open('/settings/clients')
    await page.getByText('No program has called yet').waitFor()
    await axe(page)
    const { block, token } = await connect(page, 'Cursor')
    await page.getByText('.cursor/mcp.json').waitFor()
    const settings = JSON.parse(block) as { mcpServers: { banyan: { url: string; headers: Record<string, string> } } }
    expect(settings.mcpServers.banyan).toEqual({ url: `${banyan().url}/mcp`, headers: { Authorization: `Bearer ${token}` } })
    await axe(page)

    const modern = await modernClient(banyan().url, token)
    await modern.listTools()
    await page.getByText('banyan-test 1.0.0 is connected').waitFor()
    await modern.close()
    await page.getByRole('button', { name: 'Connect another' }).click()
    const row = page.getByRole('listitem').filter({ hasText: 'token cursor-' })
    await row.getByText('MCP 2026-07-28').waitFor()
    expect(await page.locator('main').innerText()).not.toContain(token)

    await row.getByRole('button', { name: 'Revoke its token' }).click()
    await page.getByRole('alertdialog').getByRole('button', { name: 'Revoke its token' }).click()
    await row.getByText('token revoked').waitFor()
    await expect(modernClient(banyan().url, token)).rejects.toThrow()
  })

  test('each program is told where and what', async () => {
    const page = await open('/settings/clients')
    for (const [program, where, what] of [
      ['Claude Code', '.claude.json', '"type": "http"'],
      ['Claude Desktop', 'in its folder, run', 'banyan mcp install claude-desktop'],
      ['Visual Studio Code', 'mcp.json', '"servers"'],
      ['Codex', '.codex/config.toml', 'http_headers'],
      ['Gemini CLI', '.gemini/settings.json', 'httpUrl'],
      ['MCP Inspector', 'Streamable HTTP', '/mcp'],
      ['Any other program', 'this address and header', '/mcp'],
    ] as const) {
      const { block } = await connect(page, program)
      expect(await page.locator('.client-ready').innerText()).toContain(where)
      expect(block).toContain(what)
      await page.getByRole('button', { name: 'Done' }).click()
    }
  })

  test('a program of an older revision and an outside agent are listed on a phone; the agent is let go', async () => {
    const page = await open('/settings/clients', { width: 390, height: 844 })
    const { token } = await connect(page, 'Codex', 'Work on tasks as an outside agent')
    await page.getByText('work_next_task').waitFor()
    expect(await overflow(page)).toBe(0)
    const old = await oldClient(banyan().url, token)
    await page.getByText('banyan-test 1.0.0 is connected').waitFor()
    await old.callTool({ name: 'register_agent', arguments: { capabilities: ['typescript'], description: '<b>Mends</b> tests' } })
    await page.getByText('Can: typescript').waitFor()
    await page.getByText('<b>Mends</b> tests').waitFor()
    expect((await api<Seen>('/api/mcp-clients')).items.map((one) => one.protocol)).toContain('2025-11-25')
    await axe(page)
    expect(await overflow(page)).toBe(0)
    await page.getByRole('button', { name: /^Let it go/ }).click()
    await page.getByRole('alertdialog').getByRole('button', { name: 'Let it go' }).click()
    await page.getByText('No outside agent yet').waitFor()
    await old.close()
  })
})
