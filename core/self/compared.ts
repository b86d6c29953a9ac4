/**
 * Tests that fail on the code that runs now do not count against a change. What a candidate prints is believed by nobody: which tests fail
 * anyway is found on the base alone, and the candidate must end well without those, and with all others.
 */
import * as z from 'zod'
import type { ChangedFile } from '../contract/change.ts'
import type { Ended } from './walls.ts'

/** Files that are looked at on the base. A change that breaks more is refused without that. */
const MOST_FILES = 8
const NAMED = 5

/** The part of vitest's JSON report that is read here. */
const Report = z.object({
  testResults: z.array(
    z.object({
      name: z.string(),
      status: z.string(),
      assertionResults: z.array(z.object({ ancestorTitles: z.array(z.string()), title: z.string(), status: z.string() })),
    }),
  ),
})
/** What fails of a file; null: the file as a whole. */
export type Failures = ReadonlyMap<string, readonly string[] | null>
/** `exempt`: tests that fail without the change too, as "file > test". */
export type Compared = { ended: Ended; exempt: readonly string[] }

/** Files that a log of vitest names as failed. */
export const failedFiles = (log: string): string[] => [
  ...new Set([...log.matchAll(/^\s*FAIL\s+(?:\|[^|\n]*\|\s+)?([\w@./-]+\.test\.tsx?)\b/gm)].map(([, path]) => path!)),
]

/** What failed, by vitest's JSON report; null: it is none. */
export function failuresOf(report: unknown, root: string): Failures | null {
  const parsed = Report.safeParse(report)
  if (!parsed.success) return null
  const failures = new Map<string, readonly string[] | null>()
  for (const { name, status, assertionResults } of parsed.data.testResults) {
    const tests = assertionResults.filter((one) => one.status === 'failed').map((one) => [...one.ancestorTitles, one.title].join(' > '))
    const path = name.startsWith(`${root}/`) ? name.slice(root.length + 1) : name
    if (tests.length > 0) failures.set(path, tests)
    else if (status === 'failed') failures.set(path, null)
  }
  return failures
}

/** A pattern for vitest that leaves just these tests out. */
export const allBut = (names: readonly string[]): string =>
  `^(?!(?:${names.map((name) => name.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')).join('|')})$)`

/**
 * The tests of a candidate once more, without what fails on the base too. `changed`: a test file that the change touches is never excused.
 * Null: everything that failed passes on the base, so the first end stands.
 */
export async function compared(parts: {
  files: readonly string[]
  changed: readonly ChangedFile[]
  log: string
  /** Runs files on the base and answers what failed there; null: that could not be found out in its time. */
  onBase(files: readonly string[]): Promise<Failures | null>
  onCandidate(files: readonly string[], more: readonly string[]): Promise<Ended>
}): Promise<Compared | null> {
  const touched = new Set(parts.changed.flatMap(({ path, from }) => [path, from ?? path]))
  const suspects = failedFiles(parts.log).filter((path) => parts.files.includes(path))
  if (suspects.length === 0 || suspects.length > MOST_FILES || suspects.some((path) => touched.has(path))) return null
  const failures = await parts.onBase(suspects)
  if (failures === null || suspects.some((path) => !failures.has(path))) return null
  const named = suspects.flatMap((path) => failures.get(path) ?? [])
  const exempt = suspects.flatMap((path) => failures.get(path)?.map((name) => `${path} > ${name}`) ?? [path])
  // First what is likely to end it.
  const partly = suspects.filter((path) => failures.get(path) !== null)
  const others = parts.files.filter((path) => !suspects.includes(path))
  let ended: Ended | undefined
  for (const [files, more] of [
    [partly, ['-t', allBut(named)]],
    [others, []],
  ] as const) {
    if (files.length === 0 || (ended !== undefined && ended.code !== 0)) continue
    ended = await parts.onCandidate(files, more)
  }
  return { ended: ended ?? { code: 0, timedOut: false, log: '', ms: 0 }, exempt }
}

/** Words for the summary of a gate. */
export const excused = (exempt: readonly string[]): string =>
  exempt.length === 0
    ? ''
    : ` Fails without this change too: ${exempt.slice(0, NAMED).join('; ')}${exempt.length > NAMED ? `; and ${exempt.length - NAMED} more` : ''}.`
