/**
 * What a crash run works on. Each scenario is one goal (or a few) whose agents are a function of the request, so that a run with kills can be
 * compared with one without. Effects are lines that commands add to a file: what happened twice is seen twice.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Budget } from '../../core/contract/limits.ts'
import type { Decision, Review } from '../../core/contract/review.ts'
import { isOver, type Task } from '../../core/contract/task.ts'
import type { ModelRequest } from '../../core/models/provider.ts'
import type { Control } from '../../core/tasks/control.ts'
import { answersIn, endWith, type Scripted, startAll } from '../testing/scripted.ts'
import { TALLY } from '../testing/tally-words.ts'
import type { OutsideCall, OutsideSees } from './outsider.ts'
import type { World } from './world.ts'

export type Act =
  | { kind: 'decide'; id: string; decision: Decision }
  | { kind: 'control'; taskId: string; ask: Omit<Control, 'by'> }
  /** Nothing more will be done: what is parked now stays parked. */
  | { kind: 'rest' }
  /** Look again after the next commit. */
  | { kind: 'wait' }

export type PersonSees = {
  tasks: readonly Task[]
  reviews: readonly Review[]
  /** Model replies that were saved. */
  replies: number
  /** Deaths so far that the scenario did not cause itself. */
  kills: number
  world: World
}

export type Scenario = {
  name: string
  goals: readonly { goal: string; budget?: Budget; mode?: 'step'; plan?: true }[]
  /** Outside agents work the goals, with what this decides. */
  outside?(sees: OutsideSees): OutsideCall
  /** Left out: the embedded playbook works the goals. */
  decide?(request: ModelRequest, world: World): Scripted | Promise<Scripted>
  judges?: boolean
  /** Its provider has limits of an account. */
  account?: string
  /** Called after each commit; by default a person does nothing. Must go by what it sees alone: it forgets everything with each kill. */
  person?(sees: PersonSees): Act
  /** How often each line may be in the files of effects: `once`: never twice. `again`: a command that was cut off is run again. */
  effects?: Readonly<Record<string, 'once' | 'again'>>
  /** What must have come of it, besides what must be true of every database. */
  check?(sees: PersonSees): string[]
  /** What must be equal to a run without kills: by default all that an outsider sees but times, costs and notes. `work`: the statuses, watchers left out. */
  compare?: 'statuses' | 'work' | 'nothing'
  /** Runs on an empty folder, so that migrations and seeds are killed too. */
  fromNothing?: true
  /** Deaths that the scenario causes itself. */
  deaths?: number
}

const call = (tool: string, input: object): Scripted => ({ calls: [{ tool, input }] })
const calls = (...list: [tool: string, input: object][]): Scripted => ({ calls: list.map(([tool, input]) => ({ tool, input })) })
/** The i-th answer so far decides the i-th step; after the last comes the end. */
const steps = (request: ModelRequest, ...list: Scripted[]): Scripted => list[answersIn(request).length] ?? list.at(-1)!
const open = (sees: PersonSees): readonly Review[] => sees.reviews.filter((review) => review.state === 'open')
const rootOf = (sees: PersonSees, n = 0): Task => sees.tasks.filter((task) => task.parentId === null)[n]!

const echo = (key: string): string => `echo ${key} >> effects.log`

/** What a careful person does about a call that was cut off: looks whether it happened, and has it run only if it did not. */
function careful(review: Review, world: World): Act | null {
  if (review.kind !== 'in_doubt') return null
  const { input } = review.action as { input: { command: string } }
  const key = /^echo (\S+)/.exec(input.command)![1]!
  return world.effects(key) > 0
    ? { kind: 'decide', id: review.id, decision: { decision: 'answer', comment: 'I looked: it happened.' } }
    : { kind: 'decide', id: review.id, decision: { decision: 'approve' } }
}

