import { expect, test } from 'vitest'
import type { Rule } from '../contract/policy.ts'
import { type CallFacts, caseOf, judge, offersOf } from './policy.ts'

const command = (line: string, more: Partial<CallFacts> = {}): CallFacts => ({
  tool: 'use_terminal',
  permission: 'exec',
  effect: 'once',
  asks: true,
  action: { command: line },
  risk: 'medium',
  run: { shell: line },
  isolation: 'sandbox',
  online: false,
  treeId: 't',
  agent: 'a',
  ...more,
})
const said = (facts: CallFacts, rules: Rule[] = [], taint: 'web'[] = []) => judge(caseOf(facts), taint, rules, 0).verdict
const rule = (verdict: 'ask' | 'deny', scope: Rule['scope'], signature: string): Rule => ({
  id: 'r',
  verdict,
  scope,
  signature,
  label: '',
  treeId: null,
  agent: null,
  tainted: false,
  createdBy: 'owner',
  createdAt: '2026-01-01T00:00:00Z',
  expiresAt: null,
  hits: 0,
  lastHitAt: null,
  revokedAt: null,
})
const free = { approval: 'run_free' } as const

test('a goal that runs free runs commands in a sandbox without network', () => {
  expect(said(command('make test'))).toBe('ask')
  expect(said(command('make test', free))).toBe('allow')
})

test.each([
  ['outside a sandbox', command('make', { ...free, isolation: 'plain', online: true })],
  ['with a network', command('make', { ...free, online: true })],
  ['that reach a host through the sandbox', command('make', { ...free, network: ['example.com'] })],
  ['with a secret', command('make', { ...free, secrets: ['KEY'], external: true })],
  ['on a path outside the workspace', command('cat /etc/shadow', free)],
  ['with output outside the workspace', command('echo x > ../../y', free)],
  [
    'that are no commands: a push',
    command('x', { ...free, tool: 'git_operations', permission: 'network', run: undefined as never, external: true }),
  ],
])('and still asks about commands %s', (_, facts) => {
  const { run, ...rest } = facts
  expect(said(run === undefined ? (rest as CallFacts) : facts)).toBe('ask')
})

test('rules of the system win over running free: deny and ask hold', () => {
  expect(said(command('curl x', free), [rule('deny', 'program', 'curl')])).toBe('deny')
  expect(said(command('make', free), [rule('ask', 'permission', 'exec')])).toBe('ask')
})

test('a rule on a permission is about effects: it keeps no task from ending', () => {
  const { run: _, ...ending } = command('', { tool: 'end_task', permission: 'write', effect: 'keyed', asks: false, arranges: true })
  expect(said(ending, [rule('deny', 'permission', 'write')])).toBe('allow')
  expect(said({ ...ending, tool: 'write_file', arranges: false }, [rule('deny', 'permission', 'write')])).toBe('deny')
})

test('asking about everything spares reading and the arranging of work, and nothing else; no always-allow gets past it', () => {
  const all = { approval: 'ask_all' } as const
  const write = command('', { ...all, tool: 'write_file', permission: 'write', effect: 'idempotent', asks: false })
  const { run: _, ...writing } = write
  expect(said({ ...writing, permission: 'read', effect: 'read' })).toBe('allow')
  expect(said({ ...writing, permission: 'write', effect: 'keyed', arranges: true })).toBe('allow')
  expect(said(writing)).toBe('ask')
  expect(said({ ...writing, permission: 'network', effect: 'read' })).toBe('ask')
  expect(said(command('ls', { ...all, by: 'person' }))).toBe('ask')
  const call = caseOf(command('ls', all))
  const offer = offersOf(call)[0]!
  expect(said(command('ls', all), [{ ...rule('ask', 'exact', offer.signature), verdict: 'allow' }])).toBe('ask')
})

test('before a plan is approved only reading and the arranging of work may run, whatever a person typed', () => {
  const open = { plan: 'open' } as const
  expect(said(command('ls', { ...open, by: 'person' }))).toBe('deny')
  const { run: _, ...reading } = command('', { ...open, permission: 'read', effect: 'read', asks: false })
  expect(said(reading)).toBe('allow')
  expect(said({ ...reading, permission: 'network' })).toBe('deny')
  expect(said({ ...reading, permission: 'write', effect: 'keyed', arranges: true })).toBe('allow')
})

test('a task that is added to a plan that was approved is asked about; handing a task over is not', () => {
  const { run: _, ...spawning } = command('', {
    plan: 'frozen',
    tool: 'start_subtask',
    permission: 'write',
    effect: 'keyed',
    asks: false,
    arranges: true,
  })
  expect(said({ ...spawning, adds: 2 })).toBe('ask')
  expect(said({ ...spawning, adds: 0 })).toBe('allow')
})
