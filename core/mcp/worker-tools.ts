/**
 * The tools of an outside agent: say what it can do, claim a task, work it. All state is in the arguments: a task, the lease on it, and the key
 * of a call. A call is kept before it is done, so a client that lost the answer asks again and nothing happens twice.
 */
import * as z from 'zod'
import type { Briefs } from '../agent/brief.ts'
import type { Event } from '../contract/event.ts'
import { Fault } from '../contract/fault.ts'
import { labelOf } from '../contract/label.ts'
import { isOver, type ReportedUsage, TASK_STATUSES, type Task } from '../contract/task.ts'
import type { Store } from '../store/store.ts'
import { type CallState, type Claimed, MOST_TASKS, type SentCall, wordsIn } from '../tasks/outside.ts'
import type { Tasks } from '../tasks/tasks.ts'
import type { Tool } from '../tool.ts'
import { waitUntil } from './follow.ts'
import { WAIT_SECONDS } from './operator-tools.ts'
import type { Answer, Call, McpTool } from './surface.ts'
import { briefText, endedText, goOnText, HOW_TO_ACT, newsText, toolText, waitingText } from './worker-words.ts'

export type WorkerDoors = {
  store: Store
  tasks: Tasks
  briefs: Briefs
  /** All tools there are, as they are now. */
  tools: ReadonlyMap<string, Tool>
  /** Refuses an address that nobody may be made to call. Absent: webhooks are off. */
  checkWebhook?(address: string): void
  /** With what the webhook of an agent is signed. */
  webhookSecret(agent: string): string
}

/** Tools of every agent that are tools of this server too, in the order in which clients list them. */
const CORE = ['break_down_task', 'start_subtask', 'wait_for_subtasks', 'request_context', 'request_tools', 'flag_for_review', 'end_task']
const DEFAULT_WAIT = 30

const text = z.string()
const id = z.string().min(1).max(300)
const Handles = {
  task_id: id.describe('The task, as claim_task told it'),
  lease: id.describe('Your claim on it, as claim_task told it'),
}
const Repeatable = {
  idempotency_key: z
    .string()
    .regex(/^[\x20-\x7e]{1,255}$/)
    .optional()
    .describe('Any word of yours for this call; the same word again is the same call and answers the same'),
  wait_seconds: z
    .number()
    .int()
    .min(0)
    .max(WAIT_SECONDS)
    .default(DEFAULT_WAIT)
    .describe('How long to wait for the answer before it is left to heartbeat'),
}
const tokens = z.number().int().min(0).max(1_000_000_000)
/** Where an agent calls for its task. */
const Sends = {
  ...Repeatable,
  usage: z
    .object({
      input_tokens: tokens.default(0),
      output_tokens: tokens.default(0),
      cache_read_tokens: tokens.default(0),
      cache_write_tokens: tokens.default(0),
      cost_dollars: z.number().min(0).max(100_000).default(0),
    })
    .strict()
    .optional()
    .describe('What your model used since your last call, where you know it; it counts against the caps of the goal'),
}
const usedOf = (told: z.output<typeof Sends.usage>): ReportedUsage | undefined =>
  told && {
    usage: {
      input: told.input_tokens,
      output: told.output_tokens,
      reasoning: 0,
      cacheRead: told.cache_read_tokens,
      cacheWrite: told.cache_write_tokens,
    },
    costMicros: Math.round(told.cost_dollars * 1_000_000),
  }
