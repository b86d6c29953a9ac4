/** Commands that only look: ls, tree, show, jobs, logs. */
import { setTimeout as delay } from 'node:timers/promises'
import { type Command, Option } from 'commander'
import type { ResponseOf, TreeItem } from '../../core/contract/api.ts'
import type { LogLine } from '../../core/contract/api-system.ts'
import type { Event } from '../../core/contract/event.ts'
import { labelOf } from '../../core/contract/label.ts'
import { LOG_LEVELS, type LogLevel } from '../../core/contract/log-level.ts'
import { TASK_STATUSES, type Task } from '../../core/contract/task.ts'
import { watchText } from '../../core/contract/watch.ts'
import { type Cli, examples, onInterrupt, serverOf, wantsJson, whole } from './context.ts'
import { drawTree, notesOf, total, watchingWords } from './draw.ts'
import { follow } from './follow.ts'
import { all, call, NotRunning, resolveTask, resolveTree, type Server } from './server.ts'
import { logLine, taskOf, timeOf } from './tell.ts'
import { Ended, EXIT, type Paint } from './terminal.ts'
import { openReviews, questionOf, watchTree } from './watch.ts'
import { counted, decisionCommands, duration, money, oneLine, plain, spent, table, waitFor } from './words.ts'

type Message = ResponseOf<'messages'>['items'][number]

