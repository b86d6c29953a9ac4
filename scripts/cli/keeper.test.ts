import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startOf } from '../testing/slots.ts'
import { type Bench, openBench } from './fixture/banyan.ts'

let bench: Bench
beforeAll(() => {
  bench = openBench()
  mkdirSync(bench.dataDir, { mode: 0o711 })
})
afterAll(() => bench.remove())
const keeper = (...argv: string[]) => bench.run(['keeper', ...argv])

test('banyan keeper says what it has, installs itself only when told to, and goes back only where there is something', async () => {
  expect(await keeper('status')).toMatchObject({ code: 1, err: expect.stringContaining('has not run here yet') })
  const settings = { PATH: process.env.PATH ?? '', DATA_DIR: bench.dataDir, PORT: '0', MODEL: 'playbook' }
  const running = spawn(process.execPath, startOf(bench.dataDir), { env: settings, stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = once(running, 'exit')
  try {
    await new Promise<void>((resolve) => running.stdout.on('data', (text) => /Log in/.test(String(text)) && resolve()))
    expect((await keeper('status')).out).toMatch(/^A +\w{12} +trial +schema \d+ +active\ngolden +\w{12} +kept/)
    const installed = readFileSync(join(bench.dataDir, 'keeper/bin/current'), 'utf8')
    expect(await keeper('install')).toMatchObject({ code: 0, out: installed })
    expect(await keeper('retry')).toMatchObject({ code: 0 })
    expect(existsSync(join(bench.dataDir, 'keeper/retry'))).toBe(true)
    expect(await keeper('rollback')).toMatchObject({ code: 2, err: expect.stringContaining('add --yes') })
    expect(await keeper('rollback', '--yes')).toMatchObject({ code: 0, err: expect.stringContaining('restarts') })
    const events = () => readFileSync(join(bench.dataDir, 'keeper/slots.json'), 'utf8')
    await expect.poll(events, { timeout: 60_000 }).toMatch(/"refused"[^}]*no earlier revision to go back to/)
    await expect.poll(() => events().match(/"ready"/g)?.length, { timeout: 60_000 }).toBe(2)
  } finally {
    running.kill('SIGTERM')
    await ended
  }
}, 200_000)
