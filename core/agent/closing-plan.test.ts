import { describe, expect, test } from 'vitest'
import { task as sampleTask } from '../contract/fixture/task.ts'
import type { Task } from '../contract/task.ts'
import type { Claim } from '../tasks/rows.ts'
import { type ClosingFacts, planClosing } from './closing-plan.ts'

const task: Task = sampleTask('t', { treeId: 't', parentId: null, title: 't', instruction: 'do it' })
const claim: Claim = { status: 'success', result: 'done', evidence: [] }
const watcher = { agent: 'w', timeoutSeconds: 60 }
const judged: NonNullable<ClosingFacts['judged']> = {
  turns: 9,
  children: 0,
  isGoal: true,
  spent: { watchers: 0, all: 200_000 },
  said: [],
  earlier: null,
  watchers: { evaluate: watcher, summarize: watcher, document: watcher },
}
const kinds = (facts: Partial<ClosingFacts>): string[] => {
  const plan = planClosing({ task, claim, now: 1_000, judged, ...facts })
  return plan.kind === 'watched' ? plan.watchers.map((w) => w.kind!) : []
}

describe('who looks at a finished task', () => {
  test('without a model nobody: the rule decides by the evidence', () => {
    expect(planClosing({ task, claim, now: 1, judged: null })).toMatchObject({
      kind: 'computed',
      verdict: { passed: true, by: 'rule' },
      summary: 'done',
    })
    expect(planClosing({ task, claim: { ...claim, status: 'failure' }, now: 1, judged: null })).toMatchObject({
      verdict: { passed: false },
    })
  })
  test('helpers and watchers are not watched', () => {
    for (const kind of ['breakdown', 'context', 'tools', 'evaluate', 'summarize', 'document'] as const)
      expect(kinds({ task: { ...task, kind } })).toEqual([])
  })
  test('a goal with files is judged and documented; a long result is summarised too', () => {
    const evidence: Claim['evidence'] = [{ kind: 'file', path: 'a.md', ok: true }]
    expect(kinds({ claim: { ...claim, evidence } })).toEqual(['evaluate', 'document'])
    expect(kinds({ claim: { ...claim, evidence, result: 'x'.repeat(5_000) } })).toEqual(['evaluate', 'summarize', 'document'])
  })
  test('a subtask is not documented', () => expect(kinds({ judged: { ...judged, isGoal: false } })).toEqual(['evaluate']))
  test('an honest failure is not judged', () => expect(kinds({ claim: { ...claim, status: 'failure' } })).toEqual(['document']))
  test('what took two turns and shows only commands that the log knows is too small to be judged', () => {
    const small = { ...judged, turns: 2 }
    expect(kinds({ judged: small })).toEqual([])
    expect(kinds({ judged: small, claim: { ...claim, evidence: [{ kind: 'command', command: 'make', exitCode: 0, ok: true }] } })).toEqual(
      [],
    )
    expect(kinds({ judged: small, claim: { ...claim, evidence: [{ kind: 'file', path: 'a', ok: true }] } })).toContain('evaluate')
  })
  test('watching never costs more than working: parts are not judged above its share, the goal always is', () => {
    const dear = { ...judged, spent: { watchers: 90_000, all: 200_000 } }
    expect(kinds({ judged: { ...dear, isGoal: false } })).toEqual([])
    expect(planClosing({ task, claim, now: 1, judged: { ...dear, isGoal: false } })).toMatchObject({
      verdict: { passed: true, by: 'rule', reasons: "watching has used 45 % of the goal's tokens, and 40 % is the most" },
    })
    expect(kinds({ judged: dear })).toContain('evaluate')
    expect(kinds({ judged: { ...judged, isGoal: false, spent: { watchers: 30_000, all: 60_000 } } })).toContain('evaluate')
  })
  test('a watcher that is switched off looks at nothing', () => {
    expect(kinds({ judged: { ...judged, watchers: { evaluate: null, summarize: watcher, document: null } } })).toEqual([])
  })
  test('watchers are told the task, the claim, the evidence and what people said', () => {
    const plan = planClosing({
      task,
      claim: { ...claim, evidence: [{ kind: 'file', path: 'a.md', bytes: 7, ok: true }] },
      now: 1_000,
      judged: { ...judged, said: ['leave out the cover'] },
    })
    if (plan.kind !== 'watched') throw new Error('it is watched')
    expect(plan.watchers[0]).toMatchObject({ agent: 'w', deadlineAt: 61_000 })
    for (const words of ['do it', 'done', 'file a.md (7 bytes): checked', 'leave out the cover'])
      expect(plan.watchers[0]!.instruction).toContain(words)
  })
})
