/** Writes that a power cut leaves whole: either the old file is there or the new one. `step` is called after each single operation, so that a test can end the process between any two. */
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** Freed when the disk is full, so that the slot table can still be written. */
const BALLAST_BYTES = 64 * 1024
const isFull = (error) => ['ENOSPC', 'EDQUOT', 'EFBIG'].includes(error.code)

export function openDisk(home, step = () => undefined) {
  const ballast = join(home, 'ballast')

  function put(path, text, flag) {
    writeFileSync(path, text, { mode: 0o600, flag, flush: true })
    step()
  }
  /** The new name lasts from here on. */
  function rename(from, to) {
    renameSync(from, to)
    step()
    const folder = openSync(dirname(to), 'r')
    fsyncSync(folder)
    closeSync(folder)
    step()
  }
  function whole(path, text) {
    put(`${path}.new`, text, 'w')
    rename(`${path}.new`, path)
  }

  return {
    /** Replaces the file. A full disk gets the ballast's room once. */
    write(path, text) {
      try {
        whole(path, text)
      } catch (error) {
        if (!isFull(error)) throw error
        rmSync(ballast, { force: true })
        whole(path, text)
      }
    },
    append: (path, text) => put(path, text, 'a'),
    rename,
    /** Any other operation, as one step. */
    act(operation, ...args) {
      operation(...args)
      step()
    },
    remove(path) {
      rmSync(path, { recursive: true, force: true })
      step()
    },
    /** Puts the ballast (back) in place; on a disk that is too full for it there is none. */
    fill() {
      try {
        if (readText(ballast)?.length !== BALLAST_BYTES) whole(ballast, '.'.repeat(BALLAST_BYTES))
      } catch (error) {
        if (!isFull(error)) throw error
      }
    },
  }
}

/** null: not there. */
export function readText(path) {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return null
    throw error
  }
}

/** null: not there, or not JSON. */
export function readJson(path) {
  try {
    return JSON.parse(readText(path) ?? 'null')
  } catch {
    return null // cut off or damaged: the same as not there
  }
}
