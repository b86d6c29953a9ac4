import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { need } from '../../scripts/needs.ts'
import { startPostgres } from '../../scripts/postgres.ts'
import { type Harness, harness } from '../../scripts/testing/harness.ts'
import { answersIn, endWith, type Scripted, startAll } from '../../scripts/testing/scripted.ts'
import type { ModelRequest } from '../models/provider.ts'

let h: Harness | undefined
const open = async (...args: Parameters<typeof harness>): Promise<Harness> => {
  h = await harness(...args)
  return h
}
/** Whatever a test did, the rows must be in order afterwards. */
afterEach(async () => {
  const found = await h?.end()
  h = undefined
  expect(found ?? []).toEqual([])
})

const depthOf = (request: ModelRequest): number => Number(/level (\d)/.exec(request.task.instruction)?.[1] ?? 0)
/** Three levels of three subtasks; the leaves answer. */
const family = (request: ModelRequest): Scripted => {
  const level = depthOf(request)
  if (level === 0) return endWith(`leaf ${request.task.instruction}`)
  const answers = answersIn(request)
  if (answers.length === 0) return startAll([1, 2, 3].map((i) => `part ${i} of ${request.task.id}, level ${level - 1}`))
  return endWith(`got ${answers[0]!.match(/^### /gm)?.length} answers`)
}

describe('a goal grows a tree', () => {
  test('and ends when all its tasks have, with each child told of in one line to its parent', async () => {
    const { goal, over, runtime } = await open(family)
    const root = await over(await goal('level 2'))
    expect(root).toMatchObject({ status: 'done', result: 'got 3 answers' })
    const { tasks } = await runtime.tasks.tree(root.id)
    expect(tasks).toHaveLength(13)
    expect(new Set(tasks.map((t) => t.status))).toEqual(new Set(['done']))
    expect(Math.max(...tasks.map((t) => t.depth))).toBe(2)
  })

  test('each message is in the history: prompt by its hash, words, calls, answers', async () => {
    const { goal, over, runtime } = await open(family)
    const root = await over(await goal('level 1'))
    const messages = await runtime.tasks.messages(root.id)
    expect(messages.map((m) => m.role)).toEqual(['user', 'system', 'assistant', 'tool', 'assistant', 'tool'])
    const prompt = messages.find((m) => m.role === 'system')
    expect(await runtime.tasks.prompt(prompt!.promptHash)).toContain('You are one agent in Banyan')
  })

  test('and two goals at once keep to their own trees', async () => {
    const { goal, over, runtime } = await open(family)
    const [a, b] = await Promise.all([goal('level 1, first'), goal('level 1, second')])
    await Promise.all([over(a), over(b)])
    for (const id of [a, b]) expect((await runtime.tasks.tree(id)).tasks.every((t) => t.id.startsWith(id))).toBe(true)
  })
})

