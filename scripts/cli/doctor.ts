/** `banyan doctor`: the real checks of this machine and this instance, each with the mend. Changes nothing. */
import { constants } from 'node:fs'
import { access, mkdtemp, rm, stat, statfs, unlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Command } from 'commander'
import type { Config } from '../../core/config.ts'
import type { System } from '../../core/contract/api.ts'
import { Fault } from '../../core/contract/fault.ts'
import { NOBODY } from '../../core/exec/local.ts'
import { probeIsolation } from '../../core/exec/probe.ts'
import { type Cli, examples, globals, wantsJson } from './context.ts'
import { call, config, findServer, Refused, type Server, tokenFile } from './server.ts'
import { healthOf } from './system.ts'
import { Ended, EXIT } from './terminal.ts'
import { plain } from './words.ts'

export type Check = { name: string; state: 'ok' | 'warn' | 'fail' | 'unknown'; words: string }
const ok = (name: string, words: string): Check => ({ name, state: 'ok', words })
const warn = (name: string, words: string): Check => ({ name, state: 'warn', words })
const fail = (name: string, words: string): Check => ({ name, state: 'fail', words })
const unknown = (name: string, words: string): Check => ({ name, state: 'unknown', words })

const SHAPES = { ok: ['✓', 'good'], warn: ['!', 'wait'], fail: ['✕', 'bad'], unknown: ['?', 'dim'] } as const
const MB = 1024 * 1024

export function addDoctor(program: Command, cli: Cli): void {
  const { terminal } = cli
  examples(
    program
      .command('doctor')
      .summary('check this machine and this instance')
      .description(
        'Checks Node, settings, the data folder, disk, port, database and model, and says how to mend what is wrong. Changes nothing.\nExit code 1 when something fails.',
      )
      .option('--online', 'also ask each configured model provider whether its key is good')
      .action(async (options: { online?: boolean }, command: Command) => {
        const checks = await examine(cli, command, options.online === true)
        if (wantsJson(command)) terminal.document({ ok: !checks.some((one) => one.state === 'fail'), checks })
        else
          for (const { name, state, words } of checks) {
            const [shape, tone] = SHAPES[state]
            terminal.out(`${terminal.outPaint(tone, shape)} ${name.padEnd(12)} ${plain(words)}`)
          }
        if (checks.some((one) => one.state === 'fail')) cli.exit(EXIT.failed)
      }),
    'banyan doctor --online',
  )
}

async function examine(cli: Cli, command: Command, online: boolean): Promise<Check[]> {
  const checks: Check[] = [nodeCheck(process.version)]
  let settings: Config
  try {
    settings = config()
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    return [...checks, fail('settings', error.message)]
  }
  checks.push(
    settings.warnings.length > 0 ? warn('settings', settings.warnings.join(' ')) : ok('settings', 'read, and every value is right'),
  )
  let server: Server
  try {
    server = findServer(globals(command), cli.env, cli.terminal.banyan)
  } catch (error) {
    if (!(error instanceof Ended) || error.exitCode === EXIT.usage) throw error
    return [...checks, await folderCheck(settings.dataDir), fail('token', error.message)]
  }
  const health = await healthOf(server).catch((error: unknown) => {
    if (error instanceof Ended) return null
    throw error
  })
  checks.push(await folderCheck(settings.dataDir), await diskCheck(settings.dataDir), await tokenCheck(settings, server))
  checks.push(
    health
      ? ok('server', `runs at ${server.url}, revision ${health.revision}`)
      : unknown('server', `not running at ${server.url}; ${server.mend}`),
  )
  if (!health && server.own) checks.push(await portCheck(settings))
  checks.push(
    ...(health
      ? await runningChecks(server)
      : [unknown('database', 'not asked: only the running server opens it'), modelCheck(settings), ...(await tryIsolation(settings))]),
  )
  if (online) checks.push(...(await keyChecks(settings)))
  return checks
}

/** Node 24 from 24.15 on runs the TypeScript as it stands and loads the database binding. */
export function nodeCheck(version: string): Check {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number)
  return major === 24 && minor >= 15
    ? ok('node', version)
    : fail(
        'node',
        `${version} runs this; Node 24 (24.15 or later) is needed: start through \`npm start\` or \`npx banyan\`, which bring it.`,
      )
}

