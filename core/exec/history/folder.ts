/** Folders and files reached without following a link. */
import { type BigIntStats, constants } from 'node:fs'
import { type FileHandle, lstat, open, readlink, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { isCode, isMissing } from '../errno.ts'

/**
 * A folder below `top`, reached name by name without following a link, held open: on Linux names found through `anchor` are in this very
 * folder, whatever is swapped meanwhile. null: there is none; `other`: something else is in its place.
 */
export async function holdFolder(
  top: string,
  parts: readonly string[],
): Promise<{ anchor: string; close(): Promise<void> } | null | 'other'> {
  const flags = constants.O_RDONLY | constants.O_DIRECTORY
  let handle: FileHandle
  try {
    handle = await open(await realpath(top), flags)
  } catch (error) {
    if (isCode(error, 'ENOENT')) return null
    throw error
  }
  let path = top
  for (const name of parts) {
    const anchor = await anchorOf(handle, path)
    path = join(path, name)
    const next = await open(join(anchor, name), flags | constants.O_NOFOLLOW).catch((error: unknown) => {
      if (isCode(error, 'ENOENT')) return null
      if (isCode(error, 'ENOTDIR') || isCode(error, 'ELOOP') || isCode(error, 'EACCES')) return 'other' as const
      throw error
    })
    await handle.close()
    if (next === null || next === 'other') return next
    handle = next
  }
  return { anchor: await anchorOf(handle, path), close: () => handle.close() }
}
async function anchorOf(handle: FileHandle, path: string): Promise<string> {
  const anchor = `/proc/self/fd/${handle.fd}`
  return (await readlink(anchor).catch(() => null)) === null ? path : anchor // no /proc on this system
}

/** Null where the file holds more than `most` bytes. */
export async function readAll(handle: FileHandle, most: number): Promise<Buffer | null> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of handle.createReadStream({ autoClose: false }) as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > most) return null
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
export async function lstatOrNull(path: string): Promise<BigIntStats | null> {
  return lstat(path, { bigint: true }).catch((error: unknown) => {
    if (isMissing(error)) return null
    throw error
  })
}
