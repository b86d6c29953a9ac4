/** What review_agent makes of work that was judged to be bad: a version of a document, and figures of before and after. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { type Harness, harness } from '../../scripts/testing/harness.ts'
import { answersIn, endWith, type Scripted } from '../../scripts/testing/scripted.ts'
import { scoresOf } from '../learn/scores.ts'
import type { ModelRequest } from '../models/provider.ts'

let h: Harness | undefined
afterEach(async () => {
  expect((await h?.end()) ?? []).toEqual([])
  h = undefined
})

const RULES = 'Write a short report.\n'
const RULE = 'Name the source of each number.'
const query = (sql: string): Scripted => ({ calls: [{ tool: 'query_database', input: { sql } }] })
const JUDGED =
  "SELECT id, status, verdict FROM tasks WHERE agent = 'reporter' AND status = 'failed' AND verdict LIKE '%source%' ORDER BY created_at"

test('it drafts a version of the document that was in the prompt of failed work; a person agrees, and the guide’s query shows that it helped', async () => {
  const guide = await readFile(join(import.meta.dirname, '../../seeds/documents/improvement_guide.md'), 'utf8')
  const measured = /```sql\n(.*)\n```/.exec(guide)![1]!.replace('NAME', 'report_rules').replace('AGENT', 'reporter')
  const improves = (request: ModelRequest): Scripted => {
    const answers = answersIn(request)
    if (request.task.instruction.startsWith('Did')) return answers.length === 0 ? query(measured) : endWith(answers[0]!)
    const steps = [
      query(JUDGED),
      { calls: [{ tool: 'read_document', input: { name: 'report_rules' } }] },
      {
        calls: [
          {
            tool: 'add_document',
            input: { name: 'report_rules', description: 'How reports are written.', content: `${RULES}${RULE}\n`, replace: true },
          },
        ],
      },
    ]
    return steps[answers.length] ?? endWith(`${answers[0]}\n---\n${answers.at(-1)}`)
  }
  /** It does what its prompt says, and is judged by what it wrote. */
  const decide = (request: ModelRequest): Scripted => {
    if (request.task.kind === 'evaluate') {
      const words = request.messages.map(({ text }) => text).join()
      const passed = !words.includes('How many people') || words.includes('census of 2020')
      return endWith('judged', 'success', { verdict: { passed, score: passed ? 90 : 20, reasons: 'It names no source.' } })
    }
    if (request.task.kind !== 'work') return endWith('fine')
    if (request.task.agent === 'review_agent') return improves(request)
    const told = request.system.includes(RULE)
    const content = told ? '8 million people (census of 2020)' : '8 million people'
    if (answersIn(request).length === 0) return { calls: [{ tool: 'write_file', input: { path: 'report.md', content } }] }
    return endWith(content, 'success', { evidence: [{ kind: 'file', path: 'report.md' }] })
  }
  h = await harness(decide, { judges: true })
  const { runtime } = h
  const { registry, tasks } = runtime
  await registry.save('document', { name: 'report_rules', description: 'How reports are written.', content: RULES, enabled: true }, 'owner')
  const reporter = {
    name: 'reporter',
    description: 'Writes reports.',
    instruction: 'Work by report_rules.',
    tools: ['write_file'],
    documents: ['report_rules'],
  }
  await registry.save('agent', reporter, 'owner')
  const report = async (of: string) => h!.over(await h!.goal(`How many people live in ${of}?`, { agent: 'reporter' }))
  const before = [await report('one city'), await report('another city')]
  expect(before.map(({ status, verdict }) => [status, verdict?.passed])).toEqual([
    ['failed', false],
    ['failed', false],
  ])

  const review = await h.goal('Reports are judged to be bad. Find out why and mend it.', { agent: 'review_agent' })
  await h.until(review, (task) => task.status === 'waiting' && task.reason === 'review')
  const [item] = (await tasks.reviews({ state: 'open', treeId: review, limit: 5 })).items
  expect(item, 'it has read what others wrote, so a person sees the whole text first').toMatchObject({
    kind: 'permission',
    action: { tool: 'add_document' },
  })
  expect(JSON.stringify(item!.action)).toContain(RULE)
  expect((await registry.get('document', 'report_rules'))!.version).toBe(1)
  await tasks.decide(item!.id, { decision: 'approve' }, 'owner')
  const { result } = await h.over(review)
  for (const { id } of before) expect(result).toContain(id)
  expect(result).toContain('Saved the document "report_rules" as version 2')
  expect(await registry.get('document', 'report_rules')).toMatchObject({ version: 2, author: 'review_agent' })

  expect((await report('a third city')).status).toBe('done')
  const after = await h.over(await h.goal('Did the new version of report_rules help?', { agent: 'review_agent' }))
  expect(after.result).toContain('[1,2,0]')
  expect(after.result).toContain('[2,1,1]')
  const { items } = await scoresOf({ ...runtime, now: Date.now }, { days: 1, document: 'report_rules' })
  expect(items.map(({ version, n, succeeded }) => [version, n, succeeded])).toEqual([
    [2, 1, 1],
    [1, 2, 0],
  ])
})
