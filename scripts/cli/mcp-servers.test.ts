/** `banyan mcp add` and its like against a whole engine, with real servers. */
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { fixture } from '../../core/mcp/fixture/servers.ts'
import { type Bench, openBench } from './fixture/banyan.ts'

/** The machine may be busy. */
const PATIENCE = { timeout: 30_000, interval: 200 }

// Each command is a process, and CI has two cores.
vi.setConfig({ testTimeout: 120_000 })

describe('banyan mcp', () => {
  let bench: Bench
  let engine: Awaited<ReturnType<Bench['engine']>>
  beforeAll(async () => {
    bench = openBench()
    engine = await bench.engine()
  })
  afterAll(() => bench.remove())
  const mcp = (...argv: string[]) => bench.run(['mcp', ...argv])
  const program = (mode: string, ...more: string[]) => ['--', ...fixture(mode).command, ...more]

  test('adds a server, shows what it offers, and approves what was shown', async () => {
    const added = await mcp('add', 'files', '--plain', '--env', 'TOKEN=not-to-be-shown', ...program('honest'))
    expect(added, added.err).toMatchObject({ code: 0, out: 'files\n' })
    expect(added.err).toContain('mcp__files__echo  pending')
    expect(added.err).toContain('2 tools wait for you: banyan mcp approve files')
    const listed = await mcp('servers')
    expect(listed.out).toMatch(/^files +running +0 of 2 tools +ask +2 tools to approve\n$/)
    expect(await mcp('approve', 'files')).toMatchObject({ code: 2, err: expect.stringContaining('add --yes') })
    const approved = await mcp('approve', 'files', 'echo', '--yes')
    expect(approved, approved.err).toMatchObject({ code: 0, out: 'mcp__files__echo\n' })
    const shown = await mcp('show', 'files')
    expect(shown.out).toMatch(/reaches +plain: it sees what its user sees/)
    expect(shown.out).toMatch(/tools +2 offered, 1 approved, 1 pending/)
    expect(JSON.parse((await mcp('tools', 'files', '--json')).out)).toMatchObject({ items: [{ state: 'approved' }, { state: 'pending' }] })
    const ruled = await mcp('rules', 'files', '--policy', 'allow', '--trust')
    expect(ruled.err).toContain('Calls: allow; what it says of its tools is believed.')
    for (const { out, err } of [added, listed, approved, shown, ruled]) expect(out + err).not.toContain('not-to-be-shown')
  })

  test('says in one sentence what is wrong with a server, and keeps it to be mended', async () => {
    const added = await mcp('add', 'dead', '--plain', ...program('dead'))
    expect(added).toMatchObject({ code: 0, out: 'dead\n' })
    expect(added.err).toContain(
      'Added, but it could not be used: it ended by itself with exit code 2, and said last: "cannot find my settings".',
    )
    expect((await mcp('restart', 'dead')).err).toContain('It could not be used: it ended by itself')
    expect(await mcp('disable', 'dead')).toMatchObject({ code: 0, err: expect.stringContaining('its tools answer nothing') })
    expect(await mcp('remove', 'dead', '--yes')).toMatchObject({ code: 0, err: 'Removed dead.\n' })
  })

  test.each([
    [['add', 'files', '--url', 'http://127.0.0.1:9/mcp'], 1, /There is an MCP server "files" already/],
    [['add', 'Files', '--url', 'http://127.0.0.1:9/mcp'], 1, /a server is named with 1 to 24/],
    [['add', 'none'], 2, /Give either --url/],
    [['add', 'none', '--url', 'http://127.0.0.1:9/mcp', '--env', 'A=b'], 1, /for servers with a command/],
    [['add', 'none', '--env', 'LD_PRELOAD=x', '--', 'true'], 1, /steers which programs run/],
    [['add', 'none', '--env', 'KEY=secret:NONE', '--', 'true'], 1, /there is no secret NONE/],
    [['show', 'none'], 1, /There is no MCP server "none"; `banyan mcp servers` lists them/],
    [['plain', 'none', '--yes'], 1, /There is no MCP server "none"/],
    [['login', 'files'], 1, /is a program and takes no login/],
    [['approve', 'files', 'nothing', '--yes'], 1, /files has no tool nothing/],
  ])('%j is refused in one sentence', async (argv, code, words) => {
    const ran = await mcp(...argv)
    expect(ran.code, ran.err).toBe(code)
    expect(ran.err).toMatch(words)
    expect(ran.out).toBe('')
  })

  test('nothing of a server outlives an engine that is killed', async () => {
    const mark = 'a-mark-of-this-test'
    for (const [name, ...how] of [
      ['outside', '--plain'],
      ['within', '--folder', fixture('').folders[0]!.path],
    ] as const) {
      const added = await mcp('add', name, ...how, ...program('honest', mark))
      expect(added.err, added.err).toContain('2 tools wait')
    }
    const alive = () =>
      readdirSync('/proc').filter((pid) => {
        try {
          return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(mark)
        } catch {
          return false // it ended meanwhile
        }
      })
    expect(alive().length).toBeGreaterThanOrEqual(2)
    const ended = once(engine.child, 'exit')
    engine.child.kill('SIGKILL')
    await ended
    await vi.waitFor(() => expect(alive()).toEqual([]), PATIENCE)
    engine = await bench.engine()
    expect((await mcp('servers')).out).toMatch(/^files +stopped[\s\S]*outside +stopped[\s\S]*within +stopped/)
    expect(alive()).toEqual([])
  })
})
