/** `banyan review`: the queue of what waits for a person. */
import { type Command, Option } from 'commander'
import { DECISIONS_OF, type Decision, type DecisionWord, type Review } from '../../core/contract/review.ts'
import { type Cli, examples, serverOf, wantsJson } from './context.ts'
import { all, call, type Server } from './server.ts'
import { Ended, EXIT } from './terminal.ts'
import { openReviews, questionOf } from './watch.ts'
import { decisionCommands, duration, oneLine, plain, table } from './words.ts'

type Options = { comment?: string; edit?: Record<string, unknown> }

/** The one item that is meant: by its whole id, the beginning of it, or its task; without any, the only one that is open. */
export function pickReview(items: readonly Review[], given: string | undefined, banyan: string): Review {
  const look = `see them with: ${banyan} review ls`
  if (given === undefined) {
    if (items.length === 1) return items[0]!
    throw new Ended(
      items.length === 0 ? EXIT.failed : EXIT.usage,
      items.length === 0 ? 'Nothing waits for you.' : `${items.length} items wait for you; say which: ${look}`,
    )
  }
  const exact = items.filter((item) => item.id === given)
  const ofTask = items.filter((item) => item.taskId === given)
  const begun = given === '' ? [] : items.filter((item) => item.id.startsWith(given))
  const found = [exact, ofTask, begun].find((list) => list.length === 1)
  if (found) return found[0]!
  const many = ofTask.length > 0 ? ofTask : begun
  throw new Ended(
    EXIT.failed,
    many.length > 0
      ? `${plain(given)} could be ${many.length} items (${many
          .slice(0, 4)
          .map((item) => plain(item.id))
          .join(', ')}); write more of the id.`
      : `No item that waits is ${plain(given)}; ${look}`,
  )
}

