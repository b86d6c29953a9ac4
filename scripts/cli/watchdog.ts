/** `banyan watchdog`: tasks that do not get on, and goals that it leaves alone. */
import type { Command } from 'commander'
import { watchText } from '../../core/contract/watch.ts'
import { type Cli, examples, serverOf, wantsJson } from './context.ts'
import { call, resolveTree } from './server.ts'
import { Ended, EXIT } from './terminal.ts'
import { oneLine } from './words.ts'

export function addWatchdog(program: Command, cli: Cli): void {
  const { terminal } = cli
  examples(
    program
      .command('watchdog')
      .summary('tasks that do not get on')
      .description(
        'Lists tasks that repeat themselves, talk without acting or spend for nothing new, with what was done about it. With a goal and on, patient or off: whether the watchdog looks after that goal; patient waits twice as long.',
      )
      .argument('[goal]', 'id of a goal, or the beginning of one')
      .addArgument(program.createArgument('[state]', 'on, patient or off').choices(['on', 'patient', 'off']))
      .action(async (given: string | undefined, state: 'on' | 'patient' | 'off' | undefined, _options: object, command: Command) => {
        const server = serverOf(cli, command)
        if (given !== undefined) {
          if (state === undefined) throw new Ended(EXIT.usage, `Say on, patient or off: ${terminal.banyan} watchdog ${given} off`)
          const saved = await call(server, 'saveWatched', {
            params: { id: await resolveTree(server, given) },
            body: { on: state !== 'off', patient: state === 'patient' },
          })
          if (wantsJson(command)) return terminal.document(saved)
          return terminal.say(
            saved.on
              ? `The watchdog looks after ${saved.treeId}${saved.patient ? ', with patience' : ''}.`
              : `The watchdog leaves ${saved.treeId} alone.`,
          )
        }
        const found = await call(server, 'watched')
        if (wantsJson(command)) return terminal.document(found)
        if (found.items.length === 0) return terminal.say('Every task gets on.')
        for (const one of found.items)
          terminal.out(
            `${oneLine(one.taskId, 80)}  ${oneLine(one.title, 80)}: it ${watchText(one)}`,
            terminal.outPaint('dim', `  ${oneLine(one.words, 400)}`),
          )
        if (found.count > found.items.length) terminal.say(`… and ${found.count - found.items.length} more`)
      }),
    'banyan watchdog',
    'banyan watchdog 0k3f off',
  )
}
