/**
 * What a change does to the tests that judge it. Pure. New tests are free; everything that takes from an existing one, or could, is a
 * person's to decide, because whoever is judged does not move the mark.
 */
import type { ChangedFile } from '../contract/change.ts'
import { isTest } from './levels.ts'

export type Integrity = {
  /** Each a reason for a person to look. */
  doubts: string[]
  /** What no person is asked about: it would silence the other tests. */
  refused: string[]
}

const CHECK = /\b(?:expect|assert)\b|\b(?:test|it|describe)(?:\.\w+)*\s*\(|toMatch|toEqual|toBe\b|Snapshot|violations\(/
const SKIPS = /\.(?:skip|todo|fails)\b|\b(?:xit|xtest|xdescribe)\s*\(|\.(?:skipIf|runIf)\s*\(|\bskip\s*[:(]/
const ONLY = /\.only\b|\b(?:fit|fdescribe)\s*\(|\bonly\s*:\s*true\b/
const MOCKS = /\bvi\.(?:mock|doMock|spyOn|stubGlobal|stubEnv|hoisted)\b|\bprocess\.exit\b|\bexitCode\b|\bObject\.prototype\b/

/** `diffOf` answers the patch of one file, without context lines that did not change. */
export function integrityOf(files: readonly ChangedFile[], diffOf: (path: string) => string): Integrity {
  const doubts: string[] = []
  const refused: string[] = []
  for (const file of files) {
    const was = file.from ?? file.path
    if (!isTest(was) && !isTest(file.path)) continue
    if (file.what === 'deleted') doubts.push(`${file.path}: a test is deleted`)
    if (file.what === 'renamed') doubts.push(`${was}: a test is renamed${isTest(file.path) ? '' : ', and is none any more'}`)
    const lines = diffOf(file.path).split('\n')
    const removed = lines.filter((line) => /^-(?!--)/.test(line)).map((line) => line.slice(1))
    const added = lines.filter((line) => /^\+(?!\+\+)/.test(line)).map((line) => line.slice(1))
    if (added.some((line) => ONLY.test(line))) refused.push(`${file.path}: ".only" would silence every other test of the file`)
    if (file.what === 'new') {
      if (added.some((line) => SKIPS.test(line) && !/skipIf\(!need\(/.test(line))) doubts.push(`${file.path}: a new test is skipped`)
      continue
    }
    if (added.some((line) => SKIPS.test(line))) doubts.push(`${file.path}: a test is skipped`)
    if (added.some((line) => MOCKS.test(line))) doubts.push(`${file.path}: a test is given something else than the real code`)
    if (file.what === 'changed' && removed.some((line) => CHECK.test(line)))
      doubts.push(`${file.path}: an existing check is changed or removed`)
    else if (file.what === 'changed' && removed.some((line) => /\d/.test(line) || line.trim() !== ''))
      doubts.push(`${file.path}: lines of an existing test are changed`)
    if (/\.snap$/.test(file.path)) doubts.push(`${file.path}: what is expected is changed`)
  }
  return { doubts, refused }
}
