/**
 * How much a change needs before it may land, from the files it touches and nothing else. Pure. What guards the system is level 4 under
 * every name that a file system or a reader could take for it: other case, other Unicode forms, invisible characters, and both ends of a rename.
 */
import { posix } from 'node:path'
import type { ChangedFile, Level } from '../contract/change.ts'

/** Whatever decides, checks, starts or recovers. An entry with a slash at its end is a folder. */
const GUARDED = [
  'scripts/keeper/',
  'scripts/proof/',
  'scripts/check.ts',
  'scripts/layers.ts',
  'scripts/layers.test.ts',
  'scripts/strip.ts',
  'scripts/strip.test.ts',
  'scripts/test.ts',
  'scripts/needs.ts',
  'scripts/bootstrap.mjs',
  'scripts/start.mjs',
  'scripts/start.d.mts',
  'scripts/keeper-line.ts',
  'scripts/judge.ts',
  'scripts/cli/keeper.ts',
  'scripts/prepare.mjs',
  'scripts/engine.ts',
  'scripts/restart.ts',
  'scripts/instance.ts',
  'restart.sh',
  'core/self/',
  'core/policy/',
  'core/auth/',
  'core/secrets/',
  'core/exec/',
  'core/git/',
  'core/contract/change.ts',
  'core/contract/policy.ts',
  'core/contract/access.ts',
  'core/contract/review.ts',
  'core/contract/command-text.ts',
  'core/tasks/decide.ts',
  'core/tasks/invariants.ts',
  'core/tasks/review.ts',
  'core/tasks/rules.ts',
  'core/store/migrate.ts',
  'core/store/owner.ts',
  'core/http/auth.ts',
  'core/http/router.ts',
  'core/http/routes/changes.ts',
  'core/http/routes/reviews.ts',
  'biome.json',
  'tsconfig.json',
  'vitest.config.ts',
  '.npmrc',
  '.ci/',
  '.gitattributes',
  '.gitmodules',
  '.gitignore',
  '.env',
  '.env.example',
  'node_modules/',
  'data/',
]
/** Always a person: what agents may do, what they cost, what watches them, and what the code is made of. */
const PERSONS = [
  'package.json',
  'package-lock.json',
  'core/config.ts',
  'core/contract/limits.ts',
  'core/contract/network.ts',
  'core/models/',
  'core/web/',
  'core/tasks/limits.ts',
  'core/tasks/spend.ts',
  'core/agent/universal-agent.ts',
  'core/agent/capabilities.ts',
  'core/agent/closing-plan.ts',
  'core/tool.ts',
  'core/main.ts',
  'core/runtime.ts',
  'seeds/core-instruction.md',
  'seeds/tools.yml',
  'seeds/documents/evaluation_criteria.md',
  'seeds/documents/monitoring_guidelines.md',
  'seeds/documents/improvement_guide.md',
  'seeds/documents/summarization_guidelines.md',
  'seeds/documents/documentation_standards.md',
  'AGENTS.md',
  'LICENSE',
]
/** Settings of what checks, wherever they lie: a nearer file, or one with another ending, would be read before ours. */
const CHECKERS =
  /(?:^|\/)(?:vitest\.(?:config|workspace|projects)\.\w+|\.?biome\.jsonc?|\.biomeignore|tsconfig[\w.-]*\.json|jsconfig\.json|\.npmrc)$|^vite\.config\.\w+$/
const TEXTS = [/^seeds\/documents\/[a-z0-9_]+\.md$/, /^docs\/[\w./-]+\.md$/, /^README\.md$/]

/** Invisible characters that a reader would not see in a name. */
const UNSEEN = /[\p{Default_Ignorable_Code_Point}\p{Cc}\p{Cf}]/gu
/** Letters that look like those of ASCII; enough that no guarded name can be imitated. */
const LOOKALIKES: Readonly<Record<string, string>> = Object.fromEntries(
  [
    ['аΑＡα', 'a'], ['ВΒ', 'b'], ['сϲС', 'c'], ['ԁ', 'd'], ['еΕЕ', 'e'], ['ɡ', 'g'], ['һНΗ', 'h'], ['іΙıӏ', 'i'], ['јЈ', 'j'],
    ['κкΚК', 'k'], ['ⅼӏ', 'l'], ['мМΜ', 'm'], ['ոΝ', 'n'], ['оΟОοօ', 'o'], ['рΡРρ', 'p'], ['ԛ', 'q'], ['ѕЅ', 's'], ['ТΤт', 't'], ['υս', 'u'],
    ['ѵν', 'v'], ['ԝ', 'w'], ['хΧХχ', 'x'], ['уΥУ', 'y'], ['ᴢΖ', 'z'],
  ].flatMap(([letters = '', plain = '']) => [...letters].flatMap((letter) => [[letter, plain], [letter.toLowerCase(), plain]])),
) // biome-ignore format: columns

