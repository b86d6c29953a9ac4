import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

/** A checkout with the real bootstrap, no packages (so npm needs no network) and one command. */
let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'banyan-checkout-'))
  mkdirSync(join(root, 'scripts'))
  for (const name of ['bootstrap.mjs', 'prepare.mjs']) cpSync(join(import.meta.dirname, name), join(root, 'scripts', name))
  writeFileSync(
    join(root, 'scripts', 'check.ts'),
    `const words: string[] = process.argv.slice(2)\nconsole.log(process.version, ...words)\nprocess.exitCode = Number(words[0] ?? 0)`,
  )
  lock({})
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

function lock(dependencies: Record<string, string>) {
  writeFileSync(join(root, 'package.json'), JSON.stringify({ name: 'x', version: '1.0.0', type: 'module', dependencies }))
  const packages = { '': { name: 'x', version: '1.0.0' } }
  writeFileSync(
    join(root, 'package-lock.json'),
    JSON.stringify({ name: 'x', version: '1.0.0', lockfileVersion: 3, requires: true, packages }),
  )
}

function run(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [join(root, 'scripts/bootstrap.mjs'), ...args], (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
    )
  })
}
const INSTALLING = 'installing the locked packages'

describe('the bootstrap', () => {
  it('installs before the first command and not before the second, and hands on arguments and exit code', async () => {
    const first = await run('check', '3', 'more')
    expect(first).toMatchObject({ code: 3, stdout: `${process.version} 3 more\n` })
    expect(first.stderr).toContain(INSTALLING)
    expect(await run('check')).toMatchObject({ code: 0, stderr: '' })
  })

  it('installs once when two begin together, and leaves no lock behind', async () => {
    const both = await Promise.all([run('check'), run('check')])
    expect(both.map(({ code }) => code)).toEqual([0, 0])
    expect(both.filter(({ stderr }) => stderr.includes(INSTALLING))).toHaveLength(1)
    expect(readdirSync(root).filter((name) => name.includes('.lock'))).toEqual([])
  })

  it('pushes the lock of a dead process aside', async () => {
    mkdirSync(join(root, 'node_modules.lock'))
    // Our own id with another start time is what a reused process id looks like.
    const owner = { host: hostname(), holders: [{ pid: process.pid, start: 'long ago' }] }
    writeFileSync(join(root, 'node_modules.lock', 'owner.json'), JSON.stringify(owner))
    expect(await run('check')).toMatchObject({ code: 0 })
    expect(readdirSync(root).filter((name) => name.includes('.lock'))).toEqual([])
  })

  it('installs again when the packages were taken away', async () => {
    await run('check')
    rmSync(join(root, 'node_modules'), { recursive: true })
    expect((await run('check')).stderr).toContain(INSTALLING)
  })

  it('says what disagrees when npm refuses, with the mend', async () => {
    lock({ kysely: '0.29.9' })
    const { code, stderr } = await run('check')
    expect(code).toBe(1)
    expect(stderr).toContain('banyan: the packages could not be installed: package.json and package-lock.json disagree; run "npm install"')
  })

  it('names the commands there are, and the file that one lacks', async () => {
    expect(await run('fly')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('"fly" is not a command; there are: start, dev, test'),
    })
    expect(await run('crash')).toMatchObject({ code: 1, stderr: expect.stringContaining('"crash" needs scripts/crash.ts') })
  })
})
