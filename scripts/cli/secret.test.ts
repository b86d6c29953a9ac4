import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Bench, openBench } from './fixture/banyan.ts'

describe('banyan secret', () => {
  let bench: Bench
  let ended: Promise<unknown[]>
  beforeAll(async () => {
    bench = openBench()
    ended = once((await bench.engine()).child, 'exit')
  })
  afterAll(() => bench.remove())
  const secret = (argv: string[], input?: string) => bench.run(['secret', ...argv], {}, input)

  test('takes a value from stdin, shows everything but it, and grants and removes', async () => {
    const set = await secret(['set', 'GITHUB_TOKEN', '--description', 'pushes'], 'the-value-itself\n')
    expect(set, set.err).toMatchObject({ code: 0, out: 'GITHUB_TOKEN\n' })
    expect(set.err).toContain('Granted to nobody yet.')
    const granted = await secret(['grant', 'GITHUB_TOKEN', 'agent:generalist'])
    expect(granted).toMatchObject({ code: 0, err: expect.stringContaining('Granted to agent:generalist.') })
    const listed = await secret([])
    expect(listed.out).toMatch(/^GITHUB_TOKEN +agent:generalist +never used +pushes\n$/)
    const revoked = await secret(['revoke', 'GITHUB_TOKEN', 'agent:generalist', '--json'])
    expect(JSON.parse(revoked.out)).toMatchObject({ name: 'GITHUB_TOKEN', grants: [] })
    const kept = await secret(['rm', 'GITHUB_TOKEN'])
    expect(kept).toMatchObject({ code: 2, err: expect.stringContaining('add --yes') })
    const removed = await secret(['rm', 'GITHUB_TOKEN', '--yes'])
    expect(removed.code).toBe(0)
    for (const { out, err } of [set, granted, listed, revoked, kept, removed]) expect(out + err).not.toContain('the-value-itself')
    expect(JSON.parse((await secret(['ls', '--json'])).out)).toEqual({ items: [] })
  })

  test('rotates the key: values stay usable after the restart, and the key is another', async () => {
    await secret(['set', 'GITHUB_TOKEN'], 'the-value-itself\n')
    expect(await secret(['rotate'])).toMatchObject({ code: 2, err: expect.stringContaining('add --yes') })
    const before = readFileSync(join(bench.dataDir, 'secret-key'), 'utf8')
    const rotated = await secret(['rotate', '--yes'])
    expect(rotated, rotated.err).toMatchObject({ code: 0, err: expect.stringContaining('1 value is sealed with the new key') })
    expect(readFileSync(join(bench.dataDir, 'secret-key'), 'utf8')).not.toBe(before)
    // 75 asks whoever started it for a restart.
    expect(await ended).toEqual([75, null])
    await bench.engine()
    expect(existsSync(join(bench.dataDir, 'secret-key.old'))).toBe(false)
    const listed = await secret(['ls', '--json'])
    expect(JSON.parse(listed.out)).toMatchObject({ items: [{ name: 'GITHUB_TOKEN', readable: true }] })
    await secret(['rm', 'GITHUB_TOKEN', '--yes'])
  })

  test.each([
    [['set', 'GITHUB_TOKEN'], '\n', 2, /No value was given/],
    [['set', 'GITHUB_TOKEN'], 'abc', 1, /at least 6 characters/],
    [['set', 'PATH'], 'the-value-itself', 1, /steers programs/],
    [['grant', 'NONE', '*'], '', 1, /There is no secret "NONE"; banyan secret ls/],
    [['rm', 'NONE', '--yes'], '', 1, /There is no secret "NONE"/],
  ])('%j is refused in one sentence', async (argv, input, code, words) => {
    const ran = await secret(argv, input)
    expect(ran.code, ran.err).toBe(code)
    expect(ran.err).toMatch(words)
    expect(ran.out).toBe('')
  })
})
