/**
 * The gates that a change goes through, run by the code that runs now. Those that only read come first and cost nothing; code of the candidate
 * is run last, within walls, and its verdict is its exit code, read outside. The first gate that fails ends the round.
 */
import { chmod, chown, copyFile, cp, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ChangedFile, ChangeKind, Level } from '../contract/change.ts'
import { Fault } from '../contract/fault.ts'
import type { Owner } from '../exec/local.ts'
import { type Failures, failuresOf } from './compared.ts'
import { failed, type GateOf, gateList, skipped, type Verdict, type Work } from './gate-list.ts'
import { integrityOf } from './integrity.ts'
import { isTest, type Judged, levelOf } from './levels.ts'
import type { Packages } from './packages.ts'
import type { Source } from './repository.ts'
import { type Ended, INSIDE, type Inside, type Walls } from './walls.ts'

export type Candidate = { base: string; commit: string; tree: string; kind: ChangeKind; tainted: boolean }
export type Told = Verdict & { name: string; ms: number }
export type GateParts = {
  source: Source
  walls: Walls
  /** The installed packages of the revision that runs. */
  packages: string
  /** Those of a candidate. */
  newPackages: Packages
  /** A folder of the system's own for copies that are thrown away. */
  folder: string
  /** Where built pages are kept until the keeper has them, by tree. */
  pages: string
  /** Copies the database while it is in use; null: it is no file of ours. */
  copyDatabase: ((to: string) => Promise<void>) | null
  /** Bytes of it. */
  databaseSize(): Promise<number>
  /** The user that code within the walls runs as, when the runtime is root. */
  runAs?: Owner | undefined
  /** Takes values that the system holds out of a text. */
  redact(text: string): string
  now(): number
}
/** What became of a round; `level` is known before the first gate runs. */
export type GateRun = { level: Judged; gates: Told[]; passed: boolean }

const MINUTE = 60_000
const VITE = ['node', 'node_modules/vite/bin/vite.js', 'build', 'web', '--emptyOutDir', '--logLevel', 'warn', '--configLoader', 'native']