const tree: Scenario = {
  name: 'tree',
  // Exactly as many as the caps let in: what is done again after a kill must not count twice.
  goals: [{ goal: 'level 2', budget: { fanOut: 3, tasks: 13 } }],
  decide(request) {
    const level = Number(/level (\d)/.exec(request.task.instruction)![1])
    if (level === 0)
      return steps(
        request,
        call('write_file', { path: 'part.md', content: request.task.instruction }),
        endWith(`leaf: ${request.task.instruction}`, 'success', { evidence: [{ kind: 'file', path: 'part.md' }] }),
      )
    const parts = [1, 2, 3].map((i) => `part ${i} of ${request.task.instruction.replace(/level \d/, '')}, level ${level - 1}`)
    const answers = answersIn(request)
    const count = answers.at(-1)?.match(/^leaf|^three/gm)?.length
    const refused = answers[0]?.startsWith('Refused') ? ` (${answers[0]})` : ''
    const end = endWith(`three parts of level ${level - 1}: ${count}${refused}`)
    return level === 1
      ? steps(request, startAll(parts), end)
      : steps(request, startAll(parts, { wait: false }), call('wait_for_subtasks', {}), end)
  },
  check: (sees) => (rootOf(sees).result === 'three parts of level 1: 3' ? [] : [`the tree ended as ${rootOf(sees).result}`]),
}

const list: Scenario = {
  name: 'list',
  goals: [
    {
      goal: [
        '1. Run `echo a >> effects.log`',
        '2. Then run `echo b >> effects.log && test -e second || { touch second; exit 1; }` (retry 3)',
        '3. Run `false`',
        '4. Then run `echo never >> effects.log`',
        '5. Run `echo c >> effects.log` (once)',
      ].join('\n'),
    },
  ],
  effects: { a: 'again', b: 'again', c: 'once' },
  compare: 'statuses', // results tell how often a command was tried and which was cut off
  person(sees) {
    for (const review of open(sees)) {
      const act = careful(review, sees.world)
      if (act) return act
    }
    return { kind: 'rest' }
  },
  check: (sees) => [
    ...(sees.world.effects('never') === 0 ? [] : ['a line ran whose dependency had failed']),
    ...(sees.world.effects('a') >= 1 && sees.world.effects('b') >= 2 && sees.world.effects('c') === 1 ? [] : ['an effect is missing']),
    ...(rootOf(sees).status === 'failed' ? [] : [`a list with a failed line is ${rootOf(sees).status}`]),
  ],
}

const LONG = 'A sentence that makes this report longer than what needs no summary. '.repeat(20)
const judged: Scenario = {
  name: 'judged',
  goals: [{ goal: 'Write the report' }],
  judges: true,
  decide(request) {
    const { kind, instruction } = request.task
    const answers = answersIn(request)
    if (kind === 'evaluate') {
      const passed = instruction.includes('MENDED')
      return call('end_task', {
        status: 'success',
        result: 'judged',
        verdict: { passed, reasons: passed ? 'all is there' : 'the word MENDED is missing' },
      })
    }
    if (kind === 'summarize') return endWith('The report, in short.')
    if (kind === 'document')
      return steps(
        request,
        call('add_document', { name: 'learnt', description: 'What was learnt.', content: 'Write MENDED.', replace: true }),
        endWith('One document saved.'),
      )
    if (instruction === 'Write the report')
      return call('start_subtask', { task_instruction: 'Write the whole report', agent_type: 'generalist', handover: true })
    const sentBack = request.messages.some((m) => m.role === 'user' && m.text.includes('did not accept'))
    const end = endWith(`${sentBack ? 'MENDED. ' : ''}${LONG}`, 'success', { evidence: [{ kind: 'file', path: 'report.md' }] })
    return answers.length === 0 ? call('write_file', { path: 'report.md', content: LONG }) : end
  },
  check: (sees) => [
    ...(rootOf(sees).status === 'done' && rootOf(sees).result?.startsWith('MENDED') && rootOf(sees).summary === 'The report, in short.'
      ? []
      : ['the report was not sent back once and then accepted']),
    ...(sees.tasks.length === 2 + 2 * 3 ? [] : [`${sees.tasks.length} tasks instead of 8: a watcher is missing or too many`]),
  ],
}

