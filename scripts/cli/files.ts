/** Files of a goal's folder: banyan files ls|get|put|log|undo. */
import { openAsBlob } from 'node:fs'
import { open, rename, rm, stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { type Command, Option } from 'commander'
import { ROUTES, UPLOAD_LIMIT } from '../../core/contract/api.ts'
import { type Cli, confirm, examples, serverOf, wantsJson, whole } from './context.ts'
import { all, call, notRunning, refusalOf, resolveTask, resolveTree, type Server } from './server.ts'
import { timeOf } from './tell.ts'
import { Ended, EXIT } from './terminal.ts'
import { counted, plain, quoted, table } from './words.ts'

/** A file may take as long as it takes, but something must come within this time. */
const PATIENCE_MS = 600_000

export function addFiles(program: Command, cli: Cli): void {
  const { terminal } = cli
  const group = program
    .command('files')
    .summary('look at, fetch, send and put back files of a goal')
    .description("Works with the files of a goal's folder, and undoes what tasks changed in them.")

  examples(
    group
      .command('ls')
      .summary('list a folder')
      .description("Lists what is in a goal's folder, or in a folder of it.")
      .argument('[goal]', 'id of a goal, or the beginning of one; the newest if left out')
      .argument('[path]', 'folder in it')
      .option('--depth <n>', 'so many levels', whole(1, 20), 1)
      .action(async (given: string | undefined, path: string | undefined, options: { depth: number }, own: Command) => {
        const server = serverOf(cli, own)
        const id = await resolveTree(server, given)
        if (await isFile(server, id, path))
          throw new Ended(EXIT.usage, `${plain(path!)} is a file; fetch it: ${terminal.banyan} files get ${id} ${quoted(plain(path!))}`)
        const list = await call(server, 'treeFiles', { params: { id }, query: { path, depth: String(options.depth) } })
        if (wantsJson(own)) return terminal.document(list)
        const size = (bytes: number | null) => (bytes === null ? '' : bytes.toLocaleString('en'))
        terminal.out(
          ...table(
            list.items.map((one) => [
              size(one.bytes),
              `${plain(one.path)}${one.kind === 'folder' ? '/' : one.kind === 'other' ? ' (link or device)' : ''}`,
            ]),
          ),
        )
        if (list.items.length === 0) terminal.say('There is no file.')
        if (!list.complete) terminal.say(`There are more; name a folder: ${terminal.banyan} files ls ${id} FOLDER`)
      }),
    'banyan files ls 0k3f notes --depth 3',
  )

  examples(
    group
      .command('get')
      .summary('fetch a file')
      .description('Fetches a file. Nothing that is here already is overwritten without --force.')
      .argument('<goal>', 'id of a goal, or the beginning of one')
      .argument('<path>', "the file, relative to the goal's folder")
      .option('-o, --output <file>', 'where to put it; - is stdout (default: its own name, here)')
      .option('-f, --force', 'overwrite')
      .action(async (given: string, path: string, options: { output?: string; force?: boolean }, own: Command) => {
        const server = serverOf(cli, own)
        const id = await resolveTree(server, given)
        const answer = await ask(server, 'GET', id, path)
        if (answer.headers.get('content-disposition') === null) {
          await answer.body?.cancel()
          throw new Ended(
            EXIT.usage,
            `${plain(path)} is a folder; see what is in it: ${terminal.banyan} files ls ${id} ${quoted(plain(path))}`,
          )
        }
        const to = options.output ?? basename(path)
        const bytes = await save(answer, to, options.force === true)
        if (to !== '-') terminal.say(`${plain(to)}: ${counted(bytes, 'byte')}`)
      }),
    'banyan files get 0k3f report.md -o -',
  )

  examples(
    group
      .command('put')
      .summary('send a file')
      .description("Puts a file into a goal's folder, in place of one that is there. It can be undone.")
      .argument('<goal>', 'id of a goal, or the beginning of one')
      .argument('<file>', 'file of this machine')
      .argument('[path]', "where to, relative to the goal's folder (default: its own name, at the top)")
      .action(async (given: string, file: string, path: string | undefined, _options: object, own: Command) => {
        const found = await stat(file).catch(() => null) // told below
        if (!found?.isFile()) throw new Ended(EXIT.usage, `There is no file ${plain(file)} here.`)
        if (found.size > UPLOAD_LIMIT)
          throw new Ended(EXIT.usage, `${plain(file)} is larger than ${UPLOAD_LIMIT / 1e6} MB, which is more than is taken.`)
        const server = serverOf(cli, own)
        const id = await resolveTree(server, given)
        const answer = await ask(server, 'PUT', id, path ?? basename(file), await openAsBlob(file))
        const put = ROUTES.putFile.response.parse(await answer.json())
        if (wantsJson(own)) return terminal.document(put)
        terminal.say(`${plain(put.path)}: ${counted(put.bytes, 'byte')}, ${put.created ? 'new' : 'replaced'}, ${put.type}`)
        if (put.undoable) terminal.say(`Undo: see ${terminal.banyan} files log ${id}`)
      }),
    'banyan files put 0k3f prices.csv data/prices.csv',
  )

  const scope = () => new Option('--scope <scope>', 'node: only the task itself').choices(['node', 'subtree'])
  examples(
    group
      .command('log')
      .summary('what tasks changed in files')
      .description('Lists what a task, and those below it, changed in files, with the call that did it.')
      .argument('<task>', 'id of a task or goal, or the beginning of one')
      .addOption(scope())
      .action(async (given: string, options: { scope?: string }, own: Command) => {
        const server = serverOf(cli, own)
        const id = await resolveTask(server, given)
        const items = await all(server, 'taskFiles', { params: { id }, query: { scope: options.scope, limit: '1000' }, turn: 'after' })
        if (wantsJson(own)) return terminal.document({ items })
        terminal.out(
          ...table(
            items.map((one) => [
              timeOf(one.at),
              one.what,
              one.callId,
              one.by === 'agent' ? '' : plain(one.by),
              `${plain(one.path) || '(a folder)'}${one.whyNot === null ? '' : ` (cannot be undone: ${plain(one.whyNot)})`}`,
            ]),
          ),
        )
        if (items.length === 0) terminal.say('No file was changed.')
        else terminal.say(`Undo: ${terminal.banyan} files undo ${id} --call ID`)
      }),
    'banyan files log 0k3f',
  )

  examples(
    group
      .command('undo')
      .summary('put files back to what they were')
      .description(
        'Puts files back to what they were before a call, or before all that a task and those below it did.\nWhat somebody else changed since is left as it is and told; then the exit code is 1.',
      )
      .argument('<task>', 'id of a task or goal, or the beginning of one')
      .option('--call <id>', 'only what this call changed (see `banyan files log`)')
      .addOption(scope())
      .option('-y, --yes', 'do not ask')
      .action(async (given: string, options: { call?: string; scope?: 'node' | 'subtree'; yes?: boolean }, own: Command) => {
        const server = serverOf(cli, own)
        const id = await resolveTask(server, given)
        if (options.call === undefined)
          await confirm(
            cli,
            options.yes,
            `This puts back every file that ${id}${options.scope === 'node' ? '' : ' and what is below it'} changed.`,
          )
        const body = {
          ...(options.call === undefined ? {} : { callId: options.call }),
          ...(options.scope === undefined ? {} : { scope: options.scope }),
        }
        const done = await call(server, 'undoFiles', { params: { id }, body })
        if (done.conflicts.length > 0) cli.exit(EXIT.failed)
        if (wantsJson(own)) return terminal.document(done)
        terminal.out(...table(done.files.map((one) => [one.what, plain(one.path)])))
        for (const { path, why } of done.conflicts) terminal.say(`left as it is: ${plain(path) || '(a folder)'}: ${plain(why)}`)
        if (done.already > 0) terminal.say(`${counted(done.already, 'file')} already as before.`)
        if (done.id !== null) terminal.say(`Undo this: ${terminal.banyan} files undo ${id} --call ${done.id}`)
      }),
    'banyan files undo 0k3f.2a --yes',
  )
}

async function ask(server: Server, method: 'GET' | 'HEAD' | 'PUT', id: string, path: string, body?: Blob): Promise<Response> {
  let answer: Response
  try {
    answer = await fetch(`${server.url}/api/trees/${encodeURIComponent(id)}/files?path=${encodeURIComponent(path)}`, {
      method,
      redirect: 'manual',
      headers: {
        ...(server.token === null ? {} : { authorization: `Bearer ${server.token}` }),
        ...(body ? { 'content-type': 'application/octet-stream' } : {}),
      },
      ...(body ? { body } : {}),
      signal: AbortSignal.timeout(PATIENCE_MS),
    })
  } catch (error) {
    throw notRunning(server, error)
  }
  if (!answer.ok) throw refusalOf(server, answer.status, await answer.text())
  return answer
}
async function isFile(server: Server, id: string, path: string | undefined): Promise<boolean> {
  if (!path) return false
  return (await ask(server, 'HEAD', id, path)).headers.get('content-disposition') !== null
}

/** Beside its place first: what was there stays until all has come. */
export async function save(answer: Response, to: string, force: boolean): Promise<number> {
  let bytes = 0
  if (to === '-') {
    for await (const chunk of answer.body ?? []) {
      bytes += chunk.byteLength
      if (!process.stdout.write(chunk)) await new Promise((resolve) => process.stdout.once('drain', resolve))
    }
    return bytes
  }
  if (!force && (await stat(to).catch(() => null)) !== null) {
    // nothing stands in the way
    await answer.body?.cancel()
    throw new Ended(EXIT.usage, `There is a file ${plain(to)} here already; --force overwrites it, --output takes another place.`)
  }
  const draft = `${to}.${process.pid}.part`
  const file = await open(draft, 'wx')
  try {
    for await (const chunk of answer.body ?? []) {
      bytes += chunk.byteLength
      await file.appendFile(chunk)
    }
    await file.close()
    await rename(draft, to)
  } catch (error) {
    await file.close()
    await rm(draft, { force: true })
    throw error
  }
  return bytes
}
