/** `banyan review`: the queue of what waits for a person. */
import { type Command, Option } from 'commander'
import type { ResponseOf } from '../../core/contract/api.ts'
import { RULE_SCOPES, type RuleScope } from '../../core/contract/policy.ts'
import { DECISIONS_OF, type Decision, type DecisionWord, REVIEW_KINDS, type Review, type ReviewKind } from '../../core/contract/review.ts'
import { type Cli, examples, serverOf, wantsJson } from './context.ts'
import { addRules, secondsOf } from './rules.ts'
import { all, call, type Server } from './server.ts'
import { Ended, EXIT } from './terminal.ts'
import { openReviews, questionOf, shortened } from './watch.ts'
import { counted, decisionCommands, duration, oneLine, plain, quoted, table } from './words.ts'

type Options = { comment?: string; edit?: Record<string, unknown>; always?: RuleScope; for?: number; tainted?: boolean; alike?: boolean }

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
    .summary('what waits for you: list, show, decide; rules')
    .description('The queue of what agents may not decide. Without a command it lists what is open.')
  const id = ['[id]', 'id of the item or of its task, or the beginning of one; without it the only item that is open'] as const

  examples(
    review
      .command('ls')
      .description('Lists what waits for a person, oldest first.')
      .addOption(new Option('--state <state>', 'which items').choices(['open', 'decided', 'snoozed', 'all']).default('open'))
      .addOption(new Option('--kind <kind>', 'only items of this kind').choices(REVIEW_KINDS))
      .action(async (options: { state: 'open' | 'decided' | 'snoozed' | 'all'; kind?: ReviewKind }, command: Command) => {
        const found = await all(serverOf(cli, command), 'reviews', { query: { state: options.state, limit: '200' } })
        const items = options.kind === undefined ? found : found.filter((item) => item.kind === options.kind)
        if (wantsJson(command)) return terminal.document({ items })
        if (items.length === 0) return terminal.say(options.state === 'open' ? 'Nothing waits for you.' : 'There is no such item.')
        terminal.out(
          ...table(
            items.map((item) => [
              plain(item.id),
              item.kind,
              item.decision ?? `risk ${item.risk}${item.taint.length > 0 ? `, tainted (${item.taint.join(', ')})` : ''}`,
              duration(Date.now() - Date.parse(item.createdAt)),
              oneLine(item.title, 120),
            ]),
          ),
        )
        const alike = groupsOf(items.filter((item) => item.state === 'open'))
        for (const [first, ...more] of alike)
          terminal.say(`${more.length + 1} ask the same: ${terminal.banyan} review approve ${plain(first!.id)} --alike`)
        terminal.say(`Look at one: ${terminal.banyan} review show ID`)
      }),
    'banyan review ls',
    'banyan review ls --state decided --json',
    'banyan review ls --kind question',
  )

  examples(
    review
      .command('show')
      .description('Shows an item: exactly what would happen, and the commands that decide it.')
      .argument(...id)
      .option('--whole', 'everything, however long')
      .action(async (given: string | undefined, options: { whole?: boolean }, command: Command) => {
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
            ...(item.reason === null ? [] : [['  why', oneLine(item.reason, 400)]]),
            ...(item.taint.length === 0 ? [] : [['  tainted', `its task has read: ${item.taint.join(', ')}`]]),
            ...(item.snoozedUntil === null ? [] : [['  back at', item.snoozedUntil]]),
            ...(item.expiresAt === null ? [] : [['  decide by', item.expiresAt]]),
            ...(item.escalatedAt === null ? [] : [['  overdue', `since ${item.escalatedAt}`]]),
            ...(item.edit === null ? [] : [['  edited', oneLine(JSON.stringify(item.edit), 400)]]),
            ...(item.waiting ?? []).map((task) => ['  waits', `${plain(task.id)}  ${oneLine(task.title)}`]),
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
          ...(options.whole ? questionOf(item) : shortened(item, terminal.banyan)).map((line) => `  ${line}`),
        )
        if (item.state === 'decided') return
        terminal.say('', 'Decide it:', ...decisionCommands(terminal.banyan, item).map((one) => `  ${one}`))
        for (const offer of item.offers)
          terminal.say(
            `  ${terminal.banyan} review approve ${quoted(plain(item.id))} --always ${offer.scope}   # ${oneLine(offer.label, 100)}`,
          )
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
      ...(options.always === undefined
        ? {}
        : {
            remember: {
              scope: options.always,
              ...(options.for === undefined ? {} : { expiresInSeconds: options.for }),
              ...(options.tainted ? { tainted: true } : {}),
            },
          }),
    }
    if (options.alike) return decideAlike(command, server, item, body)
    const decided = await call(server, 'decide', { params: { id: item.id }, body })
    if (wantsJson(command)) return terminal.document(decided)
    terminal.out(`${decided.decision} ${plain(decided.id)}  ${oneLine(decided.title)}`)
    terminal.say(`Watch what comes of it: ${terminal.banyan} tree ${plain(decided.treeId)} --watch`)
  }

  async function decideAlike(command: Command, server: Server, item: Review, { decision, comment, edit, remember }: Decision) {
    if (edit || remember) throw new Ended(EXIT.usage, '--alike decides many items; --edit and --always are for one.')
    const items = (await openReviews(server)).filter(
      (one) => one.id === item.id || (one.signature !== null && one.signature === item.signature),
    )
    const answers = await call(server, 'decideBatch', {
      body: {
        ids: items.slice(0, 200).map((one) => one.id),
        decision,
        actionHashes: Object.fromEntries(items.map((one) => [one.id, one.actionHash])),
        ...(comment === undefined ? {} : { comment }),
      },
    })
    if (wantsJson(command)) return terminal.document(answers)
    for (const one of answers.items)
      terminal.out(one.ok ? `${decision} ${plain(one.id)}  ${oneLine(one.review.title)}` : `not ${plain(one.id)}: ${oneLine(one.detail)}`)
    const failed = answers.items.filter((one) => !one.ok).length
    terminal.say(`${counted(answers.items.length - failed, 'item')} decided${failed > 0 ? `, ${failed} not` : ''}.`)
    if (failed > 0) cli.exit(EXIT.failed)
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
    if (word !== 'changes') command.option('--alike', 'all open items that ask for the same kind of thing')
    if (word === 'approve')
      command
        .option('--edit <json>', 'a JSON object that takes the place of the arguments or caps', parseEdit)
        .addOption(
          new Option(
            '--always <scope>',
            'allow it from now on: exactly this, this command with these flags, or this tool in this goal',
          ).choices(RULE_SCOPES),
        )
        .addOption(new Option('--for <time>', 'how long --always holds: 30m, 2h, 7d').argParser(secondsOf))
        .option('--tainted', '--always holds for tasks too that have read what nobody in their goal wrote')
    command.action(async (given: string | undefined, options: Options, own: Command) => {
      if ((options.for !== undefined || options.tainted) && options.always === undefined)
        throw new Ended(EXIT.usage, '--for and --tainted go with --always.')
      if (word === 'changes' && !options.comment?.trim()) throw new Ended(EXIT.usage, 'Say what should be different with --comment "…".')
      await decide(own, given, word, options)
    })
    examples(
      command,
      ...(word === 'approve'
        ? [
            'banyan review approve 0k3f',
            'banyan review approve 0k3f --always command --for 7d',
            `banyan review approve 0k3f --edit '{"costMicros": 10000000}'`,
          ]
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

  examples(
    review
      .command('snooze')
      .description('Puts an item off; it comes back by itself.')
      .argument('<id>', 'id of the item or of its task, or the beginning of one')
      .argument('<time>', 'for how long (30m, 2h, 1d), until when (2026-01-31T09:00:00Z), or "now" to bring it back')
      .action(async (given: string, time: string, _options: object, own: Command) => {
        const server = serverOf(cli, own)
        const item = await find(cli, server, given, false)
        const until =
          time === 'now'
            ? null
            : Number.isNaN(Date.parse(time))
              ? new Date(Date.now() + secondsOf(time) * 1_000).toISOString()
              : new Date(time).toISOString()
        const put = await call(server, 'snooze', { params: { id: item.id }, body: { until } })
        if (wantsJson(own)) return terminal.document(put)
        terminal.out(put.snoozedUntil === null ? `back ${plain(put.id)}` : `snoozed ${plain(put.id)} until ${put.snoozedUntil}`)
      }),
    'banyan review snooze 0k3f 2h',
    'banyan review snooze 0k3f now',
  )
  addRules(review, cli)

  async function answerOf(item: Review, said: string[], options: Options): Promise<string> {
    if (options.comment !== undefined) return options.comment
    if (said.length === 1 && said[0] === '-') return terminal.stdin()
    if (said.length > 0) return said.join(' ')
    if (!terminal.isPerson()) throw new Ended(EXIT.usage, `Say the answer: ${terminal.banyan} review answer ${plain(item.id)} "…"`)
    terminal.say(oneLine(item.title, 500), ...questionOf(item).map((line) => `  ${line}`))
    return terminal.ask('Your answer: ')
  }
}

/** Items that ask for the same kind of thing, where there are several. */
function groupsOf(items: readonly Review[]): Review[][] {
  const groups = new Map<string, Review[]>()
  for (const item of items) if (item.signature !== null) groups.set(item.signature, [...(groups.get(item.signature) ?? []), item])
  return [...groups.values()].filter((group) => group.length > 1)
}

/** Among what is open; a whole id finds a decided one too, where looking is all that is wanted. */
async function find(cli: Cli, server: Server, given: string | undefined, decidedToo: boolean): Promise<ResponseOf<'review'>> {
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
