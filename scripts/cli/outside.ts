/** `banyan agent outside`: programs of others that claim tasks and work them with their own model. */
import type { Command } from 'commander'
import { type Cli, confirm, examples, serverOf, wantsJson } from './context.ts'
import { all, call } from './server.ts'
import { counted, oneLine, plain, table } from './words.ts'

export function addOutside(agent: Command, cli: Cli): void {
  const { terminal } = cli
  const outside = agent
    .command('outside')
    .summary('programs of others that claim tasks over MCP: list, show, remove')
    .description(
      'Programs of others that claim tasks over MCP and work them with their own model. Let one in with `banyan token create NAME --agent`. Without a command it lists them.',
    )
  examples(outside, 'banyan agent outside', 'banyan agent outside show codex')
  examples(
    outside
      .command('ls', { isDefault: true })
      .description('Lists them: name, what they can do, what they have, when they were seen last.')
      .action(async (_options: object, command: Command) => {
        const items = await all(serverOf(cli, command), 'outsideAgents')
        if (wantsJson(command)) return terminal.document({ items })
        if (items.length === 0) terminal.say(`No outside agent came yet; let one in with \`${terminal.banyan} token create NAME --agent\`.`)
        terminal.out(
          ...table(
            items.map((item) => [
              plain(item.name),
              oneLine(item.capabilities.join(', '), 60) || '-',
              counted(item.tasks.length, 'task'),
              `seen ${item.lastSeenAt}`,
            ]),
          ),
        )
      }),
    'banyan agent outside ls',
  )
  examples(
    outside
      .command('show')
      .description('Shows one with the tasks that it has.')
      .argument('<name>')
      .action(async (name: string, _options: object, command: Command) => {
        const item = await call(serverOf(cli, command), 'outsideAgent', { params: { id: name } })
        if (wantsJson(command)) return terminal.document(item)
        terminal.out(
          ...table([
            ['name', plain(item.name)],
            ['can do', oneLine(item.capabilities.join(', ')) || 'what asks for nothing special'],
            ['is', oneLine(item.description) || '-'],
            ['repository', oneLine(item.repository ?? '-')],
            ['webhook', oneLine(item.webhook ?? '-')],
            ['at the same time', counted(item.maxTasks, 'task')],
            ['came', item.createdAt],
            ['seen', item.lastSeenAt],
          ]),
          ...table(
            item.tasks.map((task) => [
              plain(task.taskId),
              `${task.status}${task.reason ? `, ${task.reason}` : ''}`,
              oneLine(task.title, 100),
            ]),
          ),
        )
      }),
    'banyan agent outside show codex',
  )
  examples(
    outside
      .command('remove')
      .description('Ends its token and forgets it; tasks that it has wait for another one.')
      .argument('<name>')
      .option('-y, --yes', 'without asking')
      .action(async (name: string, options: { yes?: boolean }, command: Command) => {
        await confirm(
          cli,
          options.yes,
          `Remove the outside agent ${oneLine(name, 64)}? Its token ends, and its tasks wait for another one.`,
        )
        await call(serverOf(cli, command), 'removeOutsideAgent', { params: { id: name } })
        if (wantsJson(command)) return terminal.document({ name, removed: true })
        terminal.say(`Removed ${oneLine(name, 64)}.`)
      }),
    'banyan agent outside remove codex --yes',
  )
}