export function addReview(program: Command, cli: Cli): void {
  const { terminal } = cli
  const review = program
    .command('review')
    .summary('what waits for you: list, show, decide')
    .description('The queue of what agents may not decide. Without a command it lists what is open.')
  const id = ['[id]', 'id of the item or of its task, or the beginning of one; without it the only item that is open'] as const

  examples(
    review
      .command('ls')
      .description('Lists what waits for a person, oldest first.')
      .addOption(new Option('--state <state>', 'which items').choices(['open', 'decided', 'snoozed', 'all']).default('open'))
      .action(async (options: { state: 'open' | 'decided' | 'snoozed' | 'all' }, command: Command) => {
        const items = await all(serverOf(cli, command), 'reviews', { query: { state: options.state, limit: '200' } })
        if (wantsJson(command)) return terminal.document({ items })
        if (items.length === 0) return terminal.say(options.state === 'open' ? 'Nothing waits for you.' : 'There is no such item.')
        terminal.out(
          ...table(
            items.map((item) => [
              plain(item.id),
              item.kind,
              item.decision ?? `risk ${item.risk}`,
              duration(Date.now() - Date.parse(item.createdAt)),
              oneLine(item.title, 120),
            ]),
          ),
        )
        terminal.say(`Look at one: ${terminal.banyan} review show ID`)
      }),
    'banyan review ls',
    'banyan review ls --state decided --json',
  )

  examples(
    review
      .command('show')
      .description('Shows an item: exactly what would happen, and the commands that decide it.')
      .argument(...id)
      .action(async (given: string | undefined, _options: object, command: Command) => {
        const item = await find(cli, serverOf(cli, command), given, true)
        if (wantsJson(command)) return terminal.document(item)
        terminal.out(
          terminal.outPaint('bold', oneLine(item.title, 500)),
          ...table([
            ['  id', plain(item.id)],
            ['  kind', item.kind],
            ['  risk', item.risk],
            ['  task', plain(item.taskId)],
            ['  since', item.createdAt],
            ...(item.decision === null
              ? []
              : [
                  [
                    '  decided',
                    `${item.decision} by ${oneLine(item.decidedBy ?? 'nobody', 40)}${item.comment ? `: ${oneLine(item.comment, 400)}` : ''}`,
                  ],
                ]),
          ]),
          '',
          ...questionOf(item).map((line) => `  ${line}`),
        )
        if (item.state !== 'decided') terminal.say('', 'Decide it:', ...decisionCommands(terminal.banyan, item).map((one) => `  ${one}`))
      }),
    'banyan review show 0k3f',
  )

  const decide = async (command: Command, given: string | undefined, decision: DecisionWord, options: Options) => {
    const server = serverOf(cli, command)
    const item = await find(cli, server, given, false)
    if (!DECISIONS_OF[item.kind].includes(decision))
      throw new Ended(EXIT.usage, `A ${item.kind} item is decided with ${DECISIONS_OF[item.kind].join(', ')}; not with ${decision}.`)
    const body: Decision = {
      decision,
      // What is decided is what was read a moment ago; if it changed in between the server refuses.
      actionHash: item.actionHash,
      ...(options.comment === undefined ? {} : { comment: options.comment }),
      ...(options.edit === undefined ? {} : { edit: options.edit }),
    }
    const decided = await call(server, 'decide', { params: { id: item.id }, body })
    if (wantsJson(command)) return terminal.document(decided)
    terminal.out(`${decided.decision} ${plain(decided.id)}  ${oneLine(decided.title)}`)
    terminal.say(`Watch what comes of it: ${terminal.banyan} tree ${plain(decided.treeId)} --watch`)
  }

  const words: Record<Exclude<DecisionWord, 'answer'>, string> = {
    approve: 'Lets what was asked happen; --edit changes it first (the arguments of a call, or the caps of a budget).',
    reject: 'Says no; the agent is told why with --comment.',
    changes: 'Sends it back with what should be different.',
  }
  for (const [word, description] of Object.entries(words) as [Exclude<DecisionWord, 'answer'>, string][]) {
    const command = review
      .command(word)
      .description(description)
      .argument(...id)
      .option('-m, --comment <text>', 'words for the agent')
    if (word === 'approve') command.option('--edit <json>', 'a JSON object that takes the place of the arguments or caps', parseEdit)
    command.action(async (given: string | undefined, options: Options, own: Command) => {
      if (word === 'changes' && !options.comment?.trim()) throw new Ended(EXIT.usage, 'Say what should be different with --comment "…".')
      await decide(own, given, word, options)
    })
    examples(
      command,
      ...(word === 'approve'
        ? ['banyan review approve 0k3f', `banyan review approve 0k3f --edit '{"costMicros": 10000000}'`]
        : [`banyan review ${word} 0k3f --comment "Use the copy, not the original"`]),
    )
  }

  examples(
    review
      .command('answer')
      .description('Answers a question; the answer becomes what the agent goes on with.')
      .argument(...id)
      .argument('[answer...]', 'the words; - reads them from stdin')
      .option('-m, --comment <text>', 'the words, too')
      .action(async (given: string | undefined, said: string[], options: Options, own: Command) => {
        if (options.comment !== undefined && said.length > 0)
          throw new Ended(EXIT.usage, 'The answer is given twice: as words and by --comment; keep one.')
        const item = await find(cli, serverOf(cli, own), given, false)
        const comment = await answerOf(item, said, options)
        if (comment.trim() === '') throw new Ended(EXIT.usage, 'The answer is empty; nothing was sent.')
        await decide(own, item.id, 'answer', { comment })
      }),
    'banyan review answer 0k3f "Take the second one"',
    'banyan review answer 0k3f - < answer.md',
  )

  async function answerOf(item: Review, said: string[], options: Options): Promise<string> {
    if (options.comment !== undefined) return options.comment
    if (said.length === 1 && said[0] === '-') return terminal.stdin()
    if (said.length > 0) return said.join(' ')
    if (!terminal.isPerson()) throw new Ended(EXIT.usage, `Say the answer: ${terminal.banyan} review answer ${plain(item.id)} "…"`)
    terminal.say(oneLine(item.title, 500), ...questionOf(item).map((line) => `  ${line}`))
    return terminal.ask('Your answer: ')
  }
}

/** Among what is open; a whole id finds a decided one too, where looking is all that is wanted. */
async function find(cli: Cli, server: Server, given: string | undefined, decidedToo: boolean): Promise<Review> {
  const open = await openReviews(server)
  try {
    return pickReview(open, given, cli.terminal.banyan)
  } catch (error) {
    if (given === undefined || !given.includes('/')) throw error
    try {
      const item = await call(server, 'review', { params: { id: given } })
      if (decidedToo) return item
      throw new Ended(EXIT.failed, `This item was decided already (${item.decision} by ${oneLine(item.decidedBy ?? 'nobody', 40)}).`)
    } catch (second) {
      if (second instanceof Ended && 'status' in second) throw error
      throw second
    }
  }
}

function parseEdit(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    if (value !== null && typeof value === 'object' && !Array.isArray(value)) return value as Record<string, unknown>
  } catch (error) {
    throw new Ended(EXIT.usage, `--edit is not JSON (${(error as Error).message}); write an object such as '{"command": "ls"}'.`, {
      cause: error,
    })
  }
  throw new Ended(EXIT.usage, `--edit must be a JSON object such as '{"command": "ls"}'.`)
}
