import { expect, it } from 'vitest'
import { totals } from './test.ts'

const file = (status: string, ...tests: string[]) => ({
  name: 'a.test.ts',
  status,
  assertionResults: tests.map((state, n) => ({ fullName: `test ${n}`, status: state })),
})

it('counts what passed, failed and was skipped', () => {
  const report = {
    numPassedTests: 2,
    numFailedTests: 1,
    testResults: [file('failed', 'passed', 'failed', 'skipped'), file('passed', 'passed')],
  }
  expect(totals(report, 1)).toEqual({ passed: 2, failed: 1, skipped: ['test 2'], second: [] })
})

it('counts a file that could not be loaded as a failure', () => {
  expect(totals({ numPassedTests: 1, numFailedTests: 0, testResults: [file('failed'), file('passed', 'passed')] }, 1)).toMatchObject({
    failed: 1,
  })
})

it('never calls a run good that vitest calls bad, or that left no report', () => {
  expect(totals({ numPassedTests: 1, numFailedTests: 0, testResults: [file('passed', 'passed')] }, 1)).toMatchObject({ failed: 1 })
  expect(totals(null, 1)).toMatchObject({ passed: 0, failed: 1 })
})

it('names what passed at the second try only', () => {
  const flaky = { fullName: 'a page', status: 'passed', failureMessages: ['Error: too late\n  at page.ts'] }
  const report = { numPassedTests: 1, numFailedTests: 0, testResults: [{ ...file('passed'), assertionResults: [flaky] }] }
  expect(totals(report, 0)).toMatchObject({ passed: 1, failed: 0, second: [{ test: 'a page', why: 'Error: too late' }] })
})
