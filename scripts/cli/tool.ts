/** `banyan tool`: what agents can use, and the versions of tools that agents made. */
import type { Command } from 'commander'
import { createTwoFilesPatch } from 'diff'
import { type Cli, examples, serverOf, wantsJson, whole } from './context.ts'
import { entriesTable } from './registry.ts'
import { all, call } from './server.ts'
import { Ended, EXIT } from './terminal.ts'
import { counted, oneLine, plain, table } from './words.ts'

type Made = { source: string; tests: string; inputSchema: unknown; outputSchema?: unknown; permission: string }
const MOST = 1_000_000

export function addTool(program: Command, cli: Cli): void {
  const { terminal } = cli
  const tool = program
    .command('tool')
    .summary('tools: list, show, versions, diff, rollback, approve, disable, enable')
    .description('What agents can use. Without a command it lists them.')
  const named = (command: Command) => command.argument('<name>', 'the name of the tool')

  examples(
    tool
      .command('ls')
      .description("Lists tools; core tools are in every agent's hands.")
      .action(async (_options: object, command: Command) => {
        const items = await all(serverOf(cli, command), 'tools')
        if (wantsJson(command)) return terminal.document({ items })
        terminal.out(...entriesTable(items, (i) => [items[i]!.core ? 'core' : items[i]!.origin === 'made' ? 'made' : 'optional']))
      }),
    'banyan tool ls',
  )
  examples(
    named(tool.command('show').description('Prints what is known of a tool; of one that an agent made, its source and tests too.')).action(
      async (name: string, _options: object, command: Command) => {
        const item = await call(serverOf(cli, command), 'tool', { params: { id: name } })
        if (wantsJson(command)) return terminal.document(item)
        const state = item.states?.find((one) => one.version === item.version)
        terminal.out(
          `${plain(item.name)}  v${item.version}  by ${oneLine(item.author, 60)}${item.enabled ? '' : '  (off)'}`,
          plain(item.words ?? item.description),
        )
        if (!item.made) return
        const by = state?.approvedBy
          ? `approved by ${plain(state.approvedBy)}`
          : `not approved: for tasks of goal ${plain(item.made.treeId)} only`
        terminal.out(
          `${item.made.permission}; ${by}`,
          state
            ? `${counted(state.trial.passed, 'test')} passed; ${counted(state.runs, 'run')}, ${state.failures} failed at last in a row`
            : '',
          '',
          plain(textOf(item.made)).trimEnd(),
        )
      },
    ),
    'banyan tool show count_words',
  )
  examples(
    named(tool.command('versions').description('Lists every version of a tool, newest first.')).action(
      async (name: string, _options: object, command: Command) => {
        const server = serverOf(cli, command)
        const [{ items }, detail] = await Promise.all([
          call(server, 'toolVersions', { params: { id: name } }),
          call(server, 'tool', { params: { id: name } }),
        ])
        const states = detail.states ?? []
        if (wantsJson(command)) return terminal.document({ items, states })
        terminal.out(
          ...table(
            items.map((item) => {
              const state = states.find((one) => one.version === item.version)
              const word = state?.broken ? 'broken' : state?.approvedBy ? 'approved' : item.enabled ? '' : 'off'
              return [`v${item.version}`, word, oneLine(item.author, 30), item.updatedAt, oneLine(state?.broken ?? item.description, 100)]
            }),
          ),
        )
      },
    ),
    'banyan tool versions count_words',
  )
  examples(
    named(tool.command('diff').description('Prints what differs between two versions; left out, between the newest and the one before.'))
      .option('--from <n>', 'the earlier version', whole(1, MOST))
      .option('--to <n>', 'the later version', whole(1, MOST))
      .action(async (name: string, options: { from?: number; to?: number }, command: Command) => {
        const server = serverOf(cli, command)
        const newest = options.to ?? (await call(server, 'toolVersions', { params: { id: name } })).items[0]!.version
        const from = options.from ?? newest - 1
        if (from < 1) throw new Ended(EXIT.usage, `${plain(name)} has one version, so nothing differs.`)
        const [old, now] = await Promise.all([from, newest].map((n) => call(server, 'toolVersion', { params: { id: name, n: String(n) } })))
        const words = (item: typeof old) =>
          `${item!.description}\n${item!.enabled ? '' : '(off)\n'}\n${item!.made ? textOf(item!.made) : ''}`
        const patch = createTwoFilesPatch(`${name} v${from}`, `${name} v${newest}`, words(old), words(now))
        if (wantsJson(command)) return terminal.document({ from, to: newest, patch })
        terminal.out(plain(patch).trimEnd())
      }),
    'banyan tool diff count_words',
    'banyan tool diff count_words --from 1 --to 3',
  )
  examples(
    named(
      tool.command('rollback').description('Puts an earlier version of a tool that an agent made back into use; the next call runs it.'),
    )
      .option('--to <n>', 'the version; left out, the one before that did not fail', whole(1, MOST))
      .action(async (name: string, options: { to?: number }, command: Command) => {
        const body = options.to === undefined ? {} : { to: options.to }
        said(command, await call(serverOf(cli, command), 'rollbackTool', { params: { id: name }, body }), 'is in use again')
      }),
    'banyan tool rollback count_words',
    'banyan tool rollback count_words --to 2',
  )
  examples(
    named(tool.command('approve').description('Lets agents of every goal have the newest version of a tool that an agent made.'))
      .option('--version-shown <n>', 'only if this is still the newest', whole(1, MOST))
      .action(async (name: string, options: { versionShown?: number }, command: Command) => {
        const body = options.versionShown === undefined ? {} : { version: options.versionShown }
        said(command, await call(serverOf(cli, command), 'approveTool', { params: { id: name }, body }), 'is approved')
      }),
    'banyan tool approve count_words',
  )
  for (const [word, enabled] of [
    ['disable', false],
    ['enable', true],
  ] as const)
    examples(
      named(
        tool
          .command(word)
          .description(
            enabled ? 'Lets agents have a tool again that was switched off.' : 'Takes a tool from every agent; its versions stay.',
          ),
      ).action(async (name: string, _options: object, command: Command) => {
        const server = serverOf(cli, command)
        const { states: _states, ...item } = await call(server, 'tool', { params: { id: name } })
        said(command, await call(server, 'saveTool', { params: { id: name }, body: { ...item, enabled } }), enabled ? 'is on' : 'is off')
      }),
      `banyan tool ${word} count_words`,
    )

  function said(command: Command, item: { name: string; version: number }, words: string): void {
    if (wantsJson(command)) terminal.document(item)
    else terminal.out(`${plain(item.name)} ${words}, as version ${item.version}.`)
  }
}

/** All that an approval stands for, as one text. */
const textOf = (made: Made): string =>
  [
    `# permission: ${made.permission}`,
    `# input schema\n${JSON.stringify(made.inputSchema, null, 2)}`,
    ...(made.outputSchema === undefined ? [] : [`# output schema\n${JSON.stringify(made.outputSchema, null, 2)}`]),
    `# source\n${made.source.trimEnd()}`,
    `# tests\n${made.tests.trimEnd()}`,
  ].join('\n\n')
