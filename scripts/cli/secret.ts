/** `banyan secret`: keys and passwords for commands of agents. Values go in by stdin or a prompt that does not show them, and never come out. */
import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import type { Command } from 'commander'
import { type Cli, confirm, examples, serverOf, wantsJson } from './context.ts'
import { all, call } from './server.ts'
import { Ended, EXIT } from './terminal.ts'
import { oneLine, plain, table } from './words.ts'

export function addSecret(program: Command, cli: Cli): void {
  const { terminal } = cli
  const secret = program
    .command('secret')
    .summary('secrets: list, set, grant, revoke, remove, rotate')
    .description('Keys and passwords that commands of agents may be given. Without a command it lists them; no command shows a value.')
  const entry = async (command: Command, name: string) => {
    const items = await all(serverOf(cli, command), 'secrets')
    const found = items.find((item) => item.name === name)
    if (!found) throw new Ended(EXIT.failed, `There is no secret "${oneLine(name, 64)}"; ${terminal.banyan} secret ls lists them.`)
    return found
  }
  const change = (command: Command, name: string, body: { value?: string; description?: string; grants?: string[] }) =>
    call(serverOf(cli, command), 'saveSecret', { params: { id: name }, body })
  const tell = (command: Command, item: { name: string; grants: readonly string[] }, done: string) => {
    if (wantsJson(command)) return terminal.document(item)
    terminal.out(plain(item.name))
    terminal.say(`${done} Granted to ${item.grants.length > 0 ? oneLine(item.grants.join(', '), 300) : 'nobody yet'}.`)
  }

  examples(
    secret
      .command('ls')
      .description('Lists secrets: name, who may use it, when it was used last.')
      .action(async (_options: object, command: Command) => {
        const items = await all(serverOf(cli, command), 'secrets')
        if (wantsJson(command)) return terminal.document({ items })
        terminal.out(
          ...table(
            items.map((item) => [
              plain(item.name),
              oneLine(item.grants.join(', '), 80) || '(nobody)',
              item.lastUsedAt === null ? 'never used' : `used ${item.lastUsedAt}`,
              `${item.readable ? '' : '(sealed with another SYSTEM_SECRET_KEY) '}${oneLine(item.description, 100)}`,
            ]),
          ),
        )
      }),
    'banyan secret ls',
  )
  examples(
    secret
      .command('set')
      .description('Adds a secret or replaces its value, which comes from stdin or is asked for without showing it. Grants stay.')
      .argument('<name>', 'as a variable is named, such as GITHUB_TOKEN')
      .option('--description <text>', 'what it is for')
      .option('--grant <to...>', 'agent:NAME, tree:ID, or * for every task; replaces the grants')
      .action(async (name: string, options: { description?: string; grant?: string[] }, command: Command) => {
        const value = (terminal.isPerson() ? await askHidden(`Value of ${oneLine(name, 64)}: `) : await terminal.stdin()).replace(
          /\r?\n$/,
          '',
        )
        if (value === '') throw new Ended(EXIT.usage, 'No value was given: type it, or send it by stdin.')
        const body = {
          value,
          ...(options.description === undefined ? {} : { description: options.description }),
          ...(options.grant === undefined ? {} : { grants: options.grant }),
        }
        tell(command, await change(command, name, body), 'Kept.')
      }),
    'banyan secret set GITHUB_TOKEN --grant agent:generalist < token.txt',
  )
  examples(
    secret
      .command('grant')
      .description('Lets tasks use a secret.')
      .argument('<name>')
      .argument('<to>', 'agent:NAME, tree:ID, or * for every task')
      .action(async (name: string, to: string, _options: object, command: Command) => {
        const { grants } = await entry(command, name)
        tell(command, await change(command, name, { grants: [...grants, to] }), 'Granted.')
      }),
    'banyan secret grant GITHUB_TOKEN agent:generalist',
  )
  examples(
    secret
      .command('revoke')
      .description('Takes a grant back.')
      .argument('<name>')
      .argument('<to>')
      .action(async (name: string, to: string, _options: object, command: Command) => {
        const { grants } = await entry(command, name)
        if (!grants.includes(to)) throw new Ended(EXIT.failed, `${oneLine(name, 64)} is not granted to ${oneLine(to, 80)}.`)
        tell(command, await change(command, name, { grants: grants.filter((one) => one !== to) }), 'Taken back.')
      }),
    'banyan secret revoke GITHUB_TOKEN agent:generalist',
  )
  examples(
    secret
      .command('rm')
      .description('Removes a secret and its value.')
      .argument('<name>')
      .option('-y, --yes', 'without asking')
      .action(async (name: string, options: { yes?: boolean }, command: Command) => {
        await entry(command, name)
        await confirm(cli, options.yes, `Remove the secret ${oneLine(name, 64)}? Its value cannot be brought back.`)
        await call(serverOf(cli, command), 'removeSecret', { params: { id: name } })
        if (wantsJson(command)) return terminal.document({ name, removed: true })
        terminal.say(`Removed ${oneLine(name, 64)}.`)
      }),
    'banyan secret rm GITHUB_TOKEN --yes',
  )
  examples(
    secret
      .command('rotate')
      .description(
        'Makes a new SYSTEM_SECRET_KEY, seals every value with it and restarts. Values and grants stay; everybody logs in again in the browser. A backup from before needs the key from before.',
      )
      .option('-y, --yes', 'without asking')
      .action(async (options: { yes?: boolean }, command: Command) => {
        await confirm(cli, options.yes, 'Make a new SYSTEM_SECRET_KEY and restart? Browsers must log in again.')
        const { values } = await call(serverOf(cli, command), 'rotateSecrets', {})
        if (wantsJson(command)) return terminal.document({ values, restarting: true })
        terminal.say(`${values} ${values === 1 ? 'value is' : 'values are'} sealed with the new key; Banyan restarts.`)
      }),
    'banyan secret rotate --yes',
  )
}

/** What is typed is not echoed. */
async function askHidden(question: string): Promise<string> {
  process.stderr.write(question)
  const lines = createInterface({
    input: process.stdin,
    output: new Writable({ write: (_chunk, _encoding, done) => done() }),
    terminal: true,
  })
  const interrupted = new AbortController()
  lines.once('SIGINT', () => interrupted.abort())
  try {
    return await lines.question('', { signal: interrupted.signal })
  } catch (error) {
    if (interrupted.signal.aborted) throw new Ended(EXIT.interrupted, 'Interrupted; nothing was done.')
    throw error
  } finally {
    lines.close()
    process.stderr.write('\n')
  }
}
