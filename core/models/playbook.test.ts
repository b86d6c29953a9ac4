import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest'
import endTask from '../../tools/end_task.ts'
import flagForReview from '../../tools/flag_for_review.ts'
import listFiles from '../../tools/list_files.ts'
import startSubtask from '../../tools/start_subtask.ts'
import useTerminal from '../../tools/use_terminal.ts'
import writeFileTool from '../../tools/write_file.ts'
import { type ChildAnswer, TRY_AGAIN, writeChildren, writeCommand } from '../contract/answers.ts'
import { commandOf } from '../contract/goal-text.ts'
import type { CheckedEvidence, Evidence } from '../contract/task.ts'
import { checkEvidence } from '../exec/evidence.ts'
import type { Command } from '../exec/exec.ts'
import { workspaceFiles } from '../exec/files.ts'
import { localExec } from '../exec/local.ts'
import { readGoals } from '../registry/read-goals.ts'
import type { Call, Capabilities, Outcome, SubtaskSpec, Tool } from '../tool.ts'
import { playbook } from './playbook.ts'
import { readPlaybook, readPlaybooks } from './playbook-steps.ts'
import { codeSpan, codeSpans, cutMarkdown, readTables, writeTable } from './playbook-text.ts'
import { drain, type ModelRequest, type Reply, type RequestMessage } from './provider.ts'

const ROOT = dirname(dirname(import.meta.dirname))
const playbooks = await readPlaybooks(join(ROOT, 'seeds/playbooks'))
const provider = playbook({ playbooks })
const TOOLS: readonly Tool[] = [startSubtask, endTask, flagForReview, listFiles, writeFileTool, useTerminal]

const request = (
  instruction: string,
  messages: readonly RequestMessage[] = [],
  task: Partial<ModelRequest['task']> = {},
): ModelRequest => ({
  model: 'playbook',
  system: '',
  messages: [{ role: 'user', text: instruction }, ...messages],
  tools: TOOLS.map(({ name, description, inputSchema }) => ({ name, description, inputSchema })),
  maxOutputTokens: 1_000,
  task: { id: 't', treeId: 't', agent: 'generalist', kind: 'work', instruction, origin: 'person', stopping: false, ...task },
})
async function ask(asked: ModelRequest, of = provider): Promise<Reply> {
  const end = await drain(of.stream(asked, new AbortController().signal))
  if ('kind' in end) throw new Error(end.message)
  return end
}
type Told = { text: string; isError?: boolean }
type Input = Record<string, unknown>

/** One task, turn by turn; the test plays the runtime. */
function conversation(instruction: string, options: { of?: typeof provider; task?: Partial<ModelRequest['task']> } = {}) {
  const messages: RequestMessage[] = []
  let n = 0
  return {
    messages,
    /** The calls of the next turn. A second look at the same conversation must find the same. */
    async next(task: Partial<ModelRequest['task']> = {}): Promise<{ tool: string; input: Input }[]> {
      const asked = request(instruction, messages, { ...options.task, ...task })
      const reply = await ask(asked, options.of)
      expect(await ask(structuredClone(asked), options.of)).toEqual(reply)
      n += 1
      messages.push({ role: 'assistant', text: reply.text, calls: reply.calls.map((call, i) => ({ id: `call_${n}${i}`, ...call })) })
      return reply.calls as { tool: string; input: Input }[]
    },
    tell(...answers: (string | Told)[]) {
      for (const [i, answer] of answers.entries()) {
        const { text, isError = false } = typeof answer === 'string' ? { text: answer } : answer
        const last = messages.findLast((message) => message.role === 'assistant')!
        messages.push({ role: 'tool', callId: `call_${n}${i}`, tool: last.calls[i]!.tool, text, isError })
      }
    },
    say: (text: string) => messages.push({ role: 'user', text }),
  }
}
const ran = (exitCode: number | null, stdout = '', more: { stderr?: string; repeated?: boolean; ending?: string } = {}) =>
  writeCommand({ exitCode, ending: '', isolation: 'plain', stdout, stderr: '', wallMs: 5, stdoutBytes: 0, stderrBytes: 0, ...more })
const children = (...of: [status: string, summary: string][]) =>
  writeChildren(of.map(([status, summary], i): ChildAnswer => ({ title: `line ${i + 1}`, status, id: `t.1a${i}`, summary })))

