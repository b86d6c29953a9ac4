import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'

// The build of the page drops what begins with `z.`; a schema made out of another one by a method would bring all of zod along (18 kB gzip).
it('schemas beside the routes are made in one expression of z, so that the page is built without them', () => {
  const derived = globSync('*.ts', { cwd: import.meta.dirname, exclude: (name) => /^api|\.test\.ts$/.test(name) }).flatMap((file) =>
    readFileSync(join(import.meta.dirname, file), 'utf8')
      .split('\n')
      .filter((line) => /^(export )?const \w+ = [A-Z]\w*\.\w+\(/.test(line))
      .map((line) => `${file}: ${line}`),
  )
  expect(derived).toEqual([])
})
