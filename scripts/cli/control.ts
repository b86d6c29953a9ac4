/** Commands that act on tasks: steer, pause, resume, step, cancel, abort, retry, rerun. */
import { type Command, Option } from 'commander'
import type { ControlRequest } from '../../core/contract/api.ts'
import { labelOf } from '../../core/contract/label.ts'
import { isOver, type Task } from '../../core/contract/task.ts'
import { type Cli, confirm, examples, serverOf, wantsJson, whole } from './context.ts'
import { call, resolveTask, type Server } from './server.ts'
import { Ended, EXIT } from './terminal.ts'
import { counted, oneLine } from './words.ts'

type Verb = 'pause' | 'resume' | 'step' | 'cancel' | 'abort' | 'retry'
type Rerun = Options & { from?: number; message?: string; model?: string; restoreFiles?: boolean; dryRun?: boolean }
type Options = { scope?: 'node' | 'subtree'; comment?: string; yes?: boolean; all?: boolean }

const VERBS: Record<Verb, { summary: string; description: string; scope: boolean; stops?: true; next?: string }> = {
  pause: {
    summary: 'hold tasks after their turn',
    description: 'Holds tasks, and what is below them, after the turn that runs.',
    scope: true,
    next: 'resume',
  },
  resume: { summary: 'let paused tasks go on', description: 'Lets paused tasks, and what is below them, go on.', scope: true },
  step: { summary: 'run one turn', description: 'Runs one turn of each task, then pauses it again.', scope: false },
  cancel: {
    summary: 'let tasks wrap up and stop',
    description: 'Gives each task one last turn to end with what it has; what is below it stops at once.',
    scope: true,
    stops: true,
    next: 'retry',
  },
  abort: {
    summary: 'end tasks now',
    description: 'Ends tasks, and what is below them, now, whatever they are doing.',
    scope: true,
    stops: true,
    next: 'retry',
  },
  retry: {
    summary: 'try tasks again that did not succeed',
    description: 'Opens tasks again that failed, were stopped or gave up, with their history.',
    scope: false,
  },
}
const ASKS = '\nWhen unfinished subtasks would stop with it, it asks first; without a terminal it needs --yes (exit code 2 otherwise).'

export function addControl(program: Command, cli: Cli): void {
  const comment = ['--comment <text>', 'why; the agent and the log are told'] as const
  for (const [verb, { summary, description, scope, stops, next }] of Object.entries(VERBS) as [Verb, (typeof VERBS)[Verb]][]) {
    const all = verb === 'pause' || verb === 'resume'
    const command = program
      .command(verb)
      .summary(summary)
      .description(description + (stops ? ASKS : ''))
      .argument(all ? '[task...]' : '<task...>', 'ids of tasks or goals, or the beginnings of them')
      .option(...comment)
    if (scope) command.addOption(new Option('--scope <scope>', 'node: only the task itself').choices(['node', 'subtree']))
    if (stops) command.option('-y, --yes', 'do not ask')
    if (all)
      command.option(
        '--all',
        verb === 'pause' ? 'hold everything, also after a restart' : 'let everything go on that was held with pause --all',
      )
    command.action(async (given: string[], options: Options, own: Command) => {
      const server = serverOf(cli, own)
      if (all && options.all) return everything(cli, server, verb, given, options.comment, wantsJson(own))
      if (given.length === 0) throw new Ended(EXIT.usage, `Name the tasks or goals to ${verb}, or say --all.`)
      const ids: string[] = []
      for (const one of given) ids.push(await resolveTask(server, one))
      if (stops && options.scope !== 'node') await confirmStop(cli, server, ids, verb, options.yes)
      const body = {
        ...(options.scope === undefined ? {} : { scope: options.scope }),
        ...(options.comment === undefined ? {} : { comment: options.comment }),
      }
      await each(cli, ids, wantsJson(own), (id) => call(server, verb, { params: { id }, body }), next)
    })
    examples(command, `banyan ${verb} 0k3f.2a${stops ? ' --yes' : ''}`)
  }

  examples(
    program
      .command('steer')
      .summary('say something to the agent at work')
      .description('Says something to the agent that works on a task; it reads it before its next turn.')
      .argument('<task>', 'id of a task or goal, or the beginning of one')
      .argument('<message...>', 'what it should know or do; - reads it from stdin')
      .action(async (given: string, words: string[], _options: object, own: Command) => {
        const server = serverOf(cli, own)
        const message = words.length === 1 && words[0] === '-' ? await cli.terminal.stdin() : words.join(' ')
        if (message.trim() === '') throw new Ended(EXIT.usage, 'The message is empty: say what the agent should know or do.')
        const id = await resolveTask(server, given)
        await each(cli, [id], wantsJson(own), () => call(server, 'steer', { params: { id }, body: { message } }))
      }),
    'banyan steer 0k3f "Leave the tests alone"',
  )

  examples(
    program
      .command('rerun')
      .summary('go back to a message and on from there')
      .description(
        `Goes back to message N of a task's history (see \`banyan show\`) and lets it go on from there; what it did since is no longer seen by\nthe model and stays in the history. Its unfinished subtasks stop.${ASKS}`,
      )
      .argument('<task>', 'id of a task or goal, or the beginning of one')
      .option('--from <n>', 'number of the message', whole(1, 1_000_000_000))
      .option(
        '--message <text>',
        'what to do differently; with --from, in the place of that message if it is the task itself or your words',
      )
      .option('--model <name>', 'provider/model that answers from now on; default is what the goal says')
      .option('--dry-run', 'only say what it would touch')
      .option('--restore-files', 'put files back to what they were before that message; what others changed since is left and told')
      .option(...comment)
      .option('-y, --yes', 'do not ask')
      .action(async (given: string, options: Rerun, own: Command) => {
        const server = serverOf(cli, own)
        const id = await resolveTask(server, given)
        const { from, message, model, comment: why, restoreFiles } = options
        if (options.dryRun) return tellRerun(cli, server, id, options, wantsJson(own))
        await confirmStop(cli, server, [id], 'rerun', options.yes)
        const body: ControlRequest = {
          ...(from === undefined ? {} : { from }),
          ...(message === undefined ? {} : { message }),
          ...(model === undefined ? {} : { model }),
          ...(why === undefined ? {} : { comment: why }),
          ...(restoreFiles ? { restoreFiles } : {}),
        }
        await each(cli, [id], wantsJson(own), () => call(server, 'rerun', { params: { id }, body }))
      }),
    'banyan rerun 0k3f.2a --from 4 --message "Use the other file"',
  )
}

