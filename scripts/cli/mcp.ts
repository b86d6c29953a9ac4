/** `banyan mcp`: the bridge for programs that start their MCP servers themselves, and entries in the settings of such programs. */
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { Argument, type Command } from 'commander'
import { CLIENT, CLIENTS, type ClientName, snippet, type Way } from '../../core/contract/mcp-clients.ts'
import { openBridge } from '../../core/mcp/bridge.ts'
import { type Cli, examples, globals, serverOf, wantsJson } from './context.ts'
import { merged } from './mcp-clients.ts'
import { addMcpServers } from './mcp-servers.ts'
import { call, ROOT, type Server } from './server.ts'
import { Ended, EXIT } from './terminal.ts'

export function addMcp(program: Command, cli: Cli): void {
  const mcp = program
    .command('mcp')
    .summary('use Banyan from another program: serve, install; tools of others for agents: add, servers, show, tools, approve, rules, …')
    .description(
      'Other programs use Banyan over MCP, the Model Context Protocol (serve, install; over HTTP at its address with /mcp behind it), and agents use MCP servers of others (add and the rest).',
    )
  examples(
    mcp
      .command('serve')
      .description('Speaks MCP on stdin and stdout, for a Banyan that runs already. Other programs start this; it starts nothing itself.')
      .option('--stdio', 'as always; taken for those who write it')
      .action((_: unknown, command: Command) => serve(cli, serverOf(cli, command))),
    'banyan mcp serve',
  )
  examples(
    mcp
      .command('install')
      .description('Writes Banyan into the settings of a program, beside what is there; the settings before are kept in a copy.')
      .addArgument(new Argument('<client>', 'the program').choices(CLIENTS))
      .option('--http', 'the program sends HTTP itself, with the token of --token or BANYAN_TOKEN in its settings')
      .option('--name <name>', 'what the program calls it', 'banyan')
      .option('--print', 'only show what would be written, and where')
      .action((client: ClientName, options: { http?: boolean; name: string; print?: boolean }, command: Command) =>
        install(cli, client, options, command),
      ),
    'banyan mcp install claude-code',
    'banyan mcp install cursor --http --token "$(banyan token create cursor --scope read,goals:write)"',
  )
  addMcpServers(mcp, cli)
}

async function serve(cli: Cli, server: Server): Promise<void> {
  const lines = createInterface({ input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY })
  const waiting: string[] = []
  let take: (line: string) => void = (line) => void waiting.push(line)
  lines.on('line', (line) => take(line))
  const closed = new Promise<void>((resolve) => lines.once('close', resolve))
  const write = (line: string) => void process.stdout.write(`${line}\n`)
  try {
    // It says in one sentence what is wrong, and how to mend it.
    await call(server, 'trees', { query: { limit: '1' } })
  } catch (error) {
    if (!(error instanceof Ended)) throw error
    // Programs show what a server answers to their first request, and hide what it says on stderr.
    const answer = (line: string) => {
      const id = idOf(line)
      if (id !== null) write(JSON.stringify({ jsonrpc: '2.0', id, error: { code: -32_603, message: error.message } }))
    }
    if (waiting.length === 0)
      await Promise.race([new Promise<void>((resolve) => (take = (line) => resolve(void waiting.push(line)))), closed])
    waiting.forEach(answer)
    lines.close()
    process.stdin.destroy()
    throw error
  }
  const bridge = openBridge({ url: () => server.url, token: server.token, write })
  take = bridge.take
  waiting.forEach(bridge.take)
  await closed
  await bridge.close()
  cli.exit(EXIT.ok)
}

function idOf(line: string): string | number | null {
  try {
    const { id } = JSON.parse(line) as { id?: string | number }
    return id ?? null
  } catch {
    return null // no request, so nobody waits for an answer
  }
}

function install(cli: Cli, name: ClientName, options: { http?: boolean; name: string; print?: boolean }, command: Command): void {
  const { terminal, env } = cli
  if (!/^[A-Za-z0-9_-]{1,60}$/.test(options.name)) throw new Ended(EXIT.usage, '--name is 1 to 60 letters, digits, - and _.')
  const client = CLIENT[name]
  const file = client.file({ home: env.HOME ?? homedir(), platform: process.platform, env })
  const entry = client.entry(options.http ? overHttp(cli, command) : overStdio(cli, command))
  if (entry === null) throw new Ended(EXIT.usage, `${client.title} starts its servers itself; leave out --http.`)
  if (options.print) {
    if (wantsJson(command)) terminal.document({ file, entry })
    else {
      terminal.out(snippet(client, options.name, entry).trimEnd())
      terminal.say(`This belongs into ${file}`)
    }
    return
  }
  const before = existsSync(file) ? readFileSync(file, 'utf8') : ''
  const after = merged(client, before, options.name, entry)
  if (after === null)
    throw new Ended(
      EXIT.failed,
      `${file} is not JSON, with or without comments, so it was left alone; add by hand what \`${terminal.banyan} mcp install ${name} --print\` shows.`,
    )
  const changed = after !== before
  const copy = changed && before !== '' ? `${file}.before-banyan-${new Date().toISOString().replace(/[:.]/g, '-')}` : null
  if (changed) {
    mkdirSync(dirname(file), { recursive: true })
    if (copy !== null) copyFileSync(file, copy)
    const mode = before === '' ? 0o600 : statSync(file).mode & 0o777
    writeFileSync(`${file}.new`, after, { mode })
    chmodSync(`${file}.new`, mode)
    renameSync(`${file}.new`, file)
  }
  if (wantsJson(command)) terminal.document({ file, changed, copy, entry })
  else if (!changed) terminal.say(`${client.title} has it already, in ${file}`)
  else
    terminal.say(
      `Written into ${file}${copy === null ? '' : `; as it was before: ${copy}`}`,
      `Restart ${client.title}, and ask it what Banyan is doing.`,
    )
}

/** A bridge of this checkout, which finds the token by itself; one that was named is handed on. */
function overStdio({ env }: Cli, command: Command): Way {
  const { url = env.BANYAN_URL, token = env.BANYAN_TOKEN } = globals(command)
  const named = {
    ...(url ? { BANYAN_URL: url } : {}),
    ...(token ? { BANYAN_TOKEN: token } : {}),
    // Programs hand few of their own variables on.
    ...(env.DATA_DIR && !url ? { DATA_DIR: resolve(ROOT, env.DATA_DIR) } : {}),
  }
  return { kind: 'stdio', command: process.execPath, args: [join(ROOT, 'scripts', 'banyan.mjs'), 'mcp', 'serve'], env: named }
}
/** Never with the admin token: settings of other programs are no place for it. */
function overHttp(cli: Cli, command: Command): Way {
  const token = globals(command).token ?? cli.env.BANYAN_TOKEN
  if (!token)
    throw new Ended(
      EXIT.usage,
      `--http needs a token of its own: make one with \`${cli.terminal.banyan} token create NAME --scope read,goals:write\` and give it with --token.`,
    )
  return { kind: 'http', url: `${serverOf(cli, command).url}/mcp`, headers: { Authorization: `Bearer ${token}` } }
}
