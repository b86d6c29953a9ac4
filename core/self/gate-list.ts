/**
 * The gates themselves: what each looks at and what it says. Those that only read come first and cost nothing; code of the candidate is run
 * last. Those of one row run side by side.
 */
import type { ChangedFile, GateVerdict } from '../contract/change.ts'
import { SCHEMA } from '../store/migrate.ts'
import { affectedTests } from './affected.ts'
import type { Canary, CanarySaid } from './canary.ts'
import { tryBoot, tryForbidden } from './canary.ts'
import { compared, excused, type Failures } from './compared.ts'
import { besides, ofLayers, ofLint, ofStrip, ofTypes, type ReadComplaints, stoodBefore } from './complaints.ts'
import type { Candidate } from './gates.ts'
import { integrityOf } from './integrity.ts'
import { leaksIn } from './leaks.ts'
import type { Judged } from './levels.ts'
import { LIST, touchesSchema, tryMigration, tryOldTests } from './migration-trial.ts'
import { listFaults, migrationFaults } from './migrations.ts'
import { beyondPackages, lockFaults, otherPackages } from './packages.ts'
import type { Source } from './repository.ts'
import type { Ended, Inside } from './walls.ts'

export type Verdict = { verdict: GateVerdict; summary: string; log: string }
/** What a gate may use. */
export type Work = {
  candidate: Candidate
  files: readonly ChangedFile[]
  level: Judged
  /** Text of files before and after. */
  before: ReadonlyMap<string, string>
  after: ReadonlyMap<string, string>
  diffOf(path: string): string
  /** Text of all code of the candidate. */
  code(): Promise<ReadonlyMap<string, string>>
  inside(argv: readonly string[], timeoutMs: number, how?: Partial<Inside>): Promise<Ended>
  /** On the base, with those files of the candidate laid over it that match; null: its tests. */
  base(argv: readonly string[], timeoutMs: number, over: RegExp | null): Promise<Ended>
  /** What fails of these test files on the base as it is; null: it could not be found out in this time. */
  failing(argv: readonly string[], timeoutMs: number): Promise<Failures | null>
  /** On the base as it is. */
  onBase(argv: readonly string[], timeoutMs: number): Promise<Ended>
  /** What the type checker found, with what it remembers of the last time. */
  types(argv: readonly string[], timeoutMs: number, of: 'candidate' | 'base'): Promise<Ended>
  /** Lays out what a trial of the running candidate needs, in a folder of that name. */
  canary(name: string): Promise<Canary>
  /** What the candidate runs with; null: a person decides first whether it is fetched, so nothing of it is run. */
  packages: string | null
  signal: AbortSignal | undefined
}
/** `reads`: it runs nothing, so it needs no packages. */
export type GateOf = { name: string; quick: boolean; reads?: true; run(work: Work): Promise<Verdict> | Verdict }
export type GateListParts = {
  source: Source
  redact(text: string): string
  buildPage(tree: string, signal: AbortSignal | undefined): Promise<Ended>
}

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
const LINT = ['node', 'node_modules/@biomejs/biome/bin/biome', 'check', '--no-errors-on-unmatched', '--files-ignore-unknown=true']
/** What it remembers lies in a folder that only it may write. */
const TSC = [
  ...['node', 'node_modules/typescript/bin/tsc', '-p', '.', '--pretty', 'false'],
  ...['--incremental', '--tsBuildInfoFile', '/types/types.tsbuildinfo'],
]
const VITEST = [
  'node',
  'node_modules/vitest/vitest.mjs',
  'run',
  '--configLoader',
  'native',
  '--retry=1',
  '--fsModuleCachePath=/tmp/vitest-cache',
]
export const passed = (summary: string, log = ''): Verdict => ({ verdict: 'passed', summary, log })
export const failed = (summary: string, log = ''): Verdict => ({ verdict: 'failed', summary, log })
export const skipped = (summary: string): Verdict => ({ verdict: 'skipped', summary, log: '' })
const many = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? '' : 's'}`

/** What the built page is made of. */
export const needsPage = (files: readonly ChangedFile[]): boolean =>
  files.some(({ path, from }) => [path, from ?? ''].some((one) => /^(?:(?:web|core\/contract)\/|package-lock\.json$)/.test(one)))

export function gateList({ source, redact, buildPage }: GateListParts): readonly (readonly GateOf[])[] {
  const command = (name: string, argv: readonly string[], minutes: number, words: string, read: ReadComplaints): GateOf => ({
    name,
    quick: true,
    async run({ inside, onBase, level, files }) {
      if (level.level === 0) return skipped('It changes texts only.')
      const ended = await inside(argv, minutes * MINUTE)
      return complained(ended, { minutes, words, files, read, again: async () => ended, base: () => onBase(argv, minutes * MINUTE) })
    },
  })

  const trial = (name: string, act: (canary: Canary) => Promise<CanarySaid>): GateOf => ({
    name,
    quick: false,
    async run({ candidate, canary, level }) {
      if (level.level === 0) return skipped('It changes texts only.')
      const [engine, judge] = await Promise.all([
        source.text(candidate.tree, 'scripts/engine.ts'),
        source.text(candidate.base, 'core/self/canary-data.ts'),
      ])
      if (engine === null || judge === null) return skipped('This source has no engine that could be tried.')
      const { fault, summary, log } = await act(await canary(name.replaceAll(' ', '-')))
      return fault === null ? passed(summary, log) : failed(fault, log)
    },
  })

  const gates: readonly (GateOf | readonly GateOf[])[] = [
    {
      name: 'protected paths',
      quick: true,
      reads: true,
      run: ({ level }) =>
        level.level === 4
          ? failed(`This may only be changed by a person, in the checkout: ${level.reasons.join('; ')}.`)
          : passed('It touches nothing that guards the system.'),
    },
    {
      name: 'test integrity',
      quick: true,
      reads: true,
      run({ files, diffOf }) {
        const { doubts, refused } = integrityOf(files, diffOf)
        if (refused.length > 0) return failed(`${refused.join('; ')}.`)
        return doubts.length > 0 ? passed(`A person decides: ${doubts.join('; ')}.`) : passed('No existing test is weakened.')
      },
    },
    {
      name: 'secrets',
      quick: true,
      reads: true,
      run({ files, after, diffOf }) {
        for (const { path, what } of files) {
          const text = after.get(path)
          if (text === undefined || what === 'deleted') continue
          if (redact(text) !== text) return failed(`${path} holds a value that Banyan keeps as a secret.`)
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
      reads: true,
      async run({ candidate, files, before, after, packages }) {
        const touched = files.filter(({ path, from }) =>
          [path, from].some((one) => one !== null && /(?:^|\/)package(?:-lock)?\.json$/.test(one)),
        )
        if (touched.length === 0) return passed('The packages stay as they are.')
        const odd = touched.find(({ path, from }) => from !== null || !/^package(?:-lock)?\.json$/.test(path))
        if (odd) return failed(`${odd.path}: the packages are those of package.json and package-lock.json beside it, and no others.`)
        if (touched.some(({ what }) => what === 'deleted')) return failed('A list of packages is deleted.')
        const manifest = [before.get('package.json'), after.get('package.json')] as const
        const more = after.has('package.json') ? beyondPackages(...manifest) : null
        if (more !== null) return failed(`package.json: ${more} is changed by a person in the checkout.`)
        const lock = await source.text(candidate.tree, 'package-lock.json')
        if (!after.has('package-lock.json'))
          return after.has('package.json') && otherPackages(...manifest)
            ? failed('package.json names other packages and package-lock.json does not; change both, as `npm install` does.')
            : passed('Only words of package.json change; a person decides.')
        const faults = lockFaults(lock ?? '')
        if (faults.length > 0) return failed(`package-lock.json is not taken: ${faults.slice(0, 3).join('; ')}.`)
        return passed(
          packages === null
            ? 'A person decides first whether the new packages are fetched; everything is tried with them after that.'
            : 'The new packages are those of the lock file, and what follows is tried with them.',
        )
      },
    },
    {
      name: 'migrations',
      quick: true,
      reads: true,
      run({ files, after, diffOf }) {
        const made = files.filter(({ path, what }) => path.startsWith('core/store/migrations/') && what === 'new')
        const faults = [
          ...made.flatMap(({ path }) => migrationFaults(path, after.get(path) ?? '')),
          ...(files.some(({ path, from }) => path === LIST || from === LIST) ? listFaults(diffOf(LIST), made.length) : []),
        ]
        if (faults.length > 0) return failed(`${faults.join('; ')}.`)
        return made.length > 0 ? passed(`${many(made.length, 'migration')}: only adds.`) : passed('The schema stays as it is.')
      },
    },
    // All of them, so that whoever proposed it hears every complaint at once.
    [
      command('layers', ['node', 'scripts/layers.ts'], 2, 'Every import goes the allowed way.', ofLayers),
      command('strip', ['node', 'scripts/strip.ts'], 4, 'Node runs every file as it stands.', ofStrip),
      {
        name: 'lint',
        quick: true,
        async run({ files, inside, onBase }) {
          // No rule looks at more than one file, and the settings of the linter are not an agent's to change.
          const paths = files.filter(({ what }) => what !== 'deleted').map(({ path }) => path)
          const before = files.filter(({ what }) => what !== 'new' && what !== 'deleted').map(({ path, from }) => from ?? path)
          const ended = await inside([...LINT, '--max-diagnostics=50', '--', ...paths], 5 * MINUTE)
          const short = [...LINT, '--max-diagnostics=none', '--reporter=github', '--']
          return complained(ended, {
            minutes: 5,
            words: 'The linter has no complaint.',
            files,
            read: ofLint,
            again: () => inside([...short, ...paths], 5 * MINUTE),
            base: before.length > 0 ? () => onBase([...short, ...before], 5 * MINUTE) : null,
          })
        },
      },
      {
        name: 'types',
        quick: true,
        async run({ types, level, files }) {
          if (level.level === 0) return skipped('It changes texts only.')
          const ended = await types(TSC, 8 * MINUTE, 'candidate')
          return complained(ended, {
            minutes: 8,
            words: 'Every type fits.',
            files,
            read: ofTypes,
            again: async () => ended,
            base: () => types(TSC, 8 * MINUTE, 'base'),
          })
        },
      },
    ],
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
      async run({ candidate, files, base }) {
        if (candidate.kind !== 'fix') return skipped('Only a fix must bring a test that fails without it.')
        const tests = files.filter(({ path, what }) => /\.test\.tsx?$/.test(path) && what !== 'deleted').map(({ path }) => path)
        if (tests.length === 0) return failed('A fix needs a test that fails on the present code and passes with the change; it has none.')
        const ended = await base([...VITEST, ...tests], 5 * MINUTE, null)
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
      name: 'migration trial',
      quick: false,
      async run({ candidate, files, canary, base, code }) {
        if (!touchesSchema(files)) return skipped('The schema stays as it is.')
        if ((await source.text(candidate.base, 'core/self/schema-look.ts')) === null) return skipped('This source has no database.')
        const said = await tryMigration(await canary('migration'), SCHEMA)
        const ended = await tryOldTests((await code()).keys(), (argv, over) => base([...VITEST, ...argv], 10 * MINUTE, over))
        if (ended === null) return passed(said)
        if (ended.code === 0) return passed(`${said} The tests of the present code pass on it.`, ended.log)
        const words = 'Tests of the present code fail on the new schema, so the change could not be taken back'
        return failed(`${words}${namedIn(ended.log)}.`, ended.log)
      },
    },
    // What is most likely to fail, before what takes longest; the trials of a running candidate wait more than they work.
    [
      {
        name: 'affected tests',
        quick: false,
        async run(work) {
          const all = affectedTests(await work.code(), namesOf(work.files))
          if (all.length === 0) return skipped('No test reaches what it changes.')
          const some = all.slice(0, MOST_TESTS)
          return tried(work, some, all.length - some.length)
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
    ],
    [
      {
        name: 'core tests',
        quick: false,
        async run(work) {
          if (work.level.level === 0) return skipped('It changes texts only.')
          const after = await work.code()
          const ran = new Set(affectedTests(after, namesOf(work.files)).slice(0, MOST_TESTS))
          const known = CORE_TESTS.filter((path) => after.has(path) && !ran.has(path))
          if (known.length === 0) return skipped('This source has none of them, or they ran among the affected ones.')
          return tried(work, known, 0)
        },
      },
      trial('canary boot', tryBoot),
      trial('negative canaries', tryForbidden),
    ],
  ]
  return gates.map((row) => ('name' in row ? [row] : row))
}

const namesOf = (files: readonly ChangedFile[]): string[] =>
  files.flatMap((file) => [file.path, ...(file.from === null ? [] : [file.from])])

/** What a check of the source says: what the base has too is named and does not refuse the change, so the base is looked at when it complains. */
async function complained(
  ended: Ended,
  how: {
    minutes: number
    /** When there is no complaint. */
    words: string
    files: readonly ChangedFile[]
    read: ReadComplaints
    /** Its complaints in the form that is read. */
    again(): Promise<Ended>
    /** Null: the base has nothing of what is checked. */
    base: (() => Promise<Ended>) | null
  },
): Promise<Verdict> {
  if (ended.code === 0) return passed(how.words, ended.log)
  if (ended.timedOut) return failed(`It did not end within ${how.minutes} minutes.`, ended.log)
  const base = how.base === null ? null : await how.base()
  const again = base === null || base.code === 0 || base.timedOut ? null : await how.again()
  const said = base && again && !again.timedOut ? besides(how.read(again.log), how.read(base.log), how.files) : null
  if (said === null || said.stood.length === 0) return failed(firstLine(ended.log), ended.log)
  const stood = stoodBefore(said.stood)
  if (said.added.length === 0) return passed(`Nothing new.${stood}`, ended.log)
  const added = said.added.map(({ shown }) => shown)
  return failed(`${added[0]!.slice(0, 300)}.${stood}`, `New with this change:\n${added.join('\n')}\n\n${ended.log}`)
}

/** Runs these tests; what fails on the base too does not refuse the change. */
async function tried(work: Work, files: readonly string[], left: number): Promise<Verdict> {
  const onCandidate = (some: readonly string[], more: readonly string[] = []) => work.inside([...VITEST, ...some, ...more], 12 * MINUTE)
  const first = await onCandidate(files)
  const again =
    first.code === 0 || first.timedOut
      ? null
      : await compared({
          files,
          changed: work.files,
          log: first.log,
          onBase: (some) => work.failing([...VITEST, ...some], 6 * MINUTE),
          onCandidate,
        })
  const { ended, exempt } = again ?? { ended: first, exempt: [] }
  const counts = countsIn(first)
  const more = left > 0 ? `; ${left} further files were not run` : ''
  if (ended.code === 0) return passed(`${many(files.length, 'file')}: ${counts}${more}.${excused(exempt)}`, first.log)
  if (ended.timedOut) return failed('The tests did not end in time.', ended.log)
  const words = `${countsIn(ended) || 'The tests could not be run'}${namedIn(ended.log)}.`
  return failed(`${words}${excused(exempt)}`, ended.log)
}
/** The first tests that failed, by vitest's words. */
function namedIn(log: string): string {
  const names = [...new Set([...log.matchAll(/^\s*FAIL\s+(?:\|\w+\|\s+)?(.*)$/gm)].map(([, name]) => name!.slice(0, 200)))]
  const shown = names.slice(0, 3).join('; ')
  return `${shown && `: ${shown}`}${names.length > 3 ? '; and others' : ''}`
}
const countsIn = (ended: Ended): string => /^\s*Tests\s+(.*)$/m.exec(ended.log)?.[1]?.trim() ?? ''
function firstLine(log: string): string {
  const lines = log.split('\n').filter((line) => line.trim() !== '')
  return (
    lines.find((line) => /^\w*Error: /.test(line)) ??
    lines.find((line) => /error|may not|belongs|cannot|×|✖/i.test(line)) ??
    lines.at(-1) ??
    'It failed without a word.'
  )
    .trim()
    .slice(0, 300)
}
