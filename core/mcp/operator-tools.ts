/** The tools of whoever runs Banyan from another program: give a goal, follow it, steer it, decide what it asks, read what it knows. */
import * as z from 'zod'
import type { GoalRequest } from '../contract/api.ts'
import { GoalText, goalSettings } from '../contract/api-goals.ts'
import { Fault } from '../contract/fault.ts'
import { DECISIONS } from '../contract/review.ts'
import { isOver, TASK_STATUSES, type Task } from '../contract/task.ts'
import type { Registry } from '../registry/registry.ts'
import type { Store } from '../store/store.ts'
import type { Tasks } from '../tasks/tasks.ts'
import { waitUntil } from './follow.ts'
import { followedTask } from './followed.ts'
import { questionKey, questionOf, takeReplies } from './questions.ts'
import {
  cut,
  GoalShape,
  goalShape,
  goalText,
  historyText,
  newestMessages,
  ReviewShape,
  reviewShape,
  reviewText,
  TaskShape,
  taskShape,
  taskText,
} from './shapes.ts'
import type { Answer, Call, McpTool } from './surface.ts'

/** What tools, resources and prompts act through: the doors that HTTP routes call too. */
export type Doors = {
  store: Store
  tasks: Tasks
  registry: Registry
  submitGoal(goal: GoalRequest & { by: string; idempotencyKey?: string }): Promise<{ treeId: string; created: boolean }>
  ask(
    ask: { words: string; conversation?: string | undefined; idempotencyKey?: string | undefined },
    by: string,
  ): Promise<{ treeId: string }>
  /** Where a person reaches the page. */
  baseUrl(): string
}

/** Hosts give up a silent call after a minute; nobody waits longer than this at once. */
export const WAIT_SECONDS = 45
const SHORT = 600
/** Hosts cut longer answers off. */
const DOCUMENT_PART = 40_000
const id = (what: string) => z.string().min(1).max(300).describe(what)
const text = z.string()
const key = (what: string) =>
  z
    .string()
    .regex(/^[\x20-\x7e]{1,255}$/)
    .optional()
    .describe(what)
const Repeatable = { idempotency_key: key('The same key with the same arguments again does nothing twice, and tells how it stands') }
const cursor = z.string().max(300).optional().describe('next_cursor of the page before')
const Page = { next_cursor: text.nullable() }
/** What both ways to follow a goal answer with, and the tasks that clients follow by themselves. */
const Standing = z.object({ over: z.boolean(), task: TaskShape, reviews: z.array(ReviewShape), url: text })
const Kept = z.object({ turnedDown: z.array(text) })

function tool<I extends z.ZodObject, O extends z.ZodObject>(
  row: Omit<McpTool, 'input' | 'schemas' | 'run'> & {
    input: I
    output: O
    run(input: z.output<I>, call: Call): Promise<Answer>
  },
): McpTool {
  const { output, ...rest } = row
  // A misspelt argument is told, not passed over.
  const input = row.input.strict()
  const schemas = { input: z.toJSONSchema(input, { io: 'input' }), output: z.toJSONSchema(output) }
  return { ...rest, input, schemas } as unknown as McpTool
}
const done = (data: Record<string, unknown>, words: string): Answer => ({ kind: 'done', data, text: words })

