import { expect, it } from 'vitest'
import { faultsOf } from './layers.ts'

const faults = (files: Record<string, string>) => faultsOf(new Map(Object.entries(files)))

it('imports that go left, by type, by package or dynamically, are fine', () => {
  expect(
    faults({
      'core/contract/task.ts': `import * as z from 'zod'`,
      'core/store/store.ts': `import type { Task } from '../contract/task.ts'\nimport {\n  a,\n  b,\n} from '../contract/task.ts'\nimport Database from 'better-sqlite3'`,
      'core/main.ts': `const x = await import('./store/store.ts')`,
      'web/main.tsx': `import { T } from '../core/contract/task.ts'\nimport './style.css'`,
      'core/store/store.test.ts': `import { start } from '../main.ts'`,
    }),
  ).toEqual([])
})

it.each([
  ['core/store/store.ts', `import { x } from '../tasks/tasks.ts'`, 'it is a higher layer'],
  ['core/store/store.ts', `import type { X } from '../tasks/tasks.ts'`, 'it is a higher layer'],
  ['core/store/store.ts', `import {\n  x,\n} from '../tasks/tasks.ts'`, 'it is a higher layer'],
  ['core/store/store.ts', `export { x } from '../tasks/tasks.ts'`, 'it is a higher layer'],
  ['core/store/store.ts', `await import('../tasks/tasks.ts')`, 'it is a higher layer'],
  ['core/store/store.ts', `import '../../web/main.tsx'`, 'it belongs to no layer'],
  ['core/store/store.ts', `import { x } from './other.js'`, 'write the ending of the real file'],
  ['core/store/store.ts', `import { x } from './store.test.ts'`, 'only tests import tests'],
  ['core/contract/task.ts', `import { x } from 'kysely'`, 'core/contract imports only zod'],
  ['core/contract/task.ts', `import { x } from 'node:fs'`, 'core/contract imports only zod'],
  ['tools/end_task.ts', `import { x } from '../core/exec/exec.ts'`, 'a tool imports only'],
  ['tools/end_task.ts', `import { x } from './start_subtask.ts'`, 'a tool imports only'],
  ['web/main.tsx', `import { x } from '../core/store/store.ts'`, 'web imports only'],
  ['core/exec/exec.ts', `const key = process.env.KEY`, 'reads the environment'],
  ['tools/a.ts', `import process from 'node:process'`, 'reads the environment'],
  ['core/store/index.ts', '', 'is a barrel'],
  ['core/other/thing.ts', '', 'belongs to no layer'],
  ['core/store/store.test.ts', `import { x } from './store.js'`, 'write the ending of the real file'],
])('%s with %s is a fault', (file, text, why) => {
  const found = faults({ [file]: text })
  expect(found).toHaveLength(1)
  expect(found[0]).toContain(why)
})

it('a comment may speak of the environment, and config.ts may read it', () => {
  expect(faults({ 'core/exec/exec.ts': '/** Never process.env. */\n// import process.env', 'core/config.ts': 'process.env' })).toEqual([])
})

it('a circle of values is a fault, one of types is not', () => {
  expect(faults({ 'core/store/a.ts': `import { b } from './b.ts'`, 'core/store/b.ts': `import { a } from './a.ts'` })).toEqual([
    'circle: core/store/a.ts → core/store/b.ts → core/store/a.ts',
  ])
  expect(faults({ 'core/store/a.ts': `import type { b } from './b.ts'`, 'core/store/b.ts': `import { a } from './a.ts'` })).toEqual([])
})
