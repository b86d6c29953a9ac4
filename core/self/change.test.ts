/** A change of the system's own code, from an agent's wish to the main branch, in a whole runtime on a small checkout with the real gates. */
import { describe, expect, test } from 'vitest'
import { need } from '../../scripts/needs.ts'
import { answersIn, endWith } from '../../scripts/testing/scripted.ts'
import { GREETING, loud, louder, submit, write } from '../../scripts/testing/self.ts'
import { selfOfTest } from '../../scripts/testing/self-of-test.ts'
import type { ModelRequest } from '../models/provider.ts'

const open = selfOfTest()
/** Ends with a change as evidence: the one that the last answer which names one names, or that of `id`. */
const endWithChange = (id?: string) => (request: ModelRequest) => {
  const named = answersIn(request).findLast((answer) => /ch_[0-9a-f]+/.test(answer)) ?? ''
  return endWith(named, 'success', { evidence: [{ kind: 'change', id: id ?? /ch_[0-9a-f]+/.exec(named)?.[0] ?? '' }] })
}

describe.skipIf(!need('bubblewrap'))('a change of the system', () => {
  test('goes through the gates, waits for a person, lands on a clean main branch and answers its author', async () => {
    const { goal, until, item, approve, runtime, source, h } = await open({
      louder: [...louder(), endWithChange('ch_of_others'), endWithChange()],
    })
    const id = await goal('louder')
    await until(id, 'review')
    const asked = await item(id)
    expect(asked).toMatchObject({ kind: 'self_change', taskId: id, callId: null })
    const shown = asked.action as { tree: string; level: number; gates: { name: string; verdict: string }[]; diff: string }
    expect(shown.level).toBe(2)
    expect(shown.diff).toContain('+export const loud')
    expect(shown.gates.filter((gate) => gate.verdict === 'failed')).toEqual([])
    expect(shown.gates.map((gate) => gate.name)).toContain('affected tests')
    expect(source.read(GREETING)).not.toContain('loud')
    const approval = { decision: 'approve', actionHash: asked.actionHash } as const
    await expect(runtime.tasks.decide(asked.id, approval, 'owner (token ci)')).rejects.toThrow(/a token for programs may not/)
    await expect(runtime.tasks.decide(asked.id, { decision: 'approve' }, 'owner', undefined, { person: true })).rejects.toThrow(
      /actionHash/,
    )
    await approve(asked)
    const merged = await until(id, 'merged')
    expect(source.read(GREETING)).toBe(loud())
    expect(source.git('status', '--porcelain')).toBe('')
    expect(source.git('rev-parse', 'HEAD')).toBe(merged.commit)
    expect(source.git('rev-parse', 'HEAD^{tree}')).toBe(shown.tree)
    expect(source.git('log', '-1', '--format=%an %s')).toBe('maker Greets louder')
    const ended = await h.over(id)
    expect(ended.result).toMatch(/is merged on main as [0-9a-f]{12}/)
    expect(ended.evidence).toMatchObject([
      { kind: 'change', id: merged.id, ok: true, title: 'Greets louder', state: 'merged', problem: expect.stringMatching(/not kept yet/) },
    ])
    const told = (await runtime.tasks.messages(id)).flatMap((message) => (message.role === 'tool' ? [message.text] : []))
    expect(told.filter((text) => text.includes('ch_of_others'))).toEqual([
      expect.stringContaining('Your goal has proposed no change "ch_of_others"'),
    ])
    const { story, gates } = await runtime.changes.get(merged.id)
    expect(story.map((step) => step.state)).toEqual(['proposed', 'gating', 'review', 'review', 'merged'])
    expect(gates.length).toBeGreaterThan(10)
    expect((await runtime.changes.diff(merged.id, GREETING)).text).toContain('+export const loud')
  }, 240_000)

  test('words of a person go back to the author, who changes the same folder and proposes again', async () => {
    const { goal, until, item, approve, runtime, source } = await open({ louder: [...louder(), write(GREETING, loud('!!')), submit()] })
    const id = await goal('louder')
    await until(id, 'review')
    const first = await item(id)
    await runtime.tasks.decide(first.id, { decision: 'changes', comment: 'Twice as loud.' }, 'owner', undefined, { person: true })
    await expect
      .poll(async () => (await runtime.tasks.reviews({ state: 'open', treeId: id, limit: 5 })).items[0]?.id, { timeout: 120_000 })
      .not.toBeOneOf([undefined, first.id])
    const answers = (await runtime.tasks.messages(id)).filter((message) => message.role === 'tool')
    expect(answers.at(-2)!.text + answers.at(-1)!.text).toContain('Twice as loud.')
    await approve(await item(id))
    await until(id, 'merged')
    expect(source.read(GREETING)).toBe(loud('!!'))
  }, 240_000)
})
