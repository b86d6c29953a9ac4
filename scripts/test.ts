/**
 * `npm test`: the checks, then every test, then what was left out and why. Arguments go to vitest: `npm test -- core/store`.
 * The last line is `N passed, N failed`, with `, N skipped` when there are some; a failed check counts as one failure.
 */
import { spawn } from 'node:child_process'
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import * as z from 'zod'
import { check } from './check.ts'
import { declared, NEEDS, type Need, need } from './needs.ts'

/** The part of vitest's JSON report that is read here. */
const Report = z.object({
  numPassedTests: z.number(),
  numFailedTests: z.number(),
  testResults: z.array(
    z.object({
      name: z.string(),
      status: z.string(),
      assertionResults: z.array(z.object({ fullName: z.string(), status: z.string(), failureMessages: z.array(z.string()).default([]) })),
    }),
  ),
})

/** `second`: passed, but not at the first try. */
type Totals = { passed: number; failed: number; skipped: string[]; second: { test: string; why: string }[] }

/** A file that could not even be loaded has no tests in the report and is one failure; so is a run that failed without naming a test. */
export function totals(report: unknown, exitCode: number | null): Totals {
  const parsed = Report.safeParse(report)
  if (!parsed.success) return { passed: 0, failed: 1, skipped: [], second: [] }
  const { numPassedTests: passed, numFailedTests, testResults } = parsed.data
  const broken = testResults.filter((file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'))
  const skipped = testResults.flatMap((file) =>
    file.assertionResults.filter((test) => !['passed', 'failed'].includes(test.status)).map((test) => test.fullName),
  )
  const second = testResults.flatMap((file) =>
    file.assertionResults
      .filter((test) => test.status === 'passed' && test.failureMessages.length > 0)
      .map((test) => ({ test: test.fullName, why: test.failureMessages[0]!.split('\n', 1)[0]! })),
  )
  const failed = numFailedTests + broken.length
  return { passed, failed: exitCode === 0 ? failed : Math.max(1, failed), skipped, second }
}

async function vitest(root: string, args: readonly string[]): Promise<Totals> {
  const folder = mkdtempSync(join(tmpdir(), 'banyan-report-'))
  const file = join(folder, 'report.json')
  try {
    const argv = ['node_modules/vitest/vitest.mjs', 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${file}`, ...args]
    const child = spawn(process.execPath, argv, { cwd: root, stdio: 'inherit' })
    const code = await new Promise<number | null>((resolve, reject) => child.once('error', reject).once('close', resolve))
    return totals(readReport(file), code)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function readReport(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return null // vitest ended before it could report: counted as a failure by `totals`
  }
}

/** What this machine lacks of what the tests declare, with the one command that brings it. */
function missing(root: string): Need[] {
  const files = globSync('{core,tools,scripts,web}/**/*.test.{ts,tsx}', { cwd: root, exclude: (path) => path.endsWith('node_modules') })
  return declared(files.map((path) => ({ text: readFileSync(join(root, path), 'utf8') }))).filter((name) => need(name) === null)
}

if (import.meta.main) {
  const root = dirname(import.meta.dirname)
  const strict = process.env.REQUIRE_ALL === '1'
  const failedChecks = await check(root)
  const { passed, failed, skipped, second } = await vitest(root, process.argv.slice(2))
  const absent = missing(root)
  const lacking = absent.filter((name) => !NEEDS[name].excused)
  const unexcused = skipped.filter((test) => !absent.some((name) => NEEDS[name].excused && test.startsWith(NEEDS[name].title)))

  if (lacking.length > 0 || (strict && unexcused.length > 0)) console.log(strict ? '\nSkipped, which REQUIRE_ALL=1 forbids:' : '\nSkipped:')
  for (const name of lacking) {
    console.log(`  ${NEEDS[name].title}: no ${NEEDS[name].programs[0]} on this machine`)
  }
  if (strict) for (const name of unexcused) console.log(`  ${name}`)
  if (lacking.length > 0) {
    const sudo = process.getuid?.() === 0 ? '' : 'sudo '
    console.log(`To run everything: ${sudo}apt-get install -y --no-install-recommends ${lacking.map((name) => NEEDS[name].apt).join(' ')}`)
  }
  for (const name of absent) {
    const { title, excused } = NEEDS[name]
    if (excused) console.log(`\nSkipped, also with REQUIRE_ALL=1: ${title}: ${excused.why}; to run it, ${excused.mend}.`)
  }
  if (second.length > 0) console.log('\nPassed at the second try only, which is a fault of the test or of what it tests:')
  for (const { test, why } of second) console.log(`  ${test}: ${why}`)
  if (failedChecks.length > 0) console.log(`\nFailed checks: ${failedChecks.join(', ')}`)

  const allFailed = failed + failedChecks.length + (strict ? Math.max(unexcused.length, lacking.length) : 0)
  console.log(
    `${passed} passed, ${allFailed} failed${skipped.length > 0 && (!strict || unexcused.length === 0) ? `, ${skipped.length} skipped` : ''}`,
  )
  process.exitCode = allFailed > 0 ? 1 : 0
}
