/** `banyan scores`: how versions of agents, documents and tools did, and models. */
import { type Command, InvalidArgumentError } from 'commander'
import type { Score, Scores } from '../../core/contract/api-scores.ts'
import { type Cli, examples, serverOf, wantsJson } from './context.ts'
import { call } from './server.ts'
import { duration, money, oneLine, plain, short, table } from './words.ts'

type Options = { agent?: string; document?: string; tool?: string; model?: string; days: string }

const percent = (share: number): string => `${Math.round(share * 100)} %`
/** Where the rate would lie in 95 of 100 such samples; of few it says only how many there were. */
const rateOf = ({ rate, low, high, few, n, succeeded }: Score): string =>
  rate === null || low === null || high === null || few
    ? `${succeeded} of ${n}: too few to say`
    : `${percent(rate)} (${percent(low)} to ${percent(high)}) of ${n}`
const timeOf = (ms: number | null): string => (ms === null ? '' : ms < 10_000 ? `${(ms / 1_000).toFixed(1)} s` : duration(ms))
const nameOf = ({ name, version, current }: Score): string =>
  `${oneLine(name, 60)}${version === null ? '' : ` v${version}${current ? ' (current)' : ''}`}`

const rowOf = (score: Score): string[] => [
  nameOf(score),
  rateOf(score),
  score.score === null ? '' : `${Math.round(score.score)} (${score.scored})`,
  money(score),
  score.tokens === 0 ? '' : short(score.tokens),
  timeOf(score.p50Ms),
  timeOf(score.p95Ms),
]
const HEAD = (kind: Score['kind']): string[] => [kind, 'success', 'score (judged)', 'cost', 'tokens', 'median', '95 %']

const causeOf = (cause: NonNullable<Scores['versions'][number]['cause']>): string =>
  cause.kind === 'restore'
    ? `brings back v${cause.version}`
    : cause.kind === 'task'
      ? `task ${plain(cause.taskId)}`
      : `lesson ${plain(cause.lesson)}`

const whole = (given: string): string => {
  if (!/^\d{1,3}$/.test(given) || Number(given) < 1 || Number(given) > 365)
    throw new InvalidArgumentError('Write a number of days from 1 to 365.')
  return given
}

export function addScores(program: Command, cli: Cli): void {
  const { terminal } = cli
  examples(
    program
      .command('scores')
      .summary('success, score, cost and time by version and model')
      .description(
        'How each version of agents, tools and documents did, and each model: how many tasks or calls ended well, what evaluators gave, cost, tokens and time at work. With a name also what went wrong.',
      )
      .option('--agent <name>', 'versions of this agent')
      .option('--document <name>', 'versions of this document, by the tasks that read them')
      .option('--tool <name>', 'versions of this tool')
      .option('--model <name>', 'this model: MODEL or PROVIDER/MODEL')
      .option('--days <n>', 'how far back', whole, '30')
      .action(async (options: Options, command: Command) => {
        const scores = await call(serverOf(cli, command), 'scores', { query: options })
        if (wantsJson(command)) return terminal.document(scores)
        if (scores.items.length === 0 && scores.versions.length === 0)
          return terminal.say(`Nothing of that ended in the last ${options.days} days.`)
        if (scores.versions.length > 0)
          terminal.out(
            ...table([
              ['version', 'made by', 'when', 'from'],
              ...scores.versions.map((one) => [
                `v${one.version}`,
                oneLine(one.author, 40),
                one.at.slice(0, 16).replace('T', ' '),
                one.cause ? causeOf(one.cause) : '',
              ]),
            ]),
            '',
          )
        for (const [kind, items] of Map.groupBy(scores.items, (item) => item.kind))
          terminal.out(...table([HEAD(kind), ...items.map(rowOf)]), '')
        for (const item of scores.items)
          if (item.errors.length > 0)
            terminal.out(
              `What went wrong with ${nameOf(item)}:`,
              ...item.errors.map((error) => `  ${error.times} × ${oneLine(error.pattern, 200)}  (${plain(error.taskId)})`),
            )
      }),
    'banyan scores',
    'banyan scores --agent generalist --days 7',
    'banyan scores --tool use_terminal --json',
  )
}
