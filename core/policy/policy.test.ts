import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { NARROW_SCOPES, type PolicyVerdict, RULE_SCOPES, type Rule, TAINTS } from '../contract/policy.ts'
import { type CallFacts, caseOf, hostRefusal, judge, offersOf, signaturesOf } from './policy.ts'

const NOW = Date.parse('2026-01-01T00:00:00Z')
const facts = (change: Partial<CallFacts> = {}): CallFacts => ({
  tool: 'use_terminal',
  permission: 'exec',
  effect: 'once',
  asks: true,
  action: { command: 'ls -l a' },
  risk: 'low',
  treeId: 't1',
  agent: 'coder',
  by: 'agent',
  run: { shell: 'ls -l a' },
  cwd: '.',
  isolation: 'plain',
  ...change,
})
const shell = (text: string, change: Partial<CallFacts> = {}) => facts({ run: { shell: text }, action: { command: text }, ...change })
const rule = (change: Partial<Rule>): Rule => ({
  id: 'r1',
  verdict: 'allow',
  scope: 'exact',
  signature: '',
  label: 'l',
  treeId: null,
  agent: null,
  tainted: false,
  createdBy: 'owner',
  createdAt: '2025-01-01T00:00:00.000Z',
  expiresAt: null,
  hits: 0,
  lastHitAt: null,
  revokedAt: null,
  ...change,
})
/** The rule that an approval with this scope would make. */
const remembered = (of: CallFacts, scope: Rule['scope'], change: Partial<Rule> = {}): Rule | undefined => {
  const offer = offersOf(caseOf(of)).find((one) => one.scope === scope)
  return offer && rule({ scope, signature: offer.signature, treeId: scope === 'tool-in-tree' ? of.treeId : null, ...change })
}
const verdict = (of: CallFacts, rules: Rule[] = [], taint: (typeof TAINTS)[number][] = []) => judge(caseOf(of), taint, rules, NOW).verdict

describe('without rules', () => {
  test.each<[string, CallFacts, PolicyVerdict]>([
    ['a command that a person typed runs', facts({ by: 'person' }), 'allow'],
    ['a command that an agent thought of is asked about, however harmless', facts(), 'ask'],
    ['even when its tool would not ask', facts({ asks: false }), 'ask'],
    ['reading is allowed', facts({ tool: 'read_file', permission: 'read', effect: 'read', asks: false, run: undefined as never }), 'allow'],
    ['writing in the workspace is allowed', plain('write_file', 'write', { paths: [{ path: 'a/b', write: true }] }), 'allow'],
    ['writing outside it is asked about', plain('write_file', 'write', { paths: [{ path: '../b', write: true }] }), 'ask'],
    ['money is asked about', plain('buy', 'network', { costMicros: 5 }), 'ask'],
    ['an unknown permission is asked about', plain('x', 'teleport', {}), 'ask'],
    ['what its tool refuses does nothing', shell('sudo x', { idle: true }), 'allow'],
  ])('%s', (_, of, wanted) => expect(verdict(of)).toBe(wanted))

  function plain(tool: string, permission: string, more: Partial<CallFacts>): CallFacts {
    const { run: _, ...rest } = facts()
    return { ...rest, tool, permission, asks: false, ...more }
  }
})

describe('a tainted task', () => {
  const { run: _, ...bare } = facts({ asks: false })
  test.each<[string, CallFacts]>([
    ['a network write', { ...bare, tool: 'post', permission: 'network' }],
    ['a change of the system', { ...bare, tool: 'add_document', permission: 'self' }],
    ['what declares that it reaches out', { ...bare, tool: 'mail', permission: 'write', external: true }],
    ['a push', shell('git push')],
    ['a program that may reach a network', shell('pytest')],
  ])('needs a person for %s', (_, of) => {
    const always = remembered(of, 'exact')!
    expect(verdict(of, [always])).toBe('allow')
    expect(judge(caseOf(of), ['web'], [always], NOW)).toMatchObject({
      verdict: 'ask',
      risk: 'high',
      reason: expect.stringContaining('the web'),
    })
    expect(verdict(of, [{ ...always, tainted: true }], ['web'])).toBe('allow')
  })
  test('may go on reading, writing its files, and running what stays here', () => {
    expect(verdict({ ...bare, tool: 'write_file', permission: 'write' }, [], ['web'])).toBe('allow')
    expect(verdict({ ...bare, tool: 'web_fetch', permission: 'network', effect: 'read' }, [], ['web'])).toBe('allow')
    expect(verdict(shell('ls -l a'), [remembered(shell('ls -l a'), 'exact')!], ['web'])).toBe('allow')
    const offline = shell('pytest', { online: false })
    expect(verdict(offline, [remembered(offline, 'exact')!], ['files'])).toBe('allow')
  })
})