const review: Scenario = {
  name: 'review',
  goals: [{ goal: 'Ask before you act' }],
  decide: (request) =>
    steps(
      request,
      call('use_terminal', { command: echo('allowed') }),
      call('use_terminal', { command: echo('refused') }),
      calls(['flag_for_review', { issue: 'Something is odd.' }], ['flag_for_review', { issue: 'Left or right?', question: true }]),
      {},
      endWith(`they said: ${answersIn(request).at(-1)}`),
    ),
  effects: { allowed: 'once' },
  person(sees) {
    for (const item of open(sees)) {
      const act = careful(item, sees.world)
      if (act) return act
      if (item.kind === 'question') return { kind: 'decide', id: item.id, decision: { decision: 'answer', comment: 'left' } }
      if (item.kind === 'permission') {
        const { command } = item.action as { command: string }
        return { kind: 'decide', id: item.id, decision: { decision: command === echo('allowed') ? 'approve' : 'reject' } }
      }
    }
    return { kind: 'rest' }
  },
  check: (sees) => [
    ...(rootOf(sees).result === 'they said: left' ? [] : [`the person's answer did not arrive: ${rootOf(sees).result}`]),
    ...(sees.world.effects('allowed') === 1 ? [] : ['the command that was allowed did not run']),
    ...(sees.world.effects('refused') === 0 ? [] : ['a command ran that a person refused']),
    ...(open(sees).filter((item) => item.kind === 'flag').length === 1 ? [] : ['the flag is not in the queue once, open']),
  ],
}

const once: Scenario = {
  name: 'once',
  goals: [{ goal: 'Run `echo typed >> effects.log; sleep 0.05` (once)' }],
  decide: (request) =>
    steps(
      request,
      calls(
        ['list_files', {}],
        ['use_terminal', { command: 'echo typed >> effects.log; sleep 0.05' }],
        ['list_files', {}],
        ['write_file', { path: 'after.md', content: 'after' }],
      ),
      {},
      {},
      {},
      endWith('ran'),
    ),
  effects: { typed: 'once' },
  person(sees) {
    for (const item of open(sees)) {
      const act = careful(item, sees.world)
      if (act) return act
    }
    return { kind: 'rest' }
  },
  check: (sees) => [
    ...(rootOf(sees).status === 'done' ? [] : [`it ended as ${rootOf(sees).status}`]),
    ...(sees.world.effects('typed') === 1 ? [] : ['the effect is missing']),
  ],
}

const faults: Scenario = {
  name: 'faults',
  goals: [{ goal: 'parent' }],
  decide(request, world) {
    const { instruction, id } = request.task
    if (instruction === 'parent')
      return steps(request, startAll(['waits', 'is refused', 'is well']), endWith(answersIn(request).at(-1) ?? ''))
    const tries = world.asked(id)
    if (instruction === 'waits' && tries <= 2) return { kind: 'later', message: 'busy', retryAfterMs: 40 }
    if (instruction === 'is refused' && tries <= 1) return { kind: 'refused', message: 'the key is wrong' }
    return endWith(`${instruction}: done`)
  },
  person(sees) {
    const item = open(sees).find((one) => one.kind === 'dead_task')
    return item ? { kind: 'decide', id: item.id, decision: { decision: 'approve' } } : { kind: 'rest' }
  },
  check: (sees) => (sees.tasks.every((task) => task.status === 'done') ? [] : ['a task was lost to a fault of the provider']),
}