const CapShape = z.object({ used: z.number(), cap: z.number() })
const Worked = z.object({
  task_id: text,
  call: text.nullable().describe('Name of the call, for heartbeat'),
  state: z.enum(['answered', 'running', 'waiting_for_person', 'waiting_for_subtasks', 'not_begun', 'over', 'yours', 'given_back']),
  answer: text.nullable(),
  task_status: z.enum(TASK_STATUSES),
  label: text,
  messages: z.array(text).describe('What people and the system said to you since you heard of the task last'),
  next: text.nullable().describe('What to do now, where the answer does not say it'),
})
const ToolShape = z.object({ name: text, description: text, input_schema: z.record(text, z.unknown()) })
const MessageShape = z.object({ role: z.enum(['user', 'assistant', 'tool']), text }).loose()
const ClaimShape = z.object({
  claimed: z.boolean(),
  why_not: z.enum(['none', 'full', 'held']).nullable(),
  resumed: z.boolean().describe('It is yours already; only what happened since is told'),
  task_id: text.nullable(),
  goal_id: text.nullable(),
  parent_id: text.nullable(),
  title: text.nullable(),
  agent: text.nullable().describe('Whose part you have'),
  lease: text.nullable(),
  lease_until: text.nullable(),
  lease_seconds: z.number(),
  caps: z
    .object({ model_calls: CapShape, tasks: CapShape, seconds: CapShape, tokens: CapShape, dollars: CapShape })
    .nullable()
    .describe('Of the whole goal. Each call of yours is a model call; tokens and dollars are those of our models and those that you tell'),
  system: text.nullable(),
  messages: z.array(MessageShape),
  tools: z.array(ToolShape).describe('What the agent has; call them through call_tool unless they are tools of this server'),
  next: text.describe('What to do now'),
})

type Row<I extends z.ZodObject, O extends z.ZodObject> = Omit<McpTool, 'input' | 'schemas' | 'run' | 'scope'> & {
  input: I
  output: O
  run(input: z.output<I>, call: Call): Promise<Answer>
}
function tool<I extends z.ZodObject, O extends z.ZodObject>({ output, ...row }: Row<I, O>): McpTool {
  const input = row.input.strict()
  const schemas = { input: z.toJSONSchema(input, { io: 'input' }), output: z.toJSONSchema(output) }
  return { ...row, scope: 'work', input, schemas } as unknown as McpTool
}
const done = (data: Record<string, unknown>, words: string, isError = false): Answer => ({
  kind: 'done',
  data,
  text: words,
  ...(isError ? { isError } : {}),
})