describe('the playbook as a provider', () => {
  it('is free, not of unknown price, and judges nothing', async () => {
    expect(provider).toMatchObject({ name: 'playbook', judges: false })
    const reply = await ask(request('Run `ls`'))
    expect(reply).toMatchObject({
      stop: 'tools',
      model: 'playbook',
      reportedCostMicros: 0,
      usage: { input: 0, output: 0, reasoning: 0, cacheRead: 0, cacheWrite: 0 },
    })
  })

  it('that is stopped answers with a fault', async () => {
    const end = await drain(provider.stream(request('Run `ls`'), AbortSignal.abort()))
    expect(end).toMatchObject({ kind: 'later' })
  })

  it('makes only calls that the tools accept, whatever it is asked and told', async () => {
    const word = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('Run `ls`', 'Run `ls` (retry 3)', '- ', '\n1. ', 'Then ', 'inventory of `x`', 'count the files below `a`, `b`'),
    )
    const told = fc.record({
      text: fc.oneof(
        fc.string({ unit: 'binary' }),
        fc.constantFrom(ran(0), ran(1), children(['done', 'x']), '1 file (2 bytes), 1 folder in . · depth 1\n2\ta\n-\tb/'),
      ),
      isError: fc.boolean(),
    })
    await fc.assert(
      fc.asyncProperty(
        fc.array(word, { minLength: 1, maxLength: 4 }),
        fc.array(told, { maxLength: 12 }),
        fc.boolean(),
        async (words, answers, stopping) => {
          const talk = conversation(words.join('') || 'x', { task: { stopping } })
          for (const answer of answers) {
            const calls = await talk.next()
            for (const call of calls) {
              const tool = TOOLS.find(({ name }) => name === call.tool)!
              const outcome = await tool.call(call.input, { task: { title: 't', instruction: 'What the goal says.' } } as Call, NOTHING)
              expect(outcome.kind === 'answer' ? outcome.text : '').not.toMatch(/arguments of/)
            }
            if (calls.length === 0) return
            talk.tell(...calls.map(() => answer))
          }
        },
      ),
      { numRuns: 500 },
    )
  })

  test.each(['breakdown', 'context', 'tools', 'evaluate', 'summarize', 'document'] as const)(
    'does not pretend to do the work of a task of kind %s',
    async (kind) => {
      const [call] = await conversation('Run `ls`', { task: { kind } }).next()
      expect(call).toMatchObject({ tool: 'end_task', input: { status: 'failure', result: expect.stringMatching(/needs a model/) } })
    },
  )

  it('hands a task over, word for word, when its agent lacks a tool, and says so when that is refused', async () => {
    const of = {
      ...provider,
      stream: (asked: ModelRequest, signal: AbortSignal) =>
        provider.stream({ ...asked, tools: asked.tools.filter((tool) => tool.name !== 'use_terminal') }, signal),
    }
    const talk = conversation('Run `ls`', { of, task: { agent: 'agent_selector' } })
    expect(await talk.next()).toEqual([
      { tool: 'start_subtask', input: { task_instruction: 'Run `ls`', agent_type: 'generalist', workspace: 'shared', handover: true } },
    ])
    talk.tell({ text: 'Refused as a circle', isError: true })
    expect(await talk.next()).toMatchObject([
      { tool: 'end_task', input: { status: 'failure', result: expect.stringMatching(/handed over.*circle/) } },
    ])
  })

  it('hands a task over anew when a person reopened it after the first hand-over', async () => {
    const of = {
      ...provider,
      stream: (asked: ModelRequest, signal: AbortSignal) => provider.stream({ ...asked, tools: asked.tools.slice(0, 3) }, signal),
    }
    const talk = conversation('Run `ls`', { of })
    const first = await talk.next()
    talk.tell('The subtask t.1a ended (failed); your task ended with it.')
    talk.say('A person reruns this task from here. Do it anew.')
    expect(await talk.next()).toEqual(first)
  })

  it('ends as a failure when its end was refused, and then stops calling', async () => {
    const talk = conversation('Run `ls`')
    await talk.next()
    talk.tell(ran(0, 'a'))
    await talk.next()
    talk.tell({ text: 'Not ended: no.', isError: true })
    expect(await talk.next()).toMatchObject([
      { tool: 'end_task', input: { status: 'failure', result: expect.stringMatching(/Not ended: no\.[\s\S]*exit code 0/) } },
    ])
    talk.tell({ text: 'Not ended: no.', isError: true })
    expect(await talk.next()).toEqual([])
  })
})

/** Capabilities that do nothing: only the arguments are looked at. */
const NOTHING = {
  subtasks: { start: async () => ({ ids: ['x'] }) },
  ending: { end: async () => ({ ok: true }) },
  reviews: { open: async () => ({ id: 'x' }) },
  files: {
    existing: async () => '/',
    list: async () => ({ entries: [], closed: [], complete: true }),
    write: async () => ({ bytes: 0, created: true }),
  },
  exec: {
    run: async () => ({
      exitCode: 0,
      signal: null,
      timedOut: false,
      aborted: false,
      stdout: '',
      stderr: '',
      stdoutBytes: 0,
      stderrBytes: 0,
      wallMs: 0,
      isolation: 'plain',
    }),
  },
  origin: { typedByPerson: () => ({ typed: true, once: false }) },
} as unknown as Capabilities