describe('a parent goes on after every outcome of every child', () => {
  const parentOf = (child: (request: ModelRequest) => Scripted | Promise<Scripted>) => (request: ModelRequest) => {
    if (request.task.instruction !== 'parent') return child(request)
    const answers = answersIn(request)
    return answers.length === 0 ? startAll(['child']) : endWith(answers[0]!)
  }

  test('failed', async () => {
    const { goal, over } = await open(parentOf(() => endWith('could not', 'failure')))
    expect((await over(await goal('parent'))).result).toMatch(/### 1 · failed · child/)
  })

  test('three replies without a tool call', async () => {
    const { goal, over, runtime } = await open(parentOf(() => ({ text: 'I think it is done.' })))
    const root = await over(await goal('parent'))
    expect(root.result).toMatch(/### 1 · failed · child.*\nthe agent answered 3 times without calling a tool/)
    const child = (await runtime.tasks.children(root.id))[0]!
    expect((await runtime.tasks.messages(child.id)).filter((m) => m.role === 'user' && m.from === 'system')).toHaveLength(2)
  })

  test('stopped by a person, who is not overruled by starting the same again', async () => {
    let tries = 0
    const { goal, until, over, runtime } = await open((request) => {
      if (request.task.instruction === 'child') return { kind: 'later', message: 'slow', retryAfterMs: 3_600_000 }
      const answers = answersIn(request)
      tries = answers.length
      if (answers.length < 2) return startAll(['child'])
      return endWith(answers.join('\n---\n'))
    })
    const root = await goal('parent')
    const childId = `${root}.3a`
    await until(root, (t) => t.status === 'waiting')
    await until(childId, (t) => t.status === 'waiting')
    await runtime.tasks.control(childId, { verb: 'abort', by: 'owner', comment: 'not this' })
    const done = await over(root)
    expect(done.result).toMatch(/### 1 · cancelled · child[\s\S]*stopped by a person: not this/)
    expect(done.result).toMatch(/Refused: a person stopped this subtask/)
    expect(tries).toBe(2)
    expect(await runtime.tasks.task(childId)).toMatchObject({ status: 'cancelled', stoppedByPerson: true })
  })

  test('timed out at its deadline', async () => {
    let clock = Date.now()
    const { goal, over, until, runtime } = await open(
      (request) => {
        if (request.task.instruction === 'child') return { kind: 'later', message: 'slow', retryAfterMs: 3_600_000 }
        const answers = answersIn(request)
        return answers.length === 0
          ? { calls: [{ tool: 'start_subtask', input: { task_instruction: 'child', agent_type: 'generalist', deadline_seconds: 60 } }] }
          : endWith(answers[0]!)
      },
      { now: () => clock },
    )
    const root = await goal('parent')
    await until(root, (t) => t.status === 'waiting')
    await until(`${root}.3a`, (t) => t.status === 'waiting')
    clock += 61_000
    expect((await over(root)).result).toMatch(/### 1 · failed · child.*\nits deadline passed/)
    expect(await runtime.tasks.task(`${root}.3a`)).toMatchObject({ status: 'failed', reason: 'deadline' })
  })

  test('set aside after three lost attempts', async () => {
    const { goal, runtime } = await open(
      parentOf(() => endWith('never reached')),
      { paused: true },
    )
    const root = await goal('parent')
    const { turns } = runtime.tasks
    // The parent's turn by hand, then a child whose worker is lost each time.
    const [lease] = await turns.lease('w', 1)
    const start = await turns.begin(lease!, { provider: 'p', model: 'm', tokens: 1, costMicros: 0, maxTurns: 9 })
    if (start.kind !== 'go') throw new Error('the first turn may begin')
    const { calls } = await turns.reply(lease!, start.call, {
      text: '',
      calls: [{ tool: 'start_subtask', input: {} }],
      provider: 'p',
      model: 'm',
      usage: null,
      costMicros: 0,
      latencyMs: 1,
    })
    await turns.spawn(lease!, calls[0]!.id, [{ instruction: 'poison', agent: 'generalist' }], { wait: true })
    expect(await turns.finish(lease!, [])).toBe('gone')
    for (let lost = 0; lost < 3; lost++) {
      expect(await turns.lease('w', 1)).toHaveLength(1)
      expect(await runtime.tasks.recover()).toBe(1)
    }
    expect(await turns.lease('w', 1)).toEqual([]) // the child is quarantined instead of claimed a fourth time
    expect((await turns.lease('w', 1)).map((l) => l.taskId)).toEqual([root]) // and its parent was woken
    const child = (await runtime.tasks.children(root))[0]!
    expect(child).toMatchObject({ status: 'dead', reason: 'lost' })
    expect((await runtime.tasks.reviews({ state: 'open', limit: 10 })).items).toMatchObject([{ kind: 'dead_task', taskId: child.id }])
  })
})

describe('dependencies between subtasks', () => {
  test('hold a task back until what it waits for is done, and skip it when that failed', async () => {
    const order: string[] = []
    const { goal, over, runtime } = await open((request) => {
      const { instruction } = request.task
      if (instruction === 'parent') {
        const answers = answersIn(request)
        if (answers.length > 0) return endWith(answers[0]!)
        const subtasks = [['first'], ['second', 0], ['breaks'], ['skipped', 2], ['skipped too', 3]].map(([task_instruction, after]) => ({
          task_instruction,
          agent_type: 'generalist',
          ...(after === undefined ? {} : { after: [after] }),
        }))
        return { calls: [{ tool: 'start_subtask', input: { subtasks } }] }
      }
      order.push(instruction)
      return endWith(instruction, instruction === 'breaks' ? 'failure' : 'success')
    })
    const root = await over(await goal('parent'))
    expect((await runtime.tasks.children(root.id)).map((c) => [c.title, c.status])).toEqual([
      ['first', 'done'],
      ['second', 'done'],
      ['breaks', 'failed'],
      ['skipped', 'cancelled'],
      ['skipped too', 'cancelled'],
    ])
    expect(order.indexOf('first')).toBeLessThan(order.indexOf('second'))
    expect(order).not.toContain('skipped')
  })
})

describe('caps on the whole tree', () => {
  const spawner = (request: ModelRequest): Scripted =>
    answersIn(request).length === 0 ? startAll([1, 2, 3, 4, 5].map((i) => `more ${i} of ${request.task.id}`)) : endWith('enough')

  test('a task that always starts five more is stopped at the cap, a person is asked, and nothing is called after it', async () => {
    let calls = 0
    const { goal, runtime, quiet } = await open((request) => {
      calls += 1
      return spawner(request)
    })
    const root = await goal('runaway', { budget: { tasks: 30, turns: 1_000 } })
    await quiet(root)
    const { tasks, pausedReason } = await runtime.tasks.tree(root)
    expect(tasks.length).toBeLessThanOrEqual(30)
    expect(pausedReason).toMatch(/cap of 30 tasks is reached/)
    const before = calls
    await runtime.tasks.sweep('quick', Date.now() + 60_000)
    await runtime.tasks.sweep('thorough', Date.now())
    await quiet(root)
    expect(calls).toBe(before)
    expect((await runtime.tasks.reviews({ state: 'open', limit: 10 })).items.filter((r) => r.kind === 'budget')).toHaveLength(1)
  })

  test('money: the call that could go beyond the cap is not made, and a raised cap lets the tree go on', async () => {
    const { goal, runtime, until, over } = await open((request) =>
      answersIn(request).length < 3 ? { calls: [{ tool: 'list_agents', input: {} }], costMicros: 400_000 } : endWith('rich'),
    )
    const root = await goal('spend', { budget: { turns: 2 } })
    await until(root, (t) => t.status === 'paused')
    const tree = await runtime.tasks.tree(root)
    expect(tree.spend).toMatchObject({ turns: 2, costMicros: 800_000 })
    const [item] = (await runtime.tasks.reviews({ state: 'open', limit: 10 })).items
    await runtime.tasks.decide(item!.id, { decision: 'approve', edit: { turns: 50 } }, 'owner')
    expect(await over(root)).toMatchObject({ status: 'done', result: 'rich' })
  })

  test('the call that met the cap of tasks runs once the cap is raised, and the tree ends', async () => {
    const { goal, runtime, over, quiet } = await open((request) =>
      request.task.instruction !== 'parent'
        ? endWith('child')
        : answersIn(request).length === 0
          ? startAll(['a', 'b', 'c'])
          : endWith('all three'),
    )
    const root = await goal('parent', { budget: { tasks: 2 } })
    await quiet(root)
    const [item] = (await runtime.tasks.reviews({ state: 'open', limit: 10 })).items
    await runtime.tasks.decide(item!.id, { decision: 'approve', edit: { tasks: 10 } }, 'owner')
    expect(await over(root)).toMatchObject({ status: 'done', result: 'all three' })
  })

  test('too deep, too many and circles are answered with the reason, and the agent goes on', async () => {
    const { goal, over } = await open((request) => {
      const answers = answersIn(request)
      if (request.task.instruction === 'deeper') return answers.length === 0 ? startAll(['even deeper']) : endWith(answers[0]!)
      if (answers.length === 0) return startAll(['  DEEP!! '])
      if (answers.length === 1) return startAll(['a', 'b', 'c'])
      if (answers.length === 2) return startAll(['deeper'])
      return endWith(answers.join('\n---\n'))
    })
    const root = await over(await goal('deep', { budget: { depth: 1, fanOut: 2 } }))
    expect(root.result).toMatch(/Refused as a circle: this task itself/)
    expect(root.result).toMatch(/Refused: the cap of 2 subtasks of one task/)
    expect(root.result).toMatch(/Refused: the cap of 1 levels of subtasks/)
  })
})

describe('what the model does wrong is answered so that it can mend it', () => {
  test('a tool that is not there, arguments that are wrong, an agent that is not there, evidence that is not there', async () => {
    const { goal, over, runtime } = await open((request) => {
      const answers = answersIn(request)
      const tries: Scripted[] = [
        { calls: [{ tool: 'teleport', input: {} }] },
        { calls: [{ tool: 'end_task', input: { status: 'great' } }] },
        { calls: [{ tool: 'start_subtask', input: { task_instruction: 'x', agent_type: 'wizard' } }] },
        endWith('made a file', 'success', { evidence: [{ kind: 'file', path: 'made.txt' }] }),
        endWith('ran it', 'success', { evidence: [{ kind: 'command', command: 'make all', exitCode: 0 }] }),
      ]
      return tries[answers.length] ?? endWith(answers.join('\n---\n'))
    })
    const root = await over(await goal('mistakes'))
    expect(root.result).toMatch(/There is no tool "teleport" for you. Your tools: .*start_subtask/)
    expect(root.result).toMatch(/The arguments of end_task are not right:[\s\S]*status/)
    expect(root.result).toMatch(/There is no agent "wizard".*generalist/)
    expect(root.result).toMatch(/Not ended: .*made\.txt/)
    expect(root.result).toMatch(/No task here or below ran `make all`/)
    expect((await runtime.tasks.messages(root.id)).filter((m) => m.role === 'tool' && m.isError)).toHaveLength(5)
  })
})

describe('files and commands', () => {
  test('an agent writes a file into its workspace and lists it as evidence; a subtask has a folder inside its own', async () => {
    const { goal, over, dataDir } = await open((request) => {
      const answers = answersIn(request)
      if (request.task.instruction === 'child')
        return answers.length
          ? endWith('written', 'success', { evidence: [{ kind: 'file', path: 'note.md' }] })
          : { calls: [{ tool: 'write_file', input: { path: 'note.md', content: 'hello' } }] }
      if (answers.length === 0) return startAll(['child'])
      if (answers.length === 1) return { calls: [{ tool: 'read_file', input: { path: '3a/note.md' } }] }
      return endWith(answers[1]!)
    })
    const root = await over(await goal('parent'))
    expect(root.result).toContain('hello')
    expect(await readFile(join(dataDir, 'workspaces', root.id, '3a', 'note.md'), 'utf8')).toBe('hello')
  })

  test('a command that the person typed runs at once; one that the agent thought of waits for a person, whose words it gets', async () => {
    const { goal, over, until, runtime } = await open((request) => {
      const answers = answersIn(request)
      if (answers.length === 0) return { calls: [{ tool: 'use_terminal', input: { command: 'echo typed' } }] }
      if (answers.length === 1) return { calls: [{ tool: 'use_terminal', input: { command: 'echo thought' } }] }
      if (answers.length === 2) return { calls: [{ tool: 'use_terminal', input: { command: 'echo allowed' } }] }
      return endWith(answers.join('\n---\n'))
    })
    const root = await goal('Run `echo typed`')
    await until(root, (t) => t.status === 'waiting' && t.reason === 'review')
    const first = (await runtime.tasks.reviews({ state: 'open', limit: 10 })).items[0]!
    expect(first).toMatchObject({ kind: 'permission', action: { command: 'echo thought' } })
    await runtime.tasks.decide(first.id, { decision: 'reject', comment: 'use echo allowed' }, 'owner')
    await until(root, (t) => t.status === 'waiting' && t.reason === 'review')
    const second = (await runtime.tasks.reviews({ state: 'open', limit: 10 })).items[0]!
    await runtime.tasks.decide(second.id, { decision: 'approve' }, 'owner')
    const { result } = await over(root)
    expect(result).toMatch(/exit code: 0[\s\S]*typed/)
    expect(result).toMatch(/a person rejected it\. They said: use echo allowed/)
    expect(result).toMatch(/---\nexit code: 0[\s\S]*allowed/)
    await expect(runtime.tasks.decide(second.id, { decision: 'approve' }, 'owner')).rejects.toThrow(/decided already/)
  })
})

describe('ending', () => {
  const judged =
    (verdicts: boolean[]) =>
    (request: ModelRequest): Scripted => {
      const answers = answersIn(request)
      if (request.task.kind === 'evaluate') {
        const passed = verdicts.shift() ?? true
        return endWith('judged', 'success', { verdict: { passed, score: passed ? 80 : 50, reasons: 'the second chapter is missing' } })
      }
      if (request.task.kind === 'summarize') return endWith('in short: a long report')
      if (request.task.kind === 'document') return endWith('nothing to write down')
      if (answers.length === 0) return { calls: [{ tool: 'write_file', input: { path: 'r.md', content: 'x' } }] }
      return endWith('a long report. '.repeat(200), 'success', { evidence: [{ kind: 'file', path: 'r.md' }] })
    }

  test('evaluator, summary and documentation look at it side by side; the summary is what others are told', async () => {
    const { goal, over, runtime } = await open(judged([true]), { judges: true })
    const root = await over(await goal('report'))
    expect(root).toMatchObject({ status: 'done', summary: 'in short: a long report', verdict: { passed: true, by: 'task_evaluator' } })
    expect((await runtime.tasks.children(root.id)).map((c) => c.kind).sort()).toEqual(['document', 'evaluate', 'summarize'])
  })

  test('a verdict whose score says the opposite is not taken', async () => {
    let refusal = ''
    const { goal, over } = await open(
      (request) => {
        if (request.task.kind !== 'evaluate') return judged([])(request)
        const [first] = answersIn(request)
        refusal = first ?? ''
        return endWith('judged', 'success', { verdict: { passed: true, score: first === undefined ? 1 : 90, reasons: 'all there' } })
      },
      { judges: true },
    )
    expect(await over(await goal('report'))).toMatchObject({ status: 'done', verdict: { passed: true, score: 90 } })
    expect(refusal).toContain('passed is true and the score 1 of 100')
  })

  test('a failed verdict sends it back once, with the reasons; a second one fails it', async () => {
    const { goal, over, runtime } = await open(judged([false, false]), { judges: true })
    const root = await over(await goal('report'))
    expect(root).toMatchObject({ status: 'failed', reason: 'ended', verdict: { passed: false } })
    const words = (await runtime.tasks.messages(root.id)).filter((m) => m.role === 'user').map((m) => m.text)
    expect(words.filter((w) => w.includes('the second chapter is missing'))).toHaveLength(1)
  })

  test('a handed over task ends as the one it was handed to, without another turn', async () => {
    let turns = 0
    const { goal, over } = await open((request) => {
      if (request.task.agent === 'agent_selector') {
        turns += 1
        return {
          calls: [
            { tool: 'start_subtask', input: { task_instruction: request.task.instruction, agent_type: 'generalist', handover: true } },
          ],
        }
      }
      return endWith('by the other')
    })
    expect(await over(await goal('hand me on', { agent: 'agent_selector' }))).toMatchObject({ status: 'done', result: 'by the other' })
    expect(turns).toBe(1)
  })

  test('helpers hand documents over, and their asker has them from the next turn on', async () => {
    let prompt = ''
    const { goal, over } = await open((request) => {
      const answers = answersIn(request)
      if (request.task.kind === 'context') return endWith('there is a guide', 'success', { documents: ['breakdown_guidelines'] })
      if (answers.length === 0) return { calls: [{ tool: 'request_context', input: { context_needed: 'the moon' } }] }
      if (answers.length === 1) {
        prompt = request.system
        return { calls: [{ tool: 'request_context', input: { context_needed: 'the sun' } }] }
      }
      return endWith(answers.join('\n---\n'))
    })
    const root = await over(await goal('moon'))
    expect(prompt).toContain('<document name="breakdown_guidelines">')
    expect(root.result).toMatch(/Now among your context documents: breakdown_guidelines/)
    expect(root.result).toMatch(/has had that help already/)
  })
})

describe('a person at the controls', () => {
  test('step by step: one turn a step', async () => {
    const { goal, until, over, runtime } = await open((request) =>
      answersIn(request).length < 2 ? { calls: [{ tool: 'list_agents', input: {} }] } : endWith('stepped'),
    )
    const root = await goal('steps', { mode: 'step' })
    for (let turn = 0; turn < 3; turn++) {
      const held = await until(root, (t) => t.status === 'paused' && t.spend.turns === turn)
      expect(held.reason).toBe('step')
      await runtime.tasks.control(root, { verb: 'step', by: 'owner' })
    }
    expect((await over(root)).result).toBe('stepped')
  })

  test('pause holds a running task at its next turn, resume lets it go on, steering is read by the model', async () => {
    let release: (() => void) | undefined
    const gate = new Promise<void>((resolve) => {
      release = resolve
    })
    let heard = ''
    const { goal, until, over, runtime } = await open(async (request) => {
      if (answersIn(request).length === 0) {
        await gate
        return { calls: [{ tool: 'list_agents', input: {} }] }
      }
      heard = request.messages
        .filter((m) => m.role === 'user')
        .map((m) => m.text)
        .join('|')
      return endWith('ok')
    })
    const root = await goal('long')
    await until(root, (t) => t.status === 'active')
    await runtime.tasks.control(root, { verb: 'pause', by: 'owner' })
    await runtime.tasks.control(root, { verb: 'steer', by: 'owner', message: 'mind the gap' })
    release!()
    expect((await until(root, (t) => t.status === 'paused')).reason).toBe('person')
    await runtime.tasks.control(root, { verb: 'resume', by: 'owner' })
    await over(root)
    expect(heard).toBe('long|mind the gap')
  })

  test('cancel lets it wrap up with what it has; its subtasks stop', async () => {
    const { goal, until, over, runtime } = await open((request) => {
      if (request.task.instruction === 'child') return { kind: 'later', message: 'slow', retryAfterMs: 3_600_000 }
      return request.task.stopping ? endWith('half of it', 'failure') : startAll(['child'])
    })
    const root = await goal('parent')
    await until(root, (t) => t.status === 'waiting')
    await runtime.tasks.control(root, { verb: 'cancel', by: 'owner', comment: 'enough' })
    expect(await over(root)).toMatchObject({ status: 'cancelled', result: 'half of it', stoppedByPerson: true })
    expect((await runtime.tasks.children(root))[0]).toMatchObject({ status: 'cancelled' })
    await expect(runtime.tasks.control(root, { verb: 'cancel', by: 'owner' })).rejects.toThrow(
      /has ended \(cancelled\) and cannot be cancelled/,
    )
  })

  test('retry and rerun open it again; a rerun no longer shows the model what came after', async () => {
    let seen = 0
    let good = false
    const { goal, over, runtime } = await open((request) => {
      seen = request.messages.length
      if (good) return endWith('now it works')
      return answersIn(request).length === 0 ? { calls: [{ tool: 'list_agents', input: {} }] } : endWith('broken', 'failure')
    })
    const root = await goal('retry me')
    expect(await over(root)).toMatchObject({ status: 'failed' })
    await runtime.tasks.control(root, { verb: 'retry', by: 'owner' })
    expect(await over(root)).toMatchObject({ status: 'failed', result: 'broken' })
    good = true
    await runtime.tasks.control(root, { verb: 'rerun', by: 'owner', from: 2 })
    expect(await over(root)).toMatchObject({ status: 'done', result: 'now it works' })
    expect(seen).toBe(2)
  })
})

describe('a provider in trouble', () => {
  test('a 429 parks the task until the time it named, holding nothing, and no attempt is counted as lost', async () => {
    let clock = Date.now()
    let busy = true
    const { goal, until, over } = await open(
      () => (busy ? { kind: 'later', message: 'rate limited', retryAfterMs: 90_000 } : endWith('after the rain')),
      { now: () => clock },
    )
    const root = await goal('wait')
    const parked = await until(root, (t) => t.status === 'waiting')
    expect(parked).toMatchObject({ reason: 'quota', attempt: 0 })
    expect(Date.parse(parked.wakeAt!) - clock).toBeGreaterThanOrEqual(89_000)
    busy = false
    clock += 91_000
    expect((await over(root)).result).toBe('after the rain')
  })

  test('a refused key asks a person, whose approval tries again', async () => {
    let key = false
    const { goal, until, over, runtime } = await open(() => (key ? endWith('in') : { kind: 'refused', message: 'the key is not valid' }))
    const root = await goal('locked')
    await until(root, (t) => t.status === 'paused')
    const [item] = (await runtime.tasks.reviews({ state: 'open', limit: 5 })).items
    expect(item!.title).toMatch(/the key is not valid/)
    key = true
    await runtime.tasks.decide(item!.id, { decision: 'approve' }, 'owner')
    expect((await over(root)).result).toBe('in')
  })

  test('a history that outgrows the model loses old tool results first, then is summarised, and nothing is deleted', async () => {
    const big = 'word '.repeat(4_000)
    const { goal, over, runtime } = await open(
      (request) => {
        if (request.system.startsWith('You shorten')) return { text: 'notes: it wrote many files' }
        if (request.messages.some((m) => m.role === 'user' && m.text.includes('notes: it wrote'))) return endWith('fits')
        if (answersIn(request).length === 0) return { calls: [{ tool: 'write_file', input: { path: 'big.txt', content: big } }] }
        return { text: 'thought '.repeat(1_500), calls: [{ tool: 'read_file', input: { path: 'big.txt' } }] }
      },
      { window: 60_000 },
    )
    const root = await over(await goal('grow'))
    expect(root.result).toBe('fits')
    const messages = await runtime.tasks.messages(root.id)
    const kinds = messages.filter((m) => m.role === 'compaction').map((m) => m.how)
    expect(kinds[0]).toBe('cleared')
    expect(kinds.at(-1)).toBe('summarised')
    expect(messages.filter((m) => m.role === 'tool' && m.text.includes('word word')).length).toBeGreaterThan(5)
  })
})

describe.skipIf(!need('postgres'))('on a real PostgreSQL server', () => {
  let server: Awaited<ReturnType<typeof startPostgres>>
  beforeAll(async () => {
    server = await startPostgres()
  })
  afterAll(() => server?.stop())

  test('the same goal grows the same tree', async () => {
    const { goal, over, runtime } = await open(family, { databaseUrl: server.url })
    const root = await over(await goal('level 2'))
    expect(root).toMatchObject({ status: 'done', result: 'got 3 answers' })
    expect((await runtime.tasks.tree(root.id)).tasks).toHaveLength(13)
  })
})
