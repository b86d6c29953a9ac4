import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Bench, openBench } from './fixture/banyan.ts'
import { lifetime } from './token.ts'

describe('banyan token', () => {
  let bench: Bench
  beforeAll(async () => {
    bench = openBench()
    await bench.engine()
  })
  afterAll(() => bench.remove())
  const token = (argv: string[], env: Record<string, string> = {}) => bench.run(['token', ...argv], env)

  test('makes a token that does what its scopes say, shows it once, and ends it', async () => {
    const made = await token(['create', 'ci', '--scope', 'read', '--expires', '8w'])
    expect(made, made.err).toMatchObject({ code: 0, out: expect.stringMatching(/^bny_[0-9A-Za-z]{49}\n$/) })
    const value = made.out.trim()
    const listed = await token([])
    expect(listed.out).toMatch(/^ci +read +owner +never used +ends \d{4}-/)
    expect(listed.out + listed.err).not.toContain(value)
    const by = { BANYAN_TOKEN: value }
    expect((await bench.run(['ls', '--json'], by)).code).toBe(0)
    const refused = await bench.run(['goal', 'Say hello.'], by)
    expect(refused, refused.err).toMatchObject({ code: 4, err: expect.stringContaining('This token lacks the scope goals:write') })
    expect(await token(['create', 'more'], by)).toMatchObject({
      code: 4,
      err: expect.stringContaining('A token for programs may not do this'),
    })
    expect(await token(['revoke', 'ci'])).toMatchObject({ code: 2, err: expect.stringContaining('add --yes') })
    expect(await token(['revoke', 'ci', '--yes'])).toMatchObject({ code: 0, err: 'Revoked ci.\n' })
    expect((await bench.run(['ls'], by)).code).toBe(4)
    expect((await token(['ls'])).out).toMatch(/^ci .* revoked \d{4}-/)
  })

  test.each([
    [['create', 'x', '--scope', 'everything'], 2, /"everything" is no scope; there are read, goals:write/],
    [['create', 'x', '--expires', 'soon'], 2, /such as 12h, 90d or 8w, or never/],
    [['create', 'two words'], 1, /letters, digits/],
    [['revoke', 'nothing', '--yes'], 1, /There is no token "nothing" of yours/],
  ])('%j is refused in one sentence', async (argv, code, words) => {
    const ran = await token(argv)
    expect(ran.code, ran.err).toBe(code)
    expect(ran.err).toMatch(words)
  })
})

test('lifetimes are hours, days or weeks', () => {
  expect([lifetime('12h'), lifetime('90d'), lifetime('2w'), lifetime('never')]).toEqual([43_200_000, 7_776_000_000, 1_209_600_000, null])
  for (const wrong of ['0d', '1', 'd', '-1d', '1y', '']) expect(() => lifetime(wrong), wrong).toThrow('such as')
})
