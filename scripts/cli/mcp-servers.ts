/** `banyan mcp add` and its like: other people's MCP servers, whose tools agents may use once a person has looked at them. */
import { resolve } from 'node:path'
import { Argument, type Command, InvalidArgumentError, Option } from 'commander'
import { SERVER_POLICIES, type ServerDetail, type ServerItem, type ServerTool } from '../../core/contract/api-servers.ts'
import { type Cli, confirm, examples, globals, serverOf, wantsJson } from './context.ts'
import { all, call, findServer, type Server } from './server.ts'
import { Ended, EXIT } from './terminal.ts'
import { counted, oneLine, plain, quoted, table, waitFor } from './words.ts'

const pair =
  (mark: RegExp, shape: string) =>
  (text: string, before: Record<string, string> = {}): Record<string, string> => {
    const at = text.search(mark)
    if (at <= 0) throw new InvalidArgumentError(`It must look like ${shape}.`)
    return { ...before, [text.slice(0, at)]: text.slice(at + 1).trimStart() }
  }
const folder =
  (write: boolean) =>
  (text: string, before: { path: string; write: boolean }[] = []) => [...before, { path: resolve(text), write }]
const several = (text: string, before: string[] = []) => [...before, text]

type Adding = {
  url?: string
  env?: Record<string, string>
  publicEnv?: Record<string, string>
  header?: Record<string, string>
  scope?: 'shared' | 'task'
  plain?: boolean
  network?: string[]
  folder?: { path: string; write: boolean }[]
  writable?: { path: string; write: boolean }[]
  innerHost?: string[]
  yes?: boolean
}

