/**
 * Files below one folder, and nothing else. A path comes from a model and the folder holds whatever commands put there, so both are taken
 * for hostile: `..`, absolute paths, links out of the folder, links swapped in between check and use, pipes that block whoever opens them.
 * Every refusal is a Fault that says what to write instead.
 */
import { randomUUID } from 'node:crypto'
import { constants, type Stats } from 'node:fs'
import { type FileHandle, lchown, link, lstat, mkdir, open, readdir, readlink, realpath, rename, rm, stat, unlink } from 'node:fs/promises'
import { basename, dirname, join, posix, relative, sep } from 'node:path'
import { Fault } from '../contract/fault.ts'
import { isCode, isMissing } from './errno.ts'

export type WorkspaceFiles = {
  readonly root: string
  /** Real path of a file or folder that must exist, or Fault. */
  existing(path: string): Promise<string>
  /** Path where a file may be written; parent folders are made. */
  target(path: string): Promise<string>
  /** An existing regular file, open for reading: the very file that was checked. The caller closes it. */
  open(path: string): Promise<FileHandle>
  /** Writes a whole file at once (or, with `append`, at its end) and says how large it is now. The mode of an existing file stays. */
  write(path: string, data: Content, how?: { append?: boolean }): Promise<{ bytes: number; created: boolean }>
  /** Real path of a regular file, itself and not what a link leads to: what may be moved or removed. */
  own(path: string): Promise<string>
  /** Removes one regular file. `again`: it was begun before, so that it is gone is right. */
  remove(path: string, how?: { again?: boolean }): Promise<void>
  /** Moves one regular file to where there is none; missing folders are made. `again`: as with `remove`. */
  move(from: string, to: string, how?: { again?: boolean }): Promise<void>
  /**
   * What lies below a folder, the upper levels first, at most `most` entries. Links are entries of the kind `other` and never followed;
   * `closed` are folders that were not entered, because they are noise (`.git`, `node_modules` …) or protected. A file lists as itself.
   */
  list(path: string, how: { depth: number; most: number }): Promise<{ entries: FileEntry[]; closed: string[]; complete: boolean }>
}
/** What a file is to hold: at once, or as it comes. */
export type Content = string | Uint8Array | AsyncIterable<Uint8Array>
/** `path` is relative to the workspace. */
export type FileEntry = { path: string; kind: 'file' | 'folder' | 'other'; bytes: number | null }

/** Folders that hold what programs made for themselves. Listed, and only entered when asked for by name. */
export const NOISE: ReadonlySet<string> = new Set(['.git', '.hg', '.svn', 'node_modules', '__pycache__', '.venv', '.tmp', '.npm', '.cache'])

export type WorkspaceOptions = {
  /**
   * Files and folders that stay closed even when the workspace contains them (a checkout with its data folder) or a hard link to a file in
   * them lies in it: reading an SQLite file in this process would drop SQLite's locks.
   */
  protectedPaths?: readonly string[]
}

const isInside = (path: string, folder: string): boolean => path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep)

/**
 * The path as names below the workspace. Pure; knows nothing of links. An absolute path is taken when it lies in one of `roots`, because
 * models like to repeat the folder they were told.
 */
export function partsOf(path: string, roots: readonly string[]): string[] {
  const refuse = (code: 'invalid' | 'forbidden', why: string) => new Fault(code, `The path ${JSON.stringify(path.slice(0, 200))} ${why}`)
  if (path.includes('\0')) throw refuse('invalid', 'contains a NUL character; leave it out.')
  if (path.includes('\\')) throw refuse('invalid', 'contains a backslash; put / between folders.')
  if (path.includes('://')) throw refuse('invalid', 'is an address; give the path of a file in the workspace.')
  if (path.length > 4_000 || path.split('/').some((name) => Buffer.byteLength(name) > 255))
    throw refuse('invalid', 'is longer than a path may be.')
  let below = path
  if (path.startsWith('/')) {
    const normal = posix.normalize(path)
    const root = roots.find((folder) => isInside(normal, folder))
    if (root === undefined)
      throw refuse('forbidden', 'is outside the workspace; paths are relative to the workspace folder, such as "notes/plan.md".')
    below = normal.slice(root.length)
  }
  const parts = posix.normalize(`./${below}`).split('/')
  if (parts[0] === '..') throw refuse('forbidden', 'leaves the workspace; paths may not go above the workspace folder.')
  if (parts[0]?.startsWith('~')) throw refuse('invalid', 'begins with "~"; paths are relative to the workspace folder, leave "~" out.')
  return parts.filter((name) => name !== '' && name !== '.')
}