export function addLook(program: Command, cli: Cli): void {
  const { terminal } = cli

  examples(
    program
      .command('ls')
      .summary('list goals, newest first')
      .description('Lists goals, newest first.')
      .addOption(new Option('--status <status>', 'only goals in this status').choices([...TASK_STATUSES]))
      .option('--limit <n>', 'at most so many', whole(1, 10_000), 20)
      .action(async (options: { status?: TreeItem['status']; limit: number }, command: Command) => {
        const server = serverOf(cli, command)
        const items = await all(server, 'trees', {
          query: { status: options.status, limit: String(Math.min(200, options.limit)) },
          most: options.limit,
        })
        if (wantsJson(command)) return terminal.document({ items })
        const waiting = new Map<string, number>()
        for (const { treeId } of await openReviews(server)) waiting.set(treeId, (waiting.get(treeId) ?? 0) + 1)
        const cells = items.map((tree) => lsCells(tree, waiting.get(tree.id) ?? 0))
        // Colour codes have no width, so the columns are laid out before they are painted.
        for (const [i, line] of table(cells.map((one) => one.cells)).entries()) {
          const { tone, cells: own } = cells[i]!
          terminal.out(`${terminal.outPaint(tone, own[0]!)}${line.slice(own[0]!.length)}`)
        }
        if (items.length === 0)
          terminal.say(`There is no goal${options.status ? ` that is ${options.status}` : ' yet'}; give one: ${terminal.banyan} goal "…"`)
      }),
    'banyan ls --status failed --limit 5',
  )

  examples(
    program
      .command('tree')
      .summary('draw a goal as a tree')
      .description(
        'Draws a goal: status, cost with everything below and its own, agent and id of every task. Without an id the newest goal.',
      )
      .argument('[id]', 'id of a goal, or the beginning of one')
      .option('-w, --watch', 'draw it again at every change until it is over')
      .action(async (given: string | undefined, options: { watch?: boolean }, command: Command) => {
        const server = serverOf(cli, command)
        const id = await resolveTree(server, given)
        const asJson = wantsJson(command)
        if (options.watch) {
          await watchTree(cli, server, id, {
            stream: process.stdout,
            untilStuck: false,
            ...(asJson ? { each: (event: Event) => terminal.line(event) } : {}),
          })
          return
        }
        const tree = await call(server, 'tree', { params: { id } })
        if (asJson) return terminal.document(tree)
        const drawing = { paint: terminal.outPaint, width: terminal.width(process.stdout) }
        terminal.out(...drawTree(id, tree.tasks, drawing), ...notesOf(tree.tasks, drawing))
        terminal.out(
          terminal.outPaint(
            'dim',
            `${counted(tree.tasks.length, 'task')}, ${spent(total(tree.tasks))}${watchingWords(tree.tasks)}${tree.pausedReason ? `; held: ${oneLine(tree.pausedReason)}` : ''}`,
          ),
        )
        const reviews = await openReviews(server, id)
        if (reviews.length > 0) terminal.say(`${waitFor(reviews.length, 'item', ' of it')}: ${terminal.banyan} review ls`)
      }),
    'banyan tree --watch',
    'banyan tree 0k3f --json',
  )

  examples(
    program
      .command('show')
      .summary('show a task with its history')
      .description('Shows a task: what was asked, what came of it, what it cost, and its newest messages.')
      .argument('<task>', 'id of a task, or the beginning of one')
      .option('--messages <n>', 'so many of the newest messages', whole(0, 1_000_000), 10)
      .option('--full', 'every message, uncut')
      .action(async (given: string, options: { messages: number; full?: boolean }, command: Command) => {
        const server = serverOf(cli, command)
        const task = await call(server, 'task', { params: { id: await resolveTask(server, given) } })
        const history = await all(server, 'messages', { params: { id: task.id }, query: { limit: '1000' }, turn: 'after' })
        const messages = options.full ? history : options.messages === 0 ? [] : history.slice(-options.messages)
        if (wantsJson(command)) return terminal.document({ task, messages })
        terminal.out(...taskLines(task, terminal.outPaint, options.full === true))
        if (messages.length < history.length)
          terminal.out('', terminal.outPaint('dim', `… ${history.length - messages.length} earlier messages; --full shows all`))
        for (const message of messages) terminal.out('', ...messageLines(message, terminal.outPaint, options.full === true))
        const reviews = (await openReviews(server, task.treeId)).filter((review) => review.taskId === task.id)
        for (const review of reviews) {
          terminal.out('', terminal.outPaint('you', `⚑ ${oneLine(review.title, 400)}`), ...questionOf(review).map((line) => `  ${line}`))
          terminal.say(...decisionCommands(terminal.banyan, review).map((one) => `    ${one}`))
        }
      }),
    'banyan show 0k3f.2a --messages 5',
  )

  examples(
    program
      .command('jobs')
      .summary('commands that a task left running')
      .description('Lists the commands that a task left running in the background; with the name of one, what it wrote.')
      .argument('<task>', 'id of a task or a goal, or the beginning of one')
      .argument('[job]', 'name of one, such as job-1')
      .action(async (given: string, name: string | undefined, _: unknown, command: Command) => {
        const server = serverOf(cli, command)
        const id = await resolveTask(server, given)
        const { items } = await call(server, 'taskJobs', { params: { id } })
        const job = items.find((one) => one.name === name)
        if (name !== undefined && !job)
          throw new Ended(EXIT.failed, `Task ${id} has no job "${name}"; it has ${items.map((one) => one.name).join(', ') || 'none'}.`)
        if (wantsJson(command)) return terminal.document(job ?? { items })
        if (job) return terminal.out(...plain(job.output).trimEnd().split('\n'))
        if (items.length === 0) return terminal.say(`Task ${id} left no command running.`)
        terminal.out(
          ...table(
            items.map((one) => [
              one.name,
              one.state === 'running' ? 'running' : (one.ending ?? 'ended'),
              duration((one.endedAt === null ? Date.now() : Date.parse(one.endedAt)) - Date.parse(one.startedAt)),
              oneLine(one.command, 100),
            ]),
          ),
        )
      }),
    'banyan jobs 0k3f.2a',
    'banyan jobs 0k3f.2a job-1',
  )

  examples(
    program
      .command('logs')
      .summary('facts as lines, or the log of the runtime')
      .description(
        'Prints the facts of a goal, or without an id the newest of the whole system. With --level it prints the own log of the runtime instead, from that level on. --json gives one JSON object a line.',
      )
      .argument('[tree]', 'id of a goal, or the beginning of one')
      .option('--tree <id>', 'the same as the argument')
      .option('--task <id>', 'only what is about this task')
      .addOption(new Option('--level <level>', 'lines of the log of the runtime, of this level and above').choices([...LOG_LEVELS]))
      .option('-f, --follow', 'go on with what happens from now on')
      .option('-n, --lines <n>', 'at most so many of the newest', whole(0, 1_000_000))
      .action(async (argument: string | undefined, options: LogOptions, command: Command) => {
        const server = serverOf(cli, command)
        const taskId = options.task === undefined ? undefined : await resolveTask(server, options.task)
        const given = argument ?? options.tree ?? taskId
        const treeId = given === undefined ? undefined : await resolveTree(server, given)
        if (options.level !== undefined) return runtimeLog(cli, command, server, options, { treeId, taskId })
        const most = options.lines ?? (treeId === undefined ? 200 : Number.POSITIVE_INFINITY)
        const { seq } = await call(server, 'system')
        const after = treeId === undefined ? Math.max(0, seq - most) : 0
        const wanted = (event: Event) =>
          (treeId === undefined || event.treeId === treeId) && (taskId === undefined || taskOf(event) === taskId)
        const events = (
          (await all(server, 'events', {
            query: { treeId, after: String(after), limit: '1000' },
            turn: 'after',
          })) as unknown as Event[]
        ).filter(wanted)
        const print = (event: Event) => (wantsJson(command) ? terminal.line(event) : terminal.out(logLine(event, terminal.outPaint)))
        for (const event of most === 0 ? [] : events.slice(-most)) print(event)
        if (!options.follow) return
        const stopListening = onInterrupt(() => undefined)
        try {
          for await (const heard of follow(server, Math.max(seq, events.at(-1)?.seq ?? 0), new AbortController().signal)) {
            if (heard.kind === 'event' && wanted(heard.event)) print(heard.event)
            if (heard.kind === 'lost') terminal.say(`The line to ${server.url} is lost; going on as soon as Banyan is back.`)
            if (heard.kind === 'back') terminal.say('Banyan is back.')
          }
        } finally {
          stopListening()
        }
      }),
    'banyan logs --follow',
    'banyan logs 0k3f --json',
    'banyan logs --level warn --follow',
  )
}

