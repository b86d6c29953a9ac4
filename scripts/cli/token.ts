/** `banyan token`: tokens with which programs speak to Banyan. A value is printed once, when it is made. */
import { existsSync } from 'node:fs'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { SCOPES, type Scope } from '../../core/contract/access.ts'
import { type Cli, confirm, examples, serverOf, wantsJson } from './context.ts'
import { all, call, config, findServer, tokenFile } from './server.ts'
import { Ended, EXIT } from './terminal.ts'
import { oneLine, plain, table } from './words.ts'

const UNITS = { h: 3_600_000, d: 86_400_000, w: 7 * 86_400_000 } as const

/** "90d" and the like in milliseconds; null for "never". */
export function lifetime(text: string): number | null {
  if (text === 'never') return null
  const [, count, unit] = /^(\d{1,5})([hdw])$/.exec(text) ?? []
  if (count === undefined || Number(count) === 0) throw new InvalidArgumentError('It must be a time such as 12h, 90d or 8w, or never.')
  return Number(count) * UNITS[unit as keyof typeof UNITS]
}

function scopesIn(text: string, before: Scope[] = []): Scope[] {
  const words = text.split(',').map((word) => word.trim())
  const unknown = words.find((word) => !(SCOPES as readonly string[]).includes(word))
  if (unknown !== undefined) throw new InvalidArgumentError(`"${oneLine(unknown, 40)}" is no scope; there are ${SCOPES.join(', ')}.`)
  return [...new Set([...before, ...(words as Scope[])])]
}

export function addToken(program: Command, cli: Cli): void {
  const { terminal } = cli
  const token = program
    .command('token')
    .summary('tokens for programs: list, create, revoke; where the admin token is')
    .description('Tokens with which programs speak to Banyan, each with what it may do. Without a command it lists them.')
  examples(
    token
      .command('ls')
      .description('Lists tokens: name, what it may do, whose it is, when it was used last and when it ends.')
      .option('--everybody', "other people's too")
      .action(async (options: { everybody?: boolean }, command: Command) => {
        const items = await all(serverOf(cli, command), 'tokens', options.everybody ? { query: { of: 'everybody' } } : {})
        if (wantsJson(command)) return terminal.document({ items })
        terminal.out(
          ...table(
            items.map((item) => [
              plain(item.name),
              item.scopes.join(','),
              oneLine(item.by, 80),
              item.lastUsedAt === null ? 'never used' : `used ${item.lastUsedAt}`,
              item.revokedAt !== null ? `revoked ${item.revokedAt}` : item.expiresAt === null ? 'no end' : `ends ${item.expiresAt}`,
            ]),
          ),
        )
      }),
    'banyan token ls',
  )
  examples(
    token
      .command('create')
      .description(`Makes a token and prints it, this once. Scopes: ${SCOPES.join(', ')}.`)
      .argument('<name>', 'what it is for')
      .option('--scope <scope>', 'what it may do; several with commas or by repeating it', scopesIn)
      .option('--agent', 'a token for an outside agent of this name: it claims tasks over MCP and may do nothing else')
      .addOption(
        new Option('--expires <time>', 'after which it ends: 12h, 90d, 8w, or never').argParser(lifetime).default(lifetime('90d'), '90d'),
      )
      .action(async (name: string, options: { scope?: Scope[]; agent?: boolean; expires: number | null }, command: Command) => {
        if (options.agent && options.scope !== undefined)
          throw new Ended(EXIT.usage, 'A token for an outside agent has a scope of its own: leave out --scope.')
        const scopes: Scope[] = options.agent ? ['work'] : (options.scope ?? ['read'])
        const ms = options.expires
        const expiresAt = ms === null ? null : new Date(Date.now() + ms).toISOString()
        const made = await call(serverOf(cli, command), 'makeToken', { body: { name, scopes, expiresAt } })
        if (wantsJson(command)) return terminal.document(made)
        terminal.out(made.token)
        terminal.say(
          `This is the only time that it is shown. It may ${made.scopes.join(', ')} and ${made.expiresAt === null ? 'has no end' : `ends ${made.expiresAt}`}. Programs send it as Authorization: Bearer, or have it in BANYAN_TOKEN.`,
        )
      }),
    'banyan token create ci --scope read,goals:write --expires 90d',
    'banyan token create codex --agent',
  )
  examples(
    token
      .command('revoke')
      .description('Ends a token now; connections that it opened close.')
      .argument('<name>', 'its name, or its id')
      .option('-y, --yes', 'without asking')
      .action(async (name: string, options: { yes?: boolean }, command: Command) => {
        await confirm(cli, options.yes, `Revoke the token ${oneLine(name, 64)}? Programs that use it stop working.`)
        await call(serverOf(cli, command), 'revokeToken', { params: { id: name } })
        if (wantsJson(command)) return terminal.document({ name, revoked: true })
        terminal.say(`Revoked ${oneLine(name, 64)}.`)
      }),
    'banyan token revoke ci --yes',
  )
  examples(
    token
      .command('show')
      .description('Prints where the admin token is kept; the token itself only with --reveal.')
      .option('--reveal', 'print the token')
      .action((options: { reveal?: boolean }, command: Command) => {
        const settings = config()
        const file = tokenFile(settings)
        const from = settings.adminToken === undefined ? file : 'ADMIN_TOKEN'
        if (!options.reveal) {
          if (wantsJson(command)) return terminal.document({ from, exists: settings.adminToken !== undefined || existsSync(file) })
          terminal.out(from)
          if (settings.adminToken === undefined && !existsSync(file)) terminal.say('It is made at the first start.')
          return
        }
        const { token: value } = findServer({}, {}, terminal.banyan)
        if (value === null)
          throw new Ended(EXIT.failed, `There is no token yet at ${file}: it is made at the first start (\`${terminal.banyan} up\`).`)
        if (wantsJson(command)) terminal.document({ from, token: value })
        else terminal.out(value)
      }),
    'curl -H "Authorization: Bearer $(banyan token show --reveal)" http://127.0.0.1:8000/api/trees',
  )
}