const limits: Scenario = {
  name: 'limits',
  goals: [{ goal: 'parent' }],
  account: 'somebody',
  decide(request, world) {
    const { instruction, treeId } = request.task
    if (instruction === 'parent') return steps(request, startAll(['a', 'b', 'c', 'd', 'e']), endWith(answersIn(request).at(-1) ?? ''))
    // The first two calls of the parts meet the limit, whoever makes them.
    if (world.asked('', treeId) <= 3) return { kind: 'later', limit: 'rate', message: 'the limit is used up', retryAfterMs: 60 }
    return endWith(`${instruction}: done`)
  },
  compare: 'statuses',
  check: (sees) => (sees.tasks.every((task) => task.status === 'done') ? [] : ['a task was lost to a limit of the provider']),
}

const poison: Scenario = {
  name: 'poison',
  goals: [{ goal: 'parent' }],
  deaths: 3,
  async decide(request, world) {
    const { instruction } = request.task
    if (instruction === 'parent')
      return steps(request, startAll(['poison', 'neighbour 1', 'neighbour 2']), endWith(answersIn(request).at(-1) ?? ''))
    if (instruction === 'poison') {
      await sleep(60)
      return world.die()
    }
    await sleep(120) // still at work when the poison acts
    return endWith(`${instruction}: done`)
  },
  check: (sees) => {
    const poisoned = sees.tasks.find((task) => task.title === 'poison')!
    const neighbours = sees.tasks.filter((task) => task.title.startsWith('neighbour'))
    return [
      ...(poisoned.status === 'dead' ? [] : [`the poison is ${poisoned.status}`]),
      ...(sees.world.asked(poisoned.id) <= 3 ? [] : [`the poison ran ${sees.world.asked(poisoned.id)} times`]),
      ...(open(sees).some((item) => item.kind === 'dead_task' && item.taskId === poisoned.id) ? [] : ['nobody was told of the poison']),
      // The last attempt runs alone, so only a kill from outside can set a neighbour aside, and one at most.
      ...(neighbours.filter((task) => task.status !== 'done').length <= sees.kills
        ? []
        : [`taken down with the poison: ${neighbours.map((task) => `${task.title} is ${task.status}`).join(', ')}`]),
      ...(rootOf(sees).status === 'done' ? [] : [`its parent is ${rootOf(sees).status}`]),
    ]
  },
}

const CAP = 5
const caps: Scenario = {
  name: 'caps',
  compare: 'nothing', // a call that a kill cut off counts, so fewer tasks get their turn
  goals: [
    { goal: 'stays at its cap', budget: { turns: CAP } },
    { goal: 'gets more', budget: { turns: 3 } },
  ],
  decide: (request) =>
    request.task.instruction === 'gets more'
      ? steps(request, ...Array.from({ length: 5 }, () => call('list_agents', {})), endWith('enough'))
      : answersIn(request).length === 0 && request.task.instruction.split('+').length < 4
        ? startAll([1, 2].map((i) => `${request.task.instruction}+${i}`))
        : endWith('enough'),
  person(sees) {
    const second = rootOf(sees, 1)
    const item = open(sees).find((one) => one.kind === 'budget' && one.treeId === second?.treeId)
    return item ? { kind: 'decide', id: item.id, decision: { decision: 'approve', edit: { turns: 40 } } } : { kind: 'rest' }
  },
  check: (sees) => [
    ...(sees.world.asked('', rootOf(sees).treeId) <= CAP
      ? []
      : [`${sees.world.asked('', rootOf(sees).treeId)} calls were made under a cap of ${CAP}`]),
    ...(rootOf(sees).status !== 'done' &&
    open(sees).filter((item) => item.kind === 'budget' && item.treeId === rootOf(sees).treeId).length === 1
      ? []
      : ['the goal at its cap does not ask once']),
    ...(rootOf(sees, 1).result === 'enough' ? [] : ['the goal with the raised cap did not end']),
  ],
}

