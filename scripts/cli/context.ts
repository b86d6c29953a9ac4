/** What every command needs: the terminal, the server it speaks to, and the few things that all of them do alike. */
import { type Command, InvalidArgumentError } from 'commander'
import { findServer, type Server } from './server.ts'
import { Ended, EXIT, type Terminal } from './terminal.ts'

export type Globals = { url?: string; token?: string; json?: boolean; debug?: boolean }
export type Cli = {
  terminal: Terminal
  env: Readonly<Record<string, string | undefined>>
  /** The code to end with when the command has returned. */
  exit(code: number): void
}

export const globals = (command: Command): Globals => command.optsWithGlobals<Globals>()
export const serverOf = (cli: Cli, command: Command): Server => findServer(globals(command), cli.env, cli.terminal.banyan)
export const wantsJson = (command: Command): boolean => globals(command).json === true

/** `--help` of every command shows how it is used. */
export function examples(command: Command, ...lines: string[]): Command {
  return command.addHelpText('after', `\nExample${lines.length > 1 ? 's' : ''}:\n${lines.map((line) => `  $ ${line}`).join('\n')}`)
}

/** For options that are whole numbers. */
export const whole =
  (least: number, most: number) =>
  (text: string): number => {
    const n = /^-?\d+$/.test(text) ? Number(text) : Number.NaN
    if (!(n >= least && n <= most)) throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`)
    return n
  }

/** Goes on only if a person said yes, by --yes or when asked. */
export async function confirm(cli: Cli, yes: boolean | undefined, question: string): Promise<void> {
  if (yes) return
  if (!cli.terminal.isPerson()) throw new Ended(EXIT.usage, `${question} Nobody can be asked here; add --yes to do it.`)
  if (!/^y(es)?$/i.test(await cli.terminal.ask(`${question} [y/N] `))) throw new Ended(EXIT.cancelled, 'Nothing was done.')
}

/** Ends with 130 when Ctrl-C is pressed, after saying what goes on without us. The answer takes the handler away. */
export function onInterrupt(say: () => void): () => void {
  const end = () => {
    say()
    process.exit(EXIT.interrupted)
  }
  process.once('SIGINT', end)
  return () => {
    process.removeListener('SIGINT', end)
  }
}
