import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'

/** Runs the check on a checkout that holds one file. */
function strip(source: string): Promise<{ code: number; words: string }> {
  const root = mkdtempSync(join(tmpdir(), 'banyan-strip-'))
  mkdirSync(join(root, 'core'))
  writeFileSync(join(root, 'core', 'a.ts'), source)
  return new Promise((resolve) => {
    execFile(process.execPath, [join(import.meta.dirname, 'strip.ts'), root], (error, _stdout, stderr) => {
      rmSync(root, { recursive: true, force: true })
      resolve({ code: error ? Number(error.code) : 0, words: stderr })
    })
  })
}

it('lets through what Node runs', async () => {
  expect(await strip(`import type { A } from './b.ts'\nexport const a = { b: 1 } satisfies object as A\nawait null`)).toEqual({
    code: 0,
    words: '',
  })
})

it.each([
  ['enum', 'enum A { B }'],
  ['a parameter property', 'class A { constructor(readonly b: string) {} }'],
  ['a decorator', 'const d: any = 0\n@d class A {}'],
  ['accessor', 'class A { accessor b = 1 }'],
])('refuses %s', async (_name, source) => {
  const { code, words } = await strip(source)
  expect(code).toBe(1)
  expect(words).toContain('core/a.ts: Node cannot run this')
})
