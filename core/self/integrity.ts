/**
 * What a change does to the tests that judge it. Pure. New tests are free; everything that takes from an existing one, or could, is a
 * person's to decide, because whoever is judged does not move the mark. Other code is looked at for what would make checks say less:
 * asking whether a test runs, silencing the type checker or the linter, recording less.
 */
import type { ChangedFile } from '../contract/change.ts'
import { runsOf, strangeIn } from './added-runs.ts'
import { isTest } from './levels.ts'

export type Integrity = {
  /** Each a reason for a person to look. */
  doubts: string[]
  /** What no person is asked about: it would silence the other tests. */
  refused: string[]
}

const CHECK = /\b(?:expect|assert)\b|\b(?:test|it|describe)(?:\.\w+)*\s*\(|toMatch|toEqual|toBe\b|Snapshot|violations\(/
const SKIPS =
  /\.(?:skip|todo|fails)\b|\b(?:xit|xtest|xdescribe)\s*\(|\.(?:skipIf|runIf)\s*\(|\bskip\s*[:(]|\[['"](?:skip|todo|fails|skipIf|runIf)['"]\]/
const ONLY = /\.only\b|\b(?:fit|fdescribe)\s*\(|\bonly\s*:\s*true\b|\[['"]only['"]\]/
const MOCKS =
  /\bvi\.(?:mock|doMock|spyOn|stubGlobal|stubEnv|hoisted|setConfig)\b|\bprocess\.exit\b|\bexitCode\b|\bObject\.prototype\b|\bexpect\.(?:extend|addSnapshotSerializer)\b|\b(?:globalThis|Reflect|prototype)\b/
const AGAIN = /\bretry\b|\brepeats\b|--update\b|\bexpect\.(?:anything|any)\b/
const SHADOWS = /\b(?:const|let|var|function|class)\s+(?:\{[^}]*\b)?(?:expect|test|it|describe|vi|assert)\b/
const OTHER_EXPECT = /\bimport\b.*\b(?:expect|test|it|describe)\b.*\bfrom\s*['"](?!vitest['"])/
/** A test that runs only where something is installed names it for people, and counts as skipped where it is not. */
const NEEDS = /skipIf\(!need\(/

const KNOWS_TESTS = /\b(?:VITEST(?:_\w+)?|vitest_\w+|JEST_WORKER_ID)\b|import\.meta\.vitest\b|\bNODE_ENV\b.*\btest\b|__vitest/
const SILENCES = /@ts-(?:ignore|expect-error|nocheck)\b|biome-ignore(?:-all)?\s+(?:lint|assist)|eslint-disable/
const RECORDS = /\b(?:record|write)\(|\bconsole\.(?:error|warn)\(|\blog\(/

/** `diffOf` answers the patch of one file, without context lines that did not change. */
export function integrityOf(files: readonly ChangedFile[], diffOf: (path: string) => string): Integrity {
  const found: Integrity = { doubts: [], refused: [] }
  for (const file of files) {
    const lines = diffOf(file.path).split('\n')
    const removed = lines.filter((line) => /^-(?!--)/.test(line)).map((line) => line.slice(1))
    const added = lines.filter((line) => /^\+(?!\+\+)/.test(line)).map((line) => line.slice(1))
    const judges = isTest(file.from ?? file.path) || isTest(file.path)
    const doubts = judges ? ofTest(file, lines, removed, added, found.refused) : ofCode(file, removed, added)
    found.doubts.push(...doubts.map((words) => `${file.path}: ${words}`))
  }
  return found
}

function ofTest(
  file: ChangedFile,
  lines: readonly string[],
  removed: readonly string[],
  added: readonly string[],
  refused: string[],
): string[] {
  const doubts: string[] = []
  const some = (pattern: RegExp) => added.some((line) => pattern.test(line))
  if (some(ONLY)) refused.push(`${file.path}: ".only" would silence every other test of the file`)
  if (file.what === 'deleted') doubts.push('a test is deleted')
  if (file.what === 'renamed') doubts.push(`a test is renamed${isTest(file.path) ? '' : ', and is none any more'}`)
  if (some(SILENCES)) doubts.push('the type checker or the linter is silenced')
  if (some(SHADOWS) || some(OTHER_EXPECT)) doubts.push('what checks is replaced')
  if (/(?:^|\/)__mocks__\//.test(file.path)) doubts.push('a part is replaced for tests')
  if (file.what === 'new') {
    if (added.some((line) => SKIPS.test(line) && !NEEDS.test(line))) doubts.push('a new test is skipped')
    return doubts
  }
  if (some(SKIPS)) doubts.push('a test is skipped')
  if (some(MOCKS)) doubts.push('a test is given something else than the real code')
  if (some(AGAIN)) doubts.push('a test may fail more often or match more')
  if (/\.snap$/.test(file.path)) doubts.push('what is expected is changed')
  if (removed.some((line) => CHECK.test(line))) doubts.push('an existing check is changed or removed')
  else if (removed.some((line) => line.trim() !== '')) doubts.push('lines of an existing test are changed')
  else if (!/\.(?:test|suite)\.tsx?$/.test(file.path) && added.some((line) => line.trim() !== ''))
    doubts.push('what tests share is changed')
  else
    for (const run of runsOf(lines)) {
      const strange = strangeIn(run)
      if (strange !== null) doubts.push(strange)
    }
  return [...new Set(doubts)]
}

function ofCode(file: ChangedFile, removed: readonly string[], added: readonly string[]): string[] {
  const doubts: string[] = []
  if (!/\.(?:[cm]?[jt]sx?|sh)$/.test(file.path)) return doubts
  if (/(?:^|\/)__mocks__\//.test(file.path)) doubts.push('a part is replaced for tests')
  if (added.some((line) => KNOWS_TESTS.test(line))) doubts.push('the code asks whether a test runs')
  if (added.some((line) => SILENCES.test(line))) doubts.push('the type checker or the linter is silenced')
  const count = (of: readonly string[]) => of.filter((line) => RECORDS.test(line)).length
  if (file.what !== 'deleted' && count(removed) > count(added)) doubts.push('less is recorded than before')
  return doubts
}
