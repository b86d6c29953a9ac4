/** `banyan goal`: submits a goal and, with --wait, stays until it ends or asks. */
import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { type Command, Option } from 'commander'
import type { GoalRequest, RequestOf, Submitted } from '../../core/contract/api.ts'
import { APPROVALS, type Approval } from '../../core/contract/goal.ts'
import type { Budget } from '../../core/contract/limits.ts'
import { GoalRule, NARROW_SCOPES } from '../../core/contract/policy.ts'
import { send } from './attach.ts'
import { parseBudget } from './budget.ts'
import { type Cli, examples, serverOf, wantsJson, whole } from './context.ts'
import { call, NotRunning, type Server } from './server.ts'
import { Ended, EXIT } from './terminal.ts'
import { askedLines, type Settled, watchTree } from './watch.ts'
import { counted, oneLine, plain, spent } from './words.ts'

type Options = {
  file?: string
  example?: string
  wait?: boolean
  agent?: string
  mode?: GoalRequest['mode']
  priority?: number
  budget?: Budget
  workspace?: GoalRequest['workspace']
  idempotencyKey?: string
  model?: string
  approval?: Approval
  plan?: boolean
  attach?: string[]
  rule?: string[]
  criteria?: string[]
}

export function addGoal(program: Command, cli: Cli): void {
  const command = program
    .command('goal')
    .summary('submit a goal')
    .description(
      'Submits a goal and prints the id of its tree. With --wait it shows the tree on stderr until the goal is over, then prints the result;\n' +
        'exit code 0: done, 3: cancelled, 5: failed, 6: it waits for a person, 7: a cap is reached. Ctrl-C leaves the goal running.',
    )
    .argument('[text...]', 'what is to be done; - reads it from stdin')
    .option('--file <path>', 'read the goal from a file')
    .option('--example <name>', 'a goal example: its files go into the workspace, its text is the goal unless you give one')
    .option('--wait', 'stay until the goal is over or needs a person')
    .option('--agent <name>', 'who takes it on')
    .addOption(new Option('--mode <mode>', 'step: pause after every turn').choices(['auto', 'step']))
    .option('--priority <n>', 'higher goes first, -100 to 100', whole(-100, 100))
    .option(
      '--budget <caps>',
      'dollars=2,tasks=50,… (dollars, tokens, turns, tasks, depth, fanOut, wallSeconds); 2 means dollars=2',
      parseBudget,
    )
    .addOption(new Option('--workspace <kind>', 'task: a folder per task; shared: one for all').choices(['task', 'shared']))
    .option('--model <model>', 'provider/model for its agents; playbook: no model at all; external: outside agents')
    .addOption(
      new Option('--approval <policy>', 'how much is asked about; run_free: commands in the sandbox are not').choices([...APPROVALS]),
    )
    .option('--rule <rule...>', 'asked about or refused in this goal: "deny program curl", "ask host example.org"')
    .option('--criteria <text>', 'what counts as done, in a short sentence; give it again for each', (one: string, all: string[] = []) => [
      ...all,
      one,
    ])
    .option('--plan', 'show a plan first; nothing is done before you approve it in the review queue')
    .option('--attach <file...>', "files, or addresses of the web, that are put into the goal's folder first")
    .option('--idempotency-key <key>', 'submitting again with the same key finds the same goal')
    .action(async (words: string[], options: Options, own: Command) => {
      const server = serverOf(cli, own)
      const body = await requestOf(cli, server, words, options)
      const submitted = await submit(server, body, options.idempotencyKey ?? randomUUID())
      if (!options.wait) return told(cli, submitted, wantsJson(own))
      cli.terminal.say(`Goal ${submitted.treeId}: ${plain(submitted.url)}`)
      const settled = await watchTree(cli, server, submitted.treeId, { stream: process.stderr, untilStuck: true })
      finish(cli, submitted, settled, wantsJson(own))
    })
  examples(
    command,
    'banyan goal "Summarise the files in this folder" --wait',
    'banyan goal --file plan.md --budget dollars=2,tasks=50',
    'git log -20 | banyan goal - --wait --json',
  )
}

/** `banyan ask`: a word to the interface agent, which knows how things stand and acts on goals. */
export function addAsk(program: Command, cli: Cli): void {
  examples(
    program
      .command('ask')
      .summary('ask how things stand, or say what is to become of a goal')
      .description(
        'Speaks with the interface agent: "what is going on?", "status of the report", "cancel the report goal". It answers in plain words.\n' +
          'Without a model it understands these forms; with one, any words.',
      )
      .argument('<words...>', 'what you want to know, or done')
      .option('-c, --continue', 'go on from what you asked last, so that "the second one" is understood')
      .action(async (words: string[], options: { continue?: boolean }, own: Command) => {
        const server = serverOf(cli, own)
        const last = options.continue ? (await call(server, 'asks', { query: { limit: '1' } })).items[0] : undefined
        if (options.continue && !last)
          throw new Ended(EXIT.usage, 'There is nothing to go on from: you asked nothing yet. Leave --continue out.')
        const key = randomUUID()
        const body = { words: words.join(' '), ...(last ? { conversation: last.conversation } : {}) }
        const submitted = await untilTaken(() => call(server, 'ask', { body, headers: { 'idempotency-key': key } }))
        finish(
          cli,
          submitted,
          await watchTree(cli, server, submitted.treeId, { stream: process.stderr, untilStuck: true, each: () => undefined }),
          wantsJson(own),
        )
      }),
    'banyan ask "what is going on?"',
    'banyan ask cancel the report goal',
    'banyan ask --continue the second one',
  )
}