describe('a command', () => {
  it('runs once, and its exit code, output and isolation become the result', async () => {
    const talk = conversation('Run `npm test`')
    expect(await talk.next()).toEqual([{ tool: 'use_terminal', input: { command: 'npm test' } }])
    talk.tell(ran(0, 'all good', { stderr: 'a warning' }))
    expect(await talk.next()).toEqual([
      {
        tool: 'end_task',
        input: {
          status: 'success',
          result: '`npm test`: exit code 0 (isolation: plain)\n\n```text\nall good\n```\n\nStandard error:\n\n```text\na warning\n```',
          evidence: [{ kind: 'command', command: 'npm test', exitCode: 0 }],
        },
      },
    ])
  })

  it('that fails ends as a failure without evidence', async () => {
    const talk = conversation('Run `false`')
    await talk.next()
    talk.tell(ran(1))
    expect(await talk.next()).toEqual([
      { tool: 'end_task', input: { status: 'failure', result: '`false`: exit code 1 (isolation: plain)\n\nNo output.' } },
    ])
  })

  it('is tried again as often as the line says, and the result tells of every attempt', async () => {
    const talk = conversation('Run `flaky` (retry 2)')
    for (const n of [1, 2]) {
      expect(await talk.next()).toEqual([{ tool: 'use_terminal', input: { command: 'flaky' } }])
      talk.tell(n === 1 ? ran(7, 'first') : ran(null, '', { ending: 'timed out after 120 s' }))
    }
    await talk.next()
    talk.tell(ran(0, 'third'))
    const [end] = await talk.next()
    expect(end).toMatchObject({ tool: 'end_task', input: { status: 'success' } })
    expect(end!.input.result).toMatch(
      /exit code 0, attempt 3 of 3[\s\S]*third[\s\S]*Attempt 1: exit code 7[\s\S]*first[\s\S]*Attempt 2: timed out after 120 s/,
    )
  })

  it('that fails at every attempt ends as a failure', async () => {
    const talk = conversation('Run `flaky` (retry 1)')
    for (const _ of [1, 2]) {
      await talk.next()
      talk.tell(ran(7))
    }
    expect(await talk.next()).toMatchObject([
      { tool: 'end_task', input: { status: 'failure', result: expect.stringMatching(/attempt 2 of 2/) } },
    ])
  })

  it('that a person refused, or that could not start, ends as a failure with those words', async () => {
    const talk = conversation('Run `rm x` (retry 3)')
    await talk.next()
    talk.tell({ text: 'Not done: a person rejected it. They said: not that file.', isError: true })
    expect(await talk.next()).toEqual([
      { tool: 'end_task', input: { status: 'failure', result: 'Not done: a person rejected it. They said: not that file.' } },
    ])
  })

  it('whose fate a person told ends with their words', async () => {
    const talk = conversation('Run `deploy` (once)')
    await talk.next()
    talk.tell('It went through, I looked.')
    expect(await talk.next()).toEqual([{ tool: 'end_task', input: { status: 'success', result: 'It went through, I looked.' } }])
  })

  it('that was cut off by a restart and ran again says so', async () => {
    const talk = conversation('Run `sleep 60`')
    await talk.next()
    talk.tell(ran(0, '', { repeated: true }))
    expect((await talk.next())[0]!.input.result).toMatch(/cut off by a restart and ran again from its start/)
  })

  it('with an enormous output and 20 failed attempts still has a result that a summary can carry whole', async () => {
    const talk = conversation('Run `loud` (retry 20)')
    for (let n = 0; n <= 20; n++) {
      expect((await talk.next())[0]!.tool).toBe('use_terminal')
      talk.tell(ran(1, 'x'.repeat(30_000), { stderr: '```\n'.repeat(10_000) }))
    }
    const [end] = await talk.next()
    expect(String(end!.input.result).length).toBeLessThan(8_000)
  })

  it('tried again by a person starts with a fresh count', async () => {
    const talk = conversation('Run `flaky`')
    await talk.next()
    talk.tell(ran(1))
    await talk.next()
    talk.tell('Recorded.')
    talk.say(`${TRY_AGAIN} What you did so far is above.`)
    expect(await talk.next()).toEqual([{ tool: 'use_terminal', input: { command: 'flaky' } }])
    talk.tell(ran(0))
    expect(await talk.next()).toMatchObject([
      { tool: 'end_task', input: { status: 'success', result: expect.not.stringMatching(/Attempt 1/) } },
    ])
  })

  it('is not repeated because a person said something in between', async () => {
    const talk = conversation('Run `ls`')
    await talk.next()
    talk.tell(ran(0))
    talk.say('Hurry up.')
    expect(await talk.next()).toMatchObject([{ tool: 'end_task' }])
  })

  it('is given the time-out of the settings', async () => {
    const talk = conversation('Run `ls`', { of: playbook({ playbooks, commandSeconds: 900 }) })
    expect(await talk.next()).toEqual([{ tool: 'use_terminal', input: { command: 'ls', timeout_seconds: 900 } }])
  })
})

