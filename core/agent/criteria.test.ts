import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { need } from '../../scripts/needs.ts'
import { type Harness, harness } from '../../scripts/testing/harness.ts'
import { answersIn, endWith, type Scripted } from '../../scripts/testing/scripted.ts'
import type { ModelRequest } from '../models/provider.ts'

let open: Harness | undefined
afterEach(async () => {
  expect(await open?.end()).toEqual([])
  open = undefined
})

const CRITERIA = ['report.md exists and is not empty', 'report.md names all three rivers']
const call = (tool: string, input: unknown): Scripted => ({ calls: [{ tool, input }] })
const judgement = (passed: boolean, criteria?: { number: number; met: boolean; evidence: string }[]): Scripted =>
  endWith('judged', 'success', { verdict: { passed, reasons: 'looked', ...(criteria ? { criteria } : {}) } })
const met = (number: number) => ({ number, met: true, evidence: `saw ${number}` })
/** Writes the report and claims it. */
const worker = (request: ModelRequest): Scripted =>
  answersIn(request).length === 0
    ? call('write_file', { path: 'report.md', content: 'Rhine, Elbe, Oder\n' })
    : endWith('written', 'success', { evidence: [{ kind: 'file', path: 'report.md' }] })
const others = (request: ModelRequest): Scripted => endWith(`${request.task.kind} has nothing to say`)

describe('what counts as done', () => {
  test('is told to the agent and to the evaluator, and the verdict says of each whether it is met', async () => {
    const told: Record<string, string> = {}
    open = await harness(
      (request) => {
        told[request.task.kind] ??= request.messages[0]!.text
        if (request.task.kind === 'work') return worker(request)
        if (request.task.kind !== 'evaluate') return others(request)
        return judgement(true, [met(2), met(1)])
      },
      { judges: true },
    )
    const treeId = await open.goal('Write report.md about the rivers.', { criteria: CRITERIA })
    const task = await open.over(treeId)
    expect(told.work).toBe(
      `Write report.md about the rivers.\n\n# What counts as done (success criteria)\n1. ${CRITERIA[0]}\n2. ${CRITERIA[1]}`,
    )
    expect(told.evaluate).toContain(`1. ${CRITERIA[0]}\n2. ${CRITERIA[1]}`)
    expect(task).toMatchObject({ status: 'done', criteria: CRITERIA, instruction: 'Write report.md about the rivers.' })
    expect(task.verdict?.criteria).toEqual([
      { ...met(1), criterion: CRITERIA[0] },
      { ...met(2), criterion: CRITERIA[1] },
    ])
  })

  test('binds the evaluator: a verdict that leaves one out, invents one or passes in spite of one is not taken', async () => {
    const tries = [
      judgement(true),
      judgement(true, [met(1)]),
      judgement(true, [met(1), met(2), met(3)]),
      judgement(true, [met(1), met(1), met(2)]),
      judgement(true, [met(1), { number: 2, met: false, evidence: 'the Oder is missing' }]),
    ]
    const refusals: string[] = []
    open = await harness(
      (request) => {
        if (request.task.kind === 'work') return worker(request)
        if (request.task.kind !== 'evaluate') return others(request)
        const answers = answersIn(request)
        refusals.splice(0, refusals.length, ...answers)
        return tries[answers.length] ?? judgement(true, [met(1), met(2)])
      },
      { judges: true },
    )
    await open.over(await open.goal('Write report.md.', { criteria: CRITERIA }))
    expect(refusals).toEqual([
      expect.stringContaining('says nothing of criterion 1, 2'),
      expect.stringContaining('says nothing of criterion 2'),
      expect.stringContaining('there is no criterion 3'),
      expect.stringContaining('judges a criterion twice'),
      expect.stringContaining('it passes, and criterion 2 is not met'),
    ])
  })

  test('of a subtask is what its giver said in start_subtask; a task that is handed over whole keeps its own', async () => {
    open = await harness((request) => {
      if (request.task.id === request.task.treeId)
        return call('start_subtask', { task_instruction: 'the whole', agent_type: 'generalist', handover: true, criteria: ['another'] })
      if (request.task.instruction === 'the whole' && answersIn(request).length === 0)
        return call('start_subtask', { task_instruction: 'a part', agent_type: 'generalist', criteria: ['  the part is there '] })
      return endWith('done')
    })
    const treeId = await open.goal('Do all of it.', { criteria: ['all is there'] })
    await open.over(treeId)
    const { tasks } = await open.runtime.tasks.tree(treeId)
    expect(tasks.map((task) => [task.instruction, task.criteria])).toEqual([
      ['Do all of it.', ['all is there']],
      ['the whole', ['all is there']],
      ['a part', ['the part is there']],
    ])
  })

  test('of a goal makes it worth judging, however small it was', async () => {
    const kinds: string[] = []
    open = await harness(
      (request) => {
        kinds.push(request.task.kind)
        return request.task.kind === 'evaluate'
          ? judgement(true, request.messages[0]!.text.includes('What counts') ? [met(1)] : undefined)
          : endWith('4')
      },
      { judges: true },
    )
    await open.over(await open.goal('What is 2 + 2?'))
    expect(kinds).toEqual(['work'])
    const task = await open.over(await open.goal('What is 2 + 2 now?', { criteria: ['the answer is a number'] }))
    expect(kinds).toContain('evaluate')
    expect(task.verdict?.criteria).toMatchObject([{ criterion: 'the answer is a number', met: true }])
  })

  test('is said to be unjudged where no model judges', async () => {
    open = await harness(() => endWith('done'))
    const task = await open.over(await open.goal('Do it.', { criteria: ['it is done'] }))
    expect(task).toMatchObject({ status: 'done', verdict: { passed: true, by: 'rule' } })
    expect(task.verdict?.reasons).toContain('nobody looked whether the success criteria are met')
  })

  test('stays with a task whose words a person changes for a rerun', async () => {
    const seen: string[] = []
    open = await harness((request) => {
      seen.push(request.messages[0]!.text)
      return endWith('done')
    })
    const treeId = await open.goal('Do it.', { criteria: ['it is done'] })
    await open.over(treeId)
    await open.runtime.tasks.control(treeId, { verb: 'rerun', by: 'owner', from: 1, message: 'Do it better.' })
    await open.over(treeId)
    expect(seen.at(-1)).toBe('Do it better.\n\n# What counts as done (success criteria)\n1. it is done')
  })
})