const stepwise: Scenario = {
  name: 'step',
  goals: [{ goal: 'one step at a time', mode: 'step' }],
  decide: (request) =>
    request.task.instruction === 'child'
      ? steps(request, call('list_agents', {}), endWith('child'))
      : steps(request, startAll(['child']), call('list_agents', {}), endWith('parent')),
  person(sees) {
    const paused = sees.tasks.find((task) => task.status === 'paused' && task.reason === 'step')
    return paused ? { kind: 'control', taskId: paused.id, ask: { verb: 'step' } } : { kind: 'rest' }
  },
  check: (sees) => [
    ...(rootOf(sees).result === 'parent' ? [] : [`step by step it ended as ${rootOf(sees).status}`]),
    ...(sees.world.steps() >= sees.replies ? [] : [`${sees.replies} turns ran after ${sees.world.steps()} steps`]),
  ],
}

const abort: Scenario = {
  name: 'abort',
  goals: [{ goal: 'parent' }],
  async decide(request) {
    const { instruction } = request.task
    if (instruction === 'parent') return startAll(['is done', 'asks', 'takes long'])
    if (instruction === 'asks') return call('flag_for_review', { issue: 'May I?', question: true })
    if (instruction === 'takes long') return call('use_terminal', { command: 'sleep 60' })
    return endWith('done')
  },
  person(sees) {
    const root = rootOf(sees)
    if (!root || isOver(root.status)) return { kind: 'rest' }
    const is = (title: string) => sees.tasks.find((task) => task.title === title)?.status
    return is('is done') === 'done' && is('asks') === 'waiting' && is('takes long') === 'waiting'
      ? { kind: 'control', taskId: root.id, ask: { verb: 'abort' } }
      : { kind: 'wait' }
  },
  check: (sees) => [
    ...sees.tasks
      .filter((task) => task.title !== 'is done' && !(task.status === 'cancelled' && task.stoppedByPerson))
      .map((task) => `"${task.title}" is ${task.status} after a person stopped it`),
    ...(open(sees).length === 0 ? [] : ['a stopped task still asks']),
  ],
}

/** Stopped while a turn and a command are really under way. */
const cut: Scenario = {
  name: 'cut',
  goals: [{ goal: 'Run `echo begun >> effects.log; sleep 60`' }],
  decide: (request) =>
    steps(request, call('use_terminal', { command: 'echo begun >> effects.log; sleep 60' }), endWith('it must never come to this')),
  effects: { begun: 'again' },
  person(sees) {
    const root = rootOf(sees)
    if (!root || isOver(root.status)) return { kind: 'rest' }
    return sees.world.effects('begun') > 0 ? { kind: 'control', taskId: root.id, ask: { verb: 'abort' } } : { kind: 'wait' }
  },
  check: (sees) =>
    rootOf(sees).status === 'cancelled' && rootOf(sees).stoppedByPerson ? [] : [`it is ${rootOf(sees).status} after a person stopped it`],
}

const help: Scenario = {
  name: 'help',
  goals: [{ goal: 'Needs help' }],
  decide(request) {
    const { kind } = request.task
    if (kind === 'breakdown') return endWith('1. one part')
    if (kind === 'context') return endWith('Use the guide.', 'success', { documents: ['environment'] })
    if (kind === 'tools') return endWith('Take this.', 'success', { tools: ['add_document'] })
    if (request.task.instruction === 'one part') return endWith('a part')
    return steps(
      request,
      call('break_down_task', { reasoning: 'It is large.' }),
      call('request_context', { context_needed: 'Where am I?' }),
      call('request_tools', { tools_needed: 'Keep a note.' }),
      call('add_document', { name: 'note', description: 'A note.', content: 'Kept.' }),
      startAll(['one part']),
      endWith('helped'),
    )
  },
  check: (sees) => [
    ...(rootOf(sees).result === 'helped' && sees.tasks.length === 5 ? [] : [`${sees.tasks.length} tasks, ended as ${rootOf(sees).result}`]),
  ],
}

