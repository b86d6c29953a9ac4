import { describe, expect, test } from 'vitest'
import { findWords, type Said } from './find-words.ts'

const said = (n: number, more: Partial<Said> = {}): Said => ({
  ...{ sign: 'verdict', agent: 'writer', treeId: `g${n}`, taskId: `t${n}`, callId: null, at: n, mend: null },
  text: 'The report does not name the sources of its figures.',
  ...more,
})
const READERS = [
  { name: 'writer', documents: ['house_style'] },
  { name: 'editor', documents: ['house_style'] },
]
const find = (cases: Said[], more: object = {}) => findWords(cases, { readers: READERS, open: ['house_style'], known: [], ...more })

describe('words are drafted', () => {
  test('from the same reason of evaluators in other words, with all of it as evidence', () => {
    const [lesson, ...more] = find([
      said(1),
      said(2, { text: 'In report.md the sources of the figures are not named (5 figures).', mend: 'It was told this.' }),
      said(3, { text: 'The figures of the report do not name their sources.' }),
    ])
    expect(more).toEqual([])
    expect(lesson).toMatchObject({
      why: '3 tasks in 3 goals were found not to be solved for it; solved after they had been told: 1.',
      change: { kind: 'words', words: { target: { kind: 'agent', name: 'writer' }, sign: 'verdict' } },
      cases: [{ taskId: 't1' }, { taskId: 't2' }, { taskId: 't3', words: 'The figures of the report do not name their sources.' }],
    })
    expect(lesson!.change).toMatchObject({
      words: { text: expect.stringContaining('"The figures of the report do not name their sources."') },
    })
  })

  test('from what a person answered to the same flag', () => {
    const flag = { sign: 'flag' as const, text: 'There is no folder for drafts in this workspace.', mend: 'Make drafts/ yourself.' }
    const [lesson] = find([said(1, flag), said(2, flag), said(3, { ...flag, mend: null })])
    expect(lesson!.change).toMatchObject({ words: { text: expect.stringContaining('A person answered: "Make drafts/ yourself."') } })
  })

  test('from a refusal and the call that went well after it', () => {
    const call = { sign: 'call' as const, tool: 'edit_file', text: 'The text to be replaced is not in the file.', mend: '{"path":"a.md"}' }
    const [lesson] = find([said(1, call), said(2, call), said(3, call)])
    expect(lesson!.change).toMatchObject({ words: { text: expect.stringMatching(/`edit_file` refuses.*`{"path":"a.md"}`/) } })
  })

  test('for a document where several agents that read it are told the same', () => {
    const found = find([said(1), said(2, { agent: 'editor' }), said(3)])
    expect(found).toMatchObject([{ change: { words: { target: { kind: 'document', name: 'house_style' } } }, cases: [{}, {}, {}] }])
    expect(find([said(1), said(2, { agent: 'editor' }), said(3)], { open: [] })).toEqual([]) // two cases of one agent are too few
  })
})

describe('nothing is drafted', () => {
  test('from fewer than three cases, or from one goal', () => {
    expect(find([said(1), said(2)])).toEqual([])
    expect(find([said(1), said(2), said(3)].map((one) => ({ ...one, treeId: 'g' })))).toEqual([])
  })
  test('from reasons that have little in common', () => {
    expect(
      find([
        said(1),
        said(2, { text: 'The table lacks a heading for its columns.' }),
        said(3, { text: 'The build fails on old machines.' }),
      ]),
    ).toEqual([])
  })
  test('for agents that judge or watch others', () => {
    expect(find([said(1), said(2), said(3)].map((one) => ({ ...one, agent: 'task_evaluator' })))).toEqual([])
  })
  test('from flags and refusals that nobody mended', () => {
    expect(find([1, 2, 3].map((n) => said(n, { sign: 'flag' })))).toEqual([])
  })
})

test('cases that come later are of the lesson that is known', () => {
  const [first] = find([said(1), said(2), said(3)])
  if (first?.change.kind !== 'words') throw new Error('no lesson')
  const known = [first.change.words]
  const later = [4, 5, 6].map((n) => said(n, { text: 'Sources of the figures in the report are not named.' }))
  expect(find(later, { known })[0]!.change).toMatchObject({ words: { key: first.change.words.key } })
})
