/**
 * Pauses everything before a disk that fills up does damage, and lets it go on by itself when there is room again. A ballast file keeps some
 * room back: it is given up when the disk is nearly full, so that what runs can be written down, and people can look, undo and roll back.
 * What a running command writes is not stopped by this; it ends, or meets the full disk.
 */
import { randomFillSync } from 'node:crypto'
import { type FileHandle, open, rename, rm, stat, statfs } from 'node:fs/promises'
import { Fault } from '../contract/fault.ts'
import type { Halt } from '../tasks/halt.ts'

/** Who pauses; by this it knows its own pause again after a restart. */
export const DISK_GUARD = 'the disk guard'
const EVERY_MS = 250
const PIECE = 1024 * 1024
/** A short life, as of a command that looks and ends, writes no ballast. */
const FIRST_FILL_MS = 10_000

export type DiskGuardParts = {
  /** Folders that must stay writable: that of the data, and that of the database. */
  folders: readonly string[]
  ballast: string
  /** Size of the ballast; also what must be free besides. 0: nothing is guarded. */
  reserveBytes: number
  halt: {
    state(): Promise<Halt | null>
    pause(by: string, comment: string | null): Promise<Halt>
    resume(by: string): Promise<void>
  }
  log: (level: 'info' | 'warn' | 'error', words: string) => void
  everyMs?: number
  firstFillMs?: number
}

/** Looks once before it resolves, so that nothing begins on a disk that is full already. Answers what ends it. */
export async function openDiskGuard(parts: DiskGuardParts): Promise<{ look(): Promise<void>; close(): Promise<void> }> {
  const { reserveBytes, ballast } = parts
  if (reserveBytes === 0) return { look: async () => undefined, close: async () => undefined }
  const began = performance.now()
  let filled = (await sizeOf(ballast)) >= reserveBytes
  let held = (await parts.halt.state())?.by === DISK_GUARD
  let looking: Promise<void> | undefined
  let troubled = false

  const free = async (): Promise<number> =>
    Math.min(...(await Promise.all(parts.folders.map(async (folder) => statfs(folder).then(({ bavail, bsize }) => bavail * bsize)))))

  async function go(): Promise<void> {
    const room = await free()
    if (room < reserveBytes) {
      if (filled) await rm(ballast, { force: true })
      filled = false
      if ((await parts.halt.state()) !== null) return
      held = true
      const comment = `the disk that holds the data is nearly full (${mb(room)} MB free); free some space, and it goes on by itself`
      await parts.halt.pause(DISK_GUARD, comment)
      return
    }
    // Room for the ballast and twice the line, so that it does not pause again at once.
    const enough = room >= (filled ? 2 : 3) * reserveBytes
    if (!held) {
      if (!filled && enough && performance.now() - began >= (parts.firstFillMs ?? FIRST_FILL_MS)) filled = await fill(ballast, reserveBytes)
      return
    }
    if (!enough) return
    filled ||= await fill(ballast, reserveBytes)
    if (!filled) return
    // A person may have let it go on meanwhile.
    if ((await parts.halt.state())?.by === DISK_GUARD) await parts.halt.resume(DISK_GUARD)
    held = false
  }
  function look(): Promise<void> {
    looking ??= go()
      .then(
        () => {
          troubled = false
        },
        (error: unknown) => {
          // Somebody else paused or resumed at the same moment: the next look sees it.
          if (error instanceof Fault && error.code === 'conflict') return
          if (!troubled) parts.log('error', `The disk could not be guarded: ${error instanceof Error ? error.message : String(error)}`)
          troubled = true
        },
      )
      .finally(() => {
        looking = undefined
      })
    return looking
  }

  await look()
  const timer = setInterval(() => void look(), parts.everyMs ?? EVERY_MS).unref()
  return {
    /** Looks now, as when a write met a full disk. */
    look,
    async close() {
      clearInterval(timer)
      await looking
    },
  }
}

const mb = (bytes: number): number => Math.floor(bytes / (1024 * 1024))

const sizeOf = (path: string): Promise<number> =>
  stat(path).then(
    (found) => found.size,
    () => 0, // not there
  )

/** False when there is no room for it. Of bytes that no file system makes smaller. */
async function fill(path: string, bytes: number): Promise<boolean> {
  const piece = randomFillSync(Buffer.alloc(PIECE))
  let file: FileHandle | undefined
  try {
    file = await open(`${path}.new`, 'w', 0o600)
    for (let left = bytes; left > 0; left -= PIECE) await file.write(piece, 0, Math.min(PIECE, left))
    await file.sync()
    await file.close()
    file = undefined
    await rename(`${path}.new`, path)
    return true
  } catch (error) {
    await file?.close()
    await rm(`${path}.new`, { force: true })
    if (['ENOSPC', 'EDQUOT', 'EFBIG'].includes((error as NodeJS.ErrnoException).code ?? '')) return false
    throw error
  }
}
