/** What every page has to hold, whoever built it. A route that is added without a visit here fails. */
import { createMemoryHistory } from '@tanstack/react-router'
import type { Locator, Page } from 'playwright-core'
import { beforeAll, describe, expect, test } from 'vitest'
import { giveSampleWork, type SampleWork } from '../../scripts/sample-work.ts'
import { createPageRouter } from '../routes.tsx'
import { harness, noBrowser } from './harness.ts'

/** `at`: addresses of that route. `shows`: in its title. `act`: what a person is here for, which the keyboard has to reach. */
type Visit = { at: (work: SampleWork) => string; shows: string; act: (page: Page) => Locator }
const button = (name: string | RegExp) => (page: Page) => page.getByRole('main').getByRole('button', { name }).first()
const link = (name: string | RegExp) => (page: Page) => page.getByRole('main').getByRole('link', { name }).first()
const row = (page: Page) => page.getByRole('treeitem', { selected: true })

const VISITS: Readonly<Record<string, Visit[]>> = {
  '/': [{ at: () => '/', shows: 'Home', act: (page) => page.getByLabel('What should be done?') }],
  '/goals': [{ at: () => '/goals', shows: 'Goals', act: link(/newsletter/) }],
  '/trees/$id': [
    { at: ({ newsletter }) => `/trees/${newsletter}`, shows: 'newsletter', act: row },
    { at: ({ inventory }) => `/trees/${inventory}`, shows: 'inventory', act: button('Show the result') },
    {
      at: ({ newsletter, askingTask }) => `/trees/${newsletter}?task=${askingTask}`,
      shows: 'newsletter',
      act: (page) =>
        page
          .getByRole('textbox', { name: 'Your answer' })
          .or(page.getByRole('button', { name: /^Answer/ }))
          .first(),
    },
    { at: ({ machine }) => `/trees/${machine}?view=time`, shows: 'machine', act: button('Timeline') },
    { at: ({ newsletter }) => `/trees/${newsletter}?view=graph`, shows: 'newsletter', act: button('Graph') },
    { at: ({ steps }) => `/trees/${steps}`, shows: 'downloads', act: button(/^(Run one turn|Resume)/) },
  ],
  '/t/$taskId': [{ at: ({ askingTask }) => `/t/${askingTask}`, shows: 'two drafts', act: link('Show it in its goal') }],
  '/goals/new': [{ at: () => '/goals/new', shows: 'goal', act: (page) => page.getByRole('main').getByRole('textbox').first() }],
  '/plans/$id': [{ at: ({ plan }) => `/plans/${plan}`, shows: 'plan', act: (page) => page.getByRole('treeitem').first() }],
  '/reviews': [{ at: () => '/reviews', shows: 'Reviews', act: (page) => page.locator('.review-link').first() }],
  '/reviews/$id': [{ at: ({ permission }) => `/reviews/${encodeURIComponent(permission)}`, shows: 'rsync', act: button('Approve') }],
  '/reviews/rules': [{ at: () => '/reviews/rules', shows: 'Rules', act: button('Add it') }],
  '/agents': [{ at: () => '/agents', shows: 'Agents', act: link('New agent') }],
  '/agents/$id': [
    {
      at: () => '/agents/newsletter_editor',
      shows: 'newsletter_editor',
      act: (page) => page.getByRole('textbox', { name: 'Instruction' }),
    },
  ],
  '/documents': [{ at: () => '/documents', shows: 'Documents', act: link('New document') }],
  '/documents/$id': [
    { at: () => '/documents/house_style', shows: 'house_style', act: (page) => page.getByRole('textbox', { name: 'Content' }) },
  ],
  '/tools': [{ at: () => '/tools', shows: 'Tools', act: (page) => page.getByRole('searchbox') }],
  '/tools/$id': [
    {
      at: () => '/tools/use_terminal',
      shows: 'use_terminal',
      act: (page) => page.getByRole('main').getByRole('tab', { selected: true }),
    },
  ],
  '/evolution': [{ at: () => '/evolution', shows: 'Evolution', act: link('Ask for a change') }],
  // A change needs an agent that makes one: `evolution.test.ts` has it, and looks at the same things there.
  '/evolution/$id': [],
  '/system': [{ at: () => '/system', shows: 'System', act: button('Save all as CSV') }],
  '/settings': [{ at: () => '/settings', shows: 'Settings', act: link('Models') }],
  '/settings/$section': [
    'providers',
    'policies',
    'budgets',
    'clients',
    'servers',
    'secrets',
    'tokens',
    'people',
    'runtime',
    'about',
    'appearance',
    'keyboard',
  ].map((section) => ({
    at: () => `/settings/${section}`,
    shows: 'Settings',
    act: link('Models'),
  })),
}

