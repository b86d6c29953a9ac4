import type { Page } from 'playwright-core'
import { describe, expect, test } from 'vitest'
import { openidProvider } from '../../core/auth/fixture/openid.ts'
import { axeFaults, harness, noBrowser } from './harness.ts'

const provider = noBrowser ? null : await openidProvider()

describe.skipIf(noBrowser)('logging in', () => {
  const { open, api, banyan, complaints } = harness({
    OIDC_ISSUER: provider?.issuer ?? '',
    OIDC_CLIENT_ID: 'banyan',
    OIDC_NAME: 'Our House',
    LOGIN_ALLOWED_EMAILS: '@example.org',
  })
  const signIn = async (page: Page) => {
    await page.getByLabel('Admin token').fill(banyan().token)
    await page.getByRole('button', { name: 'Log in', exact: true }).click()
    await page.getByText('live', { exact: true }).waitFor()
  }

  test('a session that ends while a page is open shows the login in its place, and the login leads back to it', async () => {
    const page = await open('/system?tab=queue#here')
    const { items } = await api<{ items: { id: string }[] }>('/api/sessions?of=everybody')
    for (const { id } of items)
      await fetch(`${banyan().url}/api/sessions/${id}`, { method: 'DELETE', headers: { authorization: `Bearer ${banyan().token}` } })
    await page.getByRole('heading', { name: 'You are not logged in' }).waitFor()
    await page.getByText('After that you are back on this page.').waitFor()
    await page.getByRole('link', { name: 'Sign in with Our House' }).waitFor()
    expect(await axeFaults(page)).toEqual([])
    const link = new URL((await page.getByRole('link', { name: /Our House/ }).getAttribute('href'))!, banyan().url)
    expect(link.searchParams.get('return')).toBe('/system?tab=queue#here')
    await signIn(page)
    await page.getByRole('tab', { name: 'Queue', selected: true }).waitFor()
    expect(new URL(page.url()).hash).toBe('#here')
    complaints.splice(0, complaints.length, ...complaints.filter((words) => !/401|WebSocket/.test(words)))
  })

  test('the form is one that password managers know, and fits a phone', async () => {
    const page = await open('/reviews', { width: 390, height: 844 })
    await page.context().clearCookies()
    await page.reload()
    const token = page.getByLabel('Admin token')
    await token.waitFor()
    expect(await page.locator('input[name=username]').getAttribute('autocomplete')).toBe('username')
    expect([await token.getAttribute('type'), await token.getAttribute('autocomplete')]).toEqual(['password', 'current-password'])
    expect(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)).toBe(0)
    await page.getByRole('link', { name: 'Sign in with Our House' }).waitFor()
    await page.getByText('No token at hand?').click()
    await page.getByText('npx banyan open').waitFor()
    expect(await axeFaults(page)).toEqual([])
    await signIn(page)
    expect(new URL(page.url()).pathname).toBe('/reviews')
    complaints.splice(0, complaints.length, ...complaints.filter((words) => !/401|WebSocket/.test(words)))
  })
})
