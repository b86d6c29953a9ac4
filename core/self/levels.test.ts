import { describe, expect, test } from 'vitest'
import type { ChangedFile } from '../contract/change.ts'
import { mayGoAlone } from '../contract/change.ts'
import { folded, levelOf } from './levels.ts'

const file = (path: string, more: Partial<ChangedFile> = {}): ChangedFile => ({
  path,
  from: null,
  what: 'changed',
  added: 1,
  removed: 1,
  ...more,
})
const none = () => ({ before: null, after: null })
const level = (path: string, more: Partial<ChangedFile> = {}, text: { before?: string; after?: string } = {}) =>
  levelOf([file(path, more)], () => ({ before: text.before ?? null, after: text.after ?? null }), false).level

/** Spellings under which a file system, an editor or a hasty reader takes a name for one that guards the system. */
const IMITATIONS = [
  'scripts/keeper/keeper.mjs', 'Scripts/Keeper/keeper.mjs', 'SCRIPTS/KEEPER/KEEPER.MJS', 'scripts/keeper/new-file.mjs', 'scripts//keeper/keeper.mjs',
  './scripts/keeper/keeper.mjs', 'scripts/x/../keeper/keeper.mjs', 'scripts/keeper./keeper.mjs', 'scripts/keeper /keeper.mjs', 'scripts\\keeper\\keeper.mjs',
  'scripts/k\u0435eper/keeper.mjs', 'scripts/\u212aeeper/keeper.mjs', 'scripts/ke\u200beper/keeper.mjs', 'scripts/keepe\u00adr/keeper.mjs',
  'ｓcripts/keeper/keeper.mjs', 'scripts/kéeper/keeper.mjs', 'scripts/ke\u0301eper/keeper.mjs', 'scripts/keeper/keeper.mjs::$DATA',
  'core/policy/policy.ts', 'core/p\u043elicy/policy.ts', 'CORE/POLICY/policy.ts', 'core/self/gates.ts', 'core/ѕelf/gates.ts', 'core/self/gates.test.ts',
  'core/self\u2060/gates.ts', 'biome.json', 'Biome.json', 'tsconfig.json', 'vitest.config.ts', 'vitest.config.ts/x', '.npmrc', '.NPMRC', '.gitattributes',
  '.gitmodules', 'restart.sh', 'scripts/check.ts', 'scripts/layers.test.ts', 'core/tasks/decide.ts', 'core/auth/tokens.ts', 'core/exec/sandbox.ts',
  'node_modules/zod/index.js', 'data/secret-key', '.ci/run', 'scripts/start.mjs', 'Scripts/START.mjs', 'scripts/keeper-line.ts', 'scripts/judge.ts', 'scripts/cli/keeper.ts',
] // biome-ignore format: columns

describe('the level of a change', () => {
  test.each(IMITATIONS)('%j guards the system, under every name that could be taken for it', (path) => {
    expect(level(path)).toBe(4)
  })
  test('a rename out of what is guarded, or into it, is a change of it', () => {
    expect(level('core/free.ts', { from: 'core/policy/policy.ts', what: 'renamed' })).toBe(4)
    expect(level('core/policy/free.ts', { from: 'core/free.ts', what: 'renamed' })).toBe(4)
  })
  test.each(['core/policyholder.ts', 'scripts/keepers.ts', 'web/data/store.ts', 'core/selfie.ts', 'docs/keeper.ts'])(
    '%s only looks alike, and is code',
    (path) => {
      expect(level(path)).toBe(2)
    },
  )
  test.each([
    'package.json',
    'package-lock.json',
    'core/config.ts',
    'core/models/choose.ts',
    'core/web/egress.ts',
    'seeds/tools.yml',
    'seeds/core-instruction.md',
    'seeds/documents/evaluation_criteria.md',
  ])('%s is always decided by a person', (path) => {
    expect(level(path)).toBe(3)
  })
  test('texts are level 0, and the instruction of a watcher or another setting of an agent is not one', () => {
    expect(level('seeds/documents/house.md')).toBe(0)
    expect(level('docs/decisions/0001-x.md')).toBe(0)
    const agent = (settings: string, words: string) => `---\n${settings}\n---\n${words}`
    const seed = (before: string, after: string) => level('seeds/agents/generalist.md', {}, { before, after })
    expect(seed(agent('name: x', 'a'), agent('name: x', 'b'))).toBe(0)
    expect(seed(agent('name: x\nwatcher: true', 'a'), agent('name: x\nwatcher: true', 'b'))).toBe(3)
    expect(seed(agent('tools: a', 'a'), agent('tools: a, b', 'a'))).toBe(3)
    expect(level('seeds/agents/new.md', { what: 'new' }, { after: agent('name: new', 'a') })).toBe(3)
  })
  test('a tool is level 1 only while it needs no more than its workspace', () => {
    const tool = (code: string) => level('tools/count_words.ts', {}, { after: code })
    expect(tool("import * as z from 'zod'\nimport { defineTool } from '../core/tool.ts'\nneeds: ['files']")).toBe(1)
    expect(level('tools/count_words.test.ts', { what: 'new' })).toBe(1)
    for (const code of [
      "import { spawn } from 'node:child_process'", "const f = await import('node:fs')", "import x from '../core/store/store.ts'", "needs: ['exec']",
      "needs: ['files', 'secrets']", 'process.env.HOME', "eval('1')", "globalThis['fetch']", "fetch('http://x')", "(() => {}).constructor('x')()",
    ])
      expect(tool(code), code).toBe(2) // biome-ignore format: columns
    expect(level('tools/count_words.ts', { what: 'deleted' }, { before: '' })).toBe(3)
  })
  test('a migration that ran is never changed, and a new one is code', () => {
    expect(level('core/store/migrations/0001-foundation.ts')).toBe(4)
    expect(level('core/store/migrations/0099-more.ts', { what: 'new' })).toBe(2)
  })
  test('the highest file decides; an author who read words from outside, and an odd name, bring a person in', () => {
    const judged = levelOf([file('docs/a.md'), file('core/tasks/trees.ts')], none, false)
    expect(judged).toEqual({ level: 2, reasons: ['core/tasks/trees.ts is code of the system'] })
    expect(levelOf([file('docs/a.md')], none, true).level).toBe(2)
    expect(level('docs/a b.md')).toBe(3)
  })
  test("the owner's setting never reaches level 3", () => {
    expect(([0, 1, 2, 3, 4] as const).map((one) => mayGoAlone(one, 'code'))).toEqual([true, true, true, false, false])
    expect(([0, 1, 2] as const).map((one) => mayGoAlone(one, 'texts'))).toEqual([true, false, false])
    expect(([0, 1, 2] as const).map((one) => mayGoAlone(one, 'none'))).toEqual([false, false, false])
  })
  test('folding a plain name leaves it as it is', () => {
    expect(folded('core/tasks/trees.ts')).toBe('core/tasks/trees.ts')
  })
})