export function addMcpServers(mcp: Command, cli: Cli): void {
  const { terminal } = cli
  const name = () => new Argument('<name>', 'of the server')
  const tellServer = (command: Command, server: ServerDetail, ...words: string[]) => {
    if (wantsJson(command)) return terminal.document(server)
    terminal.out(plain(server.id))
    terminal.say(...words, ...(server.problem === null ? [] : [`It could not be used: ${oneLine(server.problem, 600)}.`]))
  }

  examples(
    mcp
      .command('add')
      .description(
        'Adds an MCP server and shows its tools. Agents can be given them once they are approved, and every call asks a person unless `banyan mcp rules` says otherwise.',
      )
      .addArgument(new Argument('<name>', 'a short name of its own'))
      .addArgument(new Argument('[command...]', 'after --: the program that is the server, with its arguments'))
      .option(
        '--url <url>',
        'the address of a server that speaks Streamable HTTP; one of your own network is fine (where Banyan runs is BANYAN_URL here)',
      )
      .option(
        '--env <k=v>',
        'a variable of the program; v is sealed as a secret and never shown, or holds secret:NAME (repeat it)',
        pair(/=/, 'NAME=value'),
      )
      .option(
        '--public-env <k=v>',
        'a variable that is no secret, such as NODE_ENV=production: kept and shown as it is, and not hidden in texts (repeat it)',
        pair(/=/, 'NAME=value'),
      )
      .option(
        '--header <h:v>',
        'a header of each request; its value is sealed as a secret and never shown, or holds secret:NAME (repeat it)',
        pair(/[:=]/, '"Name: value"'),
      )
      .addOption(new Option('--scope <scope>', 'one for all tasks, or one for each').choices(['shared', 'task']))
      .option('--network <host>', 'a host that the program may reach; without any it has no network (repeat it)', several)
      .option('--folder <path>', 'a folder that the program may read (repeat it)', folder(false))
      .option('--writable <path>', 'a folder that the program may change (repeat it)', folder(true))
      .option('--plain', 'run the program outside the sandbox, with all that its user may see')
      .option('--inner-host <host>', 'a host of your own network that its login may lead to (repeat it)', several)
      .option('-y, --yes', 'approve its tools at once, as it shows them now')
      .action((server: string, words: string[], options: Adding, command: Command) => add(cli, server, words, options, command)),
    'banyan mcp add files --folder ~/notes -- npx -y @modelcontextprotocol/server-filesystem ~/notes',
    'banyan mcp add tickets --url https://mcp.example.org/mcp --header "Authorization: Bearer secret:TICKETS_TOKEN"',
  )
  examples(
    mcp
      .command('servers')
      .description('Lists MCP servers whose tools agents may use.')
      .action(async (_: object, command: Command) => {
        const items = await all(serverOf(cli, command), 'servers')
        if (wantsJson(command)) return terminal.document({ items })
        terminal.out(
          ...table(
            items.map((item) => [
              plain(item.id),
              item.state,
              `${item.tools.approved} of ${item.tools.offered} tools`,
              item.policy,
              oneLine(item.problem ?? waitingWords(item) ?? whereOf(item), 160),
            ]),
          ),
        )
      }),
    'banyan mcp servers',
  )
  examples(
    mcp
      .command('show')
      .description(
        'Everything about a server: how it is reached, what went wrong, what changed. Values of variables and headers are not shown; `banyan secret set` changes one under the name that stands beside it.',
      )
      .addArgument(name())
      .action(async (server: string, _: object, command: Command) => {
        const found = await call(serverOf(cli, command), 'server', { params: { id: server } })
        if (wantsJson(command)) return terminal.document(found)
        terminal.out(...describe(found))
      }),
    'banyan mcp show files',
  )
  examples(
    mcp
      .command('tools')
      .description('Tools of a server with what it says of them, and what became other since they were approved.')
      .addArgument(name())
      .action(async (server: string, _: object, command: Command) => {
        const { toolList } = await call(serverOf(cli, command), 'server', { params: { id: server } })
        if (wantsJson(command)) return terminal.document({ items: toolList })
        terminal.out(...toolList.flatMap(toolLines))
      }),
    'banyan mcp tools files',
  )
  examples(
    mcp
      .command('approve')
      .description('Takes tools of a server as they are now; without names, all that wait.')
      .addArgument(name())
      .argument('[tools...]', 'names, as `banyan mcp tools` shows them')
      .option('-y, --yes', 'without asking')
      .action(async (server: string, names: string[], options: { yes?: boolean }, command: Command) => {
        const found = await call(serverOf(cli, command), 'server', { params: { id: server } })
        await approve(cli, serverOf(cli, command), found, names, options.yes, command)
      }),
    'banyan mcp approve files',
    'banyan mcp approve files mcp__files__read_file --yes',
  )
  examples(
    mcp
      .command('rules')
      .description('What becomes of calls of a server, or of one of its tools. A rule of the policy that denies always wins.')
      .addArgument(name())
      .argument('[tool]', 'one tool, by its name for agents')
      .addOption(
        new Option('--policy <policy>', 'ask a person each time, allow, deny; default takes a word about one tool back').choices([
          ...SERVER_POLICIES,
          'default',
        ]),
      )
      .option('--tainted', 'what is allowed is allowed too to tasks that have read words of strangers, such as the answers of this server')
      .option('--no-tainted', 'it is not')
      .option('--trust', 'believe what the server says of its tools: those that say they only read are not asked about twice after a crash')
      .option('--no-trust', 'believe nothing of it')
      .action(
        async (
          server: string,
          tool: string | undefined,
          options: { policy?: (typeof SERVER_POLICIES)[number] | 'default'; tainted?: boolean; trust?: boolean },
          command: Command,
        ) => {
          const body = {
            ...(tool === undefined ? {} : { tool }),
            ...(options.policy === undefined ? {} : { policy: options.policy === 'default' ? null : options.policy }),
            ...(options.tainted === undefined ? {} : { tainted: options.tainted }),
            ...(options.trust === undefined ? {} : { trusted: options.trust }),
          }
          const found = await call(serverOf(cli, command), 'serverRules', { params: { id: server }, body })
          tellServer(
            command,
            found,
            `Calls: ${found.policy}${found.tainted ? ', for tainted tasks too' : ''}${found.trusted ? '; what it says of its tools is believed' : ''}.`,
          )
        },
      ),
    'banyan mcp rules files mcp__files__list_directory --policy allow',
  )
  for (const [verb, route, done] of [
    ['enable', 'enableServer', 'Agents can use it again.'],
    ['disable', 'disableServer', 'It has ended, and its tools answer nothing.'],
    ['restart', 'restartServer', 'It was started anew, and its tools were looked at.'],
  ] as const)
    examples(
      mcp
        .command(verb)
        .description(
          {
            enable: 'Lets agents use a server again.',
            disable: 'Ends a server and keeps it ended.',
            restart: 'Ends a server, starts it now and looks at its tools.',
          }[verb],
        )
        .addArgument(name())
        .action(async (server: string, _: object, command: Command) => {
          const found = await call(serverOf(cli, command), route, { params: { id: server } })
          tellServer(
            command,
            found,
            ...(found.problem === null ? [done] : []),
            ...(waitingWords(found) === null ? [] : [waitingWords(found)!]),
          )
        }),
      `banyan mcp ${verb} files`,
    )
  examples(
    mcp
      .command('plain')
      .description('Lets a server run without a sandbox on a machine that has none, with all that its user may see and do, and starts it.')
      .addArgument(name())
      .option('-y, --yes', 'without asking')
      .action(async (server: string, options: { yes?: boolean }, command: Command) => {
        const banyanServer = serverOf(cli, command)
        const found = await call(banyanServer, 'server', { params: { id: server } })
        await confirm(cli, options.yes, plainQuestion(found))
        tellServer(command, await call(banyanServer, 'allowPlainServer', { params: { id: server } }), 'It may run without a sandbox here.')
      }),
    'banyan mcp plain files',
  )
  examples(
    mcp
      .command('login')
      .description('Begins a login at a server with OAuth and prints the address to open in a browser.')
      .addArgument(name())
      .option('--client-id <id>', 'as the makers of the login page gave it, where you registered Banyan there by hand')
      .option('--client-secret <secret>', 'what belongs to it, as secret:NAME')
      .action(async (server: string, given: { clientId?: string; clientSecret?: string }, command: Command) => {
        const { url } = await call(serverOf(cli, command), 'loginServer', { params: { id: server }, body: given })
        if (wantsJson(command)) return terminal.document({ url })
        terminal.out(plain(url))
        terminal.say(
          `Open this address within ten minutes. Afterwards ${terminal.banyan} mcp show ${quoted(server)} says whether it worked.`,
        )
      }),
    'banyan mcp login tickets',
  )
  examples(
    mcp
      .command('remove')
      .description('Ends a server and removes it with its tools, its files and its login.')
      .addArgument(name())
      .option('-y, --yes', 'without asking')
      .action(async (server: string, options: { yes?: boolean }, command: Command) => {
        await confirm(cli, options.yes, `Remove the MCP server ${oneLine(server, 40)}? Agents lose its tools.`)
        await call(serverOf(cli, command), 'removeServer', { params: { id: server } })
        if (wantsJson(command)) return terminal.document({ name: server, removed: true })
        terminal.say(`Removed ${oneLine(server, 40)}.`)
      }),
    'banyan mcp remove files --yes',
  )
}