export async function folderCheck(dataDir: string): Promise<Check> {
  const code = (error: unknown) => (error as NodeJS.ErrnoException).code
  const found = await stat(dataDir).catch((error: unknown) => {
    if (code(error) === 'ENOENT') return null
    return error as NodeJS.ErrnoException
  })
  if (found instanceof Error)
    return fail('data folder', `${dataDir} cannot be looked at (${found.code}): change its owner or rights, or set DATA_DIR.`)
  if (found === null) {
    const parent = await nearest(dataDir)
    return access(parent, constants.W_OK).then(
      () => ok('data folder', `${dataDir} will be made at the first start`),
      () =>
        fail(
          'data folder',
          `${dataDir} is not there and ${parent} may not be written: change its rights, or set DATA_DIR to a folder of yours.`,
        ),
    )
  }
  if (!found.isDirectory()) return fail('data folder', `${dataDir} is not a folder: move that file away, or set DATA_DIR to another place.`)
  const probe = join(dataDir, `.doctor-${process.pid}`)
  try {
    await writeFile(probe, 'x')
    await unlink(probe)
    return ok('data folder', `${dataDir} is writable`)
  } catch (error) {
    return fail(
      'data folder',
      `${dataDir} cannot be written (${code(error)}): change its owner or rights, free space, or set DATA_DIR to another folder.`,
    )
  }
}

/** The folder itself, or the closest one above it that exists. */
async function nearest(path: string): Promise<string> {
  for (let at = path; ; at = dirname(at)) {
    const there = await stat(at).then(
      (found) => found.isDirectory(),
      () => false, // whatever is wrong with it, the one above is looked at
    )
    if (there || dirname(at) === at) return at
  }
}

async function diskCheck(dataDir: string): Promise<Check> {
  const { bavail, bsize } = await statfs(await nearest(dataDir))
  const free = bavail * bsize
  const words = `${Math.floor(free / MB).toLocaleString('en')} MB free for ${dataDir}`
  if (free < 100 * MB) return fail('disk', `${words}: free space there, or set DATA_DIR to another disk.`)
  return free < 1024 * MB ? warn('disk', `${words}: that is little; free some.`) : ok('disk', words)
}

async function tokenCheck(settings: Config, server: Server): Promise<Check> {
  if (settings.adminToken !== undefined) return ok('token', 'ADMIN_TOKEN is set')
  const file = tokenFile(settings)
  const found = await stat(file).catch(() => null) // not there before the first start
  if (!found) return server.token === null ? unknown('token', `${file} is made at the first start`) : ok('token', 'given')
  return (found.mode & 0o077) === 0
    ? ok('token', `${file}, for this user alone`)
    : warn('token', `${file} may be read by others: chmod 600 ${file}`)
}

/** Whether this process could listen where Banyan would. */
export function portCheck({ host, port }: Pick<Config, 'host' | 'port'>): Promise<Check> {
  if (port === 0) return Promise.resolve(ok('port', 'any free one'))
  return new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', (error: NodeJS.ErrnoException) =>
      resolve(
        fail(
          'port',
          error.code === 'EADDRINUSE'
            ? `port ${port} on ${host} is used by another program: stop what listens there, or set PORT to a free one.`
            : `nothing can listen on ${host}:${port} (${error.code}): set HOST and PORT to an address of this machine.`,
        ),
      ),
    )
    probe.listen({ host, port, exclusive: true }, () => probe.close(() => resolve(ok('port', `${port} on ${host} is free`))))
  })
}

async function runningChecks(server: Server): Promise<Check[]> {
  try {
    const system = await call(server, 'system')
    return [
      ok(
        'database',
        `opens, schema ${system.schema}${system.dataBytes === undefined ? '' : `, ${Math.ceil(system.dataBytes / MB).toLocaleString('en')} MB`}`,
      ),
      (system.provider.judges ? ok : warn)('model', system.provider.detail),
      ...commandChecks(system),
    ]
  } catch (error) {
    if (!(error instanceof Refused)) throw error
    return [error.exitCode === EXIT.notAllowed ? fail('token', error.message) : fail('database', error.message)]
  }
}