const first: Scenario = {
  name: 'first',
  fromNothing: true,
  goals: [{ goal: 'Run `echo first >> effects.log`' }],
  effects: { first: 'again' },
  compare: 'statuses', // the result says that it was cut off
  check: (sees) => (rootOf(sees).status === 'done' && sees.world.effects('first') >= 1 ? [] : [`it ended as ${rootOf(sees).status}`]),
}

/** A plan that is made with a planner's help, sent back once, approved, and asked about again where it says so. */
const plan: Scenario = {
  name: 'plan',
  compare: 'work', // a turn that was lost counts, and a task of so many turns is judged instead of being too small for it
  goals: [{ goal: 'Make the parts', plan: true }],
  judges: true,
  decide(request) {
    const { kind, instruction } = request.task
    if (kind === 'evaluate')
      return call('end_task', { status: 'success', result: 'judged', verdict: { passed: true, reasons: 'all is there' } })
    if (kind === 'summarize' || kind === 'document') return endWith('In short.')
    if (kind === 'breakdown')
      return steps(
        request,
        call('write_file', { path: 'effects.log', content: 'too-early\n' }),
        endWith('1. First (agent: `generalist`; after: none)\n   Do: part one\n2. Second (after: 1)\n   Do: part two'),
      )
    if (instruction.startsWith('part')) return endWith(`${instruction} is there`)
    const last = answersIn(request).at(-1) ?? ''
    return last.startsWith('A person asks for another plan')
      ? call('propose_plan', {
          items: ['one', 'two', 'three'].map((id, i, all) => ({
            id,
            title: id,
            instruction: `part ${id}`,
            after: i === 0 ? [] : [all[i - 1]],
            ...(id === 'two' ? { askMe: true } : {}),
          })),
        })
      : endWith(`made: ${(last.match(/ is there/g) ?? []).length}`)
  },
  effects: { 'too-early': 'once' },
  person(sees) {
    for (const item of open(sees)) {
      if (item.kind === 'question') return { kind: 'decide', id: item.id, decision: { decision: 'answer', comment: 'go on' } }
      if (item.kind !== 'plan') continue
      const { items } = item.action as { items: unknown[] }
      return {
        kind: 'decide',
        id: item.id,
        decision: items.length === 2 ? { decision: 'changes', comment: 'three' } : { decision: 'approve', actionHash: item.actionHash },
      }
    }
    return { kind: 'rest' }
  },
  check: (sees) => {
    const parts = sees.tasks.filter((task) => task.kind === 'work' && task.parentId !== null)
    return [
      ...(sees.world.effects('too-early') === 0 ? [] : ['something was written before the plan was approved']),
      ...(parts.length === 3 && parts.every((task) => task.status === 'done')
        ? []
        : [`${parts.length} parts instead of the three approved`]),
      ...(rootOf(sees).result === 'made: 3' ? [] : [`it ended as ${rootOf(sees).result}`]),
    ]
  },
}

/** A job that writes until it is killed, looked at, and begun anew by its agent when a restart has taken it. */
const TICK = 'echo begun >> effects.log; echo up; read -r word; echo "$word" >> effects.log'
const jobs: Scenario = {
  name: 'jobs',
  goals: [{ goal: `Run \`${TICK}\`` }],
  compare: 'nothing', // how often a kill took the job away shows in the answers, the names of jobs and the items of the queue
  effects: { begun: 'again', typed: 'again' },
  decide(request) {
    const last = answersIn(request).at(-1)
    if (last === undefined || /ended by a restart/.test(last)) return call('use_terminal', { command: TICK, background: true })
    const job = /^(?:Nothing was typed\.\n)?(job-\d+): (running|ended)/.exec(last)
    if (job?.[2] === 'running')
      return call('terminal_job', { job: job[1], action: 'write', text: 'typed\n', wait_for: 'end', wait_seconds: 20 })
    return endWith(/ended: exit code 0/.test(last) ? 'typed' : last)
  },
  person(sees) {
    const item = open(sees).find((one) => one.kind === 'permission' || one.kind === 'in_doubt')
    return item ? { kind: 'decide', id: item.id, decision: { decision: 'approve' } } : { kind: 'rest' }
  },
  check: (sees) => [
    ...(rootOf(sees).result === 'typed' ? [] : [`the job ended as ${rootOf(sees).result}`]),
    ...(sees.world.effects('begun') >= 1 && sees.world.effects('typed') >= 1 ? [] : ['an effect is missing']),
  ],
}