async function add(cli: Cli, name: string, words: string[], options: Adding, command: Command): Promise<void> {
  const { terminal } = cli
  // The same word of all commands, where it is the address of Banyan, is read before this one is looked at.
  const { url = options.url, token } = globals(command)
  const banyanServer = findServer(token === undefined ? {} : { token }, cli.env, terminal.banyan)
  if ((url === undefined) === (words.length === 0))
    throw new Ended(EXIT.usage, 'Give either --url with the address of a server, or -- and the command that starts it.')
  let made = await call(banyanServer, 'addServer', {
    body: {
      name,
      ...(url === undefined ? { command: words } : { url }),
      env: options.env ?? {},
      publicEnv: options.publicEnv ?? {},
      headers: options.header ?? {},
      scope: options.scope ?? 'shared',
      isolation: options.plain ? 'plain' : 'best',
      network: options.network ?? [],
      folders: [...(options.folder ?? []), ...(options.writable ?? [])],
      innerHosts: options.innerHost ?? [],
    },
  })
  const { banyan } = terminal
  if (made.walls === 'asks' && terminal.isPerson() && !wantsJson(command)) {
    terminal.say('Added, and not started: there is no sandbox on the machine of Banyan.')
    if (/^y(es)?$/i.test(await terminal.ask(`${plainQuestion(made)} [y/N] `)))
      made = await call(banyanServer, 'allowPlainServer', { params: { id: name } })
  }
  if (!wantsJson(command)) {
    if (made.walls === 'asks') terminal.say(`It waits: ${oneLine(made.problem ?? '', 600)}.`)
    else if (made.problem !== null)
      terminal.say(
        `Added, but it could not be used: ${oneLine(made.problem, 600)}.`,
        made.login === 'needed'
          ? `${banyan} mcp login ${name} begins a login.`
          : made.transport === 'stdio' && made.isolation === 'best'
            ? `In the sandbox it sees only its own folder, --folder and --writable, and reaches only --network hosts. Remove it and add it with what it lacks, or mend it and say ${banyan} mcp restart ${name}.`
            : `Mend it and say ${banyan} mcp restart ${name}.`,
      )
    else for (const line of made.toolList.flatMap(toolLines)) terminal.say(line)
  }
  if (made.tools.pending > 0 && (options.yes || terminal.isPerson())) {
    await approve(cli, banyanServer, made, [], options.yes, command)
    return
  }
  if (wantsJson(command)) return terminal.document(made)
  terminal.out(plain(made.id))
  if (made.tools.pending > 0) terminal.say(`${waitFor(made.tools.pending, 'tool')}: ${banyan} mcp approve ${name}`)
}

const plainQuestion = (server: ServerDetail): string =>
  `Run ${oneLine(server.command?.join(' ') ?? server.id, 300)} without a sandbox? It sees and does all that its user on this machine may.`