/** The name as the most forgiving file system and the most hasty reader take it. */
export function folded(path: string): string {
  const plain = [...path.normalize('NFKC').replace(UNSEEN, '').toLowerCase()].map((letter) => LOOKALIKES[letter] ?? letter).join('')
  return posix
    .normalize(plain.normalize('NFKD').replace(/\p{M}/gu, '').replaceAll('\\', '/'))
    .split('/')
    .map((part) => part.replace(/[. ]+$/, '').replace(/:.*$/, '') || part)
    .join('/')
    .replace(/^(\.?\/)+/, '')
}
const holds = (list: readonly string[], path: string): boolean => {
  const name = folded(path)
  return list.some((entry) => {
    const guarded = entry.toLowerCase()
    return guarded.endsWith('/') ? `${name}/`.startsWith(guarded) : name === guarded || name.startsWith(`${guarded}/`)
  })
}
/** A test of a guarded file guards it too. */
const guards = (path: string): boolean =>
  CHECKERS.test(folded(path)) || holds(GUARDED, path) || holds(GUARDED, path.replace(/\.(?:test|suite)\.tsx?$/i, '.ts'))

/** What a test file is, helpers that tests share included. */
export const isTest = (path: string): boolean =>
  /\.(?:test|suite)\.tsx?$/.test(path) || /(?:^|\/)(?:fixtures?|e2e|testing|crash|bench|__mocks__)\//.test(path) || /\.snap$/.test(path)

/** Packages and capabilities that need no more than the workspace. */
const TOOL_IMPORTS = /^(?:\.\.\/core\/tool\.ts|\.\.\/core\/contract\/[\w-]+\.ts|zod|node:(?:path|crypto|util|url|string_decoder))$/
const TOOL_NEEDS = new Set(['files', 'registry', 'reviews', 'subtasks', 'ending', 'origin'])

export type Text = (path: string) => { before: string | null; after: string | null }
export type Judged = { level: Level; reasons: string[] }

/** `text` tells what a file was and is; it is asked for tools and agents only. `tainted`: its author had read words from outside. */
export function levelOf(files: readonly ChangedFile[], text: Text, tainted: boolean): Judged {
  const found: { level: Level; reason: string }[] = files.flatMap((file) =>
    [file.path, ...(file.from === null ? [] : [file.from])].map((path) => levelOfPath(path, file, text)),
  )
  for (const { path } of files)
    if (!/^[\x21-\x7e]+$/.test(path)) found.push({ level: 3, reason: `${JSON.stringify(path)} has an unusual name` })
  if (tainted) found.push({ level: 2, reason: 'its author had read words that nobody in its goal wrote' })
  const level = found.reduce<Level>((most, one) => (one.level > most ? one.level : most), 0)
  const reasons = [...new Set(found.filter((one) => one.level === level).map((one) => one.reason))]
  return { level, reasons: level === 0 ? ['it changes texts only'] : reasons }
}

function levelOfPath(path: string, file: ChangedFile, text: Text): { level: Level; reason: string } {
  if (guards(path)) return { level: 4, reason: `${path} guards the system` }
  if (holds(PERSONS, path)) return { level: 3, reason: `${path} decides what agents may do, cost or are judged by` }
  if (/^core\/store\/migrations\//.test(folded(path)) && file.what !== 'new') return { level: 4, reason: `${path} has run already` }
  if (/^seeds\/agents\//.test(folded(path))) return agentLevel(path, text)
  if (/^tools\/[a-z0-9_]+\.ts$/.test(path)) return toolLevel(path, file, text)
  if (/^tools\/[\w-]+\.test\.ts$/.test(path)) return { level: 1, reason: `${path} is a test of a tool` }
  if (TEXTS.some((pattern) => pattern.test(path))) return { level: 0, reason: '' }
  return { level: 2, reason: `${path} is code of the system` }
}

function agentLevel(path: string, text: Text): { level: Level; reason: string } {
  const { before, after } = text(path)
  const head = (words: string | null) => /^---\n([\s\S]*?)\n---\n/.exec(words ?? '')?.[1] ?? null
  const same = head(before) !== null && head(before) === head(after)
  if (!same) return { level: 3, reason: `${path} gives an agent other settings or grants` }
  if (/^watcher: true$/m.test(head(before)!)) return { level: 3, reason: `${path} is the instruction of what watches agents` }
  return { level: 0, reason: '' }
}

function toolLevel(path: string, file: ChangedFile, text: Text): { level: Level; reason: string } {
  const { before, after } = text(path)
  const code = after ?? before ?? ''
  const imports = [...code.matchAll(/\bfrom\s*['"]([^'"]+)['"]|\bimport\s*(?:\(\s*)?['"]([^'"]+)['"]/g)].map(([, a, b]) => a ?? b!)
  const wide = imports.find((one) => !TOOL_IMPORTS.test(one))
  if (wide !== undefined) return { level: 2, reason: `${path} imports ${wide}` }
  const needs = [...(/\bneeds:\s*\[([^\]]*)\]/.exec(code)?.[1] ?? '').matchAll(/['"](\w+)['"]/g)].map(([, name]) => name!)
  const more = needs.find((name) => !TOOL_NEEDS.has(name))
  if (more !== undefined) return { level: 2, reason: `${path} uses ${more}` }
  if (/\b(?:process|globalThis|eval|Function|require|import\.meta|fetch|WebSocket|constructor)\b|\bimport\s*\(/.test(code))
    return { level: 2, reason: `${path} reaches for the runtime itself` }
  if (file.what === 'deleted') return { level: 3, reason: `${path} takes a tool away` }
  return { level: 1, reason: `${path} is a tool that stands for itself` }
}
