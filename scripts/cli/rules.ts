/** `banyan review rules`: what people said may happen without them, or may not. */
import { type Command, Option } from 'commander'
import { NARROW_SCOPES, type NarrowScope, type Rule } from '../../core/contract/policy.ts'
import { type Cli, examples, serverOf, wantsJson } from './context.ts'
import { all, call } from './server.ts'
import { Ended, EXIT } from './terminal.ts'
import { counted, duration, oneLine, plain, table } from './words.ts'

/** Seconds of "90s", "30m", "2h" or "7d". */
export function secondsOf(text: string): number {
  const [, n, unit] = /^(\d{1,6})\s*([smhd])$/.exec(text.trim()) ?? []
  if (n === undefined || Number(n) === 0) throw new Ended(EXIT.usage, `"${plain(text)}" is no length of time; write 90s, 30m, 2h or 7d.`)
  return Number(n) * { s: 1, m: 60, h: 3_600, d: 86_400 }[unit as 's']
}

/** One line of what a rule does and how it stands. */
export function ruleCells(rule: Rule, now: number): string[] {
  const of = [rule.treeId === null ? '' : `goal ${plain(rule.treeId)}`, rule.agent === null ? '' : `agent ${plain(rule.agent)}`].filter(
    Boolean,
  )
  const ends =
    rule.revokedAt !== null
      ? 'taken back'
      : rule.expiresAt === null
        ? 'for good'
        : Date.parse(rule.expiresAt) <= now
          ? 'over'
          : `${duration(Date.parse(rule.expiresAt) - now)} left`
  return [
    plain(rule.id),
    rule.verdict,
    rule.scope,
    counted(rule.hits, 'hit'),
    ends,
    `${oneLine(rule.label, 100)}${of.length ? ` (${of.join(', ')})` : ''}${rule.tainted ? ', tainted tasks too' : ''}`,
  ]
}

export function addRules(review: Command, cli: Cli): void {
  const { terminal } = cli
  const rules = review
    .command('rules')
    .summary('what may happen without you, or may not')
    .description('Rules: always-allows that came from decisions, and what you set to ask or deny.')
  const list = async (options: { all?: boolean }, command: Command) => {
    const items = await all(serverOf(cli, command), 'rules', { query: { state: options.all ? 'all' : 'live', limit: '200' } })
    if (wantsJson(command)) return terminal.document({ items })
    if (items.length === 0) return terminal.say('There is no rule: what agents may not do by themselves is asked each time.')
    terminal.out(...table(items.map((rule) => ruleCells(rule, Date.now()))))
    terminal.say(`Take one back: ${terminal.banyan} review rules revoke ID`)
  }
  examples(rules.action(list), 'banyan review rules')
  examples(
    rules.command('ls').description('Lists rules in force, newest first.').option('--all', 'those that are over too').action(list),
    'banyan review rules ls',
    'banyan review rules ls --all --json',
  )
  examples(
    rules
      .command('add')
      .description('Adds a rule that narrows. What widens comes only from approving with --always.')
      .addArgument(rules.createArgument('<verdict>', 'what happens').choices(['ask', 'deny']))
      .addArgument(rules.createArgument('<what>', 'what it speaks of').choices(NARROW_SCOPES))
      .argument('<name>', 'the tool, permission, program or host; * for every tool')
      .option('--agent <name>', 'only for this agent')
      .option('--goal <id>', 'only for this goal')
      .addOption(new Option('--for <time>', 'how long: 30m, 2h, 7d').argParser(secondsOf))
      .action(
        async (
          verdict: 'ask' | 'deny',
          scope: NarrowScope,
          name: string,
          options: { agent?: string; goal?: string; for?: number },
          command: Command,
        ) => {
          const rule = await call(serverOf(cli, command), 'addRule', {
            body: {
              verdict,
              scope,
              signature: name,
              ...(options.agent === undefined ? {} : { agent: options.agent }),
              ...(options.goal === undefined ? {} : { treeId: options.goal }),
              ...(options.for === undefined ? {} : { expiresInSeconds: options.for }),
            },
          })
          if (wantsJson(command)) return terminal.document(rule)
          terminal.out(`added ${plain(rule.id)}  ${oneLine(rule.label)}`)
        },
      ),
    'banyan review rules add deny program rm',
    'banyan review rules add ask tool write_file --agent generalist --for 2h',
  )
  examples(
    rules
      .command('revoke')
      .description('Takes a rule back; from then on a person is asked again.')
      .argument('<id>')
      .action(async (id: string, _options: object, command: Command) => {
        await call(serverOf(cli, command), 'revokeRule', { params: { id } })
        if (wantsJson(command)) return terminal.document({ id, revoked: true })
        terminal.out(`revoked ${plain(id)}`)
      }),
    'banyan review rules revoke 4be1c09a2f',
  )
}
