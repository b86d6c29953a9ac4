/**
 * The gates that a change goes through, run by the code that runs now. Those that only read come first and cost nothing; code of the candidate
 * is run last, within walls, and its verdict is its exit code, read outside. The first gate that fails ends the round.
 */
import { chmod, cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ChangedFile, ChangeKind, GateVerdict, Level } from '../contract/change.ts'
import { Fault } from '../contract/fault.ts'
import { affectedTests } from './affected.ts'
import { integrityOf } from './integrity.ts'
import { leaksIn } from './leaks.ts'
import { isTest, type Judged, levelOf } from './levels.ts'
import { migrationFaults } from './migrations.ts'
import type { Source } from './repository.ts'
import type { Ended, Inside, Walls } from './walls.ts'

export type Candidate = { base: string; commit: string; tree: string; kind: ChangeKind; tainted: boolean }
export type Verdict = { verdict: GateVerdict; summary: string; log: string }
export type Told = Verdict & { name: string; ms: number }
export type GateParts = {
  source: Source
  walls: Walls
  /** The installed packages of the revision that runs. */
  packages: string
  /** A folder of the system's own for copies that are thrown away. */
  folder: string
  /** Where built pages are kept until the keeper has them, by tree. */
  pages: string
  /** Takes values that the system holds out of a text. */
  redact(text: string): string
  now(): number
}
/** What became of a round; `level` is known before the first gate runs. */
export type GateRun = { level: Judged; gates: Told[]; passed: boolean }

