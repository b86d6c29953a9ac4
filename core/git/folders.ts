/** Files and folders around repositories, read and removed so that a link leads nowhere. */
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { lstat, readdir, rename, writeFile } from 'node:fs/promises'
import { basename, join, sep } from 'node:path'
import { Fault } from '../contract/fault.ts'
import { isMissing } from '../exec/errno.ts'
import type { Owner } from '../exec/local.ts'

/** Ids are made by the system; still, one that is no plain word does not become part of a path. */
export function plainId(id: string): string {
  if (!/^[a-z0-9]+(\.[a-z0-9]+)*$/i.test(id)) throw new Fault('invalid', `${JSON.stringify(id)} is not the id of a task.`)
  return id
}

/** A repository in a workspace must be whole in itself: what leads out of it could be any file of the machine. */
export async function refuseLinks(dir: string): Promise<void> {
  const no = (what: string) => new Fault('forbidden', `That folder is not taken as a repository: its ${what} leads out of it.`)
  const found = await lstat(dir).catch(() => null) // told as missing
  if (!found || (!found.isDirectory() && !found.isFile())) throw new Fault('not_found', 'There is no repository in that folder.')
  if (!found.isDirectory()) throw no('.git file')
  if (!(await isThere(join(dir, 'objects'))) || !(await isThere(join(dir, 'HEAD'))))
    throw new Fault('not_found', 'There is no repository in that folder.')
  for (const name of ['commondir', 'gitdir', 'objects/info/alternates', 'objects/info/http-alternates'])
    if (await isThere(join(dir, name))) throw no(name)
  for (const name of ['HEAD', 'packed-refs', 'config', 'objects', 'refs', 'shallow', 'info'])
    if ((await lstat(join(dir, name)).catch(() => null))?.isSymbolicLink()) throw no(name) // what is absent is no link
  for (const name of ['objects', 'refs'])
    for (const entry of await readdir(join(dir, name), { recursive: true, withFileTypes: true })) if (entry.isSymbolicLink()) throw no(name)
}

export function relativeTo(folder: string, path: string): string {
  return path.startsWith(folder + sep) ? path.slice(folder.length + 1) : path
}
export async function isThere(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    (error: unknown) => {
      if (isMissing(error)) return false
      throw error
    },
  )
}
export async function replaceFile(path: string, text: string): Promise<void> {
  const draft = `${path}.${randomUUID()}`
  await writeFile(draft, text)
  await rename(draft, path)
}
/** `rm` of the machine goes by open folders, so a link swapped in is removed, not followed. */
export function removeFolder(path: string, as: Owner | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn('/bin/rm', ['-rf', '--', path], { stdio: 'ignore', env: {}, ...as })
    child.once('error', reject)
    child.once('exit', (code) =>
      code === 0 ? resolve() : reject(new Fault('unavailable', `The folder ${basename(path)} could not be removed.`)),
    )
  })
}
