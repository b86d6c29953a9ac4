import { expect, test } from 'vitest'
import { commandChecks } from './checks.ts'

const ALL = { memory: true, pids: true, cpu: true, via: 'cgroup1' } as const
const EACH = { memory: false, pids: true, cpu: false, via: 'rlimit' } as const
const NONE = { ok: false, why: 'bubblewrap is not installed.', mend: 'Install it and restart.' } as const

test.each([
  ['a sandbox and whole limits', { ok: true, version: '0.8.0' } as const, ALL, ['ok', 'ok'], /bubblewrap 0\.8\.0.*no network/],
  ['a sandbox, and limits on each process', { ok: true, version: '0.8.0' } as const, EACH, ['ok', 'warn'], /control groups.*Delegate=yes/],
  ['no sandbox, with the cause and the mend', NONE, ALL, ['warn', 'ok'], /run plain.*bubblewrap is not installed\. Install it/],
])('doctor tells of %s', (_, sandbox, limits, states, words) => {
  const checks = commandChecks({ isolation: sandbox.ok ? 'sandbox' : 'plain', isolationDetail: { sandbox, limits } })
  expect(checks.map((check) => check.state)).toEqual(states)
  expect(checks.map((check) => check.words).join(' ')).toMatch(words)
})

const NO_CONTAINER = { ok: false, why: 'No Docker engine answers at /x.', mend: 'Start it and restart.' } as const
test.each([
  [
    'container',
    { ok: true, version: '28.2.2', image: 'node:24' } as const,
    NONE,
    ['ok', 'ok'],
    /containers of their own \(Docker 28\.2\.2, image node:24\).*no network/,
  ],
  ['container', NO_CONTAINER, NONE, ['fail', 'ok'], /none runs: ISOLATION is container\. No Docker engine answers at \/x\. Start it/],
  ['sandbox', NO_CONTAINER, NONE, ['fail', 'unknown', 'ok'], /none runs: ISOLATION is sandbox\. bubblewrap is not installed/],
  ['plain', NO_CONTAINER, { ok: true, version: '0.8.0' } as const, ['warn', 'unknown', 'ok'], /run plain, because ISOLATION is plain/],
] as const)('doctor tells of ISOLATION=%s', (choice, container, sandbox, states, words) => {
  const checks = commandChecks({ isolation: choice, isolationChoice: choice, isolationDetail: { sandbox, container, limits: ALL } })
  expect(checks.map((check) => check.state)).toEqual(states)
  expect(checks.map((check) => check.words).join(' ')).toMatch(words)
})
