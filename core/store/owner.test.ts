import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { own } from './owner.ts'

let dir: string
const children: ChildProcess[] = []
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'banyan-owner-'))
})
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  rmSync(dir, { recursive: true, force: true })
})

/** Another process that owns the directory and lives until it is killed. */
async function otherOwner() {
  const code = `import { own } from ${JSON.stringify(new URL('./owner.ts', import.meta.url).href)}
    globalThis.owner = own(${JSON.stringify(dir)}); setInterval(() => {}, 1e6); process.stdout.write('owned')`
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] })
  children.push(child)
  await once(child.stdout!, 'data')
  return child
}

it('a second owner is refused and told what to do, while the first lives', async () => {
  await otherOwner()
  expect(() => own(dir)).toThrow(`another Banyan already runs on ${dir}: stop it, or set DATA_DIR to another folder.`)
})

it('kill -9 of the owner frees the directory at once', async () => {
  const first = await otherOwner()
  first.kill('SIGKILL')
  await once(first, 'exit')
  own(dir).release()
})

it('an owner that is just dying is waited for', async () => {
  const first = await otherOwner()
  first.kill('SIGKILL')
  own(dir).release()
})

it('what was released can be owned again, also by the same process', () => {
  own(dir).release()
  const owner = own(dir)
  expect(() => own(dir)).toThrow('already runs')
  owner.release()
})
