import { describe, expect, test } from 'vitest'
import { TALLY } from '../../scripts/testing/tally-words.ts'
import { harness, noBrowser } from './harness.ts'

type Tried = { reviewId: string | null; text: string | null }
type Detail = { version: number; states: { version: number; approvedBy: string | null }[]; made: { source: string } }

describe.skipIf(noBrowser)('the page of a tool that an agent made', { timeout: 120_000 }, () => {
  const { open, api, axe, overflow } = harness()
  /** Made as agents make it: by a call of create_tool. */
  const make = (change: object = {}) => api<Tried>('/api/tools/create_tool/try', { input: { ...TALLY, ...change } })
  const read = () => api<Detail>('/api/tools/tally_words')

  test('shows source, tests and what is known of them; it is approved and taken back with a key or a press', async () => {
    await make()
    await expect.poll(() => read().then((tool) => tool.version), { timeout: 60_000 }).toBe(1)
    const page = await open('/tools/tally_words')
    await page.getByText('2 tests passed').waitFor()
    await page.getByText('Not approved').waitFor()
    await page.locator('.cm-content').first().getByText('The text is empty').waitFor()
    await page.keyboard.press('a')
    await page.getByText('Approved by owner').waitFor()
    expect((await read()).states[0]).toMatchObject({ version: 1, approvedBy: 'owner' })

    // Another version of an approved tool waits for a person, who sees what differs.
    const { reviewId } = await make({ source: TALLY.source.replace('give some words', 'write some words') })
    if (!reviewId) await expect.poll(() => waiting(), { timeout: 60_000 }).not.toBeNull()
    const item = reviewId ?? (await waiting())!
    await page.goto(new URL(`/reviews/${encodeURIComponent(item)}`, page.url()).href)
    await page.getByText('tool.ts').first().waitFor()
    await page.getByText('a person approved the version that it takes the place of').first().waitFor()
    await axe(page)
    await api(`/api/reviews/${encodeURIComponent(item)}/decision`, { decision: 'approve' })
    await expect.poll(() => read().then((tool) => tool.version), { timeout: 60_000 }).toBe(2)

    await page.goto(new URL('/tools/tally_words?tab=history', page.url()).href)
    await page.getByText('source or schema').first().waitFor()
    await page.goto(new URL('/tools/tally_words', page.url()).href)
    await axe(page)
    expect(await overflow(page)).toBe(0)
    await page.getByRole('button', { name: 'Go back to version 1' }).click()
    await page.getByText('It is back, as version 3').first().waitFor()
    expect((await read()).made.source).toBe(TALLY.source)
  })
  const waiting = async () => (await api<{ items: { id: string }[] }>('/api/reviews?state=open')).items[0]?.id ?? null
})
