/** Files that are whole or not there, whatever stops the writing: a kill, or a disk that is full. */
import { randomUUID } from 'node:crypto'
import { rename, rm, writeFile } from 'node:fs/promises'

/** Writes beside the file and renames over it. When that fails the file is as it was, and nothing is left beside it. */
export async function writeWhole(path: string, content: string | Uint8Array, mode: number): Promise<void> {
  const draft = `${path}.${randomUUID()}`
  try {
    await writeFile(draft, content, { mode })
    await rename(draft, path)
  } catch (error) {
    await rm(draft, { force: true })
    throw error
  }
}
