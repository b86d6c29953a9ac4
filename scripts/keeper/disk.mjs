/** Writes that a power cut leaves whole: either the old file is there or the new one. */
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** `step` is called after each single operation, so that a test can end the process between any two. */
export function openDisk(home, step = () => undefined) {
  function whole(path, text) {
    writeFileSync(`${path}.new`, text, { mode: 0o600, flush: true })
    step()
    renameSync(`${path}.new`, path)
    step()
    // The new name lasts from here on.
    const folder = openSync(home, 'r')
    fsyncSync(folder)
    closeSync(folder)
    step()
  }
  return {
    /** Replaces a file of the home. A full disk gets the room of the ballast once; `npm start` puts it there. */
    write(path, text) {
      try {
        whole(path, text)
      } catch (error) {
        if (!['ENOSPC', 'EDQUOT', 'EFBIG'].includes(error.code)) throw error
        rmSync(join(home, 'ballast'), { force: true })
        whole(path, text)
      }
    },
    remove(path) {
      rmSync(path, { force: true })
      step()
    },
  }
}

/** null: not there, or damaged. */
export function readJson(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return null
  }
}
