import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { world } from '../testing/keeper-world.ts'

// Several processes start in each.
vi.setConfig({ testTimeout: 120_000 })

let here: ReturnType<typeof world>
beforeEach(() => {
  here = world()
})
afterEach(() => here.remove())

/** The keeper with one revision whose engine is `engine`. */
function keep(engine: string, ...options: string[]) {
  here.first(engine)
  return here.keep(...options)
}

const LISTENS = `let got = 0
  process.removeAllListeners('SIGTERM')
  process.on('SIGTERM', () => { got++; say('term' + got); if (got === 3) process.exit(0) })
  process.on('SIGINT', () => { say('int'); process.exit(130) })
  setInterval(() => {}, 1e6)
  say('up')`

describe('the keeper', () => {
  it('ends with 0 when the engine does', async () => {
    expect(await keep('process.exit(0)').end()).toMatchObject({ code: 0, starts: 1, words: '' })
  })

  it('starts an engine that asks for it again at once, however often a person wants that', async () => {
    expect(await keep(`await ready(); starts < 8 ? leave('restart', 75) : leave('stop', 0)`).end()).toMatchObject({
      code: 0,
      starts: 8,
      words: '',
    })
  })

  it('does not start an engine with a bad configuration again', async () => {
    expect(await keep('process.exit(78)').end()).toMatchObject({ code: 1, starts: 1, words: '' })
  })

  it('starts a crashed engine again, however it crashed', async () => {
    const { code, starts, words } = await keep(
      `if (starts === 1) process.exit(3); if (starts === 2) process.kill(process.pid, 'SIGKILL'); process.exit(0)`,
    ).end()
    expect({ code, starts }).toEqual({ code: 0, starts: 3 })
    expect(words).toMatch(/the engine ended with 3; starting it again in \d+ ms/)
    expect(words).toMatch(/the engine was killed by SIGKILL; starting it again in \d+ ms/)
  })

  it('serves in safe mode when the only revision does not start', async () => {
    const { line, words, stop } = keep(`if (slot !== 'golden') process.exit(1); await ready()`)
    await line('safe')
    expect(words()).toMatch(/the engine ended with 1, 5 times in a short time; safe mode starts/)
    expect(here.table().safe).toBe(true)
    expect(await stop()).toMatchObject({ code: 0, starts: 6 })
  })

  it('leaves safe mode at the next restart', async () => {
    const { line, stop } = keep(
      `if (slot !== 'golden' && starts < 6) process.exit(1); await ready(); if (slot === 'golden') leave('restart', 75)`,
    )
    await line('safe')
    await line('up')
    expect(here.table().safe).toBe(false)
    await stop()
  })

  it('stays stopped and says why when safe mode does not run either', async () => {
    const { code, words } = await keep('process.exit(1)').end()
    expect(code).toBe(1)
    expect(words).toMatch(/in safe mode too; it stays stopped/)
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

  it('kills an engine that does not leave', async () => {
    const { line, stop } = keep(`process.removeAllListeners('SIGTERM'); process.on('SIGTERM', () => {}); await ready()`)
    await line('up')
    expect(await stop()).toMatchObject({ starts: 1 })
  })

  it("ends with the engine's code when it was interrupted", async () => {
    const { keeper, end, line } = keep(LISTENS)
    await line('up')
    keeper.kill('SIGINT')
    expect(await end()).toMatchObject({ code: 130, starts: 1 })
  })

  it('does not start an engine again that crashed while it was stopping', async () => {
    const { keeper, end, line } = keep(
      `process.removeAllListeners('SIGTERM'); process.on('SIGTERM', () => process.exit(70)); setInterval(() => {}, 1e6); say('up')`,
    )
    await line('up')
    keeper.kill('SIGTERM')
    expect(await end()).toMatchObject({ code: 70, starts: 1 })
  })

  it('leaves no engine behind when it is killed itself', async () => {
    const { keeper, line } = keep(LISTENS)
    const pid = Number((await line('up')).split(' ')[1])
    keeper.kill('SIGKILL')
    await expect(line('orphaned').catch(() => 'gone')).resolves.toBeTruthy()
    await expect.poll(() => isAlive(pid), { timeout: 15_000 }).toBe(false)
  })

  it('keeps the engine in its own process group', async () => {
    const { keeper, line } = keep(`import { execFileSync } from 'node:child_process'
      say('group ' + execFileSync('ps', ['-o', 'pgid=', '-p', String(process.pid)], { encoding: 'utf8' }).trim()); setInterval(() => {}, 1e6)`)
    expect((await line('group')).split(' ')[1]).toBe(String(keeper.pid))
  })

  it('lets nobody else keep the same home', async () => {
    const { line } = keep(LISTENS)
    await line('up')
    const { code, words } = await here.keep().end()
    expect(code).toBe(1)
    expect(words).toMatch(/^banyan: another Banyan already runs on .*\n$/)
  })
})

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
