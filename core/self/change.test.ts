/** A change of the system's own code, from an agent's wish to the main branch, in a whole runtime on a small checkout with the real gates. */
import { rmSync } from 'node:fs'
import { afterEach, describe, expect, test } from 'vitest'
import { need } from '../../scripts/needs.ts'
import { type Harness, harness } from '../../scripts/testing/harness.ts'
import { answersIn, endWith, type Scripted } from '../../scripts/testing/scripted.ts'
import type { Review } from '../contract/review.ts'
import type { ModelRequest } from '../models/provider.ts'
import { type Checkout, checkout } from './fixture/checkout.ts'

let h: Harness | undefined
let source: Checkout | undefined
afterEach(async () => {
  const found = await h?.end()
  h = undefined
  if (source) rmSync(source.folder, { recursive: true, force: true })
  source = undefined
  expect(found ?? []).toEqual([])
})

const call = (tool: string, input: unknown): Scripted => ({ calls: [{ tool, input }] })
const begin = call('propose_change', { step: 'begin' })
const submit = (more: object = {}) =>
  call('propose_change', { step: 'submit', kind: 'feature', title: 'Greets louder', why: 'People asked for it.', ...more })
const write = (path: string, content: string) => call('write_file', { path: `banyan/${path}`, content })
const inOrder =
  (...steps: Scripted[]) =>
  (request: ModelRequest): Scripted =>
    steps[answersIn(request).length] ?? endWith(answersIn(request).slice(-1).join('\n'))
const LOUD = [
  '/** What is said first. */',
  "export const greeting = (name: string): string => ['Hello', name].join(', ')",
  "export const loud = (name: string): string => greeting(name).concat('!')",
  '',
].join('\n')

async function open(decide: (request: ModelRequest) => Scripted, where: Checkout = checkout()): Promise<Harness> {
  source = where
  h = await harness(decide, { self: { checkout: where.folder, isKept: () => false } })
  await h.runtime.registry.save(
    'agent',
    {
      name: 'maker',
      description: 'x',
      instruction: 'x',
      tools: ['propose_change', 'run_gates', 'read_source', 'search_source', 'change_status', 'write_file', 'edit_file', 'delete_file'],
    },
    'owner',
  )
  return h
}
const change = async () => (await h!.runtime.changes.list({ limit: 5 })).items[0]!
/** Looks until the newest change is as wanted; a goal that ended before says why. */
async function until(wanted: (state: string) => boolean): Promise<void> {
  const look = async () => {
    const state = (await h!.runtime.changes.list({ limit: 1 })).items[0]?.state
    if (state !== undefined) return wanted(state) ? 'as wanted' : state
    const [tree] = (await h!.runtime.tasks.trees({ limit: 1 })).items
    const root = tree && (await h!.runtime.tasks.task(tree.id))
    if (root?.result) throw new Error(`nothing was proposed: ${root.result}`)
    return 'nothing'
  }
  await expect.poll(look, { timeout: 60_000, interval: 100 }).toBe('as wanted')
}
async function asked(): Promise<Review> {
  await until((state) => state === 'review' || state === 'refused')
  const [item] = (await h!.runtime.tasks.reviews({ state: 'open', limit: 5 })).items
  if (!item) throw new Error(`nobody is asked: ${JSON.stringify(await change())}`)
  return item
}

describe.skipIf(!need('bubblewrap'))('a change of the system', () => {
  test('goes through the gates, waits for a person, lands on a clean main branch and answers its author', async () => {
    const { goal, over, runtime } = await open(inOrder(begin, write('core/contract/greeting.ts', LOUD), submit()))
    const id = await goal('Greet louder', { agent: 'maker' })
    const item = await asked()
    expect(item).toMatchObject({ kind: 'self_change', taskId: id, callId: null })
    const shown = item.action as { tree: string; level: number; gates: { name: string; verdict: string }[]; diff: string }
    expect(shown.level).toBe(2)
    expect(shown.diff).toContain('+export const loud')
    expect(shown.gates.filter((gate) => gate.verdict === 'failed')).toEqual([])
    expect(shown.gates.map((gate) => gate.name)).toContain('affected tests')
    expect(source!.read('core/contract/greeting.ts')).not.toContain('loud')
    const approval = { decision: 'approve', actionHash: item.actionHash } as const
    await expect(runtime.tasks.decide(item.id, approval, 'owner (token ci)')).rejects.toThrow(/a token for programs may not/)
    await expect(runtime.tasks.decide(item.id, { decision: 'approve' }, 'owner', undefined, { person: true })).rejects.toThrow(/actionHash/)
    await runtime.tasks.decide(item.id, approval, 'owner', undefined, { person: true })
    await until((state) => state === 'merged')
    expect(source!.read('core/contract/greeting.ts')).toBe(LOUD)
    expect(source!.git('status', '--porcelain')).toBe('')
    expect(source!.git('rev-parse', 'HEAD')).toBe((await change()).commit)
    expect(source!.git('rev-parse', 'HEAD^{tree}')).toBe(shown.tree)
    expect(source!.git('log', '-1', '--format=%an %s')).toBe('maker Greets louder')
    const task = await over(id)
    expect(task.result).toMatch(/is merged on main as [0-9a-f]{12}/)
    const { story } = await runtime.changes.get((await change()).id)
    expect(story.map((step) => step.state)).toEqual(['proposed', 'gating', 'review', 'review', 'merged'])
  }, 90_000)
})
