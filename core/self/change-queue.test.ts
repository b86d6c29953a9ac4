/** Changes beside each other, against a main branch that moves, and taken back. */
import { describe, expect, test } from 'vitest'
import { need } from '../../scripts/needs.ts'
import { begin, GREETING, loud, louder, submit, write } from '../../scripts/testing/self.ts'
import { selfOfTest } from '../../scripts/testing/self-of-test.ts'

const open = selfOfTest()

describe.skipIf(!need('bubblewrap'))('changes of the system', () => {
  test('main that moves on brings the gates again; what was shown before cannot be approved any more', async () => {
    const { goal, until, item, approve, runtime, source } = await open({ louder: louder() })
    const id = await goal('louder')
    await until(id, 'review')
    const old = await item(id)
    source.write('README.md', '# Small, and moved on\n')
    const moved = source.commit('A person goes on')
    runtime.changes.wake()
    await expect
      .poll(async () => (await runtime.changes.get((await until(id, 'review', 'gating')).id)).change.base, { timeout: 120_000 })
      .toBe(moved)
    await until(id, 'review')
    await expect(approve(old)).rejects.toThrow(/decided already/)
    const fresh = await item(id)
    expect((fresh.action as { tree: string }).tree).not.toBe((old.action as { tree: string }).tree)
    await approve(fresh)
    await until(id, 'merged')
    expect([source.read('README.md'), source.read(GREETING)]).toEqual(['# Small, and moved on\n', loud()])
    expect(source.git('rev-parse', 'HEAD^')).toBe(moved)
  }, 240_000)

  test('several wait in a queue, and each is judged on top of those that landed before it', async () => {
    const other = 'core/contract/farewell.ts'
    const { goal, until, item, approve, source } = await open({
      louder: louder(),
      farewell: [
        begin,
        write(other, "/** What is said last. */\nexport const farewell = (): string => 'Bye'\n"),
        submit({ title: 'Says goodbye' }),
      ],
    })
    const [a, b] = await Promise.all([goal('louder'), goal('farewell')])
    await Promise.all([until(a, 'review'), until(b, 'review')])
    await Promise.all([approve(await item(a)), approve(await item(b))])
    const first = await Promise.any([until(a, 'merged'), until(b, 'merged')])
    const second = first.treeId === a ? b : a
    // The other one was approved on another tree than would land now.
    await expect.poll(async () => (await item(second).catch(() => null))?.id, { timeout: 120_000 }).toMatch(/-r2$/)
    await approve(await item(second))
    await until(second, 'merged')
    expect([source.read(GREETING), source.read(other).includes('Bye')]).toEqual([loud(), true])
    expect(source.git('rev-list', '--count', 'HEAD')).toBe('3')
  }, 240_000)

  test('a person takes back what landed, and the opposite lands without gates', async () => {
    const { goal, until, item, approve, runtime, source, changes } = await open({ louder: louder() })
    const id = await goal('louder')
    await until(id, 'review')
    await approve(await item(id))
    const merged = await until(id, 'merged')
    await runtime.changes.rollback(merged.id, 'owner', 'Too loud.')
    await expect
      .poll(async () => (await changes()).map((one) => [one.kind, one.state]), { timeout: 120_000 })
      .toEqual([
        ['rollback', 'merged'],
        ['feature', 'undone'],
      ])
    expect(source.read(GREETING)).not.toContain('loud')
    expect(source.git('status', '--porcelain')).toBe('')
    await expect(runtime.changes.rollback(merged.id, 'owner', null)).rejects.toThrow(/nothing to take back/)
  }, 240_000)

  test('a text lands by itself, unless its author read words from outside or the owner wants to see all', async () => {
    const text = (words: string) => [
      begin,
      write('seeds/documents/house.md', `---\nname: house\ndescription: The house.\n---\n\n${words}\n`),
      submit({ kind: 'docs', title: words }),
    ]
    const { goal, until, runtime, source } = await open({ free: text('Free'), asked: text('Asked') })
    await until(await goal('free'), 'merged')
    expect(source.read('seeds/documents/house.md')).toContain('Free')
    await runtime.changes.saveAutonomy('none', 'owner')
    const second = await goal('asked')
    expect((await until(second, 'review')).level).toBe(0)
  }, 240_000)

  test('a stopped goal takes its proposal along', async () => {
    const { goal, until, runtime } = await open({ louder: louder() })
    const id = await goal('louder')
    await until(id, 'review')
    await runtime.tasks.control(id, { verb: 'cancel', by: 'owner' })
    expect((await until(id, 'refused')).note).toBeTruthy()
  }, 240_000)
})
