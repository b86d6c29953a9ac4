/** Commands about the running instance: up, down, status, open, token, worker. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Command } from 'commander'
import type { Health, System } from '../../core/contract/api.ts'
import { Fault } from '../../core/contract/fault.ts'
import { heldText } from '../../core/contract/holds.ts'
import { watchText } from '../../core/contract/watch.ts'
import { type Cli, examples, onInterrupt, serverOf, wantsJson, whole } from './context.ts'
import { call, config, findServer, localUrl, NotRunning, ROOT, type Server } from './server.ts'
import { Ended, EXIT } from './terminal.ts'
import { counted, duration, oneLine, plain, table } from './words.ts'

export async function healthOf(server: Server): Promise<Health | null> {
  try {
    return await call(server, 'health', { timeoutMs: 5_000 })
  } catch (error) {
    if (error instanceof NotRunning) return null
    throw error
  }
}

/** Why commands do not run at the level that they should. */
function whyNot({ isolation, isolationChoice = 'auto', isolationDetail: detail }: System): string {
  const wanted = isolation === 'container' ? detail?.container : isolationChoice === 'plain' ? undefined : detail?.sandbox
  if (wanted === undefined || wanted.ok) return ''
  return `${isolationChoice === 'auto' ? '' : ' or not at all'}: ${plain(wanted.why)}`
}

export function addSystem(program: Command, cli: Cli): void {
  const { terminal } = cli

  examples(
    program
      .command('up')
      .summary('start Banyan')
      .description(
        'Starts Banyan like npm start. With -d it runs in the background, its output goes to DATA_DIR/logs/banyan.log, and this returns when it is healthy.',
      )
      .option('-d, --detach', 'in the background')
      .option('--timeout <seconds>', 'with -d: how long to wait for health', whole(1, 3_600), 180)
      .action(async (options: { detach?: boolean; timeout: number }, command: Command) => {
        const settings = config()
        const server = findServer({}, {}, terminal.banyan)
        if (await healthOf(server)) {
          if (!options.detach) throw new Ended(EXIT.failed, `Banyan already runs at ${server.url}; stop it with: ${terminal.banyan} down`)
          terminal.say(`Banyan already runs at ${server.url}.`)
          return wantsJson(command) ? terminal.document({ url: server.url, started: false }) : terminal.out(server.url)
        }
        const argv = [join(ROOT, 'scripts', 'bootstrap.mjs'), 'start']
        if (!options.detach) return foreground(cli, argv)
        const url = await background(cli, settings.dataDir, argv, options.timeout * 1_000)
        if (wantsJson(command)) return terminal.document({ url, started: true })
        terminal.out(url)
        terminal.say(`Log in: ${terminal.banyan} open`, `Stop it: ${terminal.banyan} down`)
      }),
    'banyan up -d',
  )

  examples(
    program
      .command('down')
      .summary('stop Banyan gracefully')
      .description('Lets running turns finish or park, then ends Banyan, and waits until it has ended. Goals go on at the next start.')
      .option('--timeout <seconds>', 'how long to wait', whole(1, 86_400), 600)
      .action(async (options: { timeout: number }, command: Command) => {
        const server = serverOf(cli, command)
        await call(server, 'shutdown')
        terminal.say('Stopping: running turns finish or park first.')
        const stopListening = onInterrupt(() => terminal.say('It goes on stopping by itself.'))
        const gone = await until(
          options.timeout * 1_000,
          async () => (await healthOf(server)) === null && (!server.own || !(await isOwned(config().dataDir))),
        )
        stopListening()
        if (!gone)
          throw new Ended(
            EXIT.failed,
            `Banyan at ${server.url} still runs after ${options.timeout} seconds; it goes on stopping, or look at its log.`,
          )
        if (wantsJson(command)) terminal.document({ stopped: true })
        else terminal.say('Stopped.')
      }),
    'banyan down',
  )

  examples(
    program
      .command('status')
      .summary('whether it runs, and what it does')
      .description('Tells whether Banyan runs, which model it uses, and how much there is to do. Exit code 1 when it does not run.')
      .action(async (_options: object, command: Command) => {
        const server = serverOf(cli, command)
        if (!(await healthOf(server))) {
          if (wantsJson(command)) terminal.document({ running: false, url: server.url })
          throw new Ended(EXIT.failed, `Banyan is not running at ${server.url}; ${server.mend}.`)
        }
        const [system, stuck, { items: providers }] = await Promise.all([
          call(server, 'system'),
          call(server, 'watched'),
          call(server, 'breakers'),
        ])
        const held = providers.flatMap(({ id, hold, waiting }) => (hold ? [{ provider: id, waiting, ...hold }] : []))
        if (wantsJson(command)) return terminal.document({ running: true, url: server.url, ...system, watchdog: stuck, held })
        const { provider } = system
        terminal.out(
          ...table([
            ['running', server.url],
            ['version', `${system.version} (${system.revision}), schema ${system.schema}, Node ${system.nodeVersion}`],
            ['up for', duration(system.uptimeSeconds * 1_000)],
            ['model', plain(`${provider.name}${provider.model ? `/${provider.model}` : ''}: ${provider.detail}`)],
            ...held.map((one): [string, string] => [
              'waiting',
              `${counted(one.waiting, 'task')}: ${plain(heldText(one))}; ${terminal.banyan} breakers reset ${plain(one.provider)} asks now`,
            ]),
            ['commands', `run ${plain(system.isolation)}${whyNot(system)}`],
            [
              'tasks',
              Object.entries(system.tasks)
                .filter(([, n]) => n > 0)
                .map(([word, n]) => `${n} ${word}`)
                .join(', ') || 'none',
            ],
            ...(stuck.count > 0
              ? [
                  [
                    'stuck',
                    stuck.items
                      .slice(0, 3)
                      .map((one) => `${oneLine(one.title, 60)}: it ${watchText(one)}`)
                      .join('; ') + (stuck.count > 3 ? `; ${stuck.count - 3} more` : ''),
                  ] as [string, string],
                ]
              : []),
            ['for you', counted(system.openReviews, 'item')],
            ['backup', system.backup ? `${system.backup.at}, ${plain(system.backup.why)}` : 'none yet'],
          ]),
        )
        if (system.safeMode)
          terminal.say(`Safe mode: agents are off. See why with ${terminal.banyan} keeper status; a restart tries again.`)
        if (system.openReviews > 0) terminal.say(`See what waits for you: ${terminal.banyan} review ls`)
      }),
    'banyan status --json',
  )

  examples(
    program
      .command('open')
      .summary('open the page, logged in')
      .description('Makes a fresh login link, prints it and opens it in a browser. The link works once, within 24 hours.')
      .option('--print', 'only print it')
      .action(async (options: { print?: boolean }, command: Command) => {
        const { url } = await call(serverOf(cli, command), 'makeLoginLink')
        if (wantsJson(command)) terminal.document({ url })
        else terminal.out(plain(url))
        if (!options.print && !(await browse(url))) terminal.say('No browser could be opened here; open the link yourself.')
      }),
    'banyan open --print',
  )

  examples(
    program
      .command('worker')
      .summary('more processes on PostgreSQL')
      .description('Refuses on SQLite, which one process owns.')
      .action(() => {
        throw new Ended(
          EXIT.failed,
          config().databaseUrl.startsWith('sqlite:')
            ? 'A worker needs a database that several processes share, and this is SQLite: set DATABASE_URL to postgres://user:password@host/database.'
            : 'This version runs everything in one process, on PostgreSQL too; raise MAX_CONCURRENT_AGENTS to do more at the same time.',
        )
      }),
    'DATABASE_URL=postgres://banyan@db/banyan banyan worker',
  )

  /** Stays as the parent: the child gets the terminal's signals itself and decides when it ends. */
  async function foreground({ exit }: Cli, argv: string[]): Promise<void> {
    const child = spawn(process.execPath, argv, { stdio: 'inherit' })
    const pass = (signal: NodeJS.Signals) => child.kill(signal)
    process.on('SIGINT', () => undefined) // the whole group got it from the terminal
    process.on('SIGTERM', pass)
    process.on('SIGHUP', pass)
    const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null]
    exit(code ?? (signal === 'SIGINT' ? EXIT.interrupted : EXIT.failed))
  }
}