export function openGates(parts: GateParts) {
  const { source, walls } = parts
  const rows = gateList({ source, redact: parts.redact, buildPage })

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
    const packages = await parts.newPackages.of(tree)
    if (packages === null) throw new Fault('unavailable', 'Its packages were not fetched.')
    try {
      await rm(place, { recursive: true, force: true })
      await mkdir(join(place, 'out'), { recursive: true })
      await source.materialise(tree, join(place, 'source'))
      await mkdir(join(place, 'source', 'node_modules'), { recursive: true })
      for (const folder of [place, join(place, 'source')]) await chmod(folder, 0o755)
      await chmod(join(place, 'out'), 0o777)
      const ended = await walls.run({
        source: join(place, 'source'),
        packages,
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
    packages: parts.newPackages,
    /** Whether tests of the sandbox of commands run too. */
    nested: walls.nested,
    judge,
    /**
     * Runs them row after row; `tell` hears of each as soon as it ends, with its place in the list. Never rejects for what the candidate did. A
     * stop rejects.
     */
    async run(
      candidate: Candidate,
      how: { quick: boolean; tell: (gate: Told, n: number) => Promise<void>; signal?: AbortSignal | undefined },
    ): Promise<GateRun> {
      const { level, files, before, after: changed, diffs } = await judge(candidate)
      const place = join(parts.folder, candidate.tree)
      const gates: Told[] = []
      let copies: Promise<{ after: Map<string, string> }> | undefined
      let judging: Promise<string> | undefined
      const laidOut = () => (copies ??= layOut(candidate, place, changed))
      const baseFolder = async () => {
        await laidOut()
        judging ??= layOutJudge(candidate, place)
        return judging
      }
      try {
        const packages = await parts.newPackages.of(candidate.tree)
        const mine = (): string => {
          if (packages === null) throw new Fault('unavailable', 'Its packages were not fetched.')
          return packages
        }
        const work: Work = {
          candidate,
          files,
          level,
          before,
          after: changed,
          diffOf: (path) => diffs.get(path) ?? '',
          code: async () => (await laidOut()).after,
          async inside(argv, timeoutMs, more = {}) {
            await laidOut()
            return walls.run({ source: join(place, 'source'), packages: mine(), argv, timeoutMs, signal: how.signal, ...more })
          },
          async base(argv, timeoutMs, over) {
            await laidOut()
            const from = await layOutBase(candidate, place, files, over)
            return walls.run({ source: from, packages: parts.packages, argv, timeoutMs, signal: how.signal })
          },
          async failing(argv, timeoutMs) {
            const from = await layOutBase(candidate, place, [], null)
            return failuresOn(from, place, argv, timeoutMs, how.signal)
          },
          async onBase(argv, timeoutMs) {
            return walls.run({ source: await baseFolder(), packages: parts.packages, argv, timeoutMs, signal: how.signal })
          },
          async types(argv, timeoutMs, of) {
            await laidOut()
            const what =
              of === 'base' ? { source: await baseFolder(), packages: parts.packages } : { source: join(place, 'source'), packages: mine() }
            return checkTypes(place, { ...what, argv, timeoutMs, signal: how.signal })
          },
          async canary(name) {
            await laidOut()
            return {
              walls,
              source: join(place, 'source'),
              packages: mine(),
              judge: await baseFolder(),
              judgePackages: parts.packages,
              place: join(place, name),
              copy: parts.copyDatabase,
              size: await parts.databaseSize(),
              runAs: parts.runAs,
              signal: how.signal,
            }
          },
          packages,
          signal: how.signal,
        }
        for (const row of rows) {
          const side = row.filter((gate) => gate.quick || !how.quick)
          const told = await Promise.all(
            side.map(async (gate, at): Promise<Told> => {
              const began = parts.now()
              const { verdict, summary, log } = await verdictOf(gate, work)
              const one = { name: gate.name, verdict, summary: parts.redact(summary), log: parts.redact(log), ms: parts.now() - began }
              if (!how.signal?.aborted) await how.tell(one, gates.length + at + 1)
              return one
            }),
          )
          how.signal?.throwIfAborted()
          gates.push(...told)
          if (told.some(({ verdict }) => verdict === 'failed')) return { level, gates, passed: false }
        }
        return { level, gates, passed: true }
      } finally {
        await rm(place, { recursive: true, force: true })
      }
    },
  }

  async function verdictOf(gate: GateOf, work: Work): Promise<Verdict> {
    try {
      if (work.packages === null && !gate.reads) return skipped('It is run when the new packages are there.')
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
  /** The source of the base alone: what judges a candidate that runs. */
  async function layOutJudge(candidate: Candidate, place: string): Promise<string> {
    const folder = join(place, 'judge')
    await source.materialise(candidate.base, folder)
    await prepared(folder)
    return folder
  }
  /**
   * The type checker runs nothing of the candidate, so what it remembers is its own; it checks by content what it remembers, and one file
   * serves every change after it.
   */
  async function checkTypes(place: string, inside: Inside): Promise<Ended> {
    const [memory, folder] = [join(parts.folder, 'types.tsbuildinfo'), join(place, 'types')]
    const file = join(folder, 'types.tsbuildinfo')
    await mkdir(folder, { recursive: true })
    await copyFile(memory, file).catch(missing)
    if (parts.runAs) for (const one of [folder, file]) await chown(one, parts.runAs.uid, parts.runAs.gid).catch(missing)
    const ended = await walls.run({ ...inside, binds: [{ from: folder, to: '/types', write: true }] })
    // Errors are remembered too; only one that was cut off has left half a file.
    if (ended.code !== null && ended.code <= 2) {
      await copyFile(file, `${memory}.new`)
        .then(() => rename(`${memory}.new`, memory))
        .catch(missing)
    }
    return ended
  }
  /** What fails of the code that runs now, by the report that it writes. */
  async function failuresOn(
    from: string,
    place: string,
    argv: readonly string[],
    timeoutMs: number,
    signal: AbortSignal | undefined,
  ): Promise<Failures | null> {
    const folder = join(place, 'report')
    await mkdir(folder, { recursive: true })
    if (parts.runAs) await chown(folder, parts.runAs.uid, parts.runAs.gid)
    const binds = [{ from: folder, to: '/report', write: true }]
    const report = [...argv, '--reporter=json', '--outputFile=/report/report.json']
    const ended = await walls.run({ source: from, packages: parts.packages, argv: report, timeoutMs, binds, signal })
    if (ended.timedOut) return null
    const text = await readFile(join(folder, 'report.json'), 'utf8').catch(missing)
    try {
      return text ? failuresOf(JSON.parse(text), INSIDE) : null
    } catch {
      return null // it died while it wrote
    }
  }
  /** The base with those files of the candidate laid over it that match; null: its tests. */
  async function layOutBase(candidate: Candidate, place: string, files: readonly ChangedFile[], over: RegExp | null): Promise<string> {
    const folder = join(place, 'base')
    await rm(folder, { recursive: true, force: true })
    await source.materialise(candidate.base, folder)
    await prepared(folder)
    for (const { path, what } of files)
      if ((over === null ? isTest(path) : over.test(path)) && what !== 'deleted')
        await cp(join(place, 'source', path), join(folder, path), { recursive: true })
    return folder
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
/** There is none yet. */
const missing = (error: NodeJS.ErrnoException): void => {
  if (error.code !== 'ENOENT') throw error
}
export type Gates = ReturnType<typeof openGates>