describe('a command that asks for hosts', () => {
  const reaching = (text: string, ...hosts: string[]) =>
    shell(text, {
      isolation: 'sandbox',
      online: true,
      external: true,
      hosts: hosts.map((host) => host.replace(/:\d+$/, '')),
      network: hosts,
    })
  test('is asked about, with its hosts in the reason', () => {
    expect(judge(caseOf(reaching('npm ci', 'registry.npmjs.org')), [], [], NOW)).toMatchObject({
      verdict: 'ask',
      reason: expect.stringContaining('that reaches registry.npmjs.org'),
    })
  })
  test('is denied by a rule for any of its hosts, also for one that a pattern of its holds', () => {
    const deny = (signature: string) => [rule({ verdict: 'deny', scope: 'host', signature })]
    expect(verdict(reaching('ls', 'good.example', 'evil.example:8443'), deny('evil.example'))).toBe('deny')
    expect(verdict(reaching('ls', '*.example.org'), deny('evil.example.org'))).toBe('deny')
    expect(verdict(reaching('ls', 'a.evil.example'), deny('EVIL.example'))).toBe('deny')
    expect(verdict(reaching('ls', 'good.example'), deny('evil.example'))).toBe('ask')
  })
  test('is allowed later with just these hosts, and never as a tool', () => {
    const of = reaching('ls -l a', 'good.example')
    expect(offersOf(caseOf(of)).map((one) => [one.scope, one.label])).toEqual([
      ['exact', 'exactly this: ls -l a, with the network of good.example'],
      ['command', 'ls -l …, with the network of good.example'],
    ])
    const allow = [remembered(of, 'command')!]
    expect(verdict(reaching('ls -l b', 'good.example'), allow)).toBe('allow')
    expect(verdict(reaching('ls -l b', 'good.example', 'evil.example'), allow)).toBe('ask')
    expect(verdict(reaching('ls -l b', 'good.example:8443'), allow)).toBe('ask')
    expect(verdict(shell('ls -l b', { isolation: 'sandbox' }), allow)).toBe('ask')
    expect(verdict(reaching('ls -l b', 'good.example'), [remembered(shell('ls -l a', { isolation: 'sandbox' }), 'command')!])).toBe('ask')
    expect(verdict(reaching('ls -l b', 'good.example'), allow, ['web'])).toBe('ask')
  })
})

describe('an address that is asked for', () => {
  const fetching = (change: Partial<CallFacts> = {}): CallFacts => {
    const { run: _, by: __, cwd: ___, isolation: ____, ...rest } = facts()
    const url = 'https://site.example/?d=1'
    return {
      ...rest,
      tool: 'web_fetch',
      permission: 'network',
      effect: 'read',
      asks: false,
      action: { url },
      urls: [url],
      hosts: ['site.example'],
      ...change,
    }
  }
  test('needs a person only of a tainted task, and only where nobody showed it', () => {
    expect(verdict(fetching())).toBe('allow')
    expect(verdict(fetching({ unshown: [] }), [], ['web'])).toBe('allow')
    expect(verdict(fetching({ unshown: fetching().urls! }), [], ['web'])).toBe('ask')
    expect(verdict(fetching(), [], ['web'])).toBe('ask') // not looked up is not shown
    expect(judge(caseOf(fetching({ unshown: fetching().urls! })), ['web'], [], NOW).reason).toMatch(/no search, page or person showed it/)
  })
  test('can be allowed for good as it stands, and not as a tool', () => {
    expect(offersOf(caseOf(fetching({ unshown: fetching().urls! }))).map((one) => one.scope)).toEqual(['exact'])
  })
  test('may lead on to hosts that no rule speaks of', () => {
    const rules = [rule({ verdict: 'deny', scope: 'host', signature: 'evil.example' })]
    expect(hostRefusal('www.evil.example', { treeId: 't1', agent: 'coder' }, rules, NOW)).toMatch(/denies the host evil\.example/)
    expect(hostRefusal('good.example', { treeId: 't1', agent: 'coder' }, rules, NOW)).toBeNull()
    expect(hostRefusal('evil.example', { treeId: 't1', agent: 'coder' }, [{ ...rules[0]!, treeId: 't2' }], NOW)).toBeNull()
  })
})

