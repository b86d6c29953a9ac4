/** `banyan agent`, `context`: what agents are made of, looked at and carried in and out as files. */
import { readFile, writeFile } from 'node:fs/promises'
import type { Command } from 'commander'
import { Fault } from '../../core/contract/fault.ts'
import { readAgentFile, writeAgentFile } from '../../core/registry/read-seeds.ts'
import { type Cli, examples, serverOf, wantsJson } from './context.ts'
import { addOutside } from './outside.ts'
import { all, call, Refused } from './server.ts'
import { Ended, EXIT } from './terminal.ts'
import { oneLine, plain, table } from './words.ts'

type Listed = { name: string; description: string; version: number; author: string; enabled: boolean }
/** Entries of the registry as lines. */
export const entriesTable = (items: readonly Listed[], more: (i: number) => string[] = () => []): string[] =>
  table(
    items.map((item, i) => [
      plain(item.name),
      ...more(i),
      `v${item.version}`,
      oneLine(item.author, 30),
      `${item.enabled ? '' : '(off) '}${oneLine(item.description, 120)}`,
    ]),
  )

export function addRegistry(program: Command, cli: Cli): void {
  const { terminal } = cli
  const listing = (items: readonly Listed[], more?: (i: number) => string[]) => terminal.out(...entriesTable(items, more))

  const agent = program
    .command('agent')
    .summary('agents: list, show, export, import')
    .description('Agents are settings and an instruction. Without a command it lists them.')
  addOutside(agent, cli)
  examples(
    agent
      .command('ls')
      .description('Lists agents.')
      .action(async (_options: object, command: Command) => {
        const items = await all(serverOf(cli, command), 'agents')
        if (wantsJson(command)) return terminal.document({ items })
        listing(items, (i) => [oneLine(items[i]!.model, 60)])
      }),
    'banyan agent ls',
  )
  examples(
    agent
      .command('show')
      .description('Shows an agent as its file: settings, then the instruction.')
      .argument('<name>')
      .action(async (name: string, _options: object, command: Command) => {
        const item = await call(serverOf(cli, command), 'agent', { params: { id: name } })
        if (wantsJson(command)) return terminal.document(item)
        terminal.out(plain(fileOf(item)).trimEnd())
        terminal.say(`Version ${item.version} by ${oneLine(item.author, 40)}, ${item.updatedAt}.`)
      }),
    'banyan agent show generalist',
  )
  examples(
    agent
      .command('export')
      .description('Writes an agent as a file in the format of Claude Code subagents, to stdout or to --out.')
      .argument('<name>')
      .option('--out <path>', 'the file to write')
      .action(async (name: string, options: { out?: string }, command: Command) => {
        const item = await call(serverOf(cli, command), 'agent', { params: { id: name } })
        const text = fileOf(item)
        if (options.out === undefined) process.stdout.write(process.stdout.isTTY ? plain(text) : text)
        else {
          await writeFile(options.out, text).catch((error: NodeJS.ErrnoException) => {
            throw new Ended(EXIT.failed, `${options.out} cannot be written (${error.code}): choose another path for --out.`, {
              cause: error,
            })
          })
          terminal.say(`Wrote ${options.out}.`)
        }
      }),
    'banyan agent export generalist --out generalist.md',
  )
  examples(
    agent
      .command('import')
      .description('Adds agents from files (also those of Claude Code), or saves a new version of those that exist; every version stays.')
      .argument('<file...>', '- reads one from stdin')
      .action(async (files: string[], _options: object, command: Command) => {
        const server = serverOf(cli, command)
        const saved = []
        for (const file of files) {
          const { agent: body, warnings } = await readAgent(cli, file)
          terminal.say(...warnings.map((one) => plain(one)))
          const exists = await call(server, 'agent', { params: { id: body.name } }).then(
            () => true,
            (error) => {
              if (error instanceof Refused && error.status === 404) return false
              throw error
            },
          )
          const item = exists
            ? await call(server, 'saveAgent', { params: { id: body.name }, body })
            : await call(server, 'addAgent', { body })
          saved.push(item)
          if (!wantsJson(command)) terminal.out(`${plain(item.name)}  v${item.version}`)
        }
        if (wantsJson(command)) terminal.document({ items: saved })
      }),
    'banyan agent import .claude/agents/reviewer.md',
  )

  const context = program
    .command('context')
    .summary('context documents: list, show')
    .description('Documents that agents read. Without a command it lists them.')
  examples(
    context
      .command('ls')
      .description('Lists context documents.')
      .action(async (_options: object, command: Command) => {
        const items = await all(serverOf(cli, command), 'documents')
        if (wantsJson(command)) return terminal.document({ items })
        listing(items)
      }),
    'banyan context ls',
  )
  examples(
    context
      .command('show')
      .description('Prints a context document.')
      .argument('<name>')
      .action(async (name: string, _options: object, command: Command) => {
        const item = await call(serverOf(cli, command), 'document', { params: { id: name } })
        if (wantsJson(command)) return terminal.document(item)
        terminal.out(plain(item.content).trimEnd())
      }),
    'banyan context show system_overview',
  )
}

/** The agent's own fields, without those that the registry adds. */
function fileOf(item: Parameters<typeof writeAgentFile>[0] & { id: string; version: number; author: string; updatedAt: string }): string {
  const { id: _id, version: _version, author: _author, updatedAt: _updatedAt, ...agent } = item
  return writeAgentFile(agent)
}

async function readAgent(cli: Cli, file: string) {
  try {
    return readAgentFile(file === '-' ? await cli.terminal.stdin() : await readFile(file, 'utf8'), file === '-' ? 'stdin' : file)
  } catch (error) {
    if (error instanceof Fault) throw new Ended(EXIT.failed, error.message, { cause: error })
    throw new Ended(EXIT.failed, `${file} cannot be read (${(error as NodeJS.ErrnoException).code}): check the path.`, { cause: error })
  }
}
