import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest'
import { readGoals } from './read-goals.ts'

it('the example goals of this checkout are three, each ready to be typed', async () => {
  const goals = await readGoals(join(import.meta.dirname, '../../seeds/goals'))
  expect(goals.map(({ name, copy }) => [name, copy])).toEqual([
    ['commands', []],
    ['inventory', ['core', 'tools', 'seeds', 'web']],
    ['judgement', []],
  ])
  for (const { title, description, goal } of goals) expect([title, description, goal].every((text) => text.length > 10)).toBe(true)
})

describe('a mistake in an example goal', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'banyan-goals-'))
  })
  afterEach(() => rm(folder, { recursive: true }))

  test.each([
    ['no goal', 'a.md', '---\ntitle: A\ndescription: B\n---\n\n', 'a.md: the goal is missing; it belongs below the front matter.'],
    ['no front matter', 'a.md', 'Do it.\n', /a\.md: it must begin with front matter/],
    [
      'a field that nobody reads',
      'a.md',
      '---\ntitle: A\ndescription: B\ncolour: red\n---\n\nDo it.\n',
      'a.md: the field colour is unknown; remove it or mend its spelling.',
    ],
    [
      'a folder outside the checkout',
      'a.md',
      '---\ntitle: A\ndescription: B\ncopy: [../data]\n---\n\nDo it.\n',
      'a.md: the field copy.0 is not right: a folder of the checkout, by its name alone.',
    ],
    [
      'a name that cannot be one',
      'My goal.md',
      '---\ntitle: A\ndescription: B\n---\n\nDo it.\n',
      'My goal.md: the name of the file may have only a to z, digits, _ and -.',
    ],
  ])('such as %s is named with its file', async (_, name, text, sentence) => {
    await writeFile(join(folder, name), text)
    await expect(readGoals(folder)).rejects.toThrow(sentence)
  })

  it('such as a folder that is not there is named', async () => {
    await expect(readGoals(join(folder, 'nope'))).rejects.toThrow(/nope cannot be read \(ENOENT\)/)
  })
})
