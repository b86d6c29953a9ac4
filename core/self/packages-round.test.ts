/** A change that brings a package, from its proposal until the keeper runs it: a person agrees, it is fetched, and everything is tried with it. */
import { existsSync, mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { packagesKey } from '../../scripts/keeper/tree.mjs'
import { need } from '../../scripts/needs.ts'
import { checkout } from '../../scripts/testing/checkout.ts'
import { openRegistry } from '../../scripts/testing/registry.ts'
import { begin, submit, write } from '../../scripts/testing/self.ts'
import { selfOfTest } from '../../scripts/testing/self-of-test.ts'
import { keepable, served, settle, tableOf } from '../../scripts/testing/small-keeper.ts'

const open = selfOfTest()
/** What the gates run. */
const GATES = ['@biomejs/biome', '@types/node', 'typescript', 'vite', 'vitest']
const WORDS = 'core/registry/words.ts'
const USES = "import { word } from 'small-words'\n\n/** What is said. */\nexport const said = (): string => word.toUpperCase()\n"
const TEST = [
  "import { expect, test } from 'vitest'",
  "import { said } from './words.ts'",
  '',
  "test('says the word of the package', () => {",
  "  expect(said()).toBe('HELLO')",
  '})',
  '',
].join('\n')

describe.skipIf(!need('bubblewrap'))('a change that brings a package', () => {
  test('is read by a person first, then fetched without running a line of it, tried with it, and run by the keeper', async () => {
    const registry = await openRegistry()
    const mark = join(tmpdir(), `banyan-install-script-${process.pid}`)
    try {
      const files = { 'index.js': "export const word = 'hello'\n", 'index.d.ts': 'export declare const word: string\n' }
      registry.publish('small-words', files, { main: 'index.js', types: 'index.d.ts', scripts: { install: `touch ${mark}` } })
      const { dependencies, lock } = registry.lists(GATES, ['small-words'])
      const source = checkout()
      keepable(source)
      source.commit('What a keeper can run')
      const manifest = JSON.parse(source.read('package.json')) as object
      const dataDir = mkdtempSync(join(tmpdir(), 'banyan-'))
      const home = await settle(dataDir, source, null)
      const { goal, until, item, approve, runtime, h } = await open(
        {
          words: [
            begin,
            write('package.json', `${JSON.stringify({ ...manifest, dependencies }, null, 2)}\n`),
            write('package-lock.json', lock),
            write(WORDS, USES),
            write('core/registry/words.test.ts', TEST),
            submit(),
          ],
        },
        { source, dataDir, kept: true, registry: registry.url },
      )
      const id = await goal('words')
      const asked = await until(id, 'review')
      const before = (await runtime.changes.get(asked.id)).gates
      expect([asked.level, before.find(({ name }) => name === 'types')!.verdict]).toEqual([3, 'skipped'])
      expect(registry.asked, 'nothing is fetched before a person agreed').toEqual([])
      await approve(await item(id))
      const change = await until(id, 'restarting')
      const gates = (await runtime.changes.get(change.id)).gates
      const said = Object.fromEntries(gates.map(({ name, verdict }) => [name, verdict]))
      expect(said).toMatchObject({ dependencies: 'passed', types: 'passed', lint: 'passed', 'affected tests': 'passed' })
      expect(gates.find(({ name }) => name === 'affected tests')!.summary).toMatch(/^1 file: 1 passed/)
      await served(home, dataDir)
      runtime.changes.wake()
      await until(id, 'kept')
      expect((await h.over(id)).result).toContain('is kept')
      const slot = tableOf(home).slots[tableOf(home).active]!
      expect(slot).toMatchObject({ tree: change.tree, lock: packagesKey(lock) })
      expect(readFileSync(join(home, 'slots', slot.tree, 'node_modules/small-words/index.js'), 'utf8')).toContain('hello')
      expect(existsSync(mark)).toBe(false)
    } finally {
      await registry.close()
    }
  }, 300_000)
})