describe('an always-allow', () => {
  test('of exactly this covers nothing else', () => {
    const always = remembered(shell('npm run build'), 'exact')!
    expect(verdict(shell('npm run build'), [always])).toBe('allow')
    expect(verdict(shell('npm run build '), [always])).toBe('ask')
    expect(verdict(shell('npm run build', { tool: 'other' }), [always])).toBe('ask')
  })
  test('of a command covers the same program and flags, in the same folder, at the same isolation', () => {
    const always = remembered(shell('ls -l a'), 'command')!
    expect(verdict(shell('ls -l b'), [always])).toBe('allow')
    for (const other of [
      shell('ls -la b'),
      shell('ls -l /etc'),
      shell('ls -l b; id'),
      shell('ls -l $(x)'),
      shell('ls -l b > /tmp/x'),
      shell('ls -l b', { cwd: 'sub' }),
      shell('ls -l b', { isolation: 'none' }),
    ])
      expect(verdict(other, [always])).toBe('ask')
  })
  test('of a tool in a tree covers plain lines of that tree', () => {
    const always = remembered(shell('pytest'), 'tool-in-tree')!
    expect(verdict(shell('ls'), [always])).toBe('allow')
    for (const other of [shell('ls', { treeId: 't2' }), shell('curl x'), shell('sh -c ls'), shell('cat /etc/passwd'), shell('echo `id`')])
      expect(verdict(other, [always])).toBe('ask')
  })
  test('is not offered for what its text does not tell, and only whole for what can run others', () => {
    expect(offersOf(caseOf(shell('rm $(cat list)')))).toEqual([])
    expect(offersOf(caseOf(shell('ls > /tmp/x')))).toEqual([])
    expect(offersOf(caseOf(shell('find . -delete'))).map((one) => one.scope)).toEqual(['exact'])
    expect(offersOf(caseOf(shell('ls -l'))).map((one) => one.scope)).toEqual(['exact', 'command', 'tool-in-tree'])
  })
  test('ends when it is revoked or runs out', () => {
    const always = remembered(facts(), 'exact')!
    expect(verdict(facts(), [{ ...always, revokedAt: '2025-06-01T00:00:00.000Z' }])).toBe('ask')
    expect(verdict(facts(), [{ ...always, expiresAt: new Date(NOW).toISOString() }])).toBe('ask')
    expect(verdict(facts(), [{ ...always, expiresAt: new Date(NOW + 1).toISOString() }])).toBe('allow')
  })
})