type LogOptions = { tree?: string; task?: string; level?: LogLevel; follow?: boolean; lines?: number }

/** Between two looks for new lines. */
const LOOK_MS = 1_000

/** The runtime's own lines. Polled, because they go to a file and to whoever asks, and not into the fact log. */
async function runtimeLog(
  { terminal }: Cli,
  command: Command,
  server: Server,
  { level, lines, follow: on }: LogOptions,
  about: { treeId: string | undefined; taskId: string | undefined },
): Promise<void> {
  const ask = (more: { after?: string; limit: string }) => call(server, 'logs', { query: { level, ...about, ...more } })
  const print = (line: LogLine) =>
    wantsJson(command)
      ? terminal.line(line)
      : terminal.out(
          `${terminal.outPaint('dim', timeOf(line.at))} ${terminal.outPaint(line.level === 'error' || line.level === 'warn' ? 'bad' : 'dim', line.level)} ${terminal.outPaint('dim', line.taskId ?? line.treeId ?? 'system')} ${oneLine(line.text, 1_000)}`,
        )
  const first = await ask({ limit: String(Math.min(1_000, Math.max(1, lines ?? 200))) })
  for (const line of lines === 0 ? [] : first.items) print(line)
  if (!on) return
  let after = first.nextCursor ?? '0'
  const stopListening = onInterrupt(() => undefined)
  try {
    for (let lost = false; ; await delay(LOOK_MS)) {
      try {
        const next = await ask({ after, limit: '1000' })
        if (lost) terminal.say('Banyan is back.')
        lost = false
        for (const line of next.items) print(line)
        after = next.nextCursor ?? after
      } catch (error) {
        if (!(error instanceof NotRunning)) throw error
        if (!lost) terminal.say(`The line to ${server.url} is lost; going on as soon as Banyan is back.`)
        lost = true
      }
    }
  } finally {
    stopListening()
  }
}

function lsCells(tree: TreeItem, reviews: number) {
  const label = labelOf({ status: tree.status, reason: tree.pausedReason === null ? null : 'budget', attempt: 0 })
  const word =
    reviews > 0
      ? { shape: '⚑', word: 'waiting for you', tone: 'you' as const }
      : tree.status === 'waiting'
        ? { ...label, word: 'waiting' }
        : label
  const age = duration(Date.now() - Date.parse(tree.createdAt))
  return {
    tone: word.tone,
    cells: [`${word.shape} ${word.word}`, plain(tree.id), money(tree.spend), counted(tree.taskCount, 'task'), age, oneLine(tree.goal, 100)],
  }
}

const CUT = { lines: 12, characters: 1_200 }
function cut(text: string, full: boolean): string[] {
  const lines = plain(text).trimEnd().split('\n')
  if (full) return lines
  const kept = lines.slice(0, CUT.lines).join('\n').slice(0, CUT.characters).split('\n')
  const missing = lines.join('\n').length - kept.join('\n').length
  return missing > 0 ? [...kept, `… ${missing} more characters; --full shows all`] : kept
}

