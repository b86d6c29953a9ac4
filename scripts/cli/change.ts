/** `banyan change`: how Banyan changes its own code, and a person's word on it. */
import { type Command, Option } from 'commander'
import type { ResponseOf } from '../../core/contract/api.ts'
import type { KeeperFact } from '../../core/contract/api-changes.ts'
import { AUTONOMY, type Autonomy, LEVEL_WORDS } from '../../core/contract/change.ts'
import type { DecisionWord } from '../../core/contract/review.ts'
import { addAsk } from './ask.ts'
import { stateRows } from './change-state.ts'
import { type Cli, confirm, examples, serverOf, wantsJson } from './context.ts'
import { all, call, type Server } from './server.ts'
import { Ended, EXIT } from './terminal.ts'
import { counted, duration, oneLine, plain, quoted, table } from './words.ts'

type Change = ResponseOf<'change'>['change']

/** What the keeper saw of it. */
const HEALTH: Record<KeeperFact['type'], string> = {
  boot: 'is being started',
  ready: 'answers, and may work',
  kept: 'is kept',
  undone: 'was taken back',
  refused: 'was not taken',
  crash: 'ended by itself',
  'safe-mode': 'could not run: safe mode',
  restored: 'the database is back to before it',
}
const healthOf = ({ slot, reason }: KeeperFact): string =>
  `${slot === null ? '' : ` (slot ${plain(slot)})`}${reason === null ? '' : `: ${oneLine(reason, 300)}`}`

/** The one change that is meant, by its id or the beginning of it. */
async function find(server: Server, given: string, banyan: string): Promise<Change> {
  const items = await all(server, 'changes', { query: { limit: '200' } })
  const found = items.filter((item) => item.id === given)
  const begun = items.filter((item) => item.id.startsWith(given) || item.id.startsWith(`ch_${given}`))
  const [one, ...more] = found.length === 1 ? found : begun
  if (one && more.length === 0) return one
  throw new Ended(
    EXIT.failed,
    one
      ? `${plain(given)} could be ${begun.length} changes; write more of the id.`
      : `There is no change ${plain(given)}; see them with: ${banyan} change ls`,
  )
}

