/** The whole of the `banyan` command: its commands, and what happens to whatever they throw. */
import { Command, CommanderError } from 'commander'
import { Fault } from '../../core/contract/fault.ts'
import { addChange } from './change.ts'
import type { Cli } from './context.ts'
import { addControl } from './control.ts'
import { addDatabase } from './database.ts'
import { addDoctor } from './doctor.ts'
import { addFiles } from './files.ts'
import { addAsk, addGoal } from './goal.ts'
import { addKeeper } from './keeper.ts'
import { addLessons } from './lessons.ts'
import { addLook } from './look.ts'
import { addMcp } from './mcp.ts'
import { addRegistry } from './registry.ts'
import { addReview } from './review.ts'
import { addScores } from './scores.ts'
import { addSecret } from './secret.ts'
import { Refused } from './server.ts'
import { addSystem } from './system.ts'
import { Ended, EXIT, openTerminal } from './terminal.ts'
import { addToken } from './token.ts'
import { addTool } from './tool.ts'
import { addUpkeep } from './upkeep.ts'
import { addWatchdog } from './watchdog.ts'
import { json, plain } from './words.ts'

const CODES = `
Data comes on stdout, words on stderr. Ids may be cut short as long as they mean one thing.
Exit codes: 0 ok, 1 failed, 2 usage, 3 cancelled, 4 not allowed, 5 goal unsuccessful, 6 waiting for a person, 7 budget reached, 130 interrupted.
Environment: BANYAN_URL, BANYAN_TOKEN, NO_COLOR.

Example:
  $ banyan goal "Summarise the files in this folder" --wait`

/** Every command, ready to parse. */
export function build(cli: Cli, version: string): Command {
  const program = new Command('banyan')
    .description('A goal becomes a tree of tasks that survives kill -9.')
    .version(version)
    .option('--url <url>', 'where Banyan runs (BANYAN_URL; else as this checkout is set up)')
    .option('--token <token>', 'with what to log in (BANYAN_TOKEN; else the admin token of this checkout)')
    .option('--json', 'data as JSON')
    .option('--debug', 'everything about a failure')
    .addHelpText('after', CODES)
    .configureHelp({ showGlobalOptions: true })
    .showHelpAfterError('See --help.')
    .exitOverride()
  // Commands inherit these settings when they are added, so the settings come first.
  addGoal(program, cli)
  addAsk(program, cli)
  addLook(program, cli)
  addControl(program, cli)
  addWatchdog(program, cli)
  addFiles(program, cli)
  addReview(program, cli)
  addChange(program, cli)
  addLessons(program, cli)
  addScores(program, cli)
  addRegistry(program, cli)
  addTool(program, cli)
  addSecret(program, cli)
  addToken(program, cli)
  addMcp(program, cli)
  addSystem(program, cli)
  addDatabase(program, cli)
  addUpkeep(program, cli)
  addKeeper(program, cli)
  addDoctor(program, cli)
  return program
}

/** `banyan review` is `banyan review ls`. Not commander's default command, which would swallow misspelt ones. */
export function withListing(program: Command, argv: readonly string[]): string[] {
  const { operands, unknown } = program.parseOptions([...argv])
  const group = program.commands.find((one) => one.name() === operands[0])
  const lists = group?.commands.some((one) => one.name() === 'ls')
  if (!lists || operands.length > 1 || unknown.some((word) => /^(-h|--help|[^-].*)$/.test(word))) return [...argv]
  const at = argv.indexOf(operands[0]!)
  return [...argv.slice(0, at + 1), 'ls', ...argv.slice(at + 1)]
}

/** Runs one command line and answers its exit code. */
export async function runCli(argv: readonly string[], env: Readonly<Record<string, string | undefined>>, version: string): Promise<number> {
  let code: number = EXIT.ok
  const cli: Cli = {
    terminal: openTerminal(env),
    env,
    exit(wanted) {
      code = wanted
    },
  }
  const program = build(cli, version)
  try {
    if (argv.length === 0) program.outputHelp()
    else await program.parseAsync(withListing(program, argv), { from: 'user' })
    return code
  } catch (error) {
    return explain(cli, error, argv.includes('--debug'))
  }
}

/** One sentence on stderr and the code that fits. What nobody foresaw keeps its stack. */
function explain({ terminal }: Cli, error: unknown, debug: boolean): number {
  // Commander has said its own words already; asking for help or the version is no failure.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage
  if (!(error instanceof Ended) && !(error instanceof Fault)) throw error
  terminal.say(`banyan: ${plain(error.message)}`)
  if (debug) {
    if (error instanceof Refused) terminal.say(json(error.problem, 2))
    else terminal.say(plain(error.stack ?? ''))
    for (let cause = error.cause; cause instanceof Error; cause = cause.cause)
      terminal.say(`caused by ${plain(cause.stack ?? cause.message)}`)
  }
  return error instanceof Ended ? error.exitCode : EXIT.failed
}