/** The system as a whole. */
async function everything(cli: Cli, server: Server, verb: Verb, given: string[], comment: string | undefined, asJson: boolean) {
  const { terminal } = cli
  if (given.length > 0) throw new Ended(EXIT.usage, `--all means everything; leave ${given.join(' ')} out.`)
  const { paused } =
    verb === 'pause' ? await call(server, 'pauseAll', { body: comment === undefined ? {} : { comment } }) : await call(server, 'resumeAll')
  if (asJson) return terminal.document({ paused })
  terminal.out(paused ? 'Everything is paused: turns under way end, nothing else begins.' : 'Work goes on.')
  if (paused) terminal.say(`Undo: ${terminal.banyan} resume --all`)
}

/** Each in turn; one that is refused does not keep the others from being asked. */
async function each(cli: Cli, ids: readonly string[], asJson: boolean, act: (id: string) => Promise<Task>, next?: string): Promise<void> {
  const { terminal } = cli
  const done: Task[] = []
  const refusals: Ended[] = []
  for (const id of ids) {
    try {
      const task = await act(id)
      done.push(task)
      const label = labelOf(task)
      if (!asJson) terminal.out(`${terminal.outPaint(label.tone, `${label.shape} ${label.word}`)}  ${task.id}  ${oneLine(task.title)}`)
    } catch (error) {
      if (!(error instanceof Ended) || ids.length === 1) throw error
      terminal.say(`banyan: ${error.message}`)
      refusals.push(error)
    }
  }
  if (asJson) terminal.document({ items: done })
  else if (next && done[0]) terminal.say(`Undo: ${terminal.banyan} ${next} ${done[0].id}`)
  if (refusals[0]) cli.exit(refusals[0].exitCode)
}

async function tellRerun(cli: Cli, server: Server, id: string, { from = 1, message }: Rerun, asJson: boolean): Promise<void> {
  const { terminal } = cli
  const told = await call(server, 'rerunPreview', { params: { id }, query: { from: String(from) } })
  if (asJson) return terminal.document(told)
  const list = (what: string, items: readonly string[]) => terminal.out(`${what}: ${items.length === 0 ? 'none' : items.join(', ')}`)
  list(
    'files changed since',
    told.files.map((path) => oneLine(path)),
  )
  list(
    'subtasks that stop',
    told.stops.map((task) => `${task.id} (${oneLine(task.title)})`),
  )
  if (message !== undefined)
    terminal.out(`replaces: ${told.replaces === 'instruction' ? 'the task' : told.replaces === 'words' ? 'what a person said' : 'nothing'}`)
}

/** Stopping a task alone is no more than was typed; stopping what a person may not have in view is asked about. */
async function confirmStop(cli: Cli, server: Server, ids: readonly string[], verb: string, yes: boolean | undefined): Promise<void> {
  if (yes) return
  let below = 0
  for (const id of ids) {
    const task = await call(server, 'task', { params: { id } })
    const { tasks } = await call(server, 'tree', { params: { id: task.treeId } })
    below += liveBelow(id, tasks)
  }
  if (below > 0) await confirm(cli, yes, `${verb} ${ids.join(' ')} also stops ${counted(below, 'unfinished subtask')}.`)
}

/** How many tasks below one are not over. */
export function liveBelow(id: string, tasks: readonly Task[]): number {
  const children = new Map<string, Task[]>()
  for (const task of tasks) if (task.parentId !== null) children.set(task.parentId, [...(children.get(task.parentId) ?? []), task])
  const count = (of: string): number =>
    (children.get(of) ?? []).reduce((sum, child) => sum + (isOver(child.status) ? 0 : 1) + count(child.id), 0)
  return count(id)
}