function taskLines(task: Task, paint: Paint, full: boolean): string[] {
  const label = labelOf(task)
  const block = (name: string, text: string | null) =>
    text === null || text === '' ? [] : ['', paint('bold', name), ...cut(text, full).map((line) => `  ${line}`)]
  const facts = [
    ['id', task.id],
    ['goal', task.treeId],
    ...(task.parentId === null ? [] : [['parent', task.parentId]]),
    ['agent', `${task.agent}${task.kind === 'work' ? '' : ` (${task.kind})`}`],
    ['cost', spent(task.spend)],
    ...(task.after.length > 0 ? [['after', task.after.join(', ')]] : []),
    ...(task.deadlineAt ? [['deadline', task.deadlineAt]] : []),
    ...(task.wakeAt ? [['wakes', task.wakeAt]] : []),
    ...(task.attempt > 0 ? [['attempt', String(task.attempt)]] : []),
    ...(task.watch ? [['watchdog', `it ${watchText(task.watch)} (since ${task.watch.since})`]] : []),
    ['created', task.createdAt],
    ['changed', task.updatedAt],
  ] as [string, string][]
  const evidence = task.evidence.map((one) => {
    const what =
      one.kind === 'file'
        ? one.path
        : one.kind === 'command'
          ? `${one.command} (exit ${one.exitCode})`
          : one.kind === 'change'
            ? `${one.id}${one.title === undefined ? '' : ` (${one.state}) ${one.title}`}`
            : one.url
    return `${one.ok ? '✓' : '✕'} ${one.kind} ${oneLine(what, 200)}${one.problem ? `: ${oneLine(one.problem)}` : ''}`
  })
  const verdict =
    task.verdict &&
    `${task.verdict.passed ? 'passed' : 'not passed'}${task.verdict.by ? ` (${task.verdict.by})` : ''}: ${task.verdict.reasons}`
  const judged = new Map(task.verdict?.criteria?.map((one) => [one.number, one]))
  const criteria = (task.criteria ?? []).map((criterion, i) => {
    const one = judged.get(i + 1)
    return one ? `${one.met ? '✓' : '✕'} ${criterion}\n    ${one.evidence}` : `· ${criterion}`
  })
  return [
    `${paint(label.tone, `${label.shape} ${label.word}`)}  ${paint('bold', oneLine(task.title))}`,
    ...(task.note ? [oneLine(task.note, 400)] : []),
    ...table(facts.map(([name, value]) => [`  ${name}`, oneLine(value, 400)])),
    ...block('Instruction', task.instruction),
    ...block('What counts as done', criteria.join('\n')),
    ...block('Result', task.result),
    ...(task.summary === task.result ? [] : block('Summary', task.summary)),
    ...block('Evidence', evidence.join('\n')),
    ...block('Verdict', verdict),
  ]
}

function messageLines(message: Message, paint: Paint, full: boolean): string[] {
  const head = (who: string, more = '') => paint('bold', `${message.n} ${who}`) + paint('dim', ` ${timeOf(message.at)}${more}`)
  const body = (text: string) => (text.trim() === '' ? [] : cut(text, full).map((line) => `  ${line}`))
  switch (message.role) {
    case 'system':
      return [head('system', ` ${oneLine(message.agent, 40)} version ${message.agentVersion}, prompt ${message.promptHash.slice(0, 12)}`)]
    case 'user':
      return [head(message.from, message.rewindTo === undefined ? '' : ` goes back to message ${message.rewindTo}`), ...body(message.text)]
    case 'assistant':
      return [
        head(
          'assistant',
          ` ${oneLine(`${message.provider}/${message.model}`, 80)}, ${message.costMicros === null ? 'price unknown' : money({ costMicros: message.costMicros, unpricedCalls: 0 })}, ${Math.round(message.latencyMs)} ms`,
        ),
        ...body(message.text),
        ...message.calls.flatMap((call) => body(`→ ${call.tool} ${JSON.stringify(call.input)}`)),
      ]
    case 'tool':
      return [head(`tool ${oneLine(message.tool, 60)}`, message.isError ? ' failed' : ''), ...body(message.text)]
    case 'compaction':
      return [
        head('compaction', ` ${counted(message.dropped.messages, 'message')} no longer seen, up to ${message.upTo}`),
        ...body(message.text),
      ]
  }
}
