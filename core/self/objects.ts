/**
 * Reads commits, trees and files out of a bare repository of ours with isomorphic-git: no process is started and no setting of git is obeyed.
 * Only reading, and only where there are no linked work trees and alternates, because its writing survives neither a kill nor a neighbour.
 * What needs renames (differences, merges) and every write is native git's; see decision 0015.
 */
import fs from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join, sep } from 'node:path'
import git from 'isomorphic-git'
import { Fault } from '../contract/fault.ts'

export type TreeEntry = { path: string; mode: string; hash: string }
type Walked = TreeEntry & { content(): Promise<Uint8Array> }

/** Files whose bytes are held in memory at the same time while a tree is written out. */
const AT_ONCE = 64

/** `gitdir`: a bare repository. Every `of` is the whole hash of a commit or a tree. */
export function openObjects(gitdir: string) {
  /** Every file, link and submodule below a tree, by path. Packs are read once for all of them and let go after. */
  async function walk(of: string): Promise<Walked[]> {
    const found: Walked[] = []
    await git.walk({
      fs,
      gitdir,
      cache: {},
      trees: [git.TREE({ ref: of })],
      async map(path, [entry]) {
        if (!entry || path === '.') return true
        if ((await entry.type()) === 'tree') return true
        const [mode, hash] = await Promise.all([entry.mode(), entry.oid()])
        found.push({
          path,
          mode: mode.toString(8).padStart(6, '0'),
          hash,
          content: async () => (await entry.content()) ?? new Uint8Array(),
        })
        return null
      },
    })
    return found.sort((a, b) => (a.path < b.path ? -1 : 1))
  }

  return {
    entries: async (of: string): Promise<TreeEntry[]> => (await walk(of)).map(({ path, mode, hash }) => ({ path, mode, hash })),

    /** One file as it is in a commit or tree; null: there is none. */
    async text(of: string, path: string): Promise<string | null> {
      try {
        const { blob } = await git.readBlob({ fs, gitdir, oid: of, filepath: path })
        return Buffer.from(blob).toString()
      } catch (error) {
        const { NotFoundError, ObjectTypeError, InvalidFilepathError } = git.Errors
        if (error instanceof NotFoundError || error instanceof ObjectTypeError || error instanceof InvalidFilepathError) return null
        throw error
      }
    },

    /** Writes a tree as plain files. Links and submodules are refused: nothing of what is run may lead elsewhere. */
    async materialise(of: string, folder: string): Promise<void> {
      const entries = await walk(of)
      const odd = entries.find(({ mode }) => mode !== '100644' && mode !== '100755')
      if (odd)
        throw new Fault('forbidden', `${JSON.stringify(odd.path)} is a link or a submodule; the system's source holds plain files only.`)
      const outside = entries.find(({ path }) => !join(folder, path).startsWith(folder + sep))
      if (outside) throw new Fault('forbidden', `${JSON.stringify(outside.path)} leaves the source.`)
      for (const place of new Set([folder, ...entries.map(({ path }) => dirname(join(folder, path)))]))
        await mkdir(place, { recursive: true, mode: 0o755 })
      for (let from = 0; from < entries.length; from += AT_ONCE)
        await Promise.all(
          entries.slice(from, from + AT_ONCE).map(async ({ path, mode, content }) => {
            await writeFile(join(folder, path), await content(), { mode: mode === '100755' ? 0o755 : 0o644 })
          }),
        )
    },
  }
}
