/** Writes that a power cut leaves whole: either the old file is there or the new one. `step` is called after each single operation, so that a test can end the process between any two. */
import { closeSync, cpSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, symlinkSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** Freed when the disk is full, so that the slot table can still be written. */
const BALLAST_BYTES = 64 * 1024

export function openDisk(home, step = () => undefined) {
  const ballast = join(home, 'ballast')

  function put(path, flags, text) {
    const file = openSync(path, flags, 0o600)
    step()
    try {
      const data = Buffer.from(text)
      for (let from = 0; from < data.length; ) from += writeSync(file, data, from)
      step()
      fsyncSync(file)
      step()
    } finally {
      closeSync(file)
    }
  }
  /** What a rename or a removal in the folder did lasts from here on. */
  function settle(folder) {
    const file = openSync(folder, 'r')
    try {
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
    step()
  }
  function whole(path, text) {
    put(`${path}.new`, 'w', text)
    rename(`${path}.new`, path)
  }
  function rename(from, to) {
    renameSync(from, to)
    step()
    settle(dirname(to))
  }

  return {
    /** Replaces the file. A full disk gets the ballast's room once. */
    write(path, text) {
      try {
        whole(path, text)
      } catch (error) {
        if (error.code !== 'ENOSPC' && error.code !== 'EDQUOT') throw error
        rmSync(ballast, { force: true })
        whole(path, text)
      }
    },
    append: (path, text) => put(path, 'a', text),
    rename,
    remove(path) {
      rmSync(path, { recursive: true, force: true })
      step()
    },
    link(to, path) {
      symlinkSync(to, path)
      step()
    },
    copy(from, to) {
      cpSync(from, to, { recursive: true })
      step()
    },
    folder: (path) => mkdirSync(path, { recursive: true, mode: 0o700 }),
    /** Puts the ballast (back) in place; on a disk that is too full for it there is none. */
    fill() {
      try {
        if (readText(ballast)?.length !== BALLAST_BYTES) whole(ballast, '.'.repeat(BALLAST_BYTES))
      } catch (error) {
        if (error.code !== 'ENOSPC' && error.code !== 'EDQUOT' && error.code !== 'EFBIG') throw error
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