describe('of whatever calls and rules', () => {
  const RANK: Record<PolicyVerdict, number> = { allow: 0, ask: 1, deny: 2 }
  const lines = [
    'ls',
    'ls -l a',
    'git push',
    'git status',
    'curl x.example',
    'rm -rf build',
    'sh -c "ls"',
    'echo $(id)',
    'pytest',
    'cat /etc/passwd',
    'ls > /tmp/x',
  ]
  const anyCall = fc
    .record({
      line: fc.option(fc.constantFrom(...lines)),
      tool: fc.constantFrom('use_terminal', 'write_file', 'post'),
      permission: fc.constantFrom('read', 'write', 'exec', 'network', 'self', 'unheard-of'),
      effect: fc.constantFrom('read', 'idempotent', 'keyed', 'once'),
      asks: fc.boolean(),
      treeId: fc.constantFrom('t1', 't2'),
      agent: fc.constantFrom('coder', 'writer'),
      by: fc.constantFrom('agent' as const, 'person' as const),
      hosts: fc.constantFrom([], ['x.example'], ['a.x.example']),
    })
    .map(({ line, ...rest }): CallFacts => {
      const { run: _, ...base } = facts()
      return { ...base, ...rest, action: { line, tool: rest.tool }, ...(line === null ? {} : { run: { shell: line } }) }
    })
  const anyAllow = fc
    .tuple(anyCall, fc.constantFrom(...RULE_SCOPES), fc.boolean())
    .map(([of, scope, tainted]) => remembered(of, scope, { tainted, id: `allow-${scope}` }))
  const anyNarrow = fc
    .record({
      verdict: fc.constantFrom('ask' as const, 'deny' as const),
      scope: fc.constantFrom(...NARROW_SCOPES),
      signature: fc.constantFrom('*', 'use_terminal', 'exec', 'network', 'git', 'ls', 'x.example'),
      treeId: fc.constantFrom(null, 't1', 't2'),
      agent: fc.constantFrom(null, 'coder', 'writer'),
    })
    .map((change) => rule({ ...change, id: `narrow-${change.verdict}` }))
  const anyRules = fc
    .array(fc.oneof(anyAllow, anyNarrow), { maxLength: 6 })
    .map((list) => list.flatMap((one, i) => (one ? [{ ...one, id: `${one.id}-${i}` }] : [])))
  const anyTaint = fc.subarray([...TAINTS])

  test('deny wins, in whatever order the rules stand', () => {
    fc.assert(
      fc.property(anyCall, anyRules, anyTaint, (of, rules, taint) => {
        const call = caseOf(of)
        const denied = rules.some((one) => one.verdict === 'deny' && judge(call, taint, [one], NOW).verdict === 'deny')
        if (denied) expect(judge(call, taint, rules, NOW).verdict).toBe('deny')
        expect(judge(call, taint, rules, NOW).verdict).toBe(judge(call, taint, rules.toReversed(), NOW).verdict)
      }),
      { numRuns: 2_000 },
    )
  })
  test('a rule for a tree or an agent never widens', () => {
    fc.assert(
      fc.property(anyCall, anyRules, anyNarrow, anyTaint, (of, rules, more, taint) => {
        const call = caseOf(of)
        expect(RANK[judge(call, taint, [...rules, more], NOW).verdict]).toBeGreaterThanOrEqual(RANK[judge(call, taint, rules, NOW).verdict])
      }),
      { numRuns: 2_000 },
    )
  })
  test('more taint never widens', () => {
    fc.assert(
      fc.property(anyCall, anyRules, anyTaint, (of, rules, taint) => {
        const call = caseOf(of)
        expect(RANK[judge(call, taint, rules, NOW).verdict]).toBeGreaterThanOrEqual(RANK[judge(call, [], rules, NOW).verdict])
      }),
      { numRuns: 2_000 },
    )
  })
  test('only a rule that was offered for a call with one of its signatures allows what would be asked', () => {
    fc.assert(
      fc.property(anyCall, anyRules, anyTaint, (of, rules, taint) => {
        const call = caseOf(of)
        const said = judge(call, taint, rules, NOW)
        if (said.verdict !== 'allow' || said.rule === null) return
        const by = rules.find((one) => one.id === said.rule)!
        expect(signaturesOf(call)).toContain(by.signature)
        expect(call.command?.dynamic ?? null).toBeNull()
        expect(call.command?.redirectsOut ?? false).toBe(false)
      }),
      { numRuns: 2_000 },
    )
  })
  test('an unknown permission is never allowed without a rule or a person', () => {
    fc.assert(
      fc.property(anyCall, anyTaint, (of, taint) => {
        const said = judge(caseOf({ ...of, permission: 'unheard-of', by: 'agent' }), taint, [], NOW)
        expect(said.verdict).toBe('ask')
      }),
    )
  })
})