/** In the order in which clients list them; it stays, so that prompts of models can be cached. */
export function operatorTools({ store, tasks, registry, submitGoal, ask, baseUrl }: Doors): McpTool[] {
  const openReviews = async (task: Task) => {
    const { items } = await tasks.reviews({ state: 'open', treeId: task.treeId, limit: 50 })
    return items.filter((review) => review.taskId === task.id || review.taskId.startsWith(`${task.id}.`))
  }
  return [
    tool({
      name: 'start_goal',
      title: 'Start a goal',
      description:
        'Gives Banyan a goal, which becomes a tree of tasks that runs on its own and survives restarts. Answers at once with goal_id; follow it with wait_task. A line of the form "Run `command`" runs a command; a numbered list becomes one subtask a line. With agent `interface` the words are about Banyan itself, as a person says them ("what is going on?", "cancel the report goal"): it answers and acts, and where several goals could be meant it does nothing and names them.',
      scope: 'goals:write',
      input: z.object({
        goal: GoalText.describe('What is to be done, in plain words'),
        criteria: goalSettings.criteria.describe('What counts as done: short sentences that can be checked; the result is judged by them'),
        agent: goalSettings.agent.describe('Name of the agent that begins (list_agents); left out: one is chosen'),
        model: goalSettings.model.describe('`provider/model` for all its agents, or `playbook` for none'),
        approval: goalSettings.approval.describe('How much is put before a person'),
        rules: goalSettings.rules.describe(
          'What is asked about or refused in this goal beside that, before anything runs: a tool, a kind of effect (permission), a program or a host',
        ),
        plan: goalSettings.plan.describe('Nothing is done before a person has approved a plan'),
        budget: goalSettings.budget.describe('Caps on the whole goal; at a cap it pauses and asks a person'),
        mode: goalSettings.mode.describe('`step`: it pauses after each turn until control_task says step or resume'),
        workspace: goalSettings.workspace.describe('`shared`: all its tasks work in one folder'),
        priority: goalSettings.priority.describe('Higher goes first'),
        example: goalSettings.example.describe('Name of an example goal whose files are put into its folder first'),
        attachments: goalSettings.attachments.describe('Ids of files that were sent over HTTP before (POST /api/uploads)'),
        conversation: z.string().max(100).optional().describe('With agent `interface`: the id of earlier words to it, to go on from them'),
        idempotency_key: key('The same key with the same goal again answers with the goal of the first time'),
      }),
      output: Standing,
      hints: { reads: false, destroys: false },
      async run({ idempotency_key: key, conversation, ...goal }, call) {
        const { treeId } =
          conversation === undefined
            ? await submitGoal({ ...goal, by: call.by.name, ...(key === undefined ? {} : { idempotencyKey: key }) })
            : await ask({ words: goal.goal, conversation, idempotencyKey: key }, call.by.name)
        if (call.mayFollow) return { kind: 'task', task: await followedTask(tasks, await tasks.task(treeId), call.by, baseUrl()) }
        const task = taskShape(await tasks.task(treeId))
        const url = `${baseUrl()}/trees/${treeId}`
        return done(
          { over: false, task, reviews: [], url },
          `Started goal ${treeId}.\n${taskText(task)}\nFollow it with wait_task (task_id ${treeId}), or in the browser: ${url}`,
        )
      },
    }),
    tool({
      name: 'wait_task',
      title: 'Wait for a task',
      description: `Waits until a goal or task is over or asks a person something, for at most ${WAIT_SECONDS} seconds, and tells how it stands. Call it again while \`over\` is false.`,
      scope: 'read',
      input: z.object({
        task_id: id('Id of a goal or a task'),
        timeout_seconds: z.number().int().min(0).max(WAIT_SECONDS).default(WAIT_SECONDS),
        until: z.enum(['over_or_asks', 'over']).default('over_or_asks').describe('`over`: goes on waiting while a person is asked'),
      }),
      output: Standing,
      hints: { reads: true },
      async run({ task_id, timeout_seconds, until }, call) {
        const task = await tasks.task(task_id)
        const turnedDown = new Set(Kept.safeParse(call.kept).data?.turnedDown ?? [])
        for (const key of await takeReplies(tasks, call.replies, call.by)) turnedDown.add(key)
        if (call.mayFollow) return { kind: 'task', task: await followedTask(tasks, await tasks.task(task_id), call.by, baseUrl()) }
        const asks = call.mayAsk && call.by.scopes.has('review:decide')
        const found = await waitUntil(
          store,
          task.treeId,
          async () => {
            const now = await tasks.task(task_id)
            call.tell(taskShape(now).label)
            if (isOver(now.status)) return { now, reviews: [] }
            if (until === 'over') return null
            // Flags only report; nothing waits for them.
            const reviews = (await openReviews(now)).filter((one) => one.kind !== 'flag' && !turnedDown.has(questionKey(one)))
            return reviews.length > 0 ? { now, reviews } : null
          },
          { ms: timeout_seconds * 1_000, signal: call.signal },
        )
        if (found && asks && found.reviews.length > 0)
          return { kind: 'ask', questions: found.reviews.slice(0, 3).map(questionOf), keep: { turnedDown: [...turnedDown] } }
        const now = found?.now ?? (await tasks.task(task_id))
        const over = isOver(now.status)
        const shape = taskShape(now)
        const reviews = over ? [] : (await openReviews(now)).map(reviewShape)
        const url = `${baseUrl()}/trees/${now.treeId}`
        const words = [taskText(shape)]
        if (reviews.length > 0) words.push('It asks a person (decide_review, or in the browser):', ...reviews.map(reviewText))
        if (!over) words.push(`Not over yet: call wait_task again, or look at ${url}`)
        return done({ over, task: shape, reviews, url }, words.join('\n'))
      },
    }),
    tool({
      name: 'get_goal',
      title: 'Look at a goal',
      description: 'A goal with all its tasks: how each stands, what came out, what it cost.',
      scope: 'read',
      input: z.object({ goal_id: id('Id of the goal') }),
      output: GoalShape.extend({ tree: z.array(TaskShape), tree_complete: z.boolean() }),
      hints: { reads: true },
      async run({ goal_id }) {
        const { tasks: all, ...head } = await tasks.tree(goal_id)
        const goal = goalShape(head, baseUrl())
        const tree = all.slice(0, 200).map((task) => taskShape(task, SHORT))
        const rows = all.slice(0, 200).map((task, i) => `${'  '.repeat(Math.min(task.depth + 1, 12))}${taskText(tree[i]!)}`)
        return done({ ...goal, tree, tree_complete: all.length <= 200 }, [goalText(goal), 'Tasks:', ...rows].join('\n'))
      },
    }),
    tool({
      name: 'list_goals',
      title: 'List goals',
      description: 'Goals, newest first; each word narrows them.',
      scope: 'read',
      input: z.object({
        query: z.string().max(500).optional().describe('Words in the goal'),
        status: z.enum(TASK_STATUSES).optional(),
        needs_you: z.boolean().optional().describe('Only those that ask a person something'),
        limit: z.number().int().min(1).max(50).default(20),
        cursor,
      }),
      output: z.object({ goals: z.array(GoalShape), ...Page }),
      hints: { reads: true },
      async run({ query, status, needs_you, limit, cursor }) {
        const page = await tasks.trees({ q: query, status, needsYou: needs_you, limit, cursor })
        const goals = page.items.map((tree) => goalShape(tree, baseUrl(), SHORT))
        return done(
          { goals, next_cursor: page.nextCursor },
          goals.length === 0 ? 'There is no such goal.' : goals.map(goalText).join('\n') + more(page.nextCursor),
        )
      },
    }),
    tool({
      name: 'get_task',
      title: 'Look at a task',
      description: 'One task: its instruction, how it stands, its result and the newest of its history.',
      scope: 'read',
      input: z.object({
        task_id: id('Id of the task'),
        messages: z.number().int().min(0).max(50).default(10).describe('How many of the newest messages'),
      }),
      output: TaskShape.extend({
        instruction: text,
        verdict: text.nullable(),
        history: z.array(z.object({ n: z.number(), role: text, text })),
      }),
      hints: { reads: true },
      async run({ task_id, messages }) {
        const task = await tasks.task(task_id)
        const newest = await newestMessages({ store, tasks }, task_id, messages)
        const shape = taskShape(task)
        const verdict = task.verdict === null ? null : `${task.verdict.passed ? 'passed' : 'did not pass'}: ${task.verdict.reasons}`
        const history = newest.map((one) => ({ n: one.n, role: one.role, text: 'text' in one ? cut(one.text, 2_000) : '' }))
        return done(
          { ...shape, instruction: cut(task.instruction, 8_000), verdict, history },
          [
            taskText(shape),
            `Instruction: ${cut(task.instruction, 8_000)}`,
            ...(verdict ? [`Check: ${verdict}`] : []),
            'History:',
            historyText(newest),
          ].join('\n'),
        )
      },
    }),
    tool({
      name: 'steer_task',
      title: 'Steer a task',
      description: 'Says something to the agent at work on a task; it reads it before its next turn.',
      scope: 'goals:write',
      input: z.object({
        task_id: id('Id of the task; a goal has the id of its first task'),
        message: z.string().trim().min(1).max(20_000),
        ...Repeatable,
      }),
      output: TaskShape,
      hints: { reads: false, destroys: false },
      async run({ task_id, message, idempotency_key }, call) {
        const shape = taskShape(await tasks.control(task_id, { verb: 'steer', message, by: call.by.name }, idempotency_key))
        return done(shape, `Said. ${taskText(shape)}`)
      },
    }),
    tool({
      name: 'control_task',
      title: 'Control a task',
      description:
        'cancel: lets it wrap up. abort: ends it now. pause: holds it after its turn. resume: lets it go on. step: lets it do one turn. retry: opens a task again that did not succeed. It reaches all tasks below unless scope is node.',
      scope: 'goals:write',
      input: z.object({
        task_id: id('Id of the task; a goal has the id of its first task'),
        action: z.enum(['cancel', 'abort', 'pause', 'resume', 'step', 'retry']),
        scope: z.enum(['node', 'subtree']).optional(),
        comment: z.string().max(20_000).optional().describe('Why; it stays in the record'),
        ...Repeatable,
      }),
      output: TaskShape,
      hints: { reads: false, destroys: true },
      async run({ task_id, action, scope, comment, idempotency_key }, call) {
        const shape = taskShape(await tasks.control(task_id, { verb: action, by: call.by.name, scope, comment }, idempotency_key))
        return done(shape, taskText(shape))
      },
    }),
    tool({
      name: 'list_reviews',
      title: 'List what people are asked',
      description: 'What waits for a person: commands to allow, questions to answer, budgets to raise. Oldest first.',
      scope: 'read',
      input: z.object({
        goal_id: z.string().max(100).optional(),
        state: z.enum(['open', 'decided', 'snoozed', 'all']).default('open'),
        limit: z.number().int().min(1).max(50).default(20),
        cursor,
      }),
      output: z.object({ reviews: z.array(ReviewShape), ...Page }),
      hints: { reads: true },
      async run({ goal_id, state, limit, cursor }) {
        const page = await tasks.reviews({ state, treeId: goal_id, limit, cursor })
        const reviews = page.items.map(reviewShape)
        return done(
          { reviews, next_cursor: page.nextCursor },
          reviews.length === 0 ? 'Nothing waits for a person.' : reviews.map(reviewText).join('\n') + more(page.nextCursor),
        )
      },
    }),
    tool({
      name: 'decide_review',
      title: 'Decide a review item',
      description:
        'Decides an item of the queue, once, in the name of the person whose token this is. Ask that person first: never decide by yourself. With `answer` the answer is `comment`.',
      scope: 'review:decide',
      input: z.object({
        review_id: id('Id of the item'),
        decision: z.enum(DECISIONS),
        comment: z.string().max(20_000).optional(),
        action_hash: z.string().max(100).describe('As list_reviews told it: the decision holds for what was shown'),
        ...Repeatable,
      }),
      output: ReviewShape,
      hints: { reads: false, destroys: true },
      async run({ review_id, decision, comment, action_hash, idempotency_key }, call) {
        const said = { decision, actionHash: action_hash, ...(comment === undefined ? {} : { comment }) }
        const shape = reviewShape(await tasks.decide(review_id, said, call.by.name, idempotency_key))
        return done(shape, reviewText(shape))
      },
    }),
    tool({
      name: 'list_agents',
      title: 'List agents',
      description: 'Agents that can be given a goal, with what each is for.',
      scope: 'read',
      input: z.object({}),
      output: z.object({ agents: z.array(z.object({ name: text, description: text, capabilities: z.array(text) })) }),
      hints: { reads: true },
      async run() {
        const agents = (await registry.list('agent')).filter((agent) => agent.enabled)
        return done(
          { agents: agents.map(({ name, description, capabilities }) => ({ name, description, capabilities })) },
          agents.map((agent) => `${agent.name}: ${agent.description}`).join('\n'),
        )
      },
    }),
    tool({
      name: 'search_documents',
      title: 'Search documents',
      description:
        'Context documents (what Banyan knows of itself, its principles and its work) that hold all the words; without words, all of them.',
      scope: 'read',
      input: z.object({ query: z.string().max(500).default(''), limit: z.number().int().min(1).max(50).default(10) }),
      output: z.object({ documents: z.array(z.object({ name: text, description: text, excerpt: text })) }),
      hints: { reads: true },
      async run({ query, limit }) {
        const words = query.toLowerCase().split(/\s+/).filter(Boolean)
        const found = (await registry.list('document'))
          .filter((one) => one.enabled)
          .map((one) => ({ one, head: `${one.name} ${one.description}`.toLowerCase(), body: one.content.toLowerCase() }))
          .filter(({ head, body }) => words.every((word) => head.includes(word) || body.includes(word)))
          .map((hit) => ({ ...hit, score: words.filter((word) => hit.head.includes(word)).length }))
          .sort((a, b) => b.score - a.score)
          .slice(0, limit)
        const documents = found.map(({ one, body }) => ({
          name: one.name,
          description: one.description,
          excerpt: excerpt(one.content, body, words),
        }))
        return done(
          { documents },
          documents.length === 0
            ? 'No document holds all these words.'
            : documents.map((one) => `${one.name}: ${one.description}`).join('\n'),
        )
      },
    }),
    tool({
      name: 'read_document',
      title: 'Read a document',
      description: `A context document, ${DOCUMENT_PART.toLocaleString('en')} characters at a time.`,
      scope: 'read',
      input: z.object({ name: z.string().min(1).max(64), offset: z.number().int().min(0).default(0) }),
      output: z.object({ name: text, description: text, version: z.number(), content: text, next_offset: z.number().nullable() }),
      hints: { reads: true },
      async run({ name, offset }) {
        const document = await registry.get('document', name)
        if (!document) throw new Fault('not_found', `There is no document ${JSON.stringify(name)}; search_documents lists them.`)
        const end = offset + DOCUMENT_PART
        const content = document.content.slice(offset, end)
        const next = end < document.content.length ? end : null
        return done(
          { name, description: document.description, version: document.version, content, next_offset: next },
          next === null ? content : `${content}\n\nThere is more: read on with offset ${next}`,
        )
      },
    }),
  ]
}

const more = (next: string | null): string => (next === null ? '' : `\nThere are more: call it again with cursor ${next}`)

function excerpt(content: string, lower: string, words: readonly string[]): string {
  const at = Math.max(0, Math.min(...words.map((word) => lower.indexOf(word)).filter((i) => i >= 0), content.length) - 80)
  return content.slice(words.length === 0 ? 0 : at).slice(0, 300)
}
