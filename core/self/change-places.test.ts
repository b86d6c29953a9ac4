/** Where a change lands: each checkout of a person stays as it was, and no branch that is checked out moves. */
import { execFileSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { need } from '../../scripts/needs.ts'
import { type Checkout, checkout } from '../../scripts/testing/checkout.ts'
import { GREETING, loud, louder } from '../../scripts/testing/self.ts'
import { selfOfTest } from '../../scripts/testing/self-of-test.ts'

const open = selfOfTest()

describe.skipIf(!need('bubblewrap'))('where the change of a system lands', () => {
  /** Each leaves a person's checkout as it was, and moves no branch that is checked out. */
  const PLACES: Record<string, (source: Checkout) => void> = {
    'with uncommitted work': (source) => source.write('README.md', '# Mine, and not committed\n'),
    'with a detached head': (source) => void source.git('checkout', '--quiet', '--detach'),
    'on another branch': (source) => void source.git('checkout', '--quiet', '-b', 'mine'),
  }
  test.each(Object.entries(PLACES))(
    'a checkout %s is not touched: the change waits on banyan/main, and one command joins them',
    async (_, arrange) => {
      const where = checkout()
      arrange(where)
      const look = () => [
        where.git('status', '--porcelain', '--branch'),
        where.read('README.md'),
        where.read(GREETING),
        where.git('rev-parse', 'HEAD', 'main'),
      ]
      const before = look()
      const { goal, until, item, approve } = await open({ louder: louder() }, { source: where })
      const id = await goal('louder')
      await until(id, 'review')
      await approve(await item(id))
      const merged = await until(id, 'merged')
      expect(look()).toEqual(before)
      expect(merged.landed).toBe('banyan/main')
      expect(where.git('rev-parse', 'banyan/main')).toBe(merged.commit)
      where.git('checkout', '--quiet', '--force', 'main')
      execFileSync('/bin/sh', ['-c', merged.join!], { stdio: 'ignore' })
      expect(where.read(GREETING)).toBe(loud())
    },
    60_000,
  )

  test('a source without a history gets one in the data folder, and no branch of anybody moves', async () => {
    const where = checkout({ history: false })
    const { goal, until, item, approve } = await open({ louder: louder() }, { source: where })
    const id = await goal('louder')
    await until(id, 'review')
    await approve(await item(id))
    expect(await until(id, 'merged')).toMatchObject({ landed: 'main', join: null })
    expect(readdirSync(where.folder)).not.toContain('.git')
    expect(where.read(GREETING)).not.toContain('loud')
  }, 240_000)
})
