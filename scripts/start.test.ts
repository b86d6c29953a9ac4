import { type ChildProcessWithoutNullStreams, execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { packagesKey } from './keeper/tree.mjs'

vi.setConfig({ testTimeout: 120_000 })

/** A checkout with the real start and keeper, and an engine that says which words it is made of. */
let root: string
const running: ChildProcessWithoutNullStreams[] = []
const engine = (words: string) => `import http from 'node:http'
  const revision = process.argv.find((word) => word.startsWith('--revision=')).split('=')[1]
  const server = http.createServer((_, reply) => reply.end(JSON.stringify({ status: 'ok', revision, schema: 1 })))
  process.on('disconnect', () => process.exit(0))
  process.on('SIGTERM', () => process.exit(0))
  let n = 0
  setInterval(() => process.connected && process.send({ type: 'heartbeat', n: ++n, ended: 0 }), 100)
  process.on('message', ({ type }) => type === 'accepted' && console.log(${JSON.stringify(words)}))
  server.listen(0, '127.0.0.1', () => process.send({ type: 'ready', url: 'http://127.0.0.1:' + server.address().port, schema: 1, oldestCode: 1 }))
`
const put = (words: string) => writeFileSync(join(root, 'scripts/engine.ts'), engine(words))
const git = (...args: string[]) =>
  execFileSync('git', ['-c', 'user.name=x', '-c', 'user.email=x@example.org', '-c', 'commit.gpgsign=false', ...args], {
    cwd: root,
    encoding: 'utf8',
  })
const commit = (words: string) => {
  put(words)
  git('add', '-A')
  git('commit', '-qm', words)
}

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'banyan-start-'))
  mkdirSync(join(root, 'scripts'))
  for (const name of ['start.mjs', 'prepare.mjs', 'keeper'])
    cpSync(join(import.meta.dirname, name), join(root, 'scripts', name), { recursive: true })
  const lock = JSON.stringify({ name: 'x', lockfileVersion: 3, packages: {} })
  writeFileSync(join(root, 'package-lock.json'), lock)
  writeFileSync(join(root, 'package.json'), '{"type":"module"}')
  writeFileSync(join(root, '.gitignore'), 'node_modules\ndata\n')
  mkdirSync(join(root, 'node_modules'))
  writeFileSync(join(root, 'node_modules/.banyan-stamp.json'), JSON.stringify({ key: packagesKey(lock), node: null }))
})
afterEach(async () => {
  for (const child of running.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue
    const gone = once(child, 'exit')
    process.kill(-child.pid!, 'SIGKILL')
    await gone
  }
  rmSync(root, { recursive: true, force: true, maxRetries: 5 })
})

/** Starts it, waits for `words` of an engine, and stops it; answers what the person was told. */
async function started(words: string, ...options: string[]): Promise<string> {
  const argv = ['--disable-warning=ExperimentalWarning', join(root, 'scripts/start.mjs'), '--scale=0.1', ...options]
  const child = spawn(process.execPath, argv, { cwd: tmpdir(), detached: true, env: { PATH: process.env.PATH ?? '' } })
  running.push(child)
  let [out, told] = ['', '']
  child.stderr.on('data', (text) => (told += text))
  await new Promise<void>((resolve, reject) => {
    child.stdout.on('data', (text) => {
      out += text
      if (out.split('\n').includes(words)) resolve()
    })
    child.once('exit', (code) => reject(new Error(`it ended with ${code} before "${words}": ${out}${told}`)))
  })
  if (options.includes('--watch-seconds=0')) await expect.poll(() => table().slots[table().active]?.state, { timeout: 30_000 }).toBe('kept')
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  expect((await ended)[0]).toBe(0)
  return told
}
type Table = { active: string; slots: Record<string, { tree: string; state: string } | null> }
const table = () => JSON.parse(readFileSync(join(root, 'data/keeper/slots.json'), 'utf8')) as Table

