/** `banyan doctor`: the real checks of this machine and this instance, each with the mend. Changes nothing. */
import type { Command } from 'commander'
import type { Config } from '../../core/config.ts'
import type { Check } from '../../core/contract/api-system.ts'
import { Fault } from '../../core/contract/fault.ts'
import {
  diskCheck,
  fail,
  folderCheck,
  keyChecks,
  loginCheck,
  modelCheck,
  nodeCheck,
  ok,
  portCheck,
  settingsCheck,
  tokenCheck,
  tryIsolation,
  unknown,
} from '../../core/observe/checks.ts'
import { type Cli, examples, globals, wantsJson } from './context.ts'
import { call, config, findServer, Refused, type Server, tokenFile } from './server.ts'
import { healthOf } from './system.ts'
import { Ended, EXIT } from './terminal.ts'
import { plain } from './words.ts'

const SHAPES = { ok: ['✓', 'good'], warn: ['!', 'wait'], fail: ['✕', 'bad'], unknown: ['?', 'dim'] } as const
/** Looked at from here too, where they may differ: this Node, these settings and this user are not the server's. */
const HERE = ['node', 'settings', 'data folder', 'disk', 'token']

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
  checks.push(settingsCheck(settings))
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
  checks.push(
    await folderCheck(settings.dataDir),
    await diskCheck(settings.dataDir),
    await tokenCheck(settings, tokenFile(settings), server.token !== null),
  )
  checks.push(
    health
      ? ok('server', `runs at ${server.url}, revision ${health.revision}`)
      : unknown('server', `not running at ${server.url}; ${server.mend}`),
  )
  if (!health && server.own) checks.push(await portCheck(settings))
  if (health) return [...checks, ...(await runningChecks(server, online))]
  checks.push(loginCheck(settings))
  checks.push(unknown('database', 'not asked: only the running server opens it'), modelCheck(settings), ...(await tryIsolation(settings)))
  if (online) checks.push(...(await keyChecks(settings)))
  return checks
}

/** What the server says of itself; it knows the database, the providers it calls and what is stuck. */
async function runningChecks(server: Server, online: boolean): Promise<Check[]> {
  try {
    const { checks } = await call(server, 'doctor', { query: { online: online ? '1' : '0' } })
    return checks.filter((one) => !HERE.includes(one.name))
  } catch (error) {
    if (!(error instanceof Refused)) throw error
    return [error.exitCode === EXIT.notAllowed ? fail('token', error.message) : fail('database', error.message)]
  }
}