async function requestOf(cli: Cli, server: Server, words: string[], options: Options): Promise<RequestOf<'submitGoal'>> {
  if (options.file !== undefined && words.length > 0)
    throw new Ended(EXIT.usage, 'The goal is given twice: as words and by --file; keep one.')
  const goal = await textOf(cli, server, words, options)
  if (goal.trim() === '') throw new Ended(EXIT.usage, 'The goal is empty: say what is to be done.')
  const { example, agent, mode, priority, budget, workspace, model, approval, plan, attach = [], rule = [], criteria = [] } = options
  const attachments: string[] = []
  for (const path of attach) attachments.push(await send(server, path))
  return {
    goal,
    ...(example === undefined ? {} : { example }),
    ...(agent === undefined ? {} : { agent }),
    ...(mode === undefined ? {} : { mode }),
    ...(priority === undefined ? {} : { priority }),
    ...(budget === undefined ? {} : { budget }),
    ...(workspace === undefined ? {} : { workspace }),
    ...(model === undefined ? {} : { model }),
    ...(approval === undefined ? {} : { approval }),
    ...(rule.length > 0 ? { rules: rule.map(ruleOf) } : {}),
    ...(plan ? { plan } : {}),
    ...(criteria.length > 0 ? { criteria } : {}),
    ...(attachments.length > 0 ? { attachments } : {}),
  }
}

function ruleOf(words: string): GoalRule {
  const [verdict, scope, ...name] = words.trim().split(/\s+/)
  const parsed = GoalRule.safeParse({ verdict, scope, signature: name.join(' ') })
  if (!parsed.success)
    throw new Ended(EXIT.usage, `--rule "${words}" is no rule: ask or deny, then one of ${NARROW_SCOPES.join(', ')}, then its name.`)
  return parsed.data
}

async function textOf(cli: Cli, server: Server, words: string[], options: Options): Promise<string> {
  if (options.file !== undefined && options.file !== '-') {
    try {
      return await readFile(options.file, 'utf8')
    } catch (error) {
      throw new Ended(
        EXIT.usage,
        `${options.file} cannot be read (${(error as NodeJS.ErrnoException).code}): check the path given to --file.`,
        { cause: error },
      )
    }
  }
  if (options.file === '-' || (words.length === 1 && words[0] === '-')) return cli.terminal.stdin()
  if (words.length > 0) return words.join(' ')
  if (options.example === undefined)
    throw new Ended(
      EXIT.usage,
      `Say what is to be done: ${cli.terminal.banyan} goal "…", or - to read it from stdin, or --file, or --example.`,
    )
  const { items } = await call(server, 'goalExamples')
  const found = items.find((item) => item.name === options.example)
  if (!found)
    throw new Ended(
      EXIT.usage,
      `There is no goal example "${options.example}"; there are: ${items.map((item) => plain(item.name)).join(', ') || 'none'}.`,
    )
  return found.goal
}

/** A goal whose answer got lost was perhaps taken: the same key asks again and finds it. */
export const submit = (server: Server, body: RequestOf<'submitGoal'>, key: string): Promise<Submitted> =>
  untilTaken(() => call(server, 'submitGoal', { body, headers: { 'idempotency-key': key } }))

async function untilTaken(send: () => Promise<Submitted>): Promise<Submitted> {
  for (let failures = 0, sent = false; ; failures++) {
    try {
      return await send()
    } catch (error) {
      if (!(error instanceof NotRunning)) throw error
      sent ||= !isRefused(error)
      if (!sent || failures >= 10) throw error
      await delay(500)
    }
  }
}
function isRefused(error: Error): boolean {
  for (let one: unknown = error; one instanceof Error; one = one.cause) if ('code' in one && one.code === 'ECONNREFUSED') return true
  return false
}

export function told(cli: Cli, submitted: Submitted, asJson: boolean): void {
  const { terminal } = cli
  if (asJson) terminal.document(submitted)
  else terminal.out(plain(submitted.treeId))
  terminal.say(`Submitted: ${plain(submitted.url)}`, `Watch it: ${terminal.banyan} tree ${submitted.treeId} --watch`)
}

function finish(cli: Cli, submitted: Submitted, settled: Settled, asJson: boolean): void {
  const { terminal } = cli
  const { standing, tree, reviews } = settled
  cli.exit(standing.exitCode)
  if (asJson) {
    const { status, result, summary, note, cost, spend, taskCount } = tree
    terminal.document({ ...submitted, status, exitCode: standing.exitCode, result, summary, note, cost, spend, taskCount, reviews })
  }
  if (standing.kind === 'stuck') {
    terminal.say(...askedLines(cli, settled))
    return
  }
  const text = tree.result ?? tree.summary
  if (!asJson && text !== null) terminal.out(plain(text).trimEnd())
  const words = { 0: terminal.sayPaint('good', '✓ done'), 3: terminal.sayPaint('stop', '⊘ stopped') }[standing.exitCode as 0 | 3]
  terminal.say(
    `${words ?? terminal.sayPaint('bad', '✕ failed')}${tree.note ? `: ${oneLine(tree.note, 400)}` : ''} (${counted(tree.taskCount, 'task')}, ${spent(tree.spend)})`,
    `Look closer: ${terminal.banyan} tree ${tree.id}${standing.exitCode === EXIT.unsuccessful ? `; try again: ${terminal.banyan} retry ${tree.id}` : ''}`,
  )
}