const MINUTE = 60_000
/** Tests that run at most, the nearest to the change first; and those that guard everything. */
const MOST_TESTS = 40
const CORE_TESTS = [
  'core/contract/task.test.ts',
  'core/contract/tree.test.ts',
  'core/policy/policy.test.ts',
  'core/policy/approval.test.ts',
  'core/tasks/review.test.ts',
  'core/store/store.test.ts',
  'core/agent/agent.test.ts',
  'core/http/app.test.ts',
]
const VITE = ['node', 'node_modules/vite/bin/vite.js', 'build', 'web', '--emptyOutDir', '--logLevel', 'warn', '--configLoader', 'native']
const VITEST = [
  'node',
  'node_modules/vitest/vitest.mjs',
  'run',
  '--configLoader',
  'native',
  '--retry=1',
  '--fsModuleCachePath=/tmp/vitest-cache',
]
const passed = (summary: string, log = ''): Verdict => ({ verdict: 'passed', summary, log })
const failed = (summary: string, log = ''): Verdict => ({ verdict: 'failed', summary, log })
const skipped = (summary: string): Verdict => ({ verdict: 'skipped', summary, log: '' })
const many = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? '' : 's'}`

/** What the built page is made of. */
export const needsPage = (files: readonly ChangedFile[]): boolean =>
  files.some(({ path, from }) => [path, from ?? ''].some((one) => /^(?:web|core\/contract)\//.test(one)))

type Work = {
  candidate: Candidate
  files: readonly ChangedFile[]
  level: Judged
  /** Text of files before and after. */
  before: ReadonlyMap<string, string>
  after: ReadonlyMap<string, string>
  diffOf(path: string): string
  inside(argv: readonly string[], timeoutMs: number, how?: Partial<Inside> & { on?: 'base' }): Promise<Ended>
  signal: AbortSignal | undefined
}
type GateOf = { name: string; quick: boolean; run(work: Work): Promise<Verdict> | Verdict }

export function openGates(parts: GateParts) {
  const { source, walls } = parts

  const command = (name: string, argv: readonly string[], minutes: number, words: string): GateOf => ({
    name,
    quick: true,
    async run({ inside }) {
      const ended = await inside(argv, minutes * MINUTE)
      if (ended.code === 0) return passed(words, ended.log)
      return failed(ended.timedOut ? `It did not end within ${minutes} minutes.` : firstLine(ended.log), ended.log)
    },
  })

  const GATES: readonly GateOf[] = [
    {
      name: 'protected paths',
      quick: true,
      run: ({ level }) =>
        level.level === 4
          ? failed(`This may only be changed by a person, in the checkout: ${level.reasons.join('; ')}.`)
          : passed('It touches nothing that guards the system.'),
    },
    {
      name: 'test integrity',
      quick: true,
      run({ files, diffOf }) {
        const { doubts, refused } = integrityOf(files, diffOf)
        if (refused.length > 0) return failed(`${refused.join('; ')}.`)
        return doubts.length > 0 ? passed(`A person decides: ${doubts.join('; ')}.`) : passed('No existing test is weakened.')
      },
    },
    {
      name: 'secrets',
      quick: true,
      run({ files, after, diffOf }) {
        for (const { path, what } of files) {
          const text = after.get(path)
          if (text === undefined || what === 'deleted') continue
          if (parts.redact(text) !== text) return failed(`${path} holds a value that Banyan keeps as a secret.`)
          if (/\0/.test(text.slice(0, 8_000))) return failed(`${path} is not text; people cannot review it.`)
          const added = diffOf(path)
            .split('\n')
            .filter((line) => /^\+(?!\+\+)/.test(line))
          const leaks = path === 'package-lock.json' ? [] : leaksIn(added)
          if (leaks.length > 0) return failed(`${path} seems to hold a secret (${leaks.join(', ')} of what was added).`)
        }
        return passed('No secret stands in what was added.')
      },
    },
    {
      name: 'dependencies',
      quick: true,
      run({ files, before, after }) {
        const touched = files.filter(({ path }) => path === 'package.json' || path.endsWith('package-lock.json'))
        if (touched.length === 0) return passed('The packages stay as they are.')
        if (
          touched.some(({ path }) => path.endsWith('package-lock.json')) ||
          !sameParts(before.get('package.json'), after.get('package.json'))
        )
          return failed(
            'Packages and scripts are changed by a person in the checkout (npm install, then a commit); propose it with flag_for_review.',
          )
        return passed('Only words of package.json change; a person decides.')
      },
    },
    {
      name: 'migrations',
      quick: true,
      run({ files, after }) {
        const touched = files.filter(({ path }) => /^core\/store\/(?:migrations\/|tables\.ts)/.test(path))
        const made = touched.filter(({ path, what }) => path.startsWith('core/store/migrations/') && what === 'new')
        const faults = made.flatMap(({ path }) => migrationFaults(path, after.get(path) ?? ''))
        if (faults.length > 0) return failed(`${faults.join('; ')}.`)
        return made.length > 0 ? passed(`${many(made.length, 'migration')}: only adds.`) : passed('The schema stays as it is.')
      },
    },
    command('layers', ['node', 'scripts/layers.ts'], 2, 'Every import goes the allowed way.'),
    command('strip', ['node', 'scripts/strip.ts'], 4, 'Node runs every file as it stands.'),
    command(
      'lint',
      ['node', 'node_modules/@biomejs/biome/bin/biome', 'check', '--max-diagnostics=50', '.'],
      5,
      'The linter has no complaint.',
    ),
    command('types', ['node', 'node_modules/typescript/bin/tsc', '-p', '.', '--pretty', 'false'], 8, 'Every type fits.'),
    {
      name: 'page build',
      quick: false,
      async run({ candidate, files, after, signal }) {
        if (!needsPage(files)) return skipped('The page stays as it is.')
        if (!after.has('web/vite.config.ts') && (await source.text(candidate.tree, 'web/vite.config.ts')) === null)
          return skipped('This source has no page.')
        const ended = await buildPage(candidate.tree, signal)
        if (ended.code === 0) return passed('The page can be built.', ended.log)
        return failed(ended.timedOut ? 'The page was not built in time.' : firstLine(ended.log), ended.log)
      },
    },
    {
      name: 'failing test first',
      quick: false,
      async run({ candidate, files, inside }) {
        if (candidate.kind !== 'fix') return skipped('Only a fix must bring a test that fails without it.')
        const tests = files.filter(({ path, what }) => /\.test\.tsx?$/.test(path) && what !== 'deleted').map(({ path }) => path)
        if (tests.length === 0) return failed('A fix needs a test that fails on the present code and passes with the change; it has none.')
        const ended = await inside([...VITEST, ...tests], 5 * MINUTE, { on: 'base' })
        if (ended.code === 1 && /\bFAIL\b|\bfailed\b/.test(ended.log)) return passed('Its test fails without the change.', ended.log)
        return failed(
          ended.code === 0
            ? 'Its tests pass on the present code too, so they do not show the defect.'
            : 'Its tests could not be run on the present code.',
          ended.log,
        )
      },
    },
    {
      name: 'affected tests',
      quick: false,
      async run({ after, files, inside }) {
        const all = affectedTests(
          after,
          files.flatMap((file) => [file.path, ...(file.from === null ? [] : [file.from])]),
        )
        if (all.length === 0) return skipped('No test reaches what it changes.')
        const some = all.slice(0, MOST_TESTS)
        return tested(await inside([...VITEST, ...some], 12 * MINUTE), some.length, all.length - some.length)
      },
    },
    {
      name: 'core tests',
      quick: false,
      async run({ after, inside, level }) {
        if (level.level === 0) return skipped('It changes texts only.')
        const known = CORE_TESTS.filter((path) => after.has(path))
        if (known.length === 0) return skipped('This source has none of them.')
        return tested(await inside([...VITEST, ...known], 12 * MINUTE), known.length, 0)
      },
    },
    {
      name: 'tests can fail',
      quick: false,
      async run({ inside }) {
        // Whoever made every test pass made this one pass too.
        const ended = await inside([...VITEST, 'core/impossible.test.ts'], 3 * MINUTE)
        if (ended.code === 1 && /expected 1 to be 2/.test(ended.log)) return passed('A test that must fail fails.')
        return failed('A test that must fail did not: the tests of this change prove nothing.', ended.log)
      },
    },
  ]

  /** What level a change has, with what its tests say of it. */
  async function judge(
    candidate: Candidate,
  ): Promise<{ level: Judged; files: ChangedFile[]; before: Map<string, string>; after: Map<string, string>; diffs: Map<string, string> }> {
    const files = await source.files(candidate.base, candidate.tree)
    const [before, after] = [new Map<string, string>(), new Map<string, string>()]
    const diffs = new Map<string, string>()
    for (const { path, from, what } of files) {
      const [was, is] = await Promise.all([
        what === 'new' ? null : source.text(candidate.base, from ?? path),
        source.text(candidate.tree, path),
      ])
      if (was !== null) before.set(from ?? path, was)
      if (is !== null) after.set(path, is)
      diffs.set(path, (await source.diff(candidate.base, candidate.tree, path)).text)
    }
    const level = levelOf(files, (path) => ({ before: before.get(path) ?? null, after: after.get(path) ?? null }), candidate.tainted)
    const { doubts } = integrityOf(files, (path) => diffs.get(path) ?? '')
    if (doubts.length > 0 && level.level < 4)
      return {
        level: { level: 3 as Level, reasons: [...(level.level === 3 ? level.reasons : []), ...doubts] },
        files,
        before,
        after,
        diffs,
      }
    return { level, files, before, after, diffs }
  }

  /** Builds the page of a tree within the walls and keeps what came of it: plain files only. */
  async function buildPage(tree: string, signal: AbortSignal | undefined): Promise<Ended> {
    const place = join(parts.folder, `${tree}-page`)
    try {
      await rm(place, { recursive: true, force: true })
      await mkdir(join(place, 'out'), { recursive: true })
      await source.materialise(tree, join(place, 'source'))
      await mkdir(join(place, 'source', 'node_modules'), { recursive: true })
      for (const folder of [place, join(place, 'source')]) await chmod(folder, 0o755)
      await chmod(join(place, 'out'), 0o777)
      const ended = await walls.run({
        source: join(place, 'source'),
        packages: parts.packages,
        argv: [...VITE, '--outDir', '/page'],
        timeoutMs: 10 * MINUTE,
        binds: [{ from: join(place, 'out'), to: '/page', write: true }],
        signal,
      })
      if (ended.code !== 0) return ended
      for (const entry of await readdir(join(place, 'out'), { recursive: true, withFileTypes: true }))
        if (!entry.isFile() && !entry.isDirectory()) throw new Fault('forbidden', 'The built page holds something else than plain files.')
      const kept = join(parts.pages, tree)
      await rm(kept, { recursive: true, force: true })
      await mkdir(parts.pages, { recursive: true })
      await cp(join(place, 'out'), kept, { recursive: true })
      return ended
    } finally {
      await rm(place, { recursive: true, force: true })
    }
  }

  return {
    buildPage,
    /** Whether tests of the sandbox of commands run too. */
    nested: walls.nested,
    judge,
    /**
     * Runs them one after another; `tell` hears of each. Never rejects for what the candidate did. A stop rejects.
     */
    async run(
      candidate: Candidate,
      how: { quick: boolean; tell: (gate: Told) => Promise<void>; signal?: AbortSignal | undefined },
    ): Promise<GateRun> {
      const { level, files, before, after: changed, diffs } = await judge(candidate)
      const place = join(parts.folder, candidate.tree)
      const gates: Told[] = []
      let copies: Promise<{ after: Map<string, string> }> | undefined
      const laidOut = () => (copies ??= layOut(candidate, place, changed))
      try {
        for (const gate of GATES) {
          if (how.quick && !gate.quick) continue
          const began = parts.now()
          const after = ['affected tests', 'core tests'].includes(gate.name) ? (await laidOut()).after : changed
          const work: Work = {
            candidate,
            files,
            level,
            before,
            after,
            diffOf: (path) => diffs.get(path) ?? '',
            async inside(argv, timeoutMs, { on, ...more } = {}) {
              await laidOut()
              if (on === 'base') await layOutBase(candidate, place, files)
              return walls.run({
                source: join(place, on === 'base' ? 'base' : 'source'),
                packages: parts.packages,
                argv,
                timeoutMs,
                signal: how.signal,
                ...more,
              })
            },
            signal: how.signal,
          }
          const said = await verdictOf(gate, work)
          how.signal?.throwIfAborted()
          const told = {
            name: gate.name,
            ...said,
            log: parts.redact(said.log),
            summary: parts.redact(said.summary),
            ms: parts.now() - began,
          }
          gates.push(told)
          await how.tell(told)
          if (told.verdict === 'failed') return { level, gates, passed: false }
        }
        return { level, gates, passed: true }
      } finally {
        await rm(place, { recursive: true, force: true })
      }
    },
  }

  async function verdictOf(gate: GateOf, work: Work): Promise<Verdict> {
    try {
      return await gate.run(work)
    } catch (error) {
      if (error instanceof Fault) return failed(error.message)
      throw error
    }
  }

  /** The candidate as files. Answers the text of all code, for the tests that it could break. */
  async function layOut(
    candidate: Candidate,
    place: string,
    changed: ReadonlyMap<string, string>,
  ): Promise<{ after: Map<string, string> }> {
    await rm(place, { recursive: true, force: true })
    await mkdir(place, { recursive: true, mode: 0o755 })
    const folder = join(place, 'source')
    await source.materialise(candidate.tree, folder)
    await prepared(folder)
    const after = new Map(changed)
    for (const { path } of await source.entries(candidate.tree))
      if (/\.tsx?$/.test(path) && !after.has(path)) after.set(path, await readFile(join(folder, path), 'utf8'))
    return { after }
  }
  /** The base with the tests of the candidate laid over it. */
  async function layOutBase(candidate: Candidate, place: string, files: readonly ChangedFile[]): Promise<void> {
    const folder = join(place, 'base')
    await source.materialise(candidate.base, folder)
    await prepared(folder)
    for (const { path, what } of files)
      if (isTest(path) && what !== 'deleted') await cp(join(place, 'source', path), join(folder, path), { recursive: true })
  }
  async function prepared(folder: string): Promise<void> {
    await mkdir(join(folder, 'node_modules'), { recursive: true })
    await mkdir(join(folder, 'core'), { recursive: true })
    await writeFile(
      join(folder, 'core/impossible.test.ts'),
      "import { expect, test } from 'vitest'\n\ntest('must fail', () => {\n  expect(1).toBe(2)\n})\n",
    )
    for (const place of [join(folder, '..'), folder]) await chmod(place, 0o755)
  }
}
export type Gates = ReturnType<typeof openGates>

function tested(ended: Ended, files: number, left: number): Verdict {
  const counts = /^\s*Tests\s+(.*)$/m.exec(ended.log)?.[1]?.trim() ?? ''
  const more = left > 0 ? `; ${left} further files were not run` : ''
  if (ended.code === 0) return passed(`${many(files, 'file')}: ${counts}${more}.`, ended.log)
  if (ended.timedOut) return failed('The tests did not end in time.', ended.log)
  const name = /^\s*FAIL\s+(.*)$/m.exec(ended.log)?.[1]
  return failed(`${counts || 'The tests could not be run'}${name ? `; the first: ${name.slice(0, 200)}` : ''}.`, ended.log)
}
function firstLine(log: string): string {
  const lines = log.split('\n').filter((line) => line.trim() !== '')
  return (lines.find((line) => /error|may not|belongs|cannot|×|✖/i.test(line)) ?? lines.at(-1) ?? 'It failed without a word.')
    .trim()
    .slice(0, 300)
}
/** The same but for words that nothing runs. */
function sameParts(before: string | undefined, after: string | undefined): boolean {
  const plain = (text: string | undefined) => {
    const { description: _, keywords: _k, version: _v, homepage: _h, ...rest } = JSON.parse(text ?? '{}') as Record<string, unknown>
    return JSON.stringify(rest)
  }
  try {
    return plain(before) === plain(after)
  } catch {
    return false // no JSON: the packages cannot be told
  }
}