describe('npm start', () => {
  it('runs what is committed, and says so when there are edits, which it leaves alone', async () => {
    git('init', '-q', '-b', 'main')
    commit('first')
    expect(await started('first')).toBe('')
    put('an edit')
    expect(await started('first')).toMatch(
      /^banyan: uncommitted edits are not run: this is commit \w{12}\. "npm run dev" runs the files as they are\n$/,
    )
    expect(readFileSync(join(root, 'scripts/engine.ts'), 'utf8')).toContain('an edit')
    expect(await started('an edit', '--working-tree')).toBe('')
  })

  it('takes a new commit as a candidate, and goes back when it fails, until a person wants it tried again', async () => {
    git('init', '-q', '-b', 'main')
    commit('first')
    await started('first', '--watch-seconds=0')
    commit('second')
    await started('second', '--watch-seconds=0')
    writeFileSync(join(root, 'scripts/engine.ts'), 'process.exit(3)')
    git('commit', '-qam', 'broken')
    expect(await started('second')).toMatch(/was undone: it did not start in three tries \(it ended with 3\)/)
    expect(await started('second')).toMatch(/^banyan: commit \w{12} failed before \(.*\); revision \w{12} runs\. Commit a mend/)
    writeFileSync(join(root, 'data/keeper/retry'), '')
    expect(await started('second')).toMatch(/was undone/)
    git('reset', '-q', '--hard', 'HEAD~1')
    expect(await started('second')).toBe('')
  })

  it('works in a folder without git', async () => {
    put('no history')
    await started('no history')
    put('changed by hand')
    await started('changed by hand')
  })

  it('makes a damaged revision whole again', async () => {
    git('init', '-q', '-b', 'main')
    commit('first')
    await started('first')
    appendFileSync(join(root, 'data/keeper/slots', table().slots.A!.tree, 'scripts/engine.ts'), 'damage')
    expect(await started('first')).toMatch(/files of revision \w{12} were damaged and are whole again/)
  })

  it('starts anew when the slot table is cut off', async () => {
    git('init', '-q', '-b', 'main')
    commit('first')
    await started('first')
    for (const name of ['slots.json', 'slots.bak.json']) writeFileSync(join(root, 'data/keeper', name), '{"version": 1, "act')
    expect(await started('first')).toMatch(/the slot table is damaged/)
  })

  it('runs the keeper that is installed, not the one of the checkout', async () => {
    git('init', '-q', '-b', 'main')
    commit('first')
    await started('first')
    writeFileSync(join(root, 'scripts/keeper/keeper.mjs'), 'process.exit(9)')
    commit('second')
    expect(await started('second')).toMatch(
      /the keeper of this checkout is another one than the installed one; "npx banyan keeper install" installs it/,
    )
  })

  it('refuses a commit with a link, and runs what ran before', async () => {
    git('init', '-q', '-b', 'main')
    commit('first')
    await started('first')
    symlinkSync('/etc/passwd', join(root, 'link'))
    commit('second')
    expect(await started('first')).toMatch(/link is a link or a submodule/)
    expect(existsSync(join(root, 'data/keeper/checkout.json'))).toBe(false)
  })
})

const inside = ['--fork', '--pid', '--mount-proc', '--kill-child']
describe.skipIf(process.platform !== 'linux' || spawnSync('unshare', [...inside, 'true']).status !== 0)(
  'as the first process of a container',
  () => {
    it('takes in processes that lost their parent, passes a signal on and ends with the code of the keeper', async () => {
      // The shell ends at once; its child has no parent then, and ends too.
      const orphan = `import { spawn } from 'node:child_process'
      import { readdirSync, readFileSync } from 'node:fs'
      spawn('/bin/sh', ['-c', 'sleep 0.2 & echo'], { stdio: 'ignore' }).once('exit', () => {
        const left = () => readdirSync('/proc').filter((pid) => /^[0-9]+$/.test(pid)).map((pid) => { try { return readFileSync('/proc/' + pid + '/stat', 'utf8') } catch { return '' } }).filter((stat) => stat.includes('(sleep)'))
        const look = setInterval(() => { if (left().length === 0) { clearInterval(look); console.log('taken in') } }, 50)
      })
      `
      writeFileSync(join(root, 'scripts/engine.ts'), `${orphan}${engine('up')}`)
      const argv = [...inside, process.execPath, '--disable-warning=ExperimentalWarning', join(root, 'scripts/start.mjs'), '--scale=0.1']
      const child = spawn('unshare', argv, { cwd: tmpdir(), detached: true, env: { PATH: process.env.PATH ?? '' } })
      running.push(child)
      let [out, told] = ['', '']
      child.stdout.on('data', (text) => (out += text))
      child.stderr.on('data', (text) => (told += text))
      await expect.poll(() => out, { timeout: 30_000 }).toContain('up')
      await expect.poll(() => out, { timeout: 30_000 }).toContain('taken in')
      const first = Number(readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8'))
      const ended = once(child, 'exit')
      process.kill(first, 'SIGTERM')
      expect((await ended)[0], told).toBe(0)
    })
  },
)