export function workerTools(doors: WorkerDoors): McpTool[] {
  const { store, tasks, briefs } = doors
  const { outside } = tasks

  /** Sends a call and waits for what comes of it. */
  async function work(sending: Promise<SentCall>, wait: number, by: Call): Promise<Answer> {
    return answered(await sending, wait, by)
  }

  async function answered(sent: SentCall, wait: number, { by, signal, tell }: Call): Promise<Answer> {
    const settled = ({ state }: { state: CallState; task: Task }) =>
      state.kind === 'answered' || state.kind === 'dropped' || (state.kind === 'waits' && state.for === 'tasks' && wait <= DEFAULT_WAIT)
    const { treeId } = await tasks.task(sent.taskId)
    const found =
      (await waitUntil(
        store,
        treeId,
        async () => {
          const seen = await outside.look(sent)
          tell(labelOf(seen.task).word)
          return settled(seen) ? seen : null
        },
        { ms: wait * 1_000, signal },
      )) ?? (await outside.look(sent))
    const { state, task } = found
    const told = signal.aborted ? null : await outside.tell(by.name, state.kind === 'answered' ? sent : { taskId: sent.taskId })
    const messages = told === null ? [] : wordsIn(await newer(sent.taskId, told))
    const data = { task_id: sent.taskId, call: sent.key, task_status: task.status, label: labelOf(task).word, messages }
    const said = messages.length > 0 ? ['Said to you meanwhile:', ...messages] : []
    if (state.kind === 'answered') {
      const ends = isOver(task.status) || task.reason === 'closing'
      const next = ends ? endedText(task) : null
      const words = [state.text, ...(next === null ? [] : [next]), ...said].join('\n\n')
      return done({ ...data, state: 'answered', answer: state.text, next }, words, state.isError)
    }
    if (state.kind === 'dropped') {
      const words = `This call was not done: the task is over (${state.status}${state.note ? `: ${state.note}` : ''}). Go on with claim_task.`
      return done({ ...data, state: 'over', answer: null, next: words }, words, true)
    }
    const next = waitingText(state, sent.key, task)
    const words = [next, ...said].join('\n\n')
    const named = { running: 'running', queued: 'not_begun', waits: 'waits' }[state.kind]
    const shown = state.kind === 'waits' ? (state.for === 'review' ? 'waiting_for_person' : 'waiting_for_subtasks') : named
    return done({ ...data, state: shown, answer: null, next }, words)
  }
  const newer = async (taskId: string, { since, upTo }: { since: number; upTo: number }) =>
    since >= upTo ? [] : (await briefs.since(taskId, since)).filter((message) => message.n <= upTo)

  /** A tool that every agent has, as it is, with the handles beside its own arguments. */
  function coreTool(name: string): McpTool {
    const own = doors.tools.get(name)
    if (!own) throw new Error(`there is no tool ${name} for outside agents to have`)
    const { properties = {}, required = [] } = own.inputSchema as { properties?: object; required?: string[] }
    const input = z.looseObject({ ...Handles, ...Sends })
    const handles = z.toJSONSchema(z.object({ ...Handles, ...Sends }), { io: 'input' }) as { properties: object }
    const merged = {
      type: 'object',
      properties: { ...handles.properties, ...properties },
      required: ['task_id', 'lease', ...required],
      ...('$defs' in own.inputSchema ? { $defs: own.inputSchema.$defs } : {}),
    }
    return {
      name,
      title: TITLES[name] ?? name,
      description: own.description,
      scope: 'work',
      input,
      schemas: { input: merged, output: z.toJSONSchema(Worked) },
      hints: { reads: false, repeatable: false },
      run(given: z.output<typeof input>, call: Call) {
        const { task_id, lease, idempotency_key, wait_seconds, usage, ...rest } = given
        return work(
          outside.send(call.by.name, { taskId: task_id, lease, key: idempotency_key, tool: name, input: rest, used: usedOf(usage) }),
          wait_seconds,
          call,
        )
      },
    } as unknown as McpTool
  }

  return [
    tool({
      name: 'register_agent',
      title: 'Say who you are',
      description:
        'Says what you can do, so that tasks which ask for a capability find you. Optional: without it you can claim tasks that ask for nothing special. The last word counts.',
      input: z.object({
        capabilities: z.array(z.string().trim().min(1).max(64)).max(50).default([]).describe('Words such as python or review'),
        description: z.string().max(2_000).default('').describe('What you are, for people'),
        repository: z.string().max(1_000).optional().describe('The repository that you are at home in'),
        webhook: z.url().max(2_000).optional().describe('Gets a signed POST when work appears that you could claim'),
        max_tasks: z.number().int().min(1).max(MOST_TASKS).default(1).describe('Tasks that you work on at the same time'),
      }),
      output: z.object({
        agent: text,
        capabilities: z.array(text),
        max_tasks: z.number(),
        lease_seconds: z.number(),
        webhook_secret: text.nullable(),
      }),
      hints: { reads: false, repeatable: true },
      async run({ capabilities, description, repository = null, webhook = null, max_tasks }, { by }) {
        if (webhook !== null) {
          if (!doors.checkWebhook) throw new Fault('unavailable', 'Webhooks are off here; ask with claim_task instead.')
          doors.checkWebhook(webhook)
        }
        await outside.register(by.name, { capabilities, description, repository, webhook, maxTasks: max_tasks }, by.name)
        const seconds = outside.leaseMs / 1_000
        const secret = webhook === null ? null : doors.webhookSecret(by.name)
        return done(
          { agent: by.name, capabilities, max_tasks, lease_seconds: seconds, webhook_secret: secret },
          `You are the outside agent "${by.name}"${capabilities.length > 0 ? `, which can do ${capabilities.join(', ')}` : ''}. Call claim_task. A claim lasts ${seconds} seconds without a call or a heartbeat.${secret === null ? '' : ` Webhooks are signed with ${secret} (Standard Webhooks).`}`,
        )
      },
    }),
    tool({
      name: 'claim_task',
      title: 'Claim a task',
      description: `Gives you the next task: one of yours in which something happened, or else the oldest that you can do. The answer holds all that you need: the instruction, the task, what was said, and its tools. Waits up to ${WAIT_SECONDS} seconds for one; call it again when there was none.`,
      input: z.object({
        capability: z.string().max(64).optional().describe('Only a task that asks for this'),
        task_id: id.optional().describe('This one; if it is yours already you get all of it again, with a new lease'),
        wait_seconds: z.number().int().min(0).max(WAIT_SECONDS).default(DEFAULT_WAIT),
      }),
      output: ClaimShape,
      hints: { reads: false, repeatable: false },
      async run({ capability, task_id, wait_seconds }, call) {
        const agent = call.by.name
        const attempt = () => outside.claim(agent, { capability, taskId: task_id })
        let got = await attempt()
        if (!('task' in got) && task_id === undefined && wait_seconds > 0)
          got =
            (await waitUntil(
              store,
              isWork,
              async () => {
                if (!(await outside.hasWork(agent, capability))) return null
                const next = await attempt()
                return 'task' in next ? next : null
              },
              { ms: wait_seconds * 1_000, signal: call.signal },
            )) ?? got
        return 'task' in got ? claimedAnswer(got) : none(got)
      },
    }),
    tool({
      name: 'heartbeat',
      title: 'Keep a task, or wait for an answer',
      description: `Renews your lease on a task, which ends after ${outside.leaseMs / 1_000} seconds without a call. With \`call\` it also waits for the answer of a call that was not there yet. With give_back you hand the task back, unfinished, to other agents.`,
      input: z.object({
        ...Handles,
        call: z.string().max(255).optional().describe('Name of the call whose answer you wait for'),
        wait_seconds: z.number().int().min(0).max(WAIT_SECONDS).default(WAIT_SECONDS).describe('Only with call'),
        give_back: z.boolean().default(false),
      }),
      output: Worked,
      hints: { reads: false, repeatable: true },
      async run({ task_id, lease, call: key, wait_seconds, give_back }, call) {
        const agent = call.by.name
        if (give_back) {
          await outside.release(agent, task_id, lease)
          const task = await tasks.task(task_id)
          const data = { task_id, call: null, answer: null, task_status: task.status, label: labelOf(task).word, messages: [] }
          return done({ ...data, state: 'given_back', next: 'Go on with claim_task.' }, 'Given back. Go on with claim_task.')
        }
        if (key !== undefined) {
          const sent = await outside.sent(agent, task_id, key)
          const { task } = await outside.look(sent)
          // The answer of a call may be read for ever; only a task that goes on has a lease to renew.
          if (!isOver(task.status)) await outside.beat(agent, task_id, lease)
          return answered(sent, wait_seconds === WAIT_SECONDS ? WAIT_SECONDS : Math.max(wait_seconds, 0), call)
        }
        const { task, leaseUntil } = await outside.beat(agent, task_id, lease)
        const told = await outside.tell(agent, { taskId: task_id })
        const messages = told === null ? [] : wordsIn(await newer(task_id, told))
        const said = messages.length > 0 ? ['Said to you meanwhile:', ...messages] : []
        const data = { task_id, call: null, answer: null, task_status: task.status, label: labelOf(task).word, messages }
        return done({ ...data, state: 'yours', next: null }, [`The task is yours until ${leaseUntil}.`, ...said].join('\n\n'))
      },
    }),
    ...CORE.map(coreTool),
    tool({
      name: 'search_tools',
      title: 'Tools of the task',
      description:
        'The tools that the agent of your task has beside those of this server, with their arguments: files, commands, the web and others. Call one with call_tool.',
      input: z.object({ ...Handles, query: z.string().max(200).default('').describe('Words in name or description; left out: all') }),
      output: z.object({ tools: z.array(ToolShape) }),
      hints: { reads: true },
      async run({ task_id, lease, query }, { by }) {
        const { task, grants } = await outside.beat(by.name, task_id, lease)
        const words = query.toLowerCase().split(/\s+/).filter(Boolean)
        const found = (await briefs.tools(task, grants))
          .filter((one) => !CORE.includes(one.name))
          .filter((one) => words.every((word) => `${one.name} ${one.description}`.toLowerCase().includes(word)))
        const shapes = found.map(({ name, description, inputSchema }) => ({ name, description, input_schema: inputSchema }))
        return done(
          { tools: shapes },
          found.length > 0 ? found.map(toolText).join('\n\n') : 'The agent of this task has no such tool; request_tools asks for one.',
        )
      },
    }),
    tool({
      name: 'call_tool',
      title: 'Call a tool of the task',
      description:
        'Calls one of the tools that the agent of your task has (they are in the brief; search_tools lists them again). It is checked, put before a person where that is needed, and done by Banyan.',
      input: z.object({
        ...Handles,
        tool: z.string().min(1).max(128).describe('Its name'),
        arguments: z.record(z.string(), z.unknown()).default({}).describe('As its schema says'),
        ...Sends,
      }),
      output: Worked,
      hints: { reads: false, destroys: true, repeatable: false },
      run({ task_id, lease, tool: name, arguments: given, idempotency_key, wait_seconds, usage }, call) {
        return work(
          outside.send(call.by.name, { taskId: task_id, lease, key: idempotency_key, tool: name, input: given, used: usedOf(usage) }),
          wait_seconds,
          call,
        )
      },
    }),
  ]

  async function claimedAnswer(claimed: Claimed): Promise<Answer> {
    const { task, lease, leaseUntil, resumed } = claimed
    const head = {
      claimed: true,
      why_not: null,
      resumed,
      task_id: task.id,
      goal_id: task.treeId,
      parent_id: task.parentId,
      title: task.title,
      agent: task.agent,
      lease,
      lease_until: leaseUntil,
      lease_seconds: outside.leaseMs / 1_000,
      caps: capsOf(claimed),
    }
    if (resumed) {
      const messages = await briefs.since(task.id, claimed.since)
      const shown = messages.flatMap((message) =>
        message.role === 'user' || message.role === 'tool' ? [{ role: message.role, text: message.text }] : [],
      )
      return done({ ...head, system: null, messages: shown, tools: [], next: goOnText(task.id) }, newsText(claimed, messages))
    }
    const brief = (await briefs.of(task, claimed.grants)) ?? {
      system: `The agent "${task.agent}" does not exist any more or is switched off. Call end_task with failure and say so.`,
      messages: [{ role: 'user' as const, text: task.instruction }],
      tools: [],
    }
    const tools = brief.tools.map(({ name, description, inputSchema }) => ({ name, description, input_schema: inputSchema }))
    return done(
      { ...head, system: brief.system, messages: brief.messages, tools, next: HOW_TO_ACT },
      briefText(claimed, brief, new Set(CORE)),
    )
  }

  function none({ why, holds }: { why: 'none' | 'full' | 'held'; holds: string[] }): Answer {
    const words = {
      none: 'There is no task for you now. Call claim_task again; it waits until there is one.',
      full: `You hold as many tasks as you registered for (${holds.join(', ')}). Go on with one of them: if you lost its lease or do not remember it, call claim_task with its task_id.`,
      held: 'Everything is paused by a person. Call claim_task again later.',
    }[why]
    const nothing = {
      resumed: false,
      task_id: null,
      goal_id: null,
      parent_id: null,
      title: null,
      agent: null,
      lease: null,
      lease_until: null,
    }
    return done(
      {
        claimed: false,
        why_not: why,
        ...nothing,
        lease_seconds: outside.leaseMs / 1_000,
        caps: null,
        system: null,
        messages: [],
        tools: [],
        next: words,
      },
      words,
    )
  }
}

function capsOf({ caps: { limits, used } }: Claimed) {
  const of = (spent: number, cap: number) => ({ used: spent, cap })
  return {
    model_calls: of(used.turns, limits.turns),
    tasks: of(used.tasks, limits.tasks),
    seconds: of(used.wallSeconds, limits.wallSeconds),
    tokens: of(used.tokens, limits.tokens),
    dollars: of(used.costMicros / 1_000_000, limits.costMicros / 1_000_000),
  }
}

/** Facts after which there may be something to claim. */
const isWork = (event: Event): boolean =>
  event.type === 'system.resumed' || (event.type === 'task.moved' && event.to === 'waiting' && event.reason === 'external')

const TITLES: Record<string, string> = {
  break_down_task: 'Have the task broken down',
  start_subtask: 'Start subtasks',
  wait_for_subtasks: 'Wait for subtasks',
  request_context: 'Ask for context',
  request_tools: 'Ask for tools',
  flag_for_review: 'Put something before people',
  end_task: 'End the task',
}
