import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startOf } from './testing/slots.ts'

let dir: string
const groups: ChildProcess[] = []
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'banyan-engine-'))
})
afterEach(async () => {
  for (const child of groups.splice(0)) {
    if (child.exitCode === null && child.signalCode === null) {
      const gone = once(child, 'close')
      process.kill(-child.pid!, 'SIGKILL')
      await gone
    }
  }
  rmSync(dir, { recursive: true, force: true, maxRetries: 5 })
})

/** The keeper with the real engine, in a process group of its own. */
function start(settings: Record<string, string> = {}) {
  const child = spawn(process.execPath, startOf(settings.DATA_DIR === undefined ? dir : ''), {
    detached: true,
    env: { PATH: process.env.PATH ?? '', DATA_DIR: dir, PORT: '0', MODEL: 'playbook', ...settings },
  })
  groups.push(child)
  let said = ''
  const closed = once(child, 'close')
  const heard = new Promise<void>((resolve) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => {
        said += chunk
        if (/Log in: \S+\n/.test(said)) resolve()
      })
    }
  })
  return {
    child,
    up: () => Promise.race([heard, closed.then(([code, signal]) => Promise.reject(new Error(`it ended with ${code ?? signal}: ${said}`)))]),
    async end() {
      const [code] = await closed
      return { code: code as number, said }
    },
  }
}

describe('a start that a person can mend says so in one sentence and is not tried again', () => {
  it('with a broken setting', async () => {
    expect(await start({ PORT: '80a' }).end()).toEqual({
      code: 1,
      said: 'banyan: PORT must be a whole number from 0 to 65535, and "80a" from the environment is not: mend it, or remove the setting.\n',
    })
  })

  it('with a data directory that is a file', async () => {
    const file = join(dir, 'file')
    writeFileSync(file, '')
    const { code, said } = await start({ DATA_DIR: file }).end()
    expect({ code, lines: said.trim().split('\n') }).toEqual({
      code: 1,
      lines: [expect.stringContaining(`${file} is not a folder (EEXIST)`)],
    })
  })

  it('with a port in use', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const { port } = other.address() as { port: number }
    const { code, said } = await start({ PORT: String(port) }).end()
    other.close()
    expect({ code, lines: said.trim().split('\n') }).toEqual({
      code: 1,
      lines: [expect.stringMatching(new RegExp(`port ${port} .*in use.*PORT`, 'i'))],
    })
  })

  it('with another one on the same data directory, which goes on', async () => {
    const first = start()
    await first.up()
    const { code, said } = await start().end()
    expect({ code, lines: said.trim().split('\n') }).toEqual({
      code: 1,
      lines: [expect.stringContaining(`another Banyan already runs on ${dir}`)],
    })
    expect(first.child.exitCode).toBeNull()
  })
})

describe('a running engine', () => {
  it('stops gracefully on SIGTERM, however often it comes', async () => {
    const { child, up, end } = start()
    await up()
    for (let n = 0; n < 3; n++) process.kill(-child.pid!, 'SIGTERM')
    expect((await end()).code).toBe(0)
  })

  it('takes one Ctrl-C, which reaches every process of the group, for one', async () => {
    const { child, up, end } = start()
    await up()
    process.kill(-child.pid!, 'SIGINT')
    const { code, said } = await end()
    expect(code).toBe(0)
    expect(said.match(/Stopping:/g)).toHaveLength(1)
  })

  it('starts again on the same data directory right after kill -9 of the whole group', async () => {
    const first = start()
    await first.up()
    process.kill(-first.child.pid!, 'SIGKILL')
    const second = start()
    await second.up()
  })

  it('gives the data directory up when only its keeper is killed', async () => {
    const first = start()
    await first.up()
    first.child.kill('SIGKILL')
    const second = start()
    await second.up()
  })
})