export function addChange(program: Command, cli: Cli): void {
  const { terminal } = cli
  const change = program
    .command('change')
    .summary('changes of Banyan itself: list, show, diff, decide, take back')
    .description('How Banyan changes its own code: what was proposed, what the gates said, what runs. Without a command it lists them.')
  const id = ['<id>', 'id of the change, or the beginning of it'] as const
  addAsk(change, cli)

  examples(
    change
      .command('ls')
      .description('Lists changes, newest first.')
      .option('--open', 'only those that are under way')
      .action(async (options: { open?: boolean }, command: Command) => {
        const items = await all(serverOf(cli, command), 'changes', { query: { limit: '200', state: options.open ? 'open' : 'all' } })
        if (wantsJson(command)) return terminal.document({ items })
        if (items.length === 0) return terminal.say(options.open ? 'No change is under way.' : 'Banyan has not changed itself yet.')
        terminal.out(
          ...table(
            items.map((item) => [
              plain(item.id),
              item.state,
              item.level === null ? '' : `level ${item.level}`,
              duration(Date.now() - Date.parse(item.createdAt)),
              oneLine(item.title, 120),
            ]),
          ),
        )
      }),
    'banyan change ls',
    'banyan change ls --open --json',
  )
  examples(
    change
      .command('show')
      .description('Shows a change: why, by which task, its gates, its story, and what a person can do now.')
      .argument(...id)
      .option('--gate <name>', 'print what this gate wrote')
      .action(async (given: string, options: { gate?: string }, command: Command) => {
        const server = serverOf(cli, command)
        const { id: of } = await find(server, given, terminal.banyan)
        if (options.gate !== undefined) {
          const gate = await call(server, 'changeGate', { params: { id: of, name: options.gate } })
          if (wantsJson(command)) return terminal.document(gate)
          return terminal.out(...gate.log.split('\n').map(plain))
        }
        const found = await call(server, 'change', { params: { id: of } })
        if (wantsJson(command)) return terminal.document(found)
        const { change: item, gates, story, keeper, watchSeconds } = found
        terminal.out(
          terminal.outPaint('bold', oneLine(item.title, 500)),
          ...table([
            ['  id', plain(item.id)],
            ['  state', `${item.state}${item.note ? `: ${oneLine(item.note, 600)}` : ''}`],
            ...(item.level === null
              ? []
              : [['  level', `${item.level}, ${LEVEL_WORDS[item.level]}: ${oneLine(item.reasons.join('; '), 400)}`]]),
            ['  by', `${oneLine(item.author, 60)}${item.taskId === null ? '' : `, task ${plain(item.taskId)}`}`],
            ...(item.why === '' ? [] : [['  why', oneLine(item.why, 600)]]),
            ...(item.evidence === '' ? [] : [['  evidence', oneLine(item.evidence, 400)]]),
            ...(item.effect === '' ? [] : [['  expected', oneLine(item.effect, 400)]]),
            ...(item.commit === null
              ? []
              : [['  commit', `${item.commit.slice(0, 12)}${item.landed === null ? '' : ` on ${plain(item.landed)}`}`]]),
            ...(item.decidedBy === null ? [] : [['  decided', oneLine(item.decidedBy, 80)]]),
            ...(item.join === null ? [] : [['  join', plain(item.join)]]),
          ]),
          ...(item.files.length === 0
            ? []
            : ['', ...table(item.files.map((file) => [`  ${file.what}`, `+${file.added}`, `-${file.removed}`, plain(file.path)]))]),
          ...(gates.length === 0
            ? []
            : ['', ...table(gates.map((gate) => [`  ${gate.verdict}`, plain(gate.name), duration(gate.ms), oneLine(gate.summary, 160)]))]),
          '',
          ...story.map((step, i) => {
            // As on the page: a second line of it without a word about why is the moment in which somebody agreed.
            const agreed = step.state === 'review' && step.note === null && story[i - 1]?.state === 'review'
            return `  ${step.at}  ${agreed ? 'agreed' : step.state}${step.note ? `: ${oneLine(step.note, 300)}` : ''}`
          }),
          ...(keeper.length === 0 ? [] : ['', ...keeper.map((fact) => `  ${fact.at}  ${HEALTH[fact.type]}${healthOf(fact)}`)]),
        )
        if (item.state === 'watching') {
          const ready = keeper.findLast((fact) => fact.type === 'ready')
          const rest = ready ? Date.parse(ready.at) + watchSeconds * 1_000 - Date.now() : 0
          terminal.say(
            '',
            rest > 0 ? `It is kept in ${duration(rest)}, unless it fails.` : 'It is being watched; it is kept soon, unless it fails.',
          )
        }
        const name = quoted(plain(item.id))
        if (item.state === 'review' && item.decidedBy === null)
          terminal.say(
            '',
            'Decide it:',
            ...['diff', 'approve', 'reject', 'changes'].map((word) => `  ${terminal.banyan} change ${word} ${name}`),
          )
        else if (item.landed !== null && item.state !== 'undone')
          terminal.say('', `Take it back: ${terminal.banyan} change rollback ${name}`)
      }),
    'banyan change show ch_1f2e',
    'banyan change show ch_1f2e --gate types',
  )
  examples(
    change
      .command('diff')
      .description('Prints the diff, built from what would land.')
      .argument(...id)
      .argument('[path]', 'only this file')
      .action(async (given: string, path: string | undefined, _options: object, command: Command) => {
        const server = serverOf(cli, command)
        const { id: of } = await find(server, given, terminal.banyan)
        const diff = await call(server, 'changeDiff', { params: { id: of }, ...(path === undefined ? {} : { query: { path } }) })
        if (wantsJson(command)) return terminal.document(diff)
        terminal.out(...diff.text.split('\n').map(plain))
        if (diff.cut) terminal.say('It is longer; name a file to see all of it.')
      }),
    'banyan change diff ch_1f2e',
    'banyan change diff ch_1f2e tools/list_files.ts',
  )

  const words: Record<Exclude<DecisionWord, 'answer'>, string> = {
    approve: 'Lets exactly what was shown land and run. It is bound to the files and to the gates.',
    reject: 'Says no; its author is told why with --comment.',
    changes: 'Sends it back to its author with what should be different.',
  }
  for (const [word, description] of Object.entries(words) as [Exclude<DecisionWord, 'answer'>, string][])
    examples(
      change
        .command(word)
        .description(description)
        .argument(...id)
        .option('--comment <text>', 'words for its author')
        .action(async (given: string, options: { comment?: string }, command: Command) => {
          const server = serverOf(cli, command)
          const item = await find(server, given, terminal.banyan)
          if (item.reviewId === null || item.state !== 'review')
            throw new Ended(EXIT.failed, `Change ${plain(item.id)} is ${item.state}; nothing of it waits for you.`)
          if (word === 'changes' && !options.comment?.trim()) throw new Ended(EXIT.usage, 'Say what should be different: --comment "…".')
          const shown = await call(server, 'review', { params: { id: item.reviewId } })
          const decided = await call(server, 'decide', {
            params: { id: item.reviewId },
            body: { decision: word, actionHash: shown.actionHash, ...(options.comment === undefined ? {} : { comment: options.comment }) },
          })
          if (wantsJson(command)) return terminal.document(decided)
          terminal.out(`${decided.decision} ${plain(item.id)}  ${oneLine(item.title)}`)
          terminal.say(`See what comes of it: ${terminal.banyan} change show ${plain(item.id)}`)
        }),
      `banyan change ${word} ch_1f2e${word === 'approve' ? '' : ' --comment "use the existing helper"'}`,
    )
  examples(
    change
      .command('rollback')
      .description('Takes a change back that has landed, also while it is watched: its opposite lands, and Banyan restarts with it.')
      .argument(...id)
      .option('--comment <text>', 'why')
      .option('--yes', 'without asking')
      .action(async (given: string, options: { comment?: string; yes?: boolean }, command: Command) => {
        const server = serverOf(cli, command)
        const item = await find(server, given, terminal.banyan)
        await confirm(cli, options.yes, `Take back "${oneLine(item.title, 100)}"?`)
        const back = await call(server, 'rollbackChange', {
          params: { id: item.id },
          body: options.comment === undefined ? {} : { comment: options.comment },
        })
        if (wantsJson(command)) return terminal.document(back)
        terminal.out(`${plain(back.id)}  ${oneLine(back.title)}`)
      }),
    'banyan change rollback ch_1f2e --yes',
  )
  for (const [word, description, done] of [
    ['pull', 'Brings the newest commits of a remote of the checkout to the main branch. They run from the next start on.', 'came from'],
    ['push', 'Gives the main branch to a remote of the checkout. Nothing there is overwritten.', 'went to'],
  ] as const)
    examples(
      change
        .command(word)
        .description(description)
        .argument('[remote]', 'name of the remote', 'origin')
        .option('--branch <name>', 'the branch there; without it the one that is called as here')
        .option('--yes', 'without asking')
        .action(async (remote: string, options: { branch?: string; yes?: boolean }, command: Command) => {
          const server = serverOf(cli, command)
          await confirm(cli, options.yes, word === 'pull' ? `Pull from ${remote}?` : `Push the main branch to ${remote}?`)
          const body = { remote, ...(options.branch === undefined ? {} : { branch: options.branch }) }
          const pulled = word === 'pull' ? await call(server, 'pullSource', { body }) : null
          const made = pulled ?? (await call(server, 'pushSource', { body }))
          if (wantsJson(command)) return terminal.document(made)
          const there = `${plain(made.remote)}/${plain(made.branch)}`
          if (made.commits === 0)
            return terminal.say(word === 'pull' ? `${there} has nothing that is not here.` : `${there} has everything that is here.`)
          terminal.out(`${counted(made.commits, 'commit')} ${done} ${there}: ${made.to.slice(0, 12)}`)
          if (pulled === null) return
          if (pulled.landed?.join) terminal.say(`They wait on ${plain(pulled.landed.branch)}; join them: ${plain(pulled.landed.join)}`)
          terminal.say('They run from the next start on, and the keeper watches them: stop Banyan and say npm start.')
        }),
      `banyan change ${word}`,
      `banyan change ${word} upstream --branch main --yes`,
    )
  examples(
    change
      .command('status')
      .description('Whether Banyan can change itself here, and which changes need no person. --autonomy changes that.')
      .addOption(new Option('--autonomy <level>', 'the most that lands without a person').choices(AUTONOMY))
      .action(async (options: { autonomy?: Autonomy }, command: Command) => {
        const server = serverOf(cli, command)
        const state =
          options.autonomy === undefined
            ? await call(server, 'selfState', {})
            : await call(server, 'saveAutonomy', { body: { autonomy: options.autonomy } })
        if (wantsJson(command)) return terminal.document(state)
        terminal.out(...table(stateRows(state)))
      }),
    'banyan change status',
    'banyan change status --autonomy tools',
  )
}
