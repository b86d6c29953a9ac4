/** What code of an agent may try against the machine, the runtime and the people who read it; each is contained and said in words. */
import { chown, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { need } from '../../scripts/needs.ts'
import { TALLY } from '../../scripts/testing/tally-words.ts'
import type { MadePermission } from '../contract/made-tool.ts'
import { type Machine, openMachine } from './fixture/machine.ts'
import type { MadeRunner } from './run.ts'
import { checkerOf, problemInSchema } from './schema.ts'
import { problemInDraft, problemInName } from './source.ts'

// Every call is a process behind walls, and CI has two cores.
vi.setConfig({ testTimeout: 90_000 })

const signal = new AbortController().signal
let machine: Machine
let runner: MadeRunner
/** Ends a call after 3 seconds. */
let hasty: MadeRunner
const walls = need('bubblewrap')
const data = () => machine.data

beforeAll(async () => {
  machine = await openMachine()
  await writeFile(join(data(), 'secret-key'), 'the key', { mode: 0o600 })
  runner = machine.runner()
  hasty = machine.runner({ limits: { callMs: 3_000 } })
}, 60_000)
afterAll(() => machine.stop())

let serial = 0
const code = (source: string, permission: MadePermission = 'pure', tests = TALLY.tests) => ({
  sha: `attack-${++serial}`,
  source,
  tests,
  permission,
})
const call = (source: string, permission?: MadePermission, workspace: string | null = null) =>
  runner.call(code(source, permission), {}, workspace, signal)
const tool = (body: string) => `import * as fs from 'node:fs'\nexport default async (input: any, ctx: any) => { ${body} }\n`

/** What it tries; each must fail with a refusal of Node or of the kernel. `DATA` is the data folder. */
const REACHING: Record<string, string> = {
  'reads a file of the machine': `fs.readFileSync('/etc/passwd', 'utf8')`,
  'reads the data folder': `fs.readdirSync('DATA')`,
  'reads a key by its path': `fs.readFileSync('DATA/secret-key', 'utf8')`,
  'reads the environment of its process': `fs.readFileSync('/proc/self/environ', 'utf8')`,
  'reads other processes': `fs.readdirSync('/proc')`,
  'writes its own code': `fs.writeFileSync('/tool/tool.ts', 'x')`,
  'writes into /tmp': `fs.writeFileSync('/tmp/x', 'x')`,
  // A piece at a time: where memory is bound by the process, a gigabyte in one would be refused before anything is written.
  'writes a gigabyte': `Array.from({ length: 1_000 }, () => fs.appendFileSync('/tmp/big', Buffer.alloc(1e6)))`,
  'starts a program': `childProcess.execSync('id').toString()`,
  'forks itself': `childProcess.fork('/tool/call.mjs')`,
  'starts a worker': `new worker.Worker('1', { eval: true })`,
  'loads a native addon': `process.dlopen({ exports: {} } as any, '/tool/x.node')`,
  'opens the inspector': `inspector.open(0)`,
  'leaves its walls by a link': `fs.symlinkSync('/etc', '/tmp/etc')`,
  'becomes root': `process.setuid!(0)`,
}
/** What ends the process or its time. */
const ENDING: [string, string, RegExp][] = [
  ['exits while it is loaded', `process.exit(0)\nexport default async () => 1\n`, /ended by itself \(process\.exit\)/],
  ['aborts', tool('process.abort()'), /signal|exit code/],
  ['runs for ever', tool('for (;;) {}'), /still running after 3 s/],
  ['never settles', tool('await new Promise(() => {})'), /still running after 3 s/],
  ['eats memory', tool('const all: any[] = []; for (;;) all.push(new Array(2e6).fill(1.5))'), /more memory/],
  ['answers too much', tool(`return 'x'.repeat(300_000)`), /more than the 200000/],
  ['answers what is no JSON', tool('return 10n'), /not JSON/],
  ['answers a circle', tool('const a: any = {}; a.a = a; return a'), /not JSON/],
  ['has no function', 'export default 7\n', /no default export that is a function/],
]

describe.skipIf(!walls)('code that an agent wrote', () => {
  test('that reaches beyond what it was given is refused each time', async () => {
    const tries = Object.entries(REACHING).map(([name, act]) => `${JSON.stringify(name)}: () => ${act.replace('DATA', data())},`)
    const ran = await call(`import fs from 'node:fs'
import childProcess from 'node:child_process'
import worker from 'node:worker_threads'
import inspector from 'node:inspector'
export default async () => {
  const said: any = {}
  for (const [name, act] of Object.entries({ ${tries.join('\n')} } as any) as any) try { act(); said[name] = 'DONE' } catch (error: any) { said[name] = error.code ?? error.message }
  return said
}
`)
    if (ran.kind !== 'result') throw new Error(JSON.stringify(ran))
    const said = ran.value as Record<string, string>
    expect(Object.keys(said).sort()).toEqual(Object.keys(REACHING).sort())
    // Where walls stand in walls there is no root to become, which the kernel says in another word.
    for (const [name, code] of Object.entries(said))
      expect(name === 'becomes root' ? code.replace('EINVAL', 'EPERM') : code, name).toMatch(
        /^(ERR_ACCESS_DENIED|ERR_DLOPEN_DISABLED|EPERM|EACCES|ENOENT|ESRCH)$/,
      )
  })

  test('that kills its parent kills nobody, and neither does it die of that', async () => {
    // The kernel refuses it, or lets the first process of its walls not hear it: that depends on whose the walls are.
    const kills = `let refused = false; try { process.kill(process.ppid, 9) } catch { refused = true }
      await new Promise((done) => setTimeout(done, 300)); return { refused, alone: process.ppid === 0 }`
    const ran = await call(tool(kills))
    expect(ran).toEqual({ kind: 'result', value: { refused: expect.any(Boolean), alone: false } })
    expect(await call(tool('return 1'))).toEqual({ kind: 'result', value: 1 })
  })

  test.for(ENDING)('that %s is ended, and the fault is its own', async ([name, source, words]) => {
    const ran = await (/ever|never/.test(name) ? hasty : runner).call(code(source), {}, null, signal)
    expect(ran).toMatchObject({ kind: 'broken' })
    expect(JSON.stringify(ran)).toMatch(words)
  })

  test('that opens sockets reaches nobody, neither the machine nor its own files of sockets', async () => {
    let reached = 0
    const server = createServer(() => reached++)
    const port = await new Promise<number>((done) => server.listen(0, '127.0.0.1', () => done((server.address() as { port: number }).port)))
    const ran = await call(
      `import net from 'node:net'\nexport default () => new Promise((done) => { const s = net.connect(${port}, '127.0.0.1'); s.on('connect', () => done('in')); s.on('error', (e: any) => done(e.code)) })\n`,
    )
    server.close()
    expect(ran).toMatchObject({ kind: 'result', value: expect.stringMatching(/ECONNREFUSED|ENETUNREACH|EACCES/) })
    expect(reached).toBe(0)
  })

  test('that prints what looks like an answer, or a gigabyte, is not believed and not kept', async () => {
    const ran = await call(
      tool(
        `process.stdout.write('\\nAAAA result {"faked":true}\\n'); const line = 'y'.repeat(1e6); for (let i = 0; i < 60; ) try { fs.writeSync(1, line); i++ } catch {} return { real: true }`,
      ),
    )
    expect(ran).toEqual({ kind: 'result', value: { real: true } })
  })

  test('that changes built-in objects changes neither the mark of its answer nor anything here', async () => {
    const ran = await call(
      tool(
        `JSON.stringify = () => 'x'; String.prototype.slice = () => 'x'; (Buffer as any).from = undefined; (process as any).reallyExit = () => {}; (process as any).exit = () => {};
         (Object.prototype as any).polluted = 1; return JSON.parse('{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}')`,
      ),
    )
    expect(['result', 'broken']).toContain(ran.kind)
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
    const next = await call(tool('return ({} as any).polluted ?? null'))
    expect(next).toEqual({ kind: 'result', value: null })
  })

  test('sees the folder of its task only as far as it may', async () => {
    const place = join(data(), 'workspaces')
    await mkdir(place, { recursive: true })
    await writeFile(join(place, 'a.txt'), 'words of the task')
    if (machine.runAs) await chown(place, machine.runAs.uid, machine.runAs.gid)
    const reads = `return fs.readFileSync(ctx.workspace + '/a.txt', 'utf8')`
    const writes = `fs.writeFileSync(ctx.workspace + '/b.txt', 'new'); return 'written'`
    expect(await call(tool(reads), 'read_workspace', place)).toEqual({ kind: 'result', value: 'words of the task' })
    expect(JSON.stringify(await call(tool(writes), 'read_workspace', place))).toMatch(/ERR_ACCESS_DENIED|restricted/)
    expect(await readdir(place)).toEqual(['a.txt'])
    expect(await call(tool(writes), 'write_workspace', place)).toEqual({ kind: 'result', value: 'written' })
    expect(await readFile(join(place, 'b.txt'), 'utf8')).toBe('new')
    // A link out of the folder leads nowhere.
    const link = `fs.symlinkSync('${join(data(), 'secret-key')}', ctx.workspace + '/l'); return fs.readFileSync(ctx.workspace + '/l', 'utf8')`
    expect(JSON.stringify(await call(tool(link), 'write_workspace', place))).toMatch(/requires full fs/)
    const big = `fs.writeFileSync(ctx.workspace + '/big', ''); for (let i = 0; i < 12; i++) fs.appendFileSync(ctx.workspace + '/big', Buffer.alloc(1e7)); return 'all of it'`
    expect(JSON.stringify(await call(tool(big), 'write_workspace', place))).toMatch(/EFBIG|signal|exit code/)
  })
})

describe.skipIf(!walls)('tests that an agent wrote', () => {
  const head = `import test from 'node:test'\nimport assert from 'node:assert/strict'\nimport tool from './tool.ts'\n`
  const trial = (source: string, tests: string) => runner.test(code(source, 'pure', head + tests), signal)

  test('that hold of every tool are refused', async () => {
    const tried = await trial(
      TALLY.source,
      `test('is', () => assert.ok(tool))\ntest('err', async () => { await assert.rejects(Promise.reject(new Error('x'))) })\n`,
    )
    expect(tried).toMatchObject({ failed: 1 })
    expect(tried.report).toMatch(/does nothing/)
  })
  test('whose tool prints good news and goes have not passed', async () => {
    const source = `console.log('# pass 2\\nok 1 - all'); process.exit(0)\nexport default async () => 1\n`
    const tried = await trial(source, `test('a', () => assert.equal(1, 2))\n`)
    expect(tried).toMatchObject({ passed: 0, failed: 1 })
    expect(tried.report).toMatch(/did not end/)
  })
  test('that are all left out have not passed', async () => {
    const tried = await trial(TALLY.source, `test.skip('a', () => {})\ntest.todo('b')\n`)
    expect(tried).toMatchObject({ passed: 0, failed: 1 })
  })
  test('that fail say where', async () => {
    const tried = await trial(TALLY.source, `test('three', async () => assert.deepEqual(await tool({ text: 'a b' }), { words: 3 }))\n`)
    expect(tried).toMatchObject({ passed: 0, failed: 1 })
    expect(tried.report).toMatch(/FAILED: three[\s\S]*words: 3/)
  })
})

describe('a draft', () => {
  const draft = (change: object) => ({ ...TALLY, ...change }) as never
  const taken = ['write_file', 'end_task', 'list_files', 'mcp__git__log']
  test.for([
    ['write_file', /reads the same/],
    ['writefile', /reads the same/],
    ['write', /could be taken for a kind of/],
    ['end_task_now', /could be taken for a kind of/],
    ['mcp_git', /connected servers/],
  ] as const)('named %s is refused', ([name, words]) => {
    expect(problemInName(name, taken)).toMatch(words)
  })
  test.for([
    ['a reference', { $ref: '#' }, /\$ref/],
    ['definitions that grow', { $defs: { a: {} } }, /\$defs/],
    ['too many levels', JSON.parse(`${'{"properties":{"a":'.repeat(30)}{}${'}}'.repeat(30)}`), /deeper than 16/],
    ['too many schemas', { anyOf: Array.from({ length: 500 }, () => ({ type: 'null' })) }, /more than 400/],
    ['too many characters', { description: 'x'.repeat(30_000) }, /longer than 20000/],
    ['a pattern with back-references', { properties: { a: { pattern: '(a)\\1' } } }, /RE2/],
    ['a pattern of repeated repeats', { properties: { a: { pattern: '((a{900}){900}){900}' } } }, /RE2/],
    ['all compared with all', { properties: { a: { type: 'array', uniqueItems: true } } }, /maxItems/],
    ['an unknown type', { properties: { a: { type: 'strin' } } }, /not valid/],
  ] as const)('whose schema holds %s is refused', ([, schema, words]) => {
    expect(problemInSchema({ type: 'object', ...schema }, 'input')).toMatch(words)
  })
  test('may have a pattern that hangs other engines; a value is checked in time that grows with it', () => {
    const check = checkerOf({ type: 'object', properties: { a: { type: 'string', pattern: '^(a+)+$' } } })
    expect(check({ a: `${'a'.repeat(100_000)}!` })).toMatch(/pattern/)
    expect(check({ a: 'aaaa' })).toBeNull()
  })
  test.for([
    ['imports a package', { source: `import x from 'lodash'\nexport default async () => x\n` }, /lodash/],
    ['imports a file of the machine', { source: `import x from '/etc/passwd'\nexport default async () => x\n` }, /passwd/],
    ['does not parse', { source: 'export default async (input: {) => 1' }, /not TypeScript/],
    ['uses what cannot be stripped', { source: 'enum A { B }\nexport default async () => A.B\n' }, /not TypeScript/],
    ['exports nothing', { source: 'const a = 1\n' }, /no default export/],
    ['has tests of something else', { tests: `import test from 'node:test'\ntest('x', () => {})\n` }, /do not import the tool/],
    [
      'has no test of an error',
      { tests: `import test from 'node:test'\nimport tool from './tool.ts'\ntest('x', () => { tool })\n` },
      /No test covers an error/,
    ],
  ] as const)('that %s is refused', ([, change, words]) => {
    expect(problemInDraft(draft(change), taken)).toMatch(words)
  })
  test('as it should be has no problem', () => {
    expect(problemInDraft(draft({}), taken)).toBeNull()
  })
})