describe.skipIf(noBrowser)('every page', { timeout: 120_000 }, () => {
  const { open, axe, overflow, banyan } = harness()
  let work: SampleWork
  beforeAll(async () => {
    work = await giveSampleWork(banyan())
  }, 120_000)

  test('has a visit here', () => {
    const router = createPageRouter(createMemoryHistory())
    expect(Object.keys(VISITS).sort()).toEqual(Object.keys(router.routesByPath).sort())
  })

  const drawn = async (page: Page) => {
    await page.locator('main h1').first().waitFor({ state: 'attached' })
    await expect.poll(() => page.locator('main :is(.skeleton, [aria-busy=true])').count(), { timeout: 15_000 }).toBe(0)
  }
  const visits = Object.entries(VISITS).flatMap(([route, some]) =>
    some.map((visit, i) => ({ name: some.length > 1 ? `${route} (${i + 1})` : route, ...visit })),
  )

  test.each(visits)(
    '$name: on a phone, on a screen and at 200 % zoom nothing that axe finds in both themes, nothing out at the side, and the keyboard alone reaches what a person is here for',
    async ({ at, shows, act }) => {
      const page = await open(at(work), { width: 390, height: 844 })
      await drawn(page)
      await axe(page)
      expect(await overflow(page), 'pixels too wide on a phone').toBe(0)
      // 1280 × 860 at 200 %: what the browser then tells the page.
      await page.setViewportSize({ width: 640, height: 430 })
      await drawn(page)
      expect(await overflow(page), 'pixels too wide at 200 %').toBe(0)
      await page.setViewportSize({ width: 1280, height: 860 })
      await drawn(page)
      const goal = act(page)
      await goal.waitFor()
      // The words of the page come first, so that a narrow tab tells them; Banyan ends it.
      await expect.poll(() => page.title()).toMatch(/^(\(\d+\) )?\S.* · Banyan$/)
      expect((await page.title()).toLowerCase()).toContain(shows.toLowerCase())
      await axe(page)
      expect(await overflow(page), 'pixels too wide').toBe(0)
      const isThere = () => goal.evaluate((element) => element === document.activeElement || element.contains(document.activeElement))
      // A page may put the focus there by itself.
      if (!(await isThere())) {
        await page.keyboard.press('Tab')
        expect(await page.evaluate(() => document.activeElement?.className)).toBe('skip')
        await page.keyboard.press('Enter')
      }
      for (let steps = 0; !(await isThere()); steps++) {
        expect(steps, 'presses of Tab before it is reached').toBeLessThan(60)
        await page.keyboard.press('Tab')
      }
      const seen = await page.evaluate(() => {
        const focused = document.activeElement!
        const parts = [focused, focused.parentElement!, focused.closest('.editor') ?? focused]
        return parts.some((part) => {
          const look = getComputedStyle(part)
          return (look.outlineStyle !== 'none' && parseFloat(look.outlineWidth) > 0) || look.boxShadow !== 'none'
        })
      })
      expect(seen, 'the focus is seen').toBe(true)
    },
  )
})
