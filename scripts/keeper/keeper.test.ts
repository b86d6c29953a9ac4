import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

const KEEPER = join(import.meta.dirname, 'keeper.mjs')
let dir: string
const running: ChildProcessWithoutNullStreams[] = []
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'banyan-keeper-'))
})
afterEach(() => {
  for (const keeper of running.splice(0)) killGroup(keeper)
  rmSync(dir, { recursive: true, force: true })
})

function killGroup(keeper: ChildProcessWithoutNullStreams) {
  try {
    process.kill(-keeper.pid!, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** A keeper in a process group of its own, with an engine whose code is `engine`; `starts` counts the engine's starts. */
function keep(engine: string) {
  const file = join(dir, 'engine.mjs')
  const counter = join(dir, 'starts')
  writeFileSync(counter, '')
  writeFileSync(
    file,
    `import { appendFileSync, readFileSync } from 'node:fs'
     appendFileSync(${JSON.stringify(counter)}, '.')
     const starts = readFileSync(${JSON.stringify(counter)}, 'utf8').length
     const say = (text) => console.log(text + ' ' + process.pid)
     process.on('disconnect', () => { say('orphaned'); process.exit(0) })
     ${engine}`,
  )
  const keeper = spawn(process.execPath, [KEEPER, file], { detached: true })
  running.push(keeper)
  const closed = once(keeper, 'close')
  const lines: string[] = []
  const reader = createInterface({ input: keeper.stdout })
  reader.on('line', (line) => lines.push(line))
  let words = ''
  keeper.stderr.on('data', (text) => {
    words += text
  })
  return {
    keeper,
    /** Its exit code and what it told the person. */
    async end() {
      const [code] = await closed
      return { code: code as number | null, words, starts: readFileSync(counter, 'utf8').length }
    },
    async line(word: string): Promise<string> {
      for (;;) {
        const line = lines.find((one) => one.startsWith(word))
        if (line !== undefined) return line
        await once(reader, 'line')
      }
    },
  }
}

const LISTENS = `let got = 0
  process.on('SIGTERM', () => { got++; say('term' + got); if (got === 3) process.exit(0) })
  process.on('SIGINT', () => { say('int'); process.exit(130) })
  say('up')`

describe('the keeper', () => {
  it('ends with 0 when the engine does', async () => {
    expect(await keep('process.exit(0)').end()).toMatchObject({ code: 0, starts: 1, words: '' })
  })

  it('starts an engine that asks for it again at once', async () => {
    expect(await keep('process.exit(starts < 8 ? 75 : 0)').end()).toMatchObject({ code: 0, starts: 8, words: '' })
  })

  it('does not start an engine with a bad configuration again', async () => {
    expect(await keep('process.exit(78)').end()).toMatchObject({ code: 1, starts: 1, words: '' })
  })

  it('starts a crashed engine again, however it crashed', async () => {
    const { code, starts, words } = await keep(
      `if (starts === 1) process.exit(3); if (starts === 2) process.kill(process.pid, 'SIGKILL'); process.exit(0)`,
    ).end()
    expect({ code, starts }).toEqual({ code: 0, starts: 3 })
    expect(words).toContain('the engine ended with 3; starting it again in 200 ms')
    expect(words).toContain('the engine was killed by SIGKILL; starting it again in 400 ms')
  })

  it('gives up after five crashes within a minute and says so', async () => {
    const { code, starts, words } = await keep('process.exit(1)').end()
    expect({ code, starts }).toEqual({ code: 1, starts: 5 })
    expect(words).toMatch(/5 times within a minute; it stays stopped/)
  })

  it('passes every SIGTERM on and waits for the engine to end', async () => {
    const { keeper, end, line } = keep(LISTENS)
    await line('up')
    // Two pending signals are one to the kernel, so each is seen before the next is sent.
    for (const word of ['term1', 'term2', 'term3']) {
      keeper.kill('SIGTERM')
      await line(word)
    }
    expect(await end()).toMatchObject({ code: 0, starts: 1 })
  })

  it("ends with the engine's code when it was interrupted", async () => {
    const { keeper, end, line } = keep(LISTENS)
    await line('up')
    keeper.kill('SIGINT')
    expect(await end()).toMatchObject({ code: 130, starts: 1 })
  })

  it('does not start an engine again that crashed while it was stopping', async () => {
    const { keeper, end, line } = keep(`process.on('SIGTERM', () => process.exit(70)); say('up')`)
    await line('up')
    keeper.kill('SIGTERM')
    expect(await end()).toMatchObject({ code: 70, starts: 1 })
  })

  it('leaves no engine behind when it is killed itself', async () => {
    const { keeper, line } = keep(LISTENS)
    const pid = Number((await line('up')).split(' ')[1])
    keeper.kill('SIGKILL')
    await line('orphaned')
    expect(pid).toBeGreaterThan(0)
  })

  it('keeps the engine in its own process group', async () => {
    const { keeper, line } = keep(`import { execFileSync } from 'node:child_process'
      say('group ' + execFileSync('ps', ['-o', 'pgid=', '-p', String(process.pid)], { encoding: 'utf8' }).trim()); setInterval(() => {}, 1e6)`)
    expect((await line('group')).split(' ')[1]).toBe(String(keeper.pid))
  })
})
