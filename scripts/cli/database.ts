/** `banyan db`: where the database is, backups, and the way back to one. */
import type { Command } from 'commander'
import { redacted } from '../../core/config.ts'
import type { BackupItem } from '../../core/contract/api-backups.ts'
import { Fault } from '../../core/contract/fault.ts'
import { backupFolder, checkedBackup, integrityOf, listBackups, makeBackup, restoreBackup } from '../../core/store/backups.ts'
import { own } from '../../core/store/owner.ts'
import { type Cli, confirm, examples, serverOf, wantsJson } from './context.ts'
import { call, config } from './server.ts'
import { healthOf } from './system.ts'
import { Ended, EXIT } from './terminal.ts'
import { plain, table } from './words.ts'

const MB = 1024 * 1024
const size = (bytes: number) => `${(bytes / MB).toFixed(1)} MB`

export function addDatabase(program: Command, cli: Cli): void {
  const { terminal } = cli
  const db = program
    .command('db')
    .summary('the database: path, backup, backups, check, restore')
    .description('The database and its backups.')
  const pathOf = (url: string) => (url.startsWith('sqlite:') ? url.slice('sqlite:'.length) : url)

  examples(
    db
      .command('path')
      .description('Prints the path of the SQLite database, or the address of the PostgreSQL one without its password.')
      .action((_options: object, command: Command) => {
        const path = pathOf(String(redacted(config()).databaseUrl))
        if (wantsJson(command)) terminal.document({ path })
        else terminal.out(path)
      }),
    'ls -l "$(banyan db path)"',
  )

  examples(
    db
      .command('backup')
      .description('Makes a backup now, while Banyan runs or while it is stopped, and prints its name.')
      .action(async (_options: object, command: Command) => {
        const server = serverOf(cli, command)
        const made = (await healthOf(server)) ? await call(server, 'makeBackup', { timeoutMs: 600_000 }) : await whileStopped()
        if (wantsJson(command)) return terminal.document(made)
        terminal.out(plain(made.id))
      }),
    'banyan db backup',
  )

  examples(
    db
      .command('backups')
      .description('Lists the backups in DATA_DIR/backups, newest first.')
      .action(async (_options: object, command: Command) => {
        const server = serverOf(cli, command)
        const items = (await healthOf(server)) ? (await call(server, 'backups')).items : await listed()
        if (wantsJson(command)) return terminal.document({ items })
        if (items.length === 0) return terminal.say('There is no backup yet; make one with: banyan db backup')
        const rows = items.map((one) => [
          plain(one.id),
          one.at,
          plain(one.why),
          one.schema === null ? '' : `schema ${one.schema}`,
          size(one.bytes),
        ])
        terminal.out(...table(rows))
      }),
    'banyan db backups',
  )

  examples(
    db
      .command('check')
      .description('Looks through the database, or with a name through that backup and its checksum. Exit code 1 when something is wrong.')
      .argument('[backup]', 'as `banyan db backups` lists it')
      .action(async (name: string | undefined, _options: object, command: Command) => {
        const { databaseUrl, dataDir } = config()
        if (name === undefined && !databaseUrl.startsWith('sqlite:'))
          throw new Ended(EXIT.failed, 'PostgreSQL looks after itself; check a backup by naming it.')
        const problem = name === undefined ? integrityOf(pathOf(databaseUrl)) : null
        const what =
          name === undefined ? 'The database' : `The backup ${plain((await checkedBackup(backupFolder(dataDir), name)).backup.file)}`
        if (problem)
          throw new Ended(EXIT.failed, `The database is damaged (${plain(problem)}): restore a backup with ${terminal.banyan} db restore.`)
        if (wantsJson(command)) terminal.document({ ok: true })
        else terminal.out(`${what} is whole.`)
      }),
    'banyan db check',
  )

  examples(
    db
      .command('restore')
      .description('Puts a backup in place of the database; what it replaces is backed up first. A running Banyan restarts for it.')
      .argument('<backup>', 'as `banyan db backups` lists it; `latest` is the newest')
      .option('--yes', 'without asking')
      .action(async (given: string, options: { yes?: boolean }, command: Command) => {
        const server = serverOf(cli, command)
        const running = await healthOf(server)
        const items = running ? (await call(server, 'backups')).items : await listed()
        const one = given === 'latest' ? items[0] : items.find((item) => item.id === given)
        if (!one) throw new Ended(EXIT.failed, `There is no backup ${plain(given)}; ${terminal.banyan} db backups lists them.`)
        await confirm(
          cli,
          options.yes,
          `Go back to how it was at ${one.at}? What was done since is kept in a backup of its own, and is gone from view.`,
        )
        if (running) await call(server, 'restoreBackup', { params: { id: one.id }, timeoutMs: 600_000 })
        else await restoreStopped(one.id)
        if (wantsJson(command)) return terminal.document({ restored: one.id, restarting: running !== null })
        terminal.out(plain(one.id))
        terminal.say(running ? 'Banyan restarts with it.' : 'It is in place; the next start uses it.')
      }),
    'banyan db restore latest',
  )

  const listed = async (): Promise<BackupItem[]> =>
    (await listBackups(backupFolder(config().dataDir))).map(({ file, ...rest }) => ({ id: file, ...rest }))

  async function whileStopped(): Promise<BackupItem> {
    const { databaseUrl, dataDir, commandPath } = config()
    const owner = own(dataDir)
    try {
      const { file, ...rest } = await makeBackup({
        databaseUrl,
        folder: backupFolder(dataDir),
        why: 'by-hand',
        schema: null,
        now: Date.now(),
        path: commandPath,
      })
      return { id: file, ...rest }
    } catch (error) {
      if (error instanceof Fault) throw error
      throw new Ended(EXIT.failed, `The database cannot be copied (${(error as Error).message}): start Banyan once, or check its path.`, {
        cause: error,
      })
    } finally {
      owner.release()
    }
  }

  async function restoreStopped(file: string): Promise<void> {
    const { databaseUrl, dataDir } = config()
    const owner = own(dataDir)
    try {
      await restoreBackup(databaseUrl, backupFolder(dataDir), file, Date.now())
    } finally {
      owner.release()
    }
  }
}