async function approve(
  cli: Cli,
  banyanServer: Server,
  server: ServerDetail,
  names: readonly string[],
  yes: boolean | undefined,
  command: Command,
): Promise<void> {
  const { terminal } = cli
  const waiting = server.toolList.filter((tool) =>
    names.length > 0 ? names.includes(tool.id) || names.includes(tool.name) : tool.state === 'pending' || tool.state === 'changed',
  )
  const unknown = names.find((name) => !server.toolList.some((tool) => tool.id === name || tool.name === name))
  if (unknown !== undefined)
    throw new Ended(EXIT.failed, `${server.id} has no tool ${oneLine(unknown, 64)}; ${terminal.banyan} mcp tools ${server.id} lists them.`)
  if (waiting.length === 0) {
    if (wantsJson(command)) return terminal.document(server)
    terminal.say('Nothing waits to be approved.')
    return
  }
  if (!yes && terminal.isPerson()) for (const line of waiting.flatMap(toolLines)) terminal.say(line)
  await confirm(cli, yes, `Let agents be given ${waiting.length === 1 ? waiting[0]!.id : `these ${waiting.length} tools`}?`)
  // Bound to what was shown here, not to what it may be by now.
  const done = await call(banyanServer, 'approveTools', {
    params: { id: server.id },
    body: { tools: Object.fromEntries(waiting.map((tool) => [tool.id, tool.sha])) },
  })
  if (wantsJson(command)) return terminal.document(done)
  terminal.out(...waiting.map((tool) => plain(tool.id)))
  terminal.say(
    `Approved ${counted(waiting.length, 'tool')}. Agents get them through request_tools, or when a person lists them in an agent's settings.`,
  )
}

function toolLines(tool: ServerTool): string[] {
  const hints = [
    tool.hints.readOnly ? 'says it only reads' : '',
    tool.hints.destructive ? 'says it may destroy' : '',
    tool.policy ?? '',
  ].filter(Boolean)
  return [
    `${plain(tool.id)}  ${tool.state}${hints.length > 0 ? ` (${hints.join(', ')})` : ''}`,
    ...(tool.problem === null ? [] : [`    cannot be used: ${oneLine(tool.problem, 300)}`]),
    ...(tool.diff === null
      ? [`    "${oneLine(tool.description, 300)}"`]
      : tool.diff.split('\n').map((line) => `    ${plain(line).slice(0, 300)}`)),
  ]
}
const whereOf = (item: ServerItem): string => item.url ?? (item.command ?? []).map(quoted).join(' ')
function waitingWords({ tools, login }: ServerItem): string | null {
  if (login === 'needed') return 'it wants a login'
  const waiting = tools.pending + tools.changed
  return waiting === 0 ? null : `${counted(waiting, 'tool')} to approve`
}

function describe(item: ServerDetail): string[] {
  const values = (list: ServerItem['env']) =>
    list
      .map(({ name, secrets, value }) =>
        value !== null ? `${name}=${value}` : secrets.length > 0 ? `${name} (secret ${secrets.join(', ')})` : name,
      )
      .join(', ')
  const walls =
    item.transport === 'http'
      ? item.inner
        ? 'an address of your own network, as whoever added it said'
        : 'public addresses only'
      : item.walls === 'asks'
        ? `nothing: there is no sandbox here, and it waits for banyan mcp plain ${item.id}`
        : item.walls === 'plain'
          ? 'plain: it sees what its user sees'
          : `the sandbox; network: ${item.network.join(', ') || 'none'}; folders: ${item.folders.map(({ path, write }) => `${path}${write ? ' (may change it)' : ''}`).join(', ') || 'its own'}`
  const rows: [string, string | null][] = [
    ['server', item.id],
    [item.transport === 'http' ? 'address' : 'command', whereOf(item)],
    ['reaches', walls],
    ['env', values(item.env) || null],
    ['headers', values(item.headers) || null],
    ['scope', item.scope === 'task' ? 'one for each task' : 'one for all tasks'],
    ['calls', `${item.policy}${item.tainted ? ', for tainted tasks too' : ''}${item.trusted ? '; trusted' : ''}`],
    ['state', `${item.state}${item.running > 0 ? ` (${item.running}, calls under way: ${item.calls})` : ''}`],
    ['problem', item.problem],
    ['again', item.retryAt],
    ['login', item.login === 'none' ? null : item.login],
    ['says it is', item.about === null ? null : `${item.about.name} ${item.about.version}, MCP ${item.about.protocol}`],
    [
      'tools',
      Object.entries(item.tools)
        .map(([state, n]) => `${n} ${state}`)
        .join(', '),
    ],
    ['added', `${item.createdAt} by ${item.createdBy}`],
  ]
  return [
    ...table(rows.filter((row): row is [string, string] => row[1] !== null).map(([key, value]) => [key, oneLine(value, 600)])),
    ...item.toolList.filter((tool) => tool.state !== 'approved').flatMap(toolLines),
    ...(item.stderr.trim() === ''
      ? []
      : [
          'stderr:',
          ...item.stderr
            .trim()
            .split('\n')
            .slice(-8)
            .map((line) => `    ${plain(line).slice(0, 300)}`),
        ]),
  ]
}
