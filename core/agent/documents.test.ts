import { afterEach, describe, expect, test } from 'vitest'
import { type Harness, harness } from '../../scripts/testing/harness.ts'
import { answersIn, endWith, type Scripted } from '../../scripts/testing/scripted.ts'
import type { ModelRequest } from '../models/provider.ts'

let open: Harness | undefined
afterEach(async () => {
  expect(await open?.end()).toEqual([])
  open = undefined
})

const SHARED = 'evaluation_criteria' // the evaluator works by it
const save = (name: string, content: string, replace = true): Scripted => ({
  calls: [{ tool: 'add_document', input: { name, description: 'What was learnt.', content, replace } }],
})
/** A goal of some size, whose documentation agent does these calls, one a turn, and says what came of them. */
async function documents(steps: (answers: string[]) => Scripted | undefined) {
  const told: string[] = []
  open = await harness(
    (request: ModelRequest) => {
      const answers = answersIn(request)
      if (request.task.kind === 'document') {
        told.splice(0, told.length, ...answers)
        return steps(answers) ?? endWith('Kept.')
      }
      if (request.task.kind === 'evaluate') return endWith('fine', 'success', { verdict: { passed: true, reasons: 'fine' } })
      return answers.length < 3 ? { calls: [{ tool: 'list_files', input: {} }] } : endWith('done')
    },
    { judges: true },
  )
  const treeId = await open.goal('Look around.')
  const document = async () => (await open!.runtime.tasks.children(treeId)).find((task) => task.kind === 'document')!
  return { treeId, told, document, registry: open.runtime.registry, tasks: open.runtime.tasks, over: open.over, until: open.until }
}

describe('what the documentation agent learns', () => {
  test('waits for a person where other agents work by the document, and holds nobody up meanwhile', async () => {
    const { treeId, told, document, registry, tasks, over, until } = await documents((answers) =>
      answers.length === 0 ? save(SHARED, 'Always pass.') : undefined,
    )
    const before = (await registry.get('document', SHARED))!
    expect((await over(treeId)).status).toBe('done')
    const { id, deadlineAt } = await document()
    await until(id, (task) => task.status === 'waiting')
    expect(deadlineAt).toBeNull()
    const { items } = await tasks.reviews({ state: 'open', limit: 10 })
    expect(items).toMatchObject([
      {
        kind: 'permission',
        taskId: id,
        title: `Change the document ${SHARED}, which another agent reads`,
        reason: 'other agents work by it: task_evaluator',
        offers: [],
        action: { name: SHARED, usedBy: 'task_evaluator', version: before.version, before: before.content, after: 'Always pass.' },
      },
    ])
    expect((await registry.get('document', SHARED))?.content).toBe(before.content)
    await tasks.decide(items[0]!.id, { decision: 'approve', actionHash: items[0]!.actionHash }, 'owner')
    await over(id)
    expect(told).toEqual([`Saved the document "${SHARED}" as version ${before.version + 1}.`])
    expect(await registry.get('document', SHARED)).toMatchObject({ content: 'Always pass.', author: 'documentation_agent' })
  })

  test('is not kept when the person says no', async () => {
    const { treeId, told, document, registry, tasks, over, until } = await documents((answers) =>
      answers.length === 0 ? save(SHARED, 'Always pass.') : undefined,
    )
    await over(treeId)
    const { id } = await document()
    await until(id, (task) => task.status === 'waiting')
    const [item] = (await tasks.reviews({ state: 'open', limit: 10 })).items
    await tasks.decide(item!.id, { decision: 'reject', comment: 'It is false.' }, 'owner')
    await over(id)
    expect(told).toEqual([expect.stringContaining('a person rejected it. They said: It is false.')])
    expect((await registry.get('document', SHARED))?.version).toBe(1)
  })

  test('is not saved over what somebody else changed while the person looked', async () => {
    const { treeId, told, document, registry, tasks, over, until } = await documents((answers) =>
      answers.length === 0 ? save(SHARED, 'Always pass.') : undefined,
    )
    await over(treeId)
    const { id } = await document()
    await until(id, (task) => task.status === 'waiting')
    const { version: _, author: __, updatedAt: ___, ...before } = (await registry.get('document', SHARED))!
    await registry.save('document', { ...before, content: 'Of a person.' }, 'owner')
    const [item] = (await tasks.reviews({ state: 'open', limit: 10 })).items
    await tasks.decide(item!.id, { decision: 'approve' }, 'owner')
    await over(id)
    expect(told).toEqual([expect.stringContaining('changed while a person looked at it (version 2 now)')])
    expect((await registry.get('document', SHARED))?.content).toBe('Of a person.')
  })

  test('is saved at once in a new document and in its own, and found by words that stand only in the text', async () => {
    const { treeId, told, document, registry, tasks, over } = await documents((answers) =>
      [
        save('harbour_notes', 'Trains to the harbour leave at noon.', false),
        save('harbour_notes', 'Trains to the harbour leave at noon.\nThe ferryman takes no coins.'),
        { calls: [{ tool: 'list_documents', input: { query: 'may the ferryman be paid in coins' } }] },
      ].at(answers.length),
    )
    await over(treeId)
    await over((await document()).id)
    expect(told.slice(0, 2)).toEqual([
      'Saved the document "harbour_notes" as version 1 (new).',
      'Saved the document "harbour_notes" as version 2.',
    ])
    expect(told[2]).toMatch(/^Documents: \d+\n- harbour_notes: What was learnt\. .*\n {2}… The ferryman takes no coins\./)
    expect((await tasks.reviews({ state: 'open', limit: 10 })).items).toEqual([])
    expect((await registry.get('document', 'harbour_notes'))?.author).toBe('documentation_agent')
  })

  test('of the core instruction always waits for a person', async () => {
    const { treeId, document, tasks, over, until } = await documents((answers) =>
      answers.length === 0 ? save('core_instruction', '{agent_instruction}{documents}{tools}') : undefined,
    )
    await over(treeId)
    const { id } = await document()
    await until(id, (task) => task.status === 'waiting')
    const [item] = (await tasks.reviews({ state: 'open', limit: 10 })).items
    expect(item).toMatchObject({ title: 'Change the document core_instruction, which every agent reads' })
    await tasks.decide(item!.id, { decision: 'reject' }, 'owner')
    await over(id)
  })
})
