/** Looks at files and folders of a tree as they are now, and keeps what they hold. */
import { type BigIntStats, constants } from 'node:fs'
import { open, readdir } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import { isCode } from '../errno.ts'
import { NOISE } from '../files.ts'
import type { Contents } from './contents.ts'
import { holdFolder, lstatOrNull, readAll } from './folder.ts'
import { ABSENT, type Row, type Seen, type Snapshot, UNKNOWN } from './shapes.ts'

/** A file changed this recently may be changed again without its times telling. */
const SETTLED_MS = 50

export type Look = ReturnType<typeof openLook>

/** `most`: the largest folder that is looked at; `fileBytes`: the largest file that is kept. */
export function openLook(options: {
  folderOf(treeId: string): string
  contents: Contents
  fileBytes: number
  most: { files: number; bytes: number }
}) {
  const { contents, fileBytes, most } = options
  const tooLarge = `it is larger than ${Math.round(fileBytes / 1e6)} MB`

  /** One regular file as it is now, its content kept. */
  async function see(treeId: string, anchor: string, name: string, found: BigIntStats): Promise<Seen> {
    const mode = Number(found.mode) & 0o777
    const bytes = Number(found.size)
    if (bytes > fileBytes) return { hash: UNKNOWN, bytes, mode, why: tooLarge }
    const stamp = `${found.dev}.${found.ino}.${found.size}.${found.mtimeNs}.${found.ctimeNs}`
    const mine = contents.memory(treeId)
    const before = mine.get(stamp)
    if (before !== undefined) return { hash: before, bytes, mode, why: null }
    const handle = await open(join(anchor, name), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(
      (error: unknown) => {
        if (isCode(error, 'ENOENT') || isCode(error, 'ELOOP') || isCode(error, 'EACCES')) return null
        throw error
      },
    )
    if (!handle) return { hash: UNKNOWN, bytes, mode, why: 'it could not be read' }
    try {
      if (!(await handle.stat()).isFile()) return { hash: UNKNOWN, bytes, mode, why: 'it could not be read' }
      const content = await readAll(handle, fileBytes)
      if (!content) return { hash: UNKNOWN, bytes, mode, why: tooLarge }
      const hash = await contents.keep(treeId, content)
      if (Date.now() - Number(found.ctimeMs) > SETTLED_MS) mine.set(stamp, hash)
      return { hash, bytes: content.byteLength, mode, why: null }
    } finally {
      await handle.close()
    }
  }

  /** What is at a path of the tree's folder. Anything but a regular file, or nothing, is unknown. */
  async function look(treeId: string, path: string): Promise<Seen> {
    const held = await holdFolder(options.folderOf(treeId), path.split('/').slice(0, -1))
    if (held === null) return ABSENT
    if (held === 'other') return { hash: UNKNOWN, bytes: null, mode: null, why: 'a folder above it is a link or a file now' }
    try {
      const name = path.split('/').at(-1)!
      const found = await lstatOrNull(join(held.anchor, name))
      if (!found) return ABSENT
      if (!found.isFile())
        return { hash: UNKNOWN, bytes: null, mode: null, why: `it is ${found.isDirectory() ? 'a folder' : 'a link or a device'} now` }
      return await see(treeId, held.anchor, name, found)
    } finally {
      await held.close()
    }
  }

  async function snapshot(treeId: string, folder: string): Promise<Snapshot> {
    const files = new Map<string, Seen>()
    const top = options.folderOf(treeId)
    const start = relative(top, folder)
    let bytes = 0
    const walk = async (parts: string[]): Promise<boolean> => {
      const held = await holdFolder(top, parts)
      if (held === null || held === 'other') return true // gone, or a link: nothing of it is kept
      try {
        const names = (await readdir(held.anchor)).sort()
        if (names.length > 4 * most.files) return false // asking what each one is would take longer than the answer is worth
        const looked = await Promise.all(names.map((name) => lstatOrNull(join(held.anchor, name))))
        for (const [i, name] of names.entries()) {
          const found = looked[i]
          if (found?.isFile()) {
            bytes += Number(found.size)
            if (files.size >= most.files || (bytes > most.bytes && Number(found.size) <= fileBytes)) return false
            if (Number(found.size) > fileBytes) bytes -= Number(found.size)
            files.set([...parts, name].join('/'), await see(treeId, held.anchor, name, found))
          } else if (found?.isDirectory() && !NOISE.has(name) && !(await walk([...parts, name]))) return false
        }
        return true
      } finally {
        await held.close()
      }
    }
    const whole = await walk(start === '' ? [] : start.split(sep))
    return { files, whole }
  }

  function difference(before: Snapshot, after: Snapshot): Row[] {
    if (!before.whole || !after.whole) {
      const why = `the folder holds more than ${most.files.toLocaleString('en')} files or ${Math.round(most.bytes / 1e6)} MB, so what a command changes in it is not kept`
      return [{ path: '', before: ABSENT, after: ABSENT, why }]
    }
    const rows: Row[] = []
    for (const path of new Set([...before.files.keys(), ...after.files.keys()])) {
      const [was, is] = [before.files.get(path) ?? ABSENT, after.files.get(path) ?? ABSENT]
      // Two large files of one size: their times are not compared, so a change within is not seen.
      if (was.hash === is.hash && was.mode === is.mode && was.bytes === is.bytes) continue
      rows.push({ path, before: was, after: is, why: was.why ?? is.why })
    }
    return rows
  }

  return { look, snapshot, difference, tooLarge }
}
