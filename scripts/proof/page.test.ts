/** A change of the web page, from an agent's wish to what a browser is served: built within the walls, without a network, carried by the keeper. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { hashTree } from '../keeper/tree.mjs'
import { need } from '../needs.ts'
import { type Checkout, checkout } from '../testing/checkout.ts'
import { begin, type Self, self, submit, write } from '../testing/self.ts'
import { keepable, served, settle } from '../testing/small-keeper.ts'

let s: Self | undefined
let dataDir: string
afterEach(async () => {
  const found = await s?.end()
  s = undefined
  rmSync(dataDir, { recursive: true, force: true })
  expect(found ?? []).toEqual([])
})

/** A small checkout with a page, of which a built one runs. */
async function withPage(): Promise<{ source: Checkout; home: string }> {
  dataDir = mkdtempSync(join(tmpdir(), 'banyan-page-'))
  const source = checkout()
  keepable(source)
  source.write('web/vite.config.ts', 'export default {}\n')
  source.write('web/index.html', '<!doctype html><title>Small</title><h1>As before</h1>\n')
  source.write('.gitignore', 'node_modules\ndata\nweb/dist\n')
  source.commit('It has a page')
  mkdirSync(join(source.folder, 'web/dist'))
  writeFileSync(join(source.folder, 'web/dist/index.html'), '<h1>As before</h1>')
  const home = await settle(dataDir, source, hashTree(join(source.folder, 'web/dist'), []).get('')!)
  return { source, home }
}
const runWith = async (source: Checkout, html: string) =>
  (s = await self({ page: [begin, write('web/index.html', html), submit({ title: 'Another page' })] }, { dataDir, source, kept: true }))

describe.skipIf(!need('bubblewrap'))('a change of the page', () => {
  test('is built within the walls and served by the new slot', async () => {
    const { source, home } = await withPage()
    const { goal, until, item, approve, runtime } = await runWith(source, '<!doctype html><title>Small</title><h1>Brand new</h1>\n')
    const restart = new Promise<void>((resolve) => runtime.onRestart(resolve))
    const id = await goal('page')
    await until(id, 'review')
    const asked = await item(id)
    expect((asked.action as { gates: object[] }).gates).toContainEqual(
      expect.objectContaining({ name: 'page build', verdict: 'passed', summary: 'The page can be built.' }),
    )
    await approve(asked)
    await restart
    await served(home, dataDir, { look: async (url) => expect(await (await fetch(url)).text()).toContain('Brand new') })
    runtime.changes.wake()
    await until(id, 'kept')
  }, 240_000)

  test('that cannot be built is refused by its gate', async () => {
    const { source } = await withPage()
    const { goal, runtime, h } = await runWith(source, '<!doctype html><script type="module" src="./gone.ts"></script>\n')
    const id = await goal('page')
    expect((await h.over(id)).result).toMatch(/the gate "page build" failed. Error: Failed to resolve .\/gone\.ts/)
    const [change] = (await runtime.changes.list({ limit: 5 })).items
    expect(change?.state).toBe('refused')
  }, 240_000)
})