/** A helper makes a tool and hands it over; whoever asked calls it. A version is there whole or not at all, and there is one. */
const made: Scenario = {
  name: 'made',
  goals: [{ goal: 'Count the words' }],
  decide(request) {
    if (request.task.kind === 'tools')
      return steps(request, call('create_tool', TALLY), endWith('Made it.', 'success', { tools: [TALLY.name] }))
    const answers = answersIn(request)
    return steps(
      request,
      call('request_tools', { tools_needed: 'counting words' }),
      call(TALLY.name, { text: 'one two three' }),
      endWith(answers.at(-1) ?? ''),
    )
  },
  check: (sees) => (rootOf(sees).result === '{"words":3}' ? [] : [`the tool answered ${rootOf(sees).result}`]),
}

/** Outside agents claim, work and fall silent: what was taken is done once, and nothing stays with who is gone. */
const outside: Scenario = {
  name: 'outside',
  goals: [{ goal: 'Two parts from outside' }],
  compare: 'nothing', // which agent works what, and how often a lease ran out, is another each time
  effects: { left: 'once', right: 'once' },
  outside({ agent, instruction, answers }) {
    const end = (result: string, more: object = {}) => ({ tool: 'end_task', input: { status: 'success', result, ...more } })
    if (agent === 'task_evaluator') return end('judged', { verdict: { passed: true, reasons: 'all is there' } })
    if (agent !== 'generalist') return end('nothing to add')
    const side = /^side (\w+)$/.exec(instruction)?.[1]
    if (side !== undefined)
      return (
        [
          { tool: 'write_file', input: { path: `${side}.md`, content: side } },
          { tool: 'use_terminal', input: { command: echo(side) } },
        ][answers.length] ?? end(`${side} is done`)
      )
    const sides = ['left', 'right'].map((one) => ({ task_instruction: `side ${one}`, agent_type: 'generalist' }))
    return answers.length === 0 ? { tool: 'start_subtask', input: { subtasks: sides } } : end('both are done')
  },
  person(sees) {
    for (const item of open(sees)) {
      const act = careful(item, sees.world)
      if (act) return act
      if (item.kind === 'permission' || item.kind === 'dead_task') return { kind: 'decide', id: item.id, decision: { decision: 'approve' } }
    }
    return sees.tasks.length > 0 && sees.tasks.every((task) => isOver(task.status)) ? { kind: 'rest' } : { kind: 'wait' }
  },
  check: (sees) => [
    ...(rootOf(sees).status === 'done' && rootOf(sees).result === 'both are done'
      ? []
      : [`it ended as ${rootOf(sees).status}: ${rootOf(sees).result}`]),
    ...['left', 'right'].flatMap((side) =>
      sees.world.effects(side) === 1 ? [] : [`the effect of ${side} happened ${sees.world.effects(side)} times`],
    ),
    ...(sees.tasks.filter((task) => task.title.startsWith('side')).length === 2 ? [] : ['there are not two parts']),
  ],
}

export const SCENARIOS: readonly Scenario[] = [
  tree,
  list,
  judged,
  review,
  once,
  faults,
  limits,
  poison,
  caps,
  stepwise,
  abort,
  cut,
  help,
  plan,
  first,
  jobs,
  made,
  outside,
]
