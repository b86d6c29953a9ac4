/** What a person must do before a server of others works: log in at it in a browser, or let it run where there is no sandbox. */
import type { Page } from 'playwright-core'
import { afterAll, describe, expect, test } from 'vitest'
import type { ServerDetail } from '../../core/contract/api-servers.ts'
import { serveGuarded } from '../../core/mcp/fixture/authorization.ts'
import { fixture } from '../../core/mcp/fixture/servers.ts'
import { harness, noBrowser } from './harness.ts'

describe.skipIf(noBrowser)('a server waits for a person', { timeout: 120_000 }, async () => {
  const guarded = noBrowser ? null : await serveGuarded({ asks: true })
  afterAll(() => guarded?.stop())
  const { open, api, axe, banyan } = harness({ ISOLATION: 'plain' })
  const detail = (name: string) => api<ServerDetail>(`/api/servers/${name}`)

  /** Adds it, and opens its page. */
  async function waiting(name: string): Promise<Page> {
    await api('/api/servers', { name, url: guarded!.url })
    const page = await open(`/settings/servers?server=${name}`)
    await page.getByText('waits for a login').waitFor()
    return page
  }
  /** Finds the login page and opens it in a tab of its own, as the dialog says. */
  async function opened(page: Page): Promise<Page> {
    const dialog = page.getByRole('dialog')
    const tab = page.context().waitForEvent('page')
    await dialog.getByRole('link', { name: 'Open the login page' }).click()
    const login = await tab
    await login.getByRole('link', { name: 'Agree' }).waitFor()
    return login
  }
  async function begun(page: Page): Promise<void> {
    await page.getByRole('button', { name: 'Log in' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Find the login page' }).click()
    await page.getByRole('dialog').getByText(new URL(guarded!.url).host).waitFor()
  }

  test('the login page opens in a tab, and when it is done there the dialog here closes and the tools are shown', async () => {
    const page = await waiting('agreeing')
    await begun(page)
    await axe(page)
    const login = await opened(page)
    expect(await login.evaluate(() => window.opener)).toBeNull()
    await login.getByRole('link', { name: 'Agree' }).click()
    await login.getByText('Banyan is logged in at the MCP server agreeing.').waitFor()
    // What the address held is used up, and going back to it does no harm.
    await login.reload()
    await login.getByText('was finished already').waitFor()
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    await page.getByRole('button', { name: 'Approve who' }).waitFor()
    expect(await detail('agreeing')).toMatchObject({ state: 'running', login: 'done', problem: null })
  })

  test('a page that is loaded anew on the way still learns how the login went', async () => {
    const page = await waiting('reloading')
    await begun(page)
    const login = await opened(page)
    await page.reload()
    await page.getByText('waits for a login').waitFor()
    await login.reload()
    await login.getByRole('link', { name: 'Agree' }).click()
    await login.getByText('Banyan is logged in at the MCP server reloading.').waitFor()
    await page.getByRole('button', { name: 'Approve who' }).waitFor()
    expect(await page.getByRole('button', { name: 'Log in' }).count()).toBe(0)
  })

  test('a refusal says so, leaves the server waiting, and the dialog begins again', async () => {
    const page = await waiting('refusing')
    await begun(page)
    const login = await opened(page)
    await login.getByRole('link', { name: 'Refuse' }).click()
    await login.getByText('The login page of the MCP server refusing refused (access_denied)').waitFor()
    expect(await detail('refusing')).toMatchObject({ state: 'failed', login: 'needed' })
    await page.getByRole('dialog').getByRole('button', { name: 'Begin again' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Find the login page' }).click()
    const again = await opened(page)
    await again.getByRole('link', { name: 'Agree' }).click()
    await again.getByText('Banyan is logged in at the MCP server refusing.').waitFor()
    await page.getByRole('button', { name: 'Approve who' }).waitFor()
  })

  test('a browser that is sent here with a state that nobody was given changes nothing, and the real login goes on', async () => {
    const page = await waiting('forged')
    await begun(page)
    const login = await opened(page)
    const forged = await page.context().newPage()
    for (const state of ['state=wrong', 'state=', '']) {
      const answer = await forged.goto(`${banyan().url}/oauth/callback?code=stolen&${state}`)
      expect(answer!.status()).toBe(400)
      await forged.getByText('begin it again with').waitFor()
    }
    expect(await detail('forged')).toMatchObject({ login: 'needed' })
    await login.getByRole('link', { name: 'Agree' }).click()
    await login.getByText('Banyan is logged in at the MCP server forged.').waitFor()
    await page.getByRole('button', { name: 'Approve who' }).waitFor()
  })

  test('a program that would run without a sandbox is not started before a person presses that, on a phone too', async () => {
    await api('/api/servers', {
      name: 'bare',
      command: fixture('honest').command,
      publicEnv: { MODE: 'production' },
      env: { KEY: 'typed-here-1' },
    })
    const page = await open('/settings/servers?server=bare', { width: 390, height: 844 })
    await page.getByText('waits for you: no sandbox here').waitFor()
    await page.getByText('MODE=production').waitFor()
    await page.getByText('from the secret SERVER_BARE_ENV_KEY').waitFor()
    await axe(page)
    await page.getByRole('button', { name: 'Let it run without a sandbox' }).click()
    const asked = page.getByRole('alertdialog')
    await asked.getByText('sees and does all that its user on this machine may').waitFor()
    expect((await detail('bare')).running).toBe(0)
    await asked.getByRole('button', { name: 'Let it run without a sandbox' }).click()
    await page.getByRole('button', { name: 'Approve echo' }).waitFor()
    expect(await detail('bare')).toMatchObject({ walls: 'plain', state: 'running' })
  })
})
