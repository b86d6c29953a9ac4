import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'

// Schemas of the contract that are not one expression of `z.` (a method of another schema, a spread) stay in the build, and zod with them: 18 kB.
test('what a browser loads before the first page holds no zod', () => {
  const dist = join(dirname(import.meta.dirname), 'dist')
  const names = [...readFileSync(join(dist, 'index.html'), 'utf8').matchAll(/assets\/[\w.-]+\.js/g)].map(([name]) => name)
  expect(names.length).toBeGreaterThan(1)
  expect(names.filter((name) => /ZodError/.test(readFileSync(join(dist, name), 'utf8')))).toEqual([])
})