describe('a list', () => {
  const goal = '1. Run `a`\n2. Then run `b`\n3. Think about c\n4. Run `a`'
  const subtask = (task_instruction: string, more: object = {}) => ({
    task_instruction,
    agent_type: 'generalist',
    title: task_instruction,
    workspace: 'shared',
    ...more,
  })

  it('starts each line word for word, in one call, side by side but for "Then"', async () => {
    expect(await conversation(goal).next()).toEqual([
      {
        tool: 'start_subtask',
        input: {
          subtasks: [subtask('Run `a`'), subtask('Then run `b`', { after: [0] }), subtask('Think about c'), subtask('Run `a`')],
          wait: true,
        },
      },
    ])
  })

  it('succeeds when all lines are done, and tells of each', async () => {
    const talk = conversation(goal)
    await talk.next()
    talk.tell(children(['done', 'one'], ['done', 'two'], ['done', 'three'], ['done', 'four']))
    const [end] = await talk.next()
    expect(end).toMatchObject({ tool: 'end_task', input: { status: 'success' } })
    expect(end!.input.result).toBe(
      '4 of 4 lines are done.\n\n## 1. Run `a`\n\n**done**\n\none\n\n## 2. Then run `b`\n\n**done**\n\ntwo\n\n## 3. Think about c\n\n**done**\n\nthree\n\n## 4. Run `a`\n\n**done**\n\nfour',
    )
  })

  it('fails when one line is not done, also when every line failed', async () => {
    const talk = conversation(goal)
    await talk.next()
    talk.tell({ text: children(['failed', 'no'], ['cancelled', 'not run'], ['dead', 'lost'], ['failed', 'no']), isError: true })
    expect(await talk.next()).toMatchObject([
      {
        tool: 'end_task',
        input: { status: 'failure', result: expect.stringMatching(/^0 of 4 lines are done\.[\s\S]*\*\*cancelled\*\*\n\nnot run/) },
      },
    ])
  })

  it('that cannot be started says why', async () => {
    const talk = conversation(goal)
    await talk.next()
    talk.tell({ text: 'Refused: the cap of 2 subtasks of one task is reached (4 subtasks of one task used).', isError: true })
    expect(await talk.next()).toMatchObject([
      { tool: 'end_task', input: { status: 'failure', result: expect.stringMatching(/^The 4 lines were not started\. Refused: the cap/) } },
    ])
  })

  it.each([25, 1_000])('of %d lines, more than a task may start, says what to do', async (n) => {
    const talk = conversation(Array.from({ length: n }, (_, i) => `- Run \`echo ${i}\``).join('\n'))
    const [call] = await talk.next()
    if (call!.tool === 'start_subtask') talk.tell({ text: 'Refused: the cap is reached.', isError: true })
    const [end] = call!.tool === 'end_task' ? [call] : await talk.next()
    expect(end).toMatchObject({
      tool: 'end_task',
      input: { status: 'failure', result: expect.stringMatching(new RegExp(`\\b${n} lines.*[Ss]plit the list`)) },
    })
  })

  it('tried again starts only what was not done, and reports on all lines', async () => {
    const talk = conversation(goal)
    await talk.next()
    talk.tell(children(['done', 'one'], ['failed', 'no'], ['done', 'three'], ['failed', 'no']))
    await talk.next()
    talk.tell('Recorded.')
    talk.say(`${TRY_AGAIN} They said: now it should work.`)
    expect(await talk.next()).toEqual([
      { tool: 'start_subtask', input: { subtasks: [subtask('Then run `b`'), subtask('Run `a`')], wait: true } },
    ])
    talk.tell(children(['done', 'two'], ['done', 'four']))
    const [end] = await talk.next()
    expect(end).toMatchObject({ input: { status: 'success', result: expect.stringMatching(/one[\s\S]*two[\s\S]*three[\s\S]*four/) } })
  })

  it('tried again lets a line wait only for one that also runs again', async () => {
    const talk = conversation('- Run `a`\n- Run `b`\n- Then run `c`\n- Then run `d`')
    await talk.next()
    talk.tell(children(['failed', 'no'], ['done', 'two'], ['failed', 'no'], ['cancelled', 'not run']))
    await talk.next()
    talk.tell('Recorded.')
    expect((await talk.next())[0]!.input.subtasks).toEqual([
      subtask('Run `a`'),
      subtask('Then run `c`'),
      subtask('Then run `d`', { after: [1] }),
    ])
  })

  it('tried again after it was stopped halfway starts anew what was not done', async () => {
    const talk = conversation(goal)
    await talk.next()
    talk.tell({ text: 'Stopped by a person.', isError: true })
    talk.say(`${TRY_AGAIN} What you did so far is above.`)
    expect((await talk.next())[0]!.input.subtasks).toHaveLength(4)
  })

  it('of long results gives a result that end_task takes, with every fence closed', async () => {
    const talk = conversation(Array.from({ length: 20 }, (_, i) => `- Run \`${i}\``).join('\n'))
    await talk.next()
    talk.tell(children(...Array.from({ length: 20 }, (): [string, string] => ['done', `\`\`\`text\n${'word\n'.repeat(1_600)}\`\`\``])))
    const result = String((await talk.next())[0]!.input.result)
    expect(result.length).toBeLessThan(100_000)
    expect(result.match(/^```/gm)!.length % 2).toBe(0)
    expect(result).toContain('## 20. ')
  })
})

describe('what needs judgement', () => {
  const goal = 'Which of these names suits a tea shop best?'

  it('is asked of a person, plainly, with the three ways on', async () => {
    const [call] = await conversation(goal).next()
    expect(call).toMatchObject({ tool: 'flag_for_review', input: { question: true } })
    expect(call!.input.issue).toBe(
      `This needs judgement, and no model is connected: “${goal}”.\n\nAdd the key of a model (Settings, Models) and retry the task, or answer here yourself. Your answer becomes the result, word for word.`,
    )
  })

  it('ends with the person’s answer as it was given', async () => {
    const talk = conversation(goal)
    await talk.next()
    talk.tell('Leaf & Kettle.\n\n- because')
    expect(await talk.next()).toEqual([{ tool: 'end_task', input: { status: 'success', result: 'Leaf & Kettle.\n\n- because' } }])
  })

  it('fails with the person’s words when they will not answer', async () => {
    const talk = conversation(goal)
    await talk.next()
    talk.tell({ text: 'The person will not answer this. They said: not now.', isError: true })
    expect(await talk.next()).toEqual([
      { tool: 'end_task', input: { status: 'failure', result: 'The person will not answer this. They said: not now.' } },
    ])
  })

  test.each([
    'Run `a` and tell me what you think',
    'Make an inventory of my wine cellar',
    'Count the files below `a` and delete them',
    '1. a\n2. b\nbut not both',
    '- a',
  ])('%j is not half understood', async (text) => {
    expect((await conversation(text).next())[0]!.tool).toBe('flag_for_review')
  })
})

describe('a person who asks to stop', () => {
  it('gets what was done so far', async () => {
    const talk = conversation('Run `make` (retry 3)')
    await talk.next()
    talk.tell(ran(2))
    expect(await talk.next({ stopping: true })).toEqual([
      { tool: 'end_task', input: { status: 'failure', result: 'Stopped by a person. Done so far:\n\n- `make`: exit code 2' } },
    ])
  })
  it('is told when nothing was done', async () => {
    expect(await conversation('Run `make`').next({ stopping: true })).toMatchObject([
      { tool: 'end_task', input: { status: 'failure', result: 'Stopped by a person before anything was done.' } },
    ])
  })
})

/** Works a task and all below it with the real tools in a real folder. */
function world() {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'banyan-playbook-')))
  const files = workspaceFiles(folder)
  const exec = localExec({ environment: { PATH: '/usr/local/bin:/usr/bin:/bin' } })
  const signal = new AbortController().signal
  const questions: string[] = []
  type Ended = {
    status: 'success' | 'failure'
    result: string
    evidence: Evidence[]
    checked: CheckedEvidence[]
    children: { instruction: string; ended: Ended | null }[]
  }

  async function work(instruction: string): Promise<Ended> {
    const talk = conversation(instruction)
    const below: Ended['children'] = []
    const typed = commandOf(instruction)
    for (let turn = 0; turn < 50; turn++) {
      let ended: Ended | null = null
      const answers: Told[] = []
      for (const call of await talk.next()) {
        let specs: SubtaskSpec[] = []
        let asked = ''
        const all = {
          files,
          exec: { run: (command: Command) => exec.run({ ...command, cwd: command.cwd ?? folder }, signal) },
          origin: { typedByPerson: (command: string) => ({ typed: typed?.command === command, once: false }) },
          subtasks: {
            start: async (given: SubtaskSpec[]) => {
              specs = given
              return { ids: [] }
            },
          },
          ending: {
            end: async (end: Omit<Ended, 'checked' | 'children'>) => {
              ended = { ...end, checked: await checkEvidence(files, end.evidence), children: below }
              return { ok: true }
            },
          },
          reviews: {
            open: async ({ title }: { title: string }) => {
              asked = title
              return { id: 'r' }
            },
          },
        } as unknown as Capabilities
        const tool = TOOLS.find(({ name }) => name === call.tool)!
        const context = { id: 'c', attempt: 1, signal, task: { title: 't', instruction: 'What the goal says.' } } as Call
        expect(tool.permit(call.input, context, all)).toBe('allow')
        const outcome: Outcome = await tool.call(call.input, context, all)
        if (outcome.kind === 'answer') answers.push(outcome)
        if (outcome.kind === 'ended') return ended!
        if (asked) {
          questions.push(asked)
          answers.push({ text: 'a person’s answer' })
        }
        if (specs.length > 0) answers.push({ text: writeChildren(await workAll(specs, below)) })
      }
      talk.tell(...answers)
    }
    throw new Error(`no end: ${instruction}`)
  }
  async function workAll(specs: readonly SubtaskSpec[], below: Ended['children']): Promise<ChildAnswer[]> {
    expect(specs.length).toBeLessThanOrEqual(20)
    const answers: ChildAnswer[] = []
    for (const [i, { instruction, title = '', after = [], workspace }] of specs.entries()) {
      expect(workspace).toBe('shared')
      const skipped = after.some((position) => answers[position]!.status !== 'done')
      const ended = skipped ? null : await work(instruction)
      below.push({ instruction, ended })
      const status = skipped ? 'cancelled' : ended!.status === 'success' ? 'done' : 'failed'
      answers.push({ id: `t.1a${i}`, title, status, summary: ended?.result ?? 'not run' })
    }
    return answers
  }
  return {
    folder,
    questions,
    work,
    put(path: string, content = 'x') {
      mkdirSync(dirname(join(folder, path)), { recursive: true })
      writeFileSync(join(folder, path), content)
    },
    async end() {
      await exec.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

describe('with the real tools', () => {
  let here: ReturnType<typeof world>
  beforeEach(() => {
    here = world()
  })
  afterEach(() => here.end())
  const report = () => readFileSync(join(here.folder, 'report.md'), 'utf8')

  describe('an inventory', () => {
    it('counts each folder in a subtask of its own and rolls the counts up into report.md', async () => {
      here.put('x/read me.md', '12345')
      here.put('x/src/a.ts', '123')
      here.put('x/src/deep/b.ts', '1234')
      here.put('x/src/c.TS', '1')
      here.put('x/notes/LICENSE', '12')
      mkdirSync(join(here.folder, 'x/empty'))
      const ended = await here.work('Make an inventory of the folder `x`.')
      expect(ended).toMatchObject({ status: 'success', checked: [{ kind: 'file', path: 'report.md', ok: true }] })
      expect(ended.children.map((child) => child.instruction)).toEqual([
        'Count the files below `x/empty`',
        'Count the files below `x/notes`',
        'Count the files below `x/src`',
      ])
      expect(ended.children[2]!.ended!.result).toBe(
        'Files: 3. Bytes: 8.\n\n| folder | files | bytes | largest | kinds |\n| --- | ---: | ---: | --- | --- |\n| `x/src` | 3 | 8 | `deep/b.ts` (4) | ts 3 |',
      )
      expect(report()).toBe(
        [
          '# Inventory of `x`',
          '',
          'Files: 5. Bytes: 15. Folders directly in it: 3.',
          '',
          '| folder | files | bytes | largest | kinds | note |',
          '| --- | ---: | ---: | --- | --- | --- |',
          '| `x` | 1 | 5 | `read me.md` (5) | md 1 | only what lies directly in it |',
          '| `x/empty` | 0 | 0 |  |  |  |',
          '| `x/notes` | 1 | 2 | `LICENSE` (2) | none 1 |  |',
          '| `x/src` | 3 | 8 | `deep/b.ts` (4) | ts 3 |  |',
        ].join('\n'),
      )
      expect(ended.result).toBe(`${report()}\n\nThis report is in \`report.md\`.`)
    })

    it('of a folder without folders needs no subtask', async () => {
      here.put('a.txt')
      const ended = await here.work('inventory of .')
      expect(ended).toMatchObject({ status: 'success', children: [] })
      expect(report()).toMatch(/^# Inventory of `\.`\n\nFiles: 1\. Bytes: 1\. Folders directly in it: 0\./)
    })

    it('of a folder that is not there fails and says so', async () => {
      expect(await here.work('Inventory of the folder `nope`')).toMatchObject({
        status: 'failure',
        result: 'There is no "nope" in the workspace.',
      })
      expect(existsSync(join(here.folder, 'report.md'))).toBe(false)
    })

    it('counts folders whatever they are called', async () => {
      const names = [
        'with space',
        ' edge ',
        'back`tick',
        '``two',
        'pi|pe',
        'and',
        'a, b',
        '日本語 🌳',
        "quo'te",
        '"dq"',
        '{brace}',
        '*star*',
        '-dash',
        '.hidden',
        'a. ',
        'x` and `y',
      ]
      for (const [i, name] of names.entries()) here.put(`x/${name}/f.txt`, 'y'.repeat(i + 1))
      const ended = await here.work('Inventory of the folder `x`')
      expect(ended.status).toBe('success')
      const rows = readTables(report()).slice(1)
      expect(new Map(rows.map((row) => [codeSpans(String(row.folder))[0], row.bytes]))).toEqual(
        new Map(names.map((name, i) => [`x/${name}`, String(i + 1)])),
      )
    })

    it('of many folders stays within 20 subtasks and still counts every folder', async () => {
      for (let i = 0; i < 57; i++) here.put(`x/f${String(i).padStart(2, '0')}/a.txt`, 'y'.repeat(i))
      const ended = await here.work('Inventory of the folder `x`')
      expect(ended.status).toBe('success')
      expect(ended.children).toHaveLength(20)
      expect(ended.children[0]!.instruction).toBe('Count the files below `x/f00`, `x/f01`')
      expect(report()).toContain(`Files: 57. Bytes: ${(56 * 57) / 2}. Folders directly in it: 57.`)
      expect(readTables(report())).toHaveLength(58)
    })

    it('that cannot count a folder reports the others and ends as a failure', async () => {
      here.put('x/good/a.txt')
      here.put('x/bad\\slash/a.txt')
      const ended = await here.work('Inventory of the folder `x`')
      expect(ended.status).toBe('failure')
      expect(report()).toMatch(/`x\/good` \| 1 \| 1[\s\S]*- `Count x\/bad\\slash`: no table came of it: .*backslash/)
    })

    it('that is shown not all of its folders does not claim to be whole', async () => {
      for (let i = 0; i < 510; i++) mkdirSync(join(here.folder, `x/f${i}`), { recursive: true })
      const ended = await here.work('Inventory of the folder `x`')
      expect(ended.status).toBe('failure')
      expect(ended.result).toMatch(/not all of its folders could be shown/)
    })

    it('names folders that it did not look into', async () => {
      here.put('x/app/.git/HEAD')
      here.put('x/app/a.ts')
      expect((await here.work('Inventory of the folder `x`')).result).toMatch(/`x\/app` \| 1 \| 1 .* not opened: x\/app\/\.git\//)
    })

    it('can be one line of a list', async () => {
      here.put('x/a/b.txt')
      const ended = await here.work('1. Run `mkdir -p x/c`\n2. Then make an inventory of `x`')
      expect(ended.status).toBe('success')
      expect(report()).toContain('Folders directly in it: 2')
    })
  })

  describe('the example', () => {
    const goals = new Map<string, Awaited<ReturnType<typeof readGoals>>[number]>()
    beforeEach(async () => {
      for (const goal of await readGoals(join(ROOT, 'seeds/goals'))) goals.set(goal.name, goal)
    })

    it('inventory takes stock of the folders that it brings', async () => {
      const { goal, copy } = goals.get('inventory')!
      for (const name of copy)
        await cp(join(ROOT, name), join(here.folder, name), { recursive: true, filter: (path) => !/node_modules|dist/.test(path) })
      const ended = await here.work(goal)
      expect(ended).toMatchObject({ status: 'success', checked: [{ ok: true }] })
      expect(ended.children.map((child) => child.instruction)).toEqual([...copy].sort().map((name) => `Count the files below \`${name}\``))
    })

    it('commands fails once, is tried again, and leaves machine.md behind', async () => {
      const ended = await here.work(goals.get('commands')!.goal)
      expect(ended.status, ended.result).toBe('success')
      expect(readFileSync(join(here.folder, 'machine.md'), 'utf8')).toMatch(/^# This machine\n\n- Linux|^# This machine\n\n- \w+/)
      expect(ended.children[2]!.ended!.result).toMatch(/exit code 0, attempt 2 of 3[\s\S]*Attempt 1: exit code 1/)
      expect(here.questions).toEqual([])
    })

    it('judgement asks', async () => {
      const ended = await here.work(goals.get('judgement')!.goal)
      expect(ended).toMatchObject({ status: 'success', result: 'a person’s answer' })
      expect(here.questions).toEqual([expect.stringMatching(/^This needs judgement, and no model is connected: /)])
    })
  })
})

describe('a playbook file', () => {
  const file = (steps: string, trigger = 'do (?P<what>.+)') =>
    `name: demo\ndescription: A demonstration.\ntrigger: '${trigger}'\nsteps:\n${steps.replace(/^/gm, '  ')}\n`
  const END = '- { end: success, result: Done. }'
  const problem = (text: string): string => {
    try {
      readPlaybook(text, 'demo.yml')
      return 'no fault'
    } catch (error) {
      return (error as Error).message
    }
  }

  test.each([
    ['a field too many', `${file(END)}colour: red\n`, 'demo.yml: the field colour is unknown; remove it or mend its spelling.'],
    ['a missing field', 'name: demo\n', /^demo\.yml: the field description is not right/],
    ['YAML that is none', 'name: [demo', /^demo\.yml: its YAML cannot be read/],
    ['a trigger that is no expression', file(END, '(?P<what>.+'), /^demo\.yml: the trigger is no RE2 expression .*missing closing \)/],
    [
      'a trigger with a back-reference',
      file(END, '(a)\\1'),
      /^demo\.yml: the trigger is no RE2 expression .*back-references do not exist here\.$/,
    ],
    [
      'a step with no word',
      file(`- { say: hello }\n${END}`),
      'demo.yml: step 1: a step has exactly one of the words call, start, text, end.',
    ],
    [
      'a step with two words',
      file(`- { call: list_files, text: x }\n${END}`),
      'demo.yml: step 1: a step has exactly one of the words call, start, text, end.',
    ],
    ['a step that is a text', file(`- hello\n${END}`), 'demo.yml: step 1: a step has exactly one of the words call, start, text, end.'],
    [
      'a misspelt field',
      file(`- { call: list_files, kep: x }\n${END}`),
      'demo.yml: step 1 (call): the field kep is unknown; remove it or mend its spelling.',
    ],
    ['no end', file('- { text: hello, keep: x }'), 'demo.yml: step 1: the last step, and only the last, must be an end.'],
    ['an early end', file(`${END}\n${END}`), 'demo.yml: step 1: the last step, and only the last, must be an end.'],
    [
      'a name that nothing has',
      file("- { end: success, result: '{that}' }"),
      'demo.yml: step 1 (end): nothing is named that here; there is what.',
    ],
    [
      'a name used before it is kept',
      file(`- { text: '{x}', keep: x }\n${END}`),
      'demo.yml: step 1 (text): nothing is named x here; there is what.',
    ],
    [
      'a name used twice',
      file(`- { text: a, keep: what }\n${END}`),
      'demo.yml: step 1 (text): the name what is taken; keep it under another.',
    ],
    [
      'a filter that does not exist',
      file("- { end: success, result: '{what | shout}' }"),
      /^demo\.yml: step 1 \(end\): there is no filter shout; there is bare, code,/,
    ],
    [
      'a filter on the wrong kind',
      file("- { end: success, result: '{what | sum bytes}' }"),
      'demo.yml: step 1 (end): the filter sum takes rows of a table, not a text.',
    ],
    [
      'a filter without its word',
      file("- { call: list_files, keep: x }\n- { end: success, result: '{x | rows | sum}' }"),
      'demo.yml: step 2 (end): the filter sum takes one word after it.',
    ],
    [
      'answers where text belongs',
      file("- { call: list_files, keep: x }\n- { end: success, result: '{x}' }"),
      /^demo\.yml: step 2 \(end\): \{x\} is answers .*which is no text; end it with a filter such as table or count\.$/,
    ],
    [
      'a brace that means nothing',
      file("- { end: success, result: '{a b}' }"),
      'demo.yml: step 1 (end): {a b} is not of the form {name | filter}; write {{ for a brace.',
    ],
    [
      'a for_each over a text',
      file(`- { call: list_files, for_each: 'x of {what}' }\n${END}`),
      'demo.yml: step 1 (call): {what} is no list of texts; end it with a filter such as lines or folders.',
    ],
    [
      'a for_each in other words',
      file(`- { call: list_files, for_each: '{what | lines}' }\n${END}`),
      'demo.yml: step 1 (call): for_each must be of the form "name of {list}".',
    ],
    [
      'a call that ends the task',
      file(`- { call: end_task }\n${END}`),
      'demo.yml: step 1 (call): end_task has a step word of its own; write end instead.',
    ],
  ])('with %s is refused in one sentence', (_, text, sentence) => {
    if (typeof sentence === 'string') expect(problem(text)).toBe(sentence)
    else expect(problem(text)).toMatch(sentence)
  })

  it('may use the filters that the page on playbooks tells of, and no others', () => {
    const known = /there is (bare, .*)\.$/.exec(problem(file("- { end: success, result: '{what | shout}' }")))![1]!.split(', ')
    const page = readFileSync(join(ROOT, 'seeds/playbooks/README.md'), 'utf8')
    const told = [...page.slice(page.indexOf('| filter |')).matchAll(/^\| (`[^|]+) \|/gm)].flatMap((row) => codeSpans(row[1]!))
    expect(told.map((name) => name.split(' ')[0]).sort()).toEqual(known.sort())
  })

  it('must be called after what is in it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'banyan-playbooks-'))
    await writeFile(join(folder, 'other.yml'), file(END))
    await expect(readPlaybooks(folder)).rejects.toThrow('other.yml: the field name is demo, but by its place it must be other.')
    await rm(folder, { recursive: true })
    await expect(readPlaybooks(folder)).rejects.toThrow(/cannot be read \(ENOENT\)/)
  })

  const single = (text: string) => playbook({ playbooks: [readPlaybook(text, 'demo.yml')] })

  it('is for the whole instruction only, whatever its case, and takes its words from it', async () => {
    const of = single(file("- { call: write_file, with: { path: a, content: '{{{what}}' } }\n- { end: success, result: '{what}' }"))
    expect(await conversation('DO it now', { of }).next()).toEqual([{ tool: 'write_file', input: { path: 'a', content: '{it now}' } }])
    expect((await conversation('please do it', { of }).next())[0]!.tool).toBe('flag_for_review')
  })

  it('goes on where some calls of a step failed, and ends where all did', async () => {
    const of = single(
      file(
        "- { call: list_files, for_each: 'x of {what | lines}', with: { path: '{x}' }, keep: told }\n- { end: '{told | status}', result: '{told | count}' }",
      ),
    )
    for (const [last, end] of [
      [
        { text: 'no b', isError: true },
        { status: 'failure', result: '- a: no a\n- b: no b' },
      ],
      [{ text: '0 files (0 bytes), 0 folders in b · depth 3' }, { status: 'failure', result: '2' }],
    ] as const) {
      const talk = conversation('do a\nb', {
        of: single(
          file(
            "- { call: list_files, for_each: 'x of {what | lines}', with: { path: '{x}' }, keep: told }\n- { end: '{told | status}', result: '{told | count}' }",
            '(?s)do (?P<what>.+)',
          ),
        ),
      })
      expect(await talk.next()).toEqual(['a', 'b'].map((path) => ({ tool: 'list_files', input: { path } })))
      talk.tell({ text: 'no a', isError: true }, last)
      expect(await talk.next()).toEqual([{ tool: 'end_task', input: end }])
    }
    expect((await conversation('do a', { of }).next())[0]!.tool).toBe('list_files')
  })

  it('that was changed while a task ran ends the task instead of guessing', async () => {
    const before = single(file(`- { call: list_files }\n${END}`))
    const after = single(file(`- { call: write_file, with: { path: a, content: b } }\n${END}`))
    const talk = conversation('do it', { of: before })
    await talk.next()
    talk.tell('0 files (0 bytes), 0 folders in . · depth 3')
    const reply = await ask(request('do it', talk.messages), after)
    expect(reply.calls).toMatchObject([
      {
        tool: 'end_task',
        input: { status: 'failure', result: expect.stringMatching(/^The playbook demo was changed while this task ran/) },
      },
    ])
  })

  it('with several sets of subtasks takes each answer for its own, also when the first is known from an earlier try', async () => {
    const two = single(
      file(
        "- { start: 'first {x}', for_each: 'x of {what | lines}', keep: a }\n- { start: 'second {y}', for_each: 'y of {what | lines}', keep: b }\n- { end: '{a + b | status}', result: '{a | rows | sum n} {b | rows | sum n}' }",
      ),
    )
    const table = (n: number) => children(['done', `| n |\n| ---: |\n| ${n} |`])
    const talk = conversation('do it', { of: two })
    await talk.next()
    talk.tell(table(1))
    await talk.next()
    talk.tell({ text: children(['failed', 'no']), isError: true })
    expect(await talk.next()).toMatchObject([{ tool: 'end_task', input: { status: 'failure', result: 'no' } }])
    talk.tell('Recorded.')
    talk.say(TRY_AGAIN)
    expect(await talk.next()).toMatchObject([{ tool: 'start_subtask', input: { subtasks: [{ task_instruction: 'second it' }] } }])
    talk.tell(table(2))
    expect(await talk.next()).toMatchObject([{ tool: 'end_task', input: { status: 'success', result: '1 2' } }])
  })

  it('answers in time linear in the instruction, however its trigger is made', async () => {
    const of = single(file(END, '(a+)+b'))
    const start = performance.now()
    expect((await conversation('a'.repeat(20_000), { of }).next())[0]!.tool).toBe('flag_for_review')
    expect(performance.now() - start).toBeLessThan(5_000)
  })
})

describe('Markdown that rules write', () => {
  const text = fc.string({ unit: 'binary' })
  it('holds names as code that can be read back', () => {
    const name = fc
      .array(fc.oneof(text, fc.constantFrom('`', '``', ' ')), { minLength: 1, maxLength: 5 })
      .map((pieces) => pieces.join(''))
      .filter((all) => all.trim() !== '')
    fc.assert(
      fc.property(fc.array(name, { minLength: 1, maxLength: 4 }), (names) => {
        expect(codeSpans(names.map(codeSpan).join(', '))).toEqual(names)
      }),
      { numRuns: 2_000 },
    )
  })
  it('holds tables that can be read back', () => {
    const cell = fc.oneof(text, fc.constantFrom('|', '\\', '\\|', 'a\\')).map((all) => all.replace(/\n/g, ' ').trim())
    fc.assert(
      fc.property(fc.array(fc.record({ a: cell, b: cell, n: fc.nat() }), { minLength: 1, maxLength: 4 }), (rows) => {
        const filled = ['a', 'b', 'n'].filter((column) => rows.some((row) => row[column as 'a'] !== ''))
        const read = rows.map((row) => Object.fromEntries(filled.map((column) => [column, String(row[column as 'a'])])))
        expect(readTables(`Words.\n\n${writeTable(rows, ['a', 'b', 'n'])}\n\nMore.`)).toEqual(read)
      }),
      { numRuns: 2_000 },
    )
  })
  it('is cut between lines, and an open fence is closed', () => {
    expect(cutMarkdown('short', 10)).toBe('short')
    expect(cutMarkdown('```text\na\nb\nc\nd\n```\nlast words', 12)).toBe('```text\na\nb\n```\n_18 more characters are left out here._')
  })
})
