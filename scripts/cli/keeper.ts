/** `banyan keeper`: what the keeper has in its slots, and the things that only a person does with it. */
import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import * as z from 'zod'
import { installKeeper } from '../start.mjs'
import { type Cli, confirm, examples, serverOf, wantsJson } from './context.ts'
import { call, config } from './server.ts'
import { Ended, EXIT } from './terminal.ts'
import { plain, table } from './words.ts'

const Slot = z.object({
  commit: z.string().nullable(),
  tree: z.string(),
  state: z.string(),
  schema: z.number().nullable(),
  triesLeft: z.number(),
})
const Table = z.object({
  active: z.string(),
  safe: z.boolean(),
  slots: z.record(z.string(), Slot.nullable()),
  failed: z.record(z.string(), z.object({ at: z.string(), reason: z.string() })),
})

export function addKeeper(program: Command, cli: Cli): void {
  const { terminal } = cli
  const home = () => join(config().dataDir, 'keeper')
  const keeper = program
    .command('keeper')
    .summary('what starts and watches Banyan: status, rollback, install, retry')
    .description('The keeper starts a revision of Banyan, watches a new one and goes back when it fails.')

  examples(
    keeper
      .command('status')
      .description('Shows the revisions that the keeper has, which one runs, and which ones failed.')
      .action((_options: object, command: Command) => {
        const file = join(home(), 'slots.json')
        const found = existsSync(file) ? Table.safeParse(JSON.parse(readFileSync(file, 'utf8'))).data : undefined
        if (!found) throw new Ended(EXIT.failed, `The keeper has not run here yet; it does with npm start or ${terminal.banyan} up.`)
        if (wantsJson(command)) return terminal.document(found)
        const active = found.safe ? 'golden' : found.active
        const rows = Object.entries(found.slots).flatMap(([name, slot]) =>
          slot === null
            ? []
            : [
                [
                  name,
                  (slot.commit ?? slot.tree).slice(0, 12),
                  slot.state,
                  slot.schema === null ? '' : `schema ${slot.schema}`,
                  name === active ? 'active' : '',
                ],
              ],
        )
        terminal.out(...table(rows))
        if (found.safe) terminal.say('Safe mode: agents are off. A restart tries the last revision again.')
        for (const [tree, { at, reason }] of Object.entries(found.failed))
          terminal.say(`failed: tree ${tree.slice(0, 12)}, ${at}: ${plain(reason)}`)
      }),
    'banyan keeper status',
  )
  examples(
    keeper
      .command('rollback')
      .description('Goes back to the revision before, whatever state the running one is in: by a restart, or at the next start.')
      .option('--yes', 'without asking')
      .action(async (options: { yes?: boolean }, command: Command) => {
        await confirm(cli, options.yes, 'Go back to the revision that ran before? The one that runs now is not taken again by itself.')
        const file = join(home(), 'request.json')
        if (!existsSync(join(home(), 'slots.json')))
          throw new Ended(EXIT.failed, 'The keeper has not run here yet, so there is no revision to go back to.')
        writeFileSync(`${file}.new`, JSON.stringify({ id: randomUUID(), kind: 'rollback', changeId: null }), { mode: 0o600 })
        renameSync(`${file}.new`, file)
        const asked = await call(serverOf(cli, command), 'shutdown', { query: { restart: '1' } }).then(
          () => true,
          () => false, // a revision that does not even answer is why this command exists
        )
        if (wantsJson(command)) return terminal.document({ asked: true, restarting: asked })
        terminal.say(asked ? 'Banyan restarts with the revision before.' : 'Banyan does not answer: stop its process and start it again.')
      }),
    'banyan keeper rollback --yes',
  )
  examples(
    keeper
      .command('install')
      .description('Puts the keeper of this checkout in place of the installed one; it is used from the next start of npm start on.')
      .action((_options: object, command: Command) => {
        mkdirSync(home(), { recursive: true, mode: 0o700 })
        const { running } = installKeeper(home(), { replace: true })
        if (wantsJson(command)) return terminal.document({ installed: running })
        terminal.out(running)
        terminal.say('Stop Banyan and start it again to use it.')
      }),
    'banyan keeper install',
  )
  examples(
    keeper
      .command('retry')
      .description('Lets revisions that failed before be tried again, at the next start of npm start.')
      .action((_options: object, command: Command) => {
        mkdirSync(home(), { recursive: true, mode: 0o700 })
        writeFileSync(join(home(), 'retry'), '')
        if (wantsJson(command)) return terminal.document({ retry: true })
        terminal.say('Stop Banyan and start it again.')
      }),
    'banyan keeper retry',
  )
}
