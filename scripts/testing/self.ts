/** A whole runtime on a small checkout, whose agents do what a goal's plan says. For tests and proofs of self-modification. */
import { rmSync } from 'node:fs'
import type { Change } from '../../core/contract/change.ts'
import type { Review } from '../../core/contract/review.ts'
import type { ModelRequest } from '../../core/models/provider.ts'
import type { RuntimeOptions } from '../../core/runtime.ts'
import { type Checkout, checkout } from './checkout.ts'
import { type Harness, harness } from './harness.ts'
import { answersIn, endWith, type Scripted } from './scripted.ts'

export const TOOLS = [
  ...['propose_change', 'run_gates', 'read_source', 'search_source', 'change_status', 'request_restart', 'git_operations', 'use_terminal'],
  ...['write_file', 'edit_file', 'delete_file', 'move_file', 'read_file', 'list_files', 'query_database', 'create_tool', 'add_document'],
]
export const call = (tool: string, input: unknown): Scripted => ({ calls: [{ tool, input }] })
export const begin = call('propose_change', { step: 'begin' })
export const write = (path: string, content: string): Scripted => call('write_file', { path: `banyan/${path}`, content })
export const submit = (more: object = {}): Scripted =>
  call('propose_change', { step: 'submit', kind: 'feature', title: 'Greets louder', why: 'People asked for it.', ...more })
export const loud = (mark = '!'): string =>
  [
    '/** What is said first. */',
    "export const greeting = (name: string): string => ['Hello', name].join(', ')",
    `export const loud = (name: string): string => greeting(name).concat('${mark}')`,
    '',
  ].join('\n')
export const GREETING = 'core/contract/greeting.ts'
/** A whole change, from the first call to the last. */
export const louder = (mark = '!', more: object = {}): Scripted[] => [begin, write(GREETING, loud(mark)), submit(more)]

export type Self = Awaited<ReturnType<typeof self>>
/** `plans`: what the agent calls, one after another, for the goal of that name; then it ends with the last answer. */
export async function self(
  plans: Record<string, (Scripted | ((request: ModelRequest) => Scripted))[]>,
  options: RuntimeOptions & { source?: Checkout; dataDir?: string; kept?: boolean; keepSource?: boolean; registry?: string } = {},
) {
  const source = options.source ?? checkout()
  const decide = (request: ModelRequest): Scripted => {
    const first = request.messages.find((message) => message.role === 'user')?.text ?? ''
    const name = Object.keys(plans).find((one) => first.includes(one))
    const answers = answersIn(request)
    const step = name === undefined ? undefined : plans[name]![answers.length]
    return typeof step === 'function' ? step(request) : (step ?? endWith(answers.at(-1) ?? 'nothing'))
  }
  const h: Harness = await harness(decide, {
    ...options,
    self: { checkout: source.folder, isKept: () => options.kept ?? false, ...(options.registry ? { registry: options.registry } : {}) },
  })
  const { runtime } = h
  if (!(await runtime.registry.get('agent', 'maker')))
    await runtime.registry.save('agent', { name: 'maker', description: 'x', instruction: 'x', tools: TOOLS }, 'owner')
  const changes = async (): Promise<Change[]> => (await runtime.changes.list({ limit: 50 })).items
  return {
    h,
    runtime,
    source,
    changes,
    goal: (name: string, more: object = {}) => h.goal(name, { agent: 'maker', ...more }),
    /** The change of a goal, as soon as it is as wanted; looks again after each fact. A goal that ended without one says why. */
    until: (treeId: string, ...states: Change['state'][]): Promise<Change> =>
      new Promise((resolve, reject) => {
        const stop = runtime.store.onCommit(() => void look().catch(fail))
        const fail = (error: unknown) => {
          stop()
          reject(error)
        }
        const look = async () => {
          const found = (await changes()).find((one) => one.treeId === treeId)
          if (found && states.includes(found.state)) {
            stop()
            resolve(found)
            return
          }
          if (found && ['refused', 'undone'].includes(found.state)) throw new Error(`the change is ${found.state}: ${found.note}`)
          const task = await runtime.tasks.task(treeId)
          if (!found && task.result) throw new Error(`nothing was proposed: ${task.result}`)
        }
        void look().catch(fail)
      }),
    /** The open item of a change. */
    async item(treeId: string): Promise<Review> {
      const found = (await runtime.tasks.reviews({ state: 'open', treeId, limit: 5 })).items.find((one) => one.kind === 'self_change')
      if (!found) throw new Error('nobody is asked')
      return found
    },
    approve: (item: Review) =>
      runtime.tasks.decide(item.id, { decision: 'approve', actionHash: item.actionHash }, 'owner', undefined, { person: true }),
    async end(): Promise<string[]> {
      const found = await h.end()
      if (!options.keepSource) rmSync(source.folder, { recursive: true, force: true })
      return found
    },
  }
}
