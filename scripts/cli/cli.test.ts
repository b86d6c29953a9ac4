import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isWritable } from '../needs.ts'
import { type Bench, openBench } from './fixture/banyan.ts'
import { findServer, ROOT } from './server.ts'

/** The command line of a shell's hint, without the word `banyan`. */
const wordsOf = (hint: string): string[] => [...hint.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare!).slice(1)

describe('against a running engine', () => {
  let bench: Bench
  let engine: Awaited<ReturnType<Bench['engine']>>
  beforeAll(async () => {
    bench = openBench()
    engine = await bench.engine()
  })
  afterAll(() => bench.remove())

  /** A goal that runs until `open` is called. The file lies in the goal's own folder: a sandbox shows the command no other. */
  const gated = (name: string) => ({
    goal: `Run \`until test -f ${name}; do sleep 0.05; done; echo through\``,
    open: (id: string) => {
      const folder = join(bench.dataDir, 'workspaces', id)
      mkdirSync(folder, { recursive: true })
      writeFileSync(join(folder, name), '', { mode: 0o644 })
    },
  })
  const statusOf = async (id: string): Promise<string> => JSON.parse((await bench.run(['tree', id, '--json'])).out).status

  test('a goal that is done: result on stdout, words on stderr, exit 0', async () => {
    const { code, out, err } = await bench.run(['goal', '--wait', '1. Run `echo one`\n2. Then run `echo two`'])
    expect(code, err).toBe(0)
    expect(out).toContain('2 of 2 lines are done.')
    expect(err).toMatch(/✓ done \(\d+ tasks, /)
    expect(out + err).not.toMatch(/(?!\n)\p{Cc}/u)
  })

  test('the goal comes from stdin, and --json gives one document', async () => {
    const { code, out } = await bench.run(['goal', '-', '--wait', '--json'], {}, 'Run `echo piped`')
    expect(code).toBe(0)
    expect(JSON.parse(out)).toMatchObject({ status: 'done', exitCode: 0, reviews: [] })
  })

  test('the commands that a task left running are listed; one that is not there is told', async () => {
    const id = (await bench.run(['goal', 'Run `true`'])).out.trim()
    expect(JSON.parse((await bench.run(['jobs', id, '--json'])).out)).toEqual({ items: [] })
    expect(await bench.run(['jobs', id, 'job-1'])).toMatchObject({ code: 1, err: expect.stringContaining('has no job "job-1"') })
  }, 60_000)

  test('without --wait the id is all of stdout, and its beginning is enough to find it', async () => {
    const { out, err } = await bench.run(['goal', 'Run', '`echo id`'])
    expect(out).toMatch(/^[a-z0-9]+\n$/)
    const id = out.trim()
    expect(err).toContain(`banyan tree ${id} --watch`)
    const tree = await bench.run(['tree', id.slice(0, 6)])
    expect(tree.out).toContain('Run `echo id`')
    const watched = await bench.run(['tree', id, '--watch', '--json'])
    expect(watched.code).toBe(0)
    for (const line of watched.out.trim().split('\n').filter(Boolean)) expect(JSON.parse(line)).toMatchObject({ treeId: id })
    const shown = await bench.run(['show', id, '--full'])
    expect(shown.out).toMatch(/Result\n +`echo id`: exit code 0/)
    const logs = await bench.run(['logs', id])
    expect(logs.out.split('\n')[0]).toMatch(/goal Run `echo id`/)
    expect((await bench.run(['ls'])).out).toContain(id)
  })

  test('the same idempotency key finds the same goal', async () => {
    const argv = ['goal', 'Run `echo once`', '--idempotency-key', 'k1']
    expect((await bench.run(argv)).out).toBe((await bench.run(argv)).out)
  })

  test('a goal that fails is 5', async () => {
    const { code, err } = await bench.run(['goal', '--wait', 'Run `exit 3`'])
    expect(code).toBe(5)
    expect(err).toMatch(/✕ failed/)
    expect(err).toMatch(/try again: banyan retry \S+/)
  })

  test('a goal that needs judgement is 6, and the printed command answers it', async () => {
    const asked = await bench.run(['goal', '--wait', 'Decide which product to stop'])
    expect(asked.code, asked.err).toBe(6)
    expect(asked.out).toBe('')
    const hint = /banyan review answer .*/.exec(asked.err)![0]
    const id = /banyan tree (\S+) --watch/.exec(asked.err)![1]!
    expect((await bench.run(['review'])).out).toContain('Decide which product to stop')
    expect((await bench.run(['review', 'show', id])).out).toContain('question')
    expect((await bench.run(['review', 'approve', id])).code).toBe(2)
    const answered = await bench.run(wordsOf(hint))
    expect(answered.code, answered.err).toBe(0)
    const watched = await bench.run(['tree', id, '--watch'])
    expect(watched.code).toBe(0)
    expect((await bench.run(['show', id])).out).toContain('your answer')
    expect((await bench.run(wordsOf(hint))).err).toMatch(/decided already|No item that waits/)
  })

  test('a goal at a cap is 7, and the printed command raises it', async () => {
    const held = await bench.run(['goal', '--wait', '--budget', 'tasks=2', '1. Run `echo a`\n2. Run `echo b`\n3. Run `echo c`'])
    expect(held.code, held.err).toBe(7)
    const hint = /banyan review approve .*/.exec(held.err)![0]
    const id = /banyan tree (\S+) --watch/.exec(held.err)![1]!
    const raised = await bench.run([...wordsOf(hint), '--edit', '{"tasks": 50}'])
    expect(raised.code, raised.err).toBe(0)
    const tree = JSON.parse((await bench.run(['tree', id, '--json'])).out)
    expect(tree).toMatchObject({ pausedReason: null, limits: { tasks: 50 } })
  })

  test('stopping a goal with work below asks first; who waits for it ends with 3', async () => {
    const waiting = bench.banyan(['goal', '--wait', gated('never').goal])
    const [, id] = await waiting.said(/Goal (\S+):/)
    await waiting.said(/running/)
    const refused = await bench.run(['abort', id!])
    expect(refused.code).toBe(2)
    expect(refused.err).toMatch(/also stops \d+ unfinished subtask/)
    expect((await bench.run(['abort', id!, '--yes'])).code).toBe(0)
    const { code, err } = await waiting.ended
    expect(code).toBe(3)
    expect(err).toContain('⊘ stopped')
  })

  test('Ctrl-C leaves the goal running and says how to follow and stop it', async () => {
    const gate = gated('after-ctrl-c')
    const waiting = bench.banyan(['goal', '--wait', gate.goal])
    const [, id] = await waiting.said(/Goal (\S+):/)
    await waiting.said(/running/)
    waiting.child.kill('SIGINT')
    const { code, err } = await waiting.ended
    expect(code).toBe(130)
    expect(err).toContain(`banyan tree ${id} --watch`)
    expect(err).toContain(`banyan cancel ${id}`)
    expect(['waiting', 'active', 'pending', 'assigned']).toContain(await statusOf(id!))
    gate.open(id!)
    expect((await bench.run(['tree', id!, '--watch'])).code).toBe(0)
    expect(await statusOf(id!)).toBe('done')
  })

  test('--wait survives kill -9 of the engine, even when the next one listens elsewhere', async () => {
    const gate = gated('after-kill')
    const waiting = bench.banyan(['goal', '--wait', gate.goal])
    const [, id] = await waiting.said(/Goal (\S+):/)
    await waiting.said(/running/)
    engine.child.kill('SIGKILL')
    await waiting.said(/line to http:\S+ is lost/)
    engine = await bench.engine()
    await waiting.said(/Banyan is back/)
    gate.open(id!)
    const { code, out, err } = await waiting.ended
    expect(code, err).toBe(0)
    expect(out).toContain('through')
  })

  test('what a command writes cannot drive the terminal', async () => {
    const { out, err } = await bench.run(['goal', '--wait', "Run `printf '\\033[31mred\\033]0;owned\\007 \\302\\233 end'`"])
    expect(out).toContain('red')
    expect(out + err).not.toMatch(/(?!\n)\p{Cc}/u)
  })

  test('paused goals wait for a person, step and resume let them go on', async () => {
    const held = await bench.run(['goal', '--wait', '--mode', 'step', 'Run `echo stepped`'])
    expect(held.code, held.err).toBe(6)
    const [, id] = /banyan step (\S+)/.exec(held.err)!
    const resumed = await bench.run(['resume', id!])
    expect(resumed.code, resumed.err).toBe(0)
  })

  test('an agent goes out as a file and comes back as a new version', async () => {
    const file = join(bench.folder, 'generalist.md')
    expect((await bench.run(['agent', 'export', 'generalist', '--out', file])).code).toBe(0)
    writeFileSync(file, `${readFileSync(file, 'utf8')}\nBe brief.\n`)
    const imported = await bench.run(['agent', 'import', file, '--json'])
    expect(imported.code, imported.err).toBe(0)
    expect(JSON.parse(imported.out).items[0]).toMatchObject({ name: 'generalist', version: 2 })
    expect((await bench.run(['agent', 'show', 'generalist'])).out).toContain('Be brief.')
  })

  test('refusals of the server are its one sentence, with the rest under --debug', async () => {
    const refused = await bench.run(['goal', '--agent', 'nobody', 'Do it.'])
    expect(refused.code).toBe(1)
    expect(refused.err).toMatch(/^banyan: There is no agent "nobody".*\n$/)
    expect((await bench.run(['goal', '--agent', 'nobody', 'Do it.', '--debug'])).err).toContain('"requestId"')
  })

  test('a wrong token is 4', async () => {
    const refused = await bench.run(['ls', '--token', 'wrong'])
    expect(refused.code).toBe(4)
    expect(refused.err).toMatch(/does not accept the token/)
  })

  test('the token is shown only when asked for', async () => {
    const secret = readFileSync(join(bench.dataDir, 'admin-token'), 'utf8').trim()
    const hidden = await bench.run(['token', 'show'])
    expect(hidden.out + hidden.err).not.toContain(secret)
    expect((await bench.run(['token', 'show', '--reveal'])).out.trim()).toBe(secret)
  })

  test('a login link is fresh each time', async () => {
    const [one, two] = [await bench.run(['open', '--print']), await bench.run(['open', '--print'])]
    expect(one.out).toMatch(/\/login\?code=\S+\n$/)
    expect(one.out).not.toBe(two.out)
  })

  test('doctor finds nothing that fails', async () => {
    const { code, out } = await bench.run(['doctor', '--json'])
    const { ok, checks } = JSON.parse(out) as { ok: boolean; checks: { name: string; state: string }[] }
    expect({ ok, code }, out).toEqual({ ok: true, code: 0 })
    expect(checks.map((check) => check.name)).toEqual(
      expect.arrayContaining(['node', 'data folder', 'disk', 'server', 'database', 'model']),
    )
  })
})

describe('without an engine', () => {
  let bench: Bench
  beforeAll(() => {
    bench = openBench()
  })
  afterAll(() => bench.remove())

  test('nobody answers: one sentence with the mend, exit 1', async () => {
    const probe = createServer().listen(0, '127.0.0.1')
    await once(probe, 'listening')
    const { port } = probe.address() as AddressInfo
    probe.close()
    await once(probe, 'close')
    const { code, out, err } = await bench.run(['ls'], { PORT: String(port) })
    expect({ code, out }).toEqual({ code: 1, out: '' })
    expect(err).toBe(`banyan: Banyan is not running at http://127.0.0.1:${port}; start it with \`npm start\` or \`banyan up\`.\n`)
    const status = await bench.run(['status', '--json'], { PORT: String(port) })
    expect(JSON.parse(status.out)).toMatchObject({ running: false })
    expect(status.code).toBe(1)
  })

  test('something else answers: it is said', async () => {
    const other = createServer((_, response) => response.end('<html>')).listen(0, '127.0.0.1')
    await once(other, 'listening')
    const { port } = other.address() as AddressInfo
    const { code, err } = await bench.run(['ls', '--url', `http://127.0.0.1:${port}`])
    other.close()
    expect(code).toBe(1)
    expect(err).toContain('is not a Banyan that this command line understands')
  })

  test('the token of this machine is not sent to another one', () => {
    expect(findServer({ url: 'http://example.com:8000' }, {}, 'banyan')).toMatchObject({ token: null, url: 'http://example.com:8000' })
    expect(findServer({ url: 'http://example.com:8000', token: 'theirs' }, {}, 'banyan').token).toBe('theirs')
    expect(findServer({}, { BANYAN_URL: 'https://example.com/', BANYAN_TOKEN: 'theirs' }, 'banyan')).toMatchObject({
      token: 'theirs',
      url: 'https://example.com',
    })
  })

  test('a misspelt command is answered with the one that was meant, exit 2', async () => {
    for (const [argv, meant] of [
      [['gaol', 'x'], 'goal'],
      [['review', 'aprove'], 'approve'],
    ] as const) {
      const { code, err } = await bench.run(argv)
      expect(code).toBe(2)
      expect(err).toContain(`Did you mean ${meant}?`)
    }
  })

  test('broken options are usage faults, before anything is asked of a server', async () => {
    for (const argv of [
      ['goal', '--budget', 'euros=1', 'x'],
      ['goal', '--mode', 'fast', 'x'],
      ['ls', '--limit', 'many'],
      ['ls', '--url', 'nowhere'],
    ])
      expect((await bench.run(argv)).code, argv.join(' ')).toBe(2)
  })

  test('a broken setting is one sentence', async () => {
    const { code, err } = await bench.run(['ls'], { PORT: 'eight' })
    expect(code).toBe(1)
    expect(err).toMatch(/^banyan: PORT must be .*\n$/)
  })

  test('a worker refuses on SQLite and names the setting', async () => {
    const { code, err } = await bench.run(['worker'])
    expect(code).toBe(1)
    expect(err).toContain('DATABASE_URL')
  })

  test('doctor names what is wrong and how to mend it', async () => {
    const taken = createServer((_, response) => response.end()).listen(0, '127.0.0.1')
    await once(taken, 'listening')
    const { port } = taken.address() as AddressInfo
    writeFileSync(join(bench.folder, 'a-file'), '')
    const { code, out } = await bench.run(['doctor'], { PORT: String(port), DATA_DIR: join(bench.folder, 'a-file') })
    taken.closeAllConnections()
    taken.close()
    expect(code).toBe(1)
    expect(out).toMatch(/✕ data folder .* is not a folder/)
    expect(out).toMatch(/✕ port .*is used by another program/)
  })

  test.skipIf(!isWritable(ROOT))('up in the background, status, down', async () => {
    const up = await bench.run(['up', '-d', '--json'])
    expect(up.code, up.err).toBe(0)
    const { url } = JSON.parse(up.out) as { url: string }
    try {
      expect(JSON.parse((await bench.run(['status', '--json'])).out)).toMatchObject({ running: true, url })
      expect(JSON.parse((await bench.run(['up', '-d', '--json'])).out)).toEqual({ url, started: false })
      expect((await bench.run(['up'])).code).toBe(1)
    } finally {
      const down = await bench.run(['down'])
      expect(down.code, down.err).toBe(0)
    }
    expect((await bench.run(['status'])).code).toBe(1)
  })

  test.skipIf(!isWritable(ROOT))('a start that fails says why', async () => {
    const { code, err } = await bench.run(['up', '-d'], { MODEL: 'nonsense/x', DATA_DIR: join(bench.folder, 'other') })
    expect(code).toBe(1)
    expect(err).toContain('the model nonsense/x names no known provider')
  })
})
