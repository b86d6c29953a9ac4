/** Commands that keep an instance in order: what is stuck, providers that are not called, old goals, a goal as a file. */
import type { Command } from 'commander'
import { type Cli, confirm, examples, serverOf, wantsJson, whole } from './context.ts'
import { save } from './files.ts'
import { all, call, notRunning, refusalOf, resolveTask, resolveTree } from './server.ts'
import { Ended, EXIT } from './terminal.ts'
import { counted, duration, oneLine, plain, table } from './words.ts'

/** An export of a large goal takes a while. */
const PATIENCE_MS = 600_000

export function addUpkeep(program: Command, cli: Cli): void {
  const { terminal } = cli
  const dead = examples(
    program
      .command('dead')
      .summary('what is stuck: list, retry, discard')
      .description('Tasks that were set aside and goals that failed, with the reason. Without a command it lists them.'),
    'banyan dead',
    'banyan dead retry 0k3f.2a',
  )
  examples(
    dead
      .command('ls')
      .description('Lists what does not go on by itself, newest first.')
      .option('--limit <n>', 'at most so many', whole(1, 10_000), 50)
      .action(async (options: { limit: number }, command: Command) => {
        const query = { limit: String(Math.min(200, options.limit)) }
        const items = await all(serverOf(cli, command), 'dead', { query, most: options.limit })
        if (wantsJson(command)) return terminal.document({ items })
        if (items.length === 0) return terminal.say('Nothing is stuck.')
        terminal.out(
          ...table(items.map((one) => [plain(one.taskId), one.status, oneLine(one.title, 60), oneLine(one.note ?? one.reason ?? '', 200)])),
        )
        terminal.say(`Run one again: ${terminal.banyan} dead retry ID; put it away: ${terminal.banyan} dead discard ID`)
      }),
    'banyan dead ls --json',
  )
  const found = async (command: Command, given: string) => {
    const server = serverOf(cli, command)
    const id = await resolveTask(server, given)
    const item = (await all(server, 'dead', { query: { limit: '200' } })).find((one) => one.taskId === id)
    if (!item) throw new Ended(EXIT.failed, `Task ${id} is not stuck; see what is: ${terminal.banyan} dead`)
    return { server, item }
  }
  examples(
    dead
      .command('retry')
      .description('Runs a stuck task again.')
      .argument('<task>', 'id of a task, or the beginning of one')
      .action(async (given: string, _: object, command: Command) => {
        const { server, item } = await found(command, given)
        const [, review] = /^\/api\/reviews\/(.+)\/decision$/.exec(item.action.path) ?? []
        if (review !== undefined)
          await call(server, 'decide', { params: { id: decodeURIComponent(review) }, body: { decision: 'approve' } })
        else await call(server, item.status === 'paused' ? 'resume' : 'retry', { params: { id: item.taskId }, body: {} })
        const task = await call(server, 'task', { params: { id: item.taskId } })
        if (wantsJson(command)) return terminal.document(task)
        terminal.say(`${item.taskId} runs again.`)
      }),
    'banyan dead retry 0k3f',
  )
  examples(
    dead
      .command('discard')
      .description('Puts a stuck task away: one that is held ends, one that has ended is no longer listed.')
      .argument('<task>', 'id of a task, or the beginning of one')
      .option('--yes', 'without asking')
      .action(async (given: string, options: { yes?: boolean }, command: Command) => {
        const { server, item } = await found(command, given)
        await confirm(cli, options.yes, `Put ${item.taskId} (${oneLine(item.title, 60)}) away?`)
        const done = await call(server, 'discardDead', { params: { id: item.taskId } })
        if (wantsJson(command)) return terminal.document(done)
        terminal.say(`${item.taskId} is put away.`)
      }),
    'banyan dead discard 0k3f --yes',
  )

  const breakers = examples(
    program
      .command('breakers')
      .summary('providers that are not called for now, and what waits for them: list, reset')
      .description(
        'The circuit breaker of each provider, its limits that were met, and the tasks that wait. Without a command it lists them.',
      ),
    'banyan breakers',
    'banyan breakers reset anthropic',
  )
  examples(
    breakers
      .command('ls')
      .description('Lists providers: whether they are called, why not, what waits, and when it goes on.')
      .action(async (_: object, command: Command) => {
        const items = await all(serverOf(cli, command), 'breakers')
        if (wantsJson(command)) return terminal.document({ items })
        terminal.out(
          ...table(
            items.map((one) => [
              plain(one.id),
              one.hold === null ? one.state : one.hold.kind === 'quota' ? 'out of quota' : 'rate limit',
              `${counted(one.waiting, 'task')} waiting`,
              ...[one.hold?.until ?? one.until ?? one.resumesAt].map((at) =>
                at === null ? '-' : `goes on in ${duration(Date.parse(at) - Date.now())}`,
              ),
              oneLine(one.hold?.why ?? one.why ?? '', 160),
            ]),
          ),
        )
      }),
    'banyan breakers ls --json',
  )
  examples(
    breakers
      .command('reset')
      .description(
        'Has a provider called again now. Where a limit of it was met, one task tries first, and the others follow when that went through.',
      )
      .argument('<provider>', 'as the list names it')
      .action(async (id: string, _: object, command: Command) => {
        const done = await call(serverOf(cli, command), 'resetBreaker', { params: { id } })
        if (wantsJson(command)) return terminal.document(done)
        terminal.say(`${plain(done.id)} is called again.`)
      }),
    'banyan breakers reset openrouter',
  )

  examples(
    program
      .command('export')
      .summary('a goal with all that belongs to it, as a file')
      .description('Writes every row of a goal, one JSON object a line: the goal, its tasks, messages, calls, costs, questions and facts.')
      .argument('<goal>', 'id of a goal, or the beginning of one')
      .option('-o, --output <file>', 'where to put it; - is stdout (default: the id with .jsonl, here)')
      .option('-f, --force', 'overwrite')
      .action(async (given: string, options: { output?: string; force?: boolean }, command: Command) => {
        const server = serverOf(cli, command)
        const id = await resolveTree(server, given)
        const answer = await fetch(`${server.url}/api/trees/${encodeURIComponent(id)}/export`, {
          redirect: 'manual',
          headers: server.token === null ? {} : { authorization: `Bearer ${server.token}` },
          signal: AbortSignal.timeout(PATIENCE_MS),
        }).catch((error: unknown) => {
          throw notRunning(server, error)
        })
        if (!answer.ok) throw refusalOf(server, answer.status, await answer.text())
        const to = options.output ?? `${id}.jsonl`
        const bytes = await save(answer, to, options.force === true)
        if (wantsJson(command) && to !== '-') return terminal.document({ treeId: id, file: to, bytes })
        if (to !== '-') terminal.say(`${plain(to)}: ${counted(bytes, 'byte')}`)
      }),
    'banyan export 0k3f -o goal.jsonl',
  )

  examples(
    program
      .command('retention')
      .summary('goals that ended long ago: what would leave the database, and letting it go')
      .description(
        'Says which goals a run would remove: those that ended longer ago than RETENTION_DAYS (or --days), with nothing open. With --run they are written to DATA_DIR/exports, files included, and removed. With RETENTION_DAYS set this happens by itself each hour.',
      )
      .option('--days <n>', 'ended longer ago than so many days', whole(14, 36_500))
      .option('--run', 'do it')
      .option('--yes', 'without asking')
      .action(async (options: { days?: number; run?: boolean; yes?: boolean }, command: Command) => {
        const server = serverOf(cli, command)
        const preview = await call(server, 'retention', {
          query: options.days === undefined ? {} : { days: String(options.days) },
        })
        const asJson = wantsJson(command)
        if (!options.run) {
          if (asJson) return terminal.document(preview)
          terminal.out(
            ...table(
              preview.items.map((one) => [plain(one.treeId), one.status, counted(one.tasks, 'task'), one.endedAt, oneLine(one.goal, 80)]),
            ),
          )
          if (preview.askedDays === null) return terminal.say('Goals are kept for good; set RETENTION_DAYS, or ask with --days.')
          return terminal.say(
            `${counted(preview.trees, 'goal')}${preview.more ? ' and more' : ''} that ended more than ${preview.askedDays} days ago would go${preview.exports === null ? ', without an export' : `; first to ${plain(preview.exports)}`}.`,
          )
        }
        if (preview.trees > 0)
          await confirm(cli, options.yes, `Remove ${counted(preview.trees, 'goal')} with ${counted(preview.tasks, 'task')}?`)
        const done = await call(server, 'runRetention', {
          body: options.days === undefined ? {} : { days: options.days },
          timeoutMs: PATIENCE_MS,
        })
        if (asJson) return terminal.document(done)
        terminal.out(...table(done.items.map((one) => [plain(one.treeId), plain(one.file ?? 'not kept')])))
        terminal.say(`${counted(done.items.length, 'goal')} removed${done.more ? '; there are more, run it again' : ''}.`)
      }),
    'banyan retention --days 90',
    'banyan retention --days 90 --run --yes',
  )
}