/** The same as the server tries at its start, in a folder that is gone afterwards. */
async function tryIsolation(settings: Config): Promise<Check[]> {
  const folder = await mkdtemp(join(tmpdir(), 'banyan-doctor-'))
  const detail = await probeIsolation({
    folder,
    path: settings.commandPath ?? '',
    hidden: [folder],
    node: process.execPath,
    ...(process.getuid?.() === 0 ? { runAs: NOBODY } : {}),
  }).finally(() => rm(folder, { recursive: true, force: true }))
  return commandChecks({ isolation: detail.sandbox.ok ? 'sandbox' : 'plain', isolationDetail: detail })
}

/** How far commands are kept from the machine, and from eating it. */
export function commandChecks({ isolation, isolationDetail: detail }: Pick<System, 'isolation' | 'isolationDetail'>): Check[] {
  const open = "with limits, but not kept from the rest of this user's files; look before you approve"
  if (!detail) return [isolation === 'plain' ? warn('commands', `run plain: ${open}`) : ok('commands', `run ${isolation}`)]
  const { sandbox, limits } = detail
  return [
    sandbox.ok
      ? ok(
          'commands',
          `run in a sandbox of their own (bubblewrap ${sandbox.version}): only the workspace and the programs of this machine, no network`,
        )
      : warn('commands', `run plain: ${open}. No sandbox: ${sandbox.why} ${sandbox.mend}`),
    limits.via === 'rlimit'
      ? warn(
          'limits',
          'on each process of a command, not on all of them together: this user may not write control groups; as a systemd service, Delegate=yes and DelegateSubgroup=engine mend it.',
        )
      : ok('limits', `on memory, processes and CPU of each command, all its processes together (${limits.via})`),
  ]
}

function modelCheck(settings: Config): Check {
  const names = [
    ...(settings.anthropicApiKey ? ['Anthropic'] : []),
    ...(settings.openrouterApiKey ? ['OpenRouter'] : []),
    ...(settings.openaiApiKey || settings.openaiBaseUrl ? ['an OpenAI-compatible endpoint'] : []),
  ]
  return names.length > 0
    ? ok('model', `configured: ${names.join(', ')}`)
    : warn(
        'model',
        'none: the playbook runs lists and commands and asks you where judgement is needed; set ANTHROPIC_API_KEY or OPENAI_BASE_URL for more.',
      )
}

/** Lists models, which every provider answers to a good key and which costs nothing. */
async function keyChecks(settings: Config): Promise<Check[]> {
  const asks: [string, string, Record<string, string>][] = []
  if (settings.anthropicApiKey)
    asks.push([
      'anthropic',
      `${settings.anthropicBaseUrl ?? 'https://api.anthropic.com'}/v1/models`,
      { 'x-api-key': settings.anthropicApiKey, 'anthropic-version': '2023-06-01' },
    ])
  if (settings.openrouterApiKey)
    asks.push(['openrouter', 'https://openrouter.ai/api/v1/key', { authorization: `Bearer ${settings.openrouterApiKey}` }])
  if (settings.openaiApiKey || settings.openaiBaseUrl)
    asks.push([
      'openai',
      `${settings.openaiBaseUrl ?? 'https://api.openai.com/v1'}/models`,
      settings.openaiApiKey ? { authorization: `Bearer ${settings.openaiApiKey}` } : {},
    ])
  return Promise.all(asks.map(([name, url, headers]) => keyCheck(name, url, headers)))
}

export async function keyCheck(name: string, url: string, headers: Record<string, string>): Promise<Check> {
  const host = new URL(url).host
  try {
    const { status } = await fetch(url, { headers, redirect: 'manual', signal: AbortSignal.timeout(15_000) })
    if (status === 401 || status === 403) return fail(name, `${host} refuses the key (${status}): set a key that is good.`)
    return status < 400 ? ok(name, `${host} answers`) : warn(name, `${host} answered ${status}, so the key could not be checked.`)
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error && 'code' in error.cause ? ` (${error.cause.code})` : ''
    return fail(name, `${host} cannot be reached${cause}: check the network and the base URL.`)
  }
}