export function workspaceFiles(root: string, options: WorkspaceOptions = {}): WorkspaceFiles {
  const protectedPaths = options.protectedPaths ?? []

  async function realRoot(): Promise<string> {
    return realpath(root).catch((error: unknown) => {
      if (isMissing(error))
        throw new Fault('not_found', `The workspace folder ${root} is gone; start the goal again, or make the folder.`, { cause: error })
      throw error
    })
  }

  /** Follows the names one by one. `real` never contains a link; `rest` are the names that do not exist yet. */
  async function walk(path: string): Promise<{ base: string; real: string; rest: string[] }> {
    const base = await realRoot()
    const parts = partsOf(path, [root, base])
    let real = base
    for (const [i, name] of parts.entries()) {
      const next = join(real, name)
      const found = await lstatOrNull(next)
      if (!found) return { base, real, rest: parts.slice(i) }
      real = found.isSymbolicLink() ? await behindLink(next, base, path) : next
      if (i < parts.length - 1 && !(await stat(real)).isDirectory()) {
        throw new Fault('invalid', `"${parts.slice(0, i + 1).join('/')}" is a file, not a folder, so there is nothing below it.`)
      }
    }
    await refuseProtected(base, real, path)
    return { base, real, rest: [] }
  }

  async function behindLink(link: string, base: string, path: string): Promise<string> {
    const real = await realpath(link).catch((error: unknown) => {
      if (!isMissing(error) && !isCode(error, 'ELOOP') && !isCode(error, 'EACCES')) throw error
      throw new Fault(
        'forbidden',
        `"${path}" goes through a link that leads nowhere in the workspace; remove the link, or use another path.`,
      )
    })
    if (!isInside(real, base)) throw outside(path)
    return real
  }
  const outside = (path: string) =>
    new Fault('forbidden', `"${path}" is a link that leads out of the workspace; only files inside it can be used.`)
  const closed = (path: string) => new Fault('forbidden', `"${path}" belongs to the system itself and stays closed to file tools.`)

  async function refuseProtected(base: string, real: string, path: string): Promise<void> {
    for (const given of protectedPaths) {
      const guarded = await realpath(given).catch(() => given) // not there (yet): compared as it was given
      // A workspace that lies in the data folder is not closed by that folder, only what the workspace holds of it is.
      if (!isInside(base, guarded) && isInside(real, guarded)) throw closed(path)
    }
    const found = await lstatOrNull(real)
    if (found?.isFile() && found.nlink > 1 && (await isProtectedInode(found))) throw closed(path)
  }
  /** True when a hard link leads to a protected file, or to a file directly in a protected folder. */
  async function isProtectedInode(file: Stats): Promise<boolean> {
    for (const given of protectedPaths) {
      const guarded = await stat(given).catch(() => null) // not there: nothing links to it
      if (!guarded) continue
      if (isSame(guarded, file)) return true
      if (!guarded.isDirectory()) continue
      for (const name of await readdir(given)) {
        const inner = await lstatOrNull(join(given, name))
        if (inner && isSame(inner, file)) return true
      }
    }
    return false
  }

  async function existing(path: string): Promise<string> {
    const { real, rest } = await walk(path)
    if (rest.length > 0) throw new Fault('not_found', `There is no "${path}" in the workspace.`)
    return real
  }

  /** Checks a path that is to be written; `folder` exists, `rest` are the folders to make and, last, the name of the file. */
  async function place(path: string): Promise<{ base: string; folder: string; rest: string[] }> {
    const { base, real, rest } = await walk(path)
    if (rest.length === 0) {
      if ((await lstat(real)).isDirectory()) throw new Fault('invalid', `"${path}" is a folder; name a file in it.`)
      return { base, folder: dirname(real), rest: [basename(real)] }
    }
    const odd = rest.find((name) => hasControl(name))
    if (odd !== undefined)
      throw new Fault('invalid', `The file name ${JSON.stringify(odd)} contains a line break or another control character.`)
    if (path.endsWith('/')) throw new Fault('invalid', `"${path}" names a folder; name a file in it.`)
    await refuseProtected(base, join(real, ...rest), path)
    return { base, folder: real, rest }
  }

  /** A folder held open. Through `anchor` names are found in this very folder, whatever is swapped on the way to it (on Linux). */
  async function hold(path: string, base: string, written: string): Promise<Held> {
    const flags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW
    const handle = await open(path, flags).catch((error: unknown) => {
      if (isCode(error, 'ELOOP') || isMissing(error)) throw swapped(written, error)
      throw error
    })
    const real = await pathOf(handle, path)
    if (real !== null && isInside(real, base)) return { real, anchor: await anchorOf(handle, real), close: () => handle.close() }
    await handle.close()
    throw outside(written)
  }
  const swapped = (path: string, cause: unknown) =>
    new Fault('conflict', `A folder of "${path}" was moved or replaced while it was used; try again.`, { cause })

  /** Makes the folders `names` below `folder`, belonging to whoever the workspace belongs to, and holds the last one. */
  async function makeFolders(folder: string, names: string[], base: string, path: string): Promise<Held> {
    let held = await hold(folder, base, path)
    for (const name of names) {
      const next = join(held.anchor, name)
      try {
        await mkdir(next).then(
          () => giveAway(next, base),
          (error: unknown) => {
            if (!isCode(error, 'EEXIST')) throw error // EEXIST: another call made it just now; `hold` looks what it is
          },
        )
        const inner = await hold(next, base, path)
        await held.close()
        held = inner
      } catch (error) {
        await held.close()
        throw error
      }
    }
    return held
  }

  async function target(path: string): Promise<string> {
    const { base, folder, rest } = await place(path)
    const held = await makeFolders(folder, rest.slice(0, -1), base, path)
    await held.close()
    return join(held.real, rest.at(-1)!)
  }

  async function own(path: string): Promise<string> {
    const base = await realRoot()
    const parts = partsOf(path, [root, base])
    const name = parts.at(-1)
    if (name === undefined) throw new Fault('invalid', `"${path}" is the workspace folder itself; name a file in it.`)
    const above = await walk(parts.slice(0, -1).join('/') || '.')
    const found = above.rest.length > 0 ? null : await lstatOrNull(join(above.real, name))
    if (!found) throw new Fault('not_found', `There is no "${path}" in the workspace.`)
    if (found.isSymbolicLink()) throw new Fault('invalid', `"${path}" is a link; name the file itself.`)
    if (found.isDirectory()) throw new Fault('invalid', `"${path}" is a folder; name one file in it.`)
    if (!found.isFile()) throw notAFile(path)
    const real = join(above.real, name)
    await refuseProtected(base, real, path)
    return real
  }

  /** Holds the folder of a file that was checked, and lets `act` change the name in that very folder. */
  async function within(real: string, path: string, act: (at: string) => Promise<void>): Promise<void> {
    const held = await hold(dirname(real), await realRoot(), path)
    try {
      const at = join(held.anchor, basename(real))
      if (!(await lstatOrNull(at))?.isFile()) throw swapped(path, undefined)
      await act(at)
    } catch (error) {
      if (isRefused(error)) throw mayNot(path, error)
      throw error
    } finally {
      await held.close()
    }
  }

  /** Opens without following a last link and without waiting for a pipe's other end. Fails when a link was swapped in on the way. */
  async function openChecked(at: string, flags: number, path: string): Promise<FileHandle> {
    const handle = await open(at, flags | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch((error: unknown) => {
      if (isCode(error, 'ELOOP')) throw outside(path)
      if (isMissing(error)) throw new Fault('not_found', `There is no "${path}" in the workspace.`, { cause: error })
      if (isCode(error, 'ENXIO')) throw notAFile(path)
      if (isRefused(error)) throw mayNot(path, error)
      throw error
    })
    try {
      const real = await pathOf(handle, at)
      if (real === null || !isInside(real, await realRoot())) throw outside(path)
      if (!(await handle.stat()).isFile()) throw notAFile(path)
      return handle
    } catch (error) {
      await handle.close()
      throw error
    }
  }
  const notAFile = (path: string) =>
    new Fault('invalid', `"${path}" is not a regular file (a pipe, a socket or a device), so it has no content to use.`)

  return {
    root,
    existing,
    target,
    async open(path) {
      const real = await existing(path)
      const found = await lstat(real)
      if (found.isDirectory()) throw new Fault('invalid', `"${path}" is a folder; name a file in it.`)
      if (!found.isFile()) throw notAFile(path)
      return openChecked(real, constants.O_RDONLY, path)
    },
    async write(path, data, how = {}) {
      const { base, folder, rest } = await place(path)
      const held = await makeFolders(folder, rest.slice(0, -1), base, path)
      try {
        const file = join(held.anchor, rest.at(-1)!)
        const before = await lstatOrNull(file)
        if (before?.isSymbolicLink()) throw swapped(path, undefined)
        if (before && !before.isFile()) throw notAFile(path)
        if (before && how.append) return await append(file, data, path)
        return { bytes: await replace(file, data, before, await lstat(base)), created: before === null }
      } catch (error) {
        if (isRefused(error)) throw mayNot(path, error)
        if (isCode(error, 'ENOSPC'))
          throw new Fault('unavailable', `The disk is full, so "${path}" was not written; free some space.`, { cause: error })
        throw error
      } finally {
        await held.close()
      }
    },
    own,
    async remove(path, { again = false } = {}) {
      const real = await own(path).catch((error: unknown) => {
        if (again && error instanceof Fault && error.code === 'not_found') return null
        throw error
      })
      if (real !== null) await within(real, path, (at) => unlink(at))
    },
    async move(from, to, { again = false } = {}) {
      const real = await own(from).catch((error: unknown) => {
        if (again && error instanceof Fault && error.code === 'not_found') return null
        throw error
      })
      if (real === null) return void (await own(to))
      const { base, folder, rest } = await place(to)
      const held = await makeFolders(folder, rest.slice(0, -1), base, to)
      try {
        const target = join(held.anchor, rest.at(-1)!)
        // A hard link is made only where there is nothing, so nothing is lost whatever comes in between.
        await within(real, from, async (at) => {
          await link(at, target)
          await unlink(at)
        })
      } catch (error) {
        if (isCode(error, 'EEXIST'))
          throw new Fault('conflict', `There is a "${to}" already; delete it first, or choose another name.`, { cause: error })
        if (isRefused(error)) throw mayNot(to, error)
        throw error
      } finally {
        await held.close()
      }
    },
    async list(path, { depth, most }) {
      const start = await existing(path)
      const base = await realRoot()
      const entries: FileEntry[] = []
      const closedFolders: string[] = []
      const found = await lstat(start)
      if (!found.isDirectory()) return { entries: [entry(relative(base, start), found)], closed: [], complete: true }
      let level = [start]
      for (let deep = 1; deep <= depth && level.length > 0; deep++) {
        const next: string[] = []
        for (const folder of level) {
          const inner = await entriesOf(folder, base).catch((error: unknown) => {
            if (error instanceof Fault || isRefused(error)) return null // swapped or locked since it was seen: told as closed
            throw error
          })
          if (!inner) closedFolders.push(relative(base, folder))
          for (const one of inner ?? []) {
            if (entries.length === most) return { entries, closed: closedFolders, complete: false }
            entries.push(one)
            if (one.kind !== 'folder') continue
            if (NOISE.has(basename(one.path)) || (await isClosed(base, join(base, one.path)))) closedFolders.push(one.path)
            else next.push(join(base, one.path))
          }
        }
        level = next
      }
      return { entries, closed: closedFolders, complete: true }
    },
  }

  async function isClosed(base: string, real: string): Promise<boolean> {
    return refuseProtected(base, real, real).then(
      () => false,
      (error: unknown) => {
        if (error instanceof Fault) return true
        throw error
      },
    )
  }

  /** One folder's entries, by name. */
  async function entriesOf(folder: string, base: string): Promise<FileEntry[]> {
    const held = await hold(folder, base, relative(base, folder))
    try {
      const found: FileEntry[] = []
      for (const name of (await readdir(held.anchor)).sort()) {
        const one = await lstatOrNull(join(held.anchor, name))
        if (one) found.push(entry(relative(base, join(folder, name)), one))
      }
      return found
    } finally {
      await held.close()
    }
  }

  async function append(file: string, data: Content, path: string): Promise<{ bytes: number; created: boolean }> {
    const handle = await openChecked(file, constants.O_WRONLY | constants.O_APPEND, path)
    const { size } = await handle.stat()
    try {
      await handle.writeFile(data)
      return { bytes: (await handle.stat()).size, created: false }
    } catch (error) {
      // Whoever is told that it was not written writes it again: half of it must not stay.
      await handle.truncate(size)
      throw error
    } finally {
      await handle.close()
    }
  }
}

function entry(path: string, found: Stats): FileEntry {
  const kind = found.isDirectory() ? 'folder' : found.isFile() ? 'file' : 'other'
  return { path, kind, bytes: kind === 'file' ? found.size : null }
}

type Held = { real: string; anchor: string; close(): Promise<void> }

/** Writes beside the file and renames over it: a reader, and a crash, sees the old content or the new, never half of one. */
async function replace(file: string, data: Content, before: Stats | null, like: Stats): Promise<number> {
  const draft = join(dirname(file), `.${randomUUID()}.tmp`)
  try {
    const handle = await open(draft, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o644)
    let bytes: number
    try {
      await handle.writeFile(data)
      bytes = (await handle.stat()).size
      const owner = before ?? like
      if (process.getuid?.() === 0 && owner.uid !== 0) await handle.chown(owner.uid, owner.gid)
      if (before) await handle.chmod(before.mode & 0o777)
    } finally {
      await handle.close()
    }
    await rename(draft, file)
    return bytes
  } catch (error) {
    await rm(draft, { force: true })
    throw error
  }
}

/**
 * Where what was opened really is. Linux says it of the open file itself, so nothing can be swapped in between; other systems are asked for
 * the path again, which leaves a gap of microseconds. null when it is no longer there.
 */
async function pathOf(handle: FileHandle, path: string): Promise<string | null> {
  const said = await readlink(`/proc/self/fd/${handle.fd}`).catch(() => null) // no /proc on this system
  return said ?? realpath(path).catch(() => null) // gone
}
async function anchorOf(handle: FileHandle, path: string): Promise<string> {
  const anchor = `/proc/self/fd/${handle.fd}`
  return (await readlink(anchor).catch(() => null)) === null ? path : anchor // no /proc on this system
}

/** What root makes in a workspace that was handed to another user must belong to that user, or its commands could not change it. */
async function giveAway(path: string, like: string): Promise<void> {
  if (process.getuid?.() !== 0) return
  const owner = await lstat(like)
  if (owner.uid !== 0) await lchown(path, owner.uid, owner.gid)
}

async function lstatOrNull(path: string): Promise<Stats | null> {
  return lstat(path).catch((error: unknown) => {
    if (isMissing(error)) return null
    throw error
  })
}
const isSame = (a: { dev: number; ino: number }, b: { dev: number; ino: number }): boolean => a.dev === b.dev && a.ino === b.ino
const hasControl = (name: string): boolean => [...name].some((char) => char < ' ' || char === '\x7f')
const isRefused = (error: unknown): boolean => isCode(error, 'EACCES') || isCode(error, 'EPERM') || isCode(error, 'EROFS')
const mayNot = (path: string, cause: unknown) =>
  new Fault('forbidden', `The system's own user may not use "${path}": its mode or owner forbids it; change that, or use another file.`, {
    cause,
  })
