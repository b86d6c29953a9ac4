/** Beside each command under way, on disk: what its folder held before it. After a crash this tells what the command had changed. */
import { mkdir, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { writeWhole } from '../../store/whole-file.ts'
import { emptyIfMissing } from '../errno.ts'
import type { Moment, Seen, Watch } from './shapes.ts'

type OpenNote = { at: Moment; folder: string; whole: boolean; files: [string, Seen][] }
export type OpenNotes = ReturnType<typeof openNotesIn>

/** `root`: the folder of all that is kept, one folder a tree in it. */
export function openNotesIn(root: string) {
  const folderOf = (treeId: string) => join(root, treeId, 'open')
  const pathOf = (at: Moment) => join(folderOf(at.treeId), encodeURIComponent(at.callId))

  return {
    async keep({ at, folder, before }: Omit<Watch, 'prefix'>): Promise<void> {
      const path = pathOf(at)
      await mkdir(folderOf(at.treeId), { recursive: true, mode: 0o700 })
      await writeWhole(path, JSON.stringify({ at, folder, whole: before.whole, files: [...before.files] }), 0o600)
    },
    drop: (at: Moment): Promise<void> => rm(pathOf(at), { force: true }),
    /** Contents that a command under way may yet change. */
    async heldOpen(treeId: string): Promise<Set<string | null>> {
      const hashes = new Set<string | null>()
      const folder = folderOf(treeId)
      for (const name of await readdir(folder).catch(emptyIfMissing)) {
        const text = await readFile(join(folder, name), 'utf8').catch(() => '') // ended in the meantime
        for (const [, seen] of parse(text)?.files ?? []) hashes.add(seen.hash)
      }
      return hashes
    },
    /** Each that a crash left, for `work`; it is taken away when that has ended. */
    async eachLeft(treeId: string, work: (note: OpenNote) => Promise<void>): Promise<number> {
      let found = 0
      const folder = folderOf(treeId)
      for (const name of await readdir(folder).catch(emptyIfMissing)) {
        const cut = parse(await readFile(join(folder, name), 'utf8'))
        // Half written: its command had not begun.
        if (cut) {
          await work(cut)
          found++
        }
        await rm(join(folder, name), { force: true })
      }
      return found
    },
  }
}

function parse(text: string): OpenNote | null {
  try {
    return JSON.parse(text)
  } catch {
    return null // cut off while it was written
  }
}