describe('an evaluator', () => {
  const look = (steps: Scripted[]) => {
    const answers: string[] = []
    let tools: string[] = []
    const made = harness(
      (request) => {
        if (request.task.kind === 'work') return worker(request)
        if (request.task.kind !== 'evaluate') return others(request)
        tools = request.tools.map((tool) => tool.name)
        answers.splice(0, answers.length, ...answersIn(request))
        return steps[answers.length] ?? judgement(true)
      },
      { judges: true },
    )
    return { made, answers, tools: () => tools }
  }

  test.skipIf(!need('bubblewrap'))(
    'runs checks in the workspace that it judges, and can write nothing there',
    async () => {
      const { made, answers } = look([
        call('run_check', { command: 'test -s report.md && wc -l < report.md && pwd' }),
        call('run_check', { command: 'echo changed > report.md' }),
        call('run_check', { command: 'touch new.txt; rm -f report.md; mkdir sub' }),
        call('run_check', { command: 'cp -r . /tmp/w && cd /tmp/w && echo more >> report.md && wc -l < report.md' }),
        call('run_check', {
          command: 'head -c 10 ../../../agent_system.db ../../../admin-token; ls /root /home; getent hosts example.org',
        }),
        call('run_check', { command: 'sleep 60', timeout_seconds: 1 }),
        call('run_check', { command: 'sudo ls' }),
      ])
      open = await made
      const treeId = await open.goal('Write report.md.')
      expect((await open.over(treeId)).status).toBe('done')
      const [reads, overwrites, changes, copies, strays, sleeps, elevates] = answers as [
        string,
        string,
        string,
        string,
        string,
        string,
        string,
      ]
      expect(reads).toMatch(/^exit code: 0\nisolation: sandbox\n[\s\S]*\n1\n/)
      for (const refused of [overwrites, changes]) {
        expect(refused).toMatch(/Read-only file system/)
        expect(refused).toMatch(/the workspace is read-only here/)
      }
      expect(copies).toMatch(/^exit code: 0[\s\S]*\n2\n/)
      expect(strays).toMatch(/agent_system\.db'.*No such file[\s\S]*admin-token'.*No such file/)
      expect(strays).not.toMatch(/SQLite|test-token/)
      expect(sleeps).toMatch(/timed out after 1 s/)
      expect(elevates).toMatch(/"sudo" is not available to agents/)
      const folder = open.runtime.workspaces.path({ treeId, workspace: '' })
      expect([existsSync(join(folder, 'report.md')), existsSync(join(folder, 'new.txt')), existsSync(join(folder, 'sub'))]).toEqual([
        true,
        false,
        false,
      ])
      expect((await open.runtime.tasks.reviews({ state: 'open', limit: 10 })).items).toEqual([])
    },
    30_000,
  )

  test('has no tool that changes anything, and may only read the database', async () => {
    const { made, answers, tools } = look([
      call('query_database', { sql: "UPDATE tasks SET title = 'x' WHERE id = 'y'", write: true }),
      call('query_database', { sql: 'SELECT count(*) AS n FROM tasks' }),
    ])
    open = await made
    await open.over(await open.goal('Write report.md.'))
    expect(tools().sort()).toEqual([
      'end_task',
      'flag_for_review',
      'list_files',
      'query_database',
      'read_file',
      'run_check',
      'search_files',
    ])
    expect(answers[0]).toMatch(/changes nothing in the database/)
    expect(answers[1]).toMatch(/^Rows: 1/)
  })
})