async function background(cli: Cli, dataDir: string, argv: string[], patienceMs: number): Promise<string> {
  const logFile = join(dataDir, 'logs', 'banyan.log')
  let from: number
  let log: number
  try {
    mkdirSync(join(dataDir, 'logs'), { recursive: true, mode: 0o700 })
    log = openSync(logFile, 'a', 0o600)
    from = statSync(logFile).size
  } catch (error) {
    throw new Ended(
      EXIT.failed,
      `${logFile} cannot be written (${(error as NodeJS.ErrnoException).code}): make DATA_DIR writable, or set it to a folder of yours.`,
      { cause: error },
    )
  }
  const began = Date.now()
  const child = spawn(process.execPath, argv, { detached: true, stdio: ['ignore', log, log] })
  closeSync(log)
  let ended: string | null = null
  child.once('error', (error) => (ended = error.message))
  child.once('exit', (code, signal) => (ended = `it ended with ${code ?? signal}`))
  cli.terminal.say(`Starting; its output is in ${logFile}`)
  let url = ''
  const up = await until(patienceMs, async () => {
    if (ended !== null) return true
    url = localUrl(config())
    const health = await healthOf({ url, token: null, own: true, mend: '' })
    return health !== null && health.uptimeSeconds * 1_000 <= Date.now() - began + 1_000
  })
  child.unref()
  if (up && ended === null) return url
  const words = plain(readFileSync(logFile).subarray(from).toString('utf8')).trimEnd().split('\n').slice(-8)
  cli.terminal.say(...words.map((line) => `  ${line}`))
  throw new Ended(
    EXIT.failed,
    ended === null
      ? `Banyan is not healthy after ${patienceMs / 1_000} seconds and goes on starting; look at ${logFile}.`
      : `Banyan did not start (${ended}); the last lines of ${logFile} are above.`,
  )
}

/** Asks again and again; false when it took too long. */
async function until(patienceMs: number, done: () => Promise<boolean>): Promise<boolean> {
  const end = performance.now() + patienceMs
  while (!(await done())) {
    if (performance.now() > end) return false
    await delay(150)
  }
  return true
}

/** Whether a process has this data directory; loaded only here, because it brings the native binding. */
async function isOwned(dataDir: string): Promise<boolean> {
  if (!existsSync(join(dataDir, 'owner.db'))) return false
  const { own } = await import('../../core/store/owner.ts')
  try {
    own(dataDir).release()
    return false
  } catch (error) {
    if (error instanceof Fault) return true
    throw error
  }
}

/** True when a browser was started. */
async function browse(url: string): Promise<boolean> {
  const argv = process.platform === 'darwin' ? ['open', url] : ['xdg-open', url]
  const child = spawn(argv[0]!, argv.slice(1), { stdio: 'ignore', detached: true })
  const started = await new Promise<boolean>((resolve) => {
    child.once('error', () => resolve(false))
    // A launcher that ends at once with a fault found no browser; one that stays is a browser.
    child.once('exit', (code) => resolve(code === 0))
    setTimeout(() => resolve(true), 2_000).unref()
  })
  child.unref()
  return started
}
