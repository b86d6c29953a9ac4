/** DATA_DIR/keeper as the engine sees it: the slots that run, what the keeper tells, and the one file in which it is asked for something. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, open, readdir, readFile, rename, rm, stat, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { Slot } from '../contract/api-changes.ts'
import { packagesKey } from './packages.ts'

/** As `scripts/keeper/README.md` describes it. */
export type KeeperRequest =
  | { id: string; kind: 'change'; changeId: string; commit: string; tree: string; page: string | null; from: string }
  | { id: string; kind: 'rollback'; changeId: string | null; reason?: string }
export type KeeperEvent = {
  seq: number
  at: string
  type: 'boot' | 'ready' | 'kept' | 'undone' | 'refused' | 'crash' | 'safe-mode' | 'restored'
  slot: string | null
  tree: string | null
  commit: string | null
  changeId: string | null
  reason: string | null
}
export type RunningSlot = { commit: string; tree: string }
type Table = {
  version: number
  active: 'A' | 'B'
  good: 'A' | 'B' | null
  safe: boolean
  lastRequest: string | null
  slots: Record<'A' | 'B' | 'golden', (RunningSlot & { lock: string } & Pick<Slot, 'state' | 'source' | 'changeId'>) | null>
  failed: Record<string, { at: string; reason: string; changeId: string | null }>
  events: KeeperEvent[]
}
export type KeeperHome = ReturnType<typeof keeperHome>

/** Of the slot table. */
const VERSION = 2
/** Packages that no slot has stay so long, because a request for them may be on its way. */
const DEPS_STAY_MS = 7 * 86_400_000

export function keeperHome(dataDir: string) {
  const home = join(dataDir, 'keeper')
  const text = (name: string): Promise<string | null> =>
    readFile(join(home, name), 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return null
      throw error
    })
  const table = async () => {
    const words = await text('slots.json')
    return words === null ? null : (JSON.parse(words) as Table)
  }
  /** What it was asked for and has not taken. */
  const pending = async (): Promise<KeeperRequest | null> => {
    try {
      return JSON.parse((await text('request.json')) ?? 'null') as KeeperRequest | null
    } catch (error) {
      if (error instanceof SyntaxError) return null // a power cut left half of it
      throw error
    }
  }
  return {
    /** Where a revision is made ready. */
    incoming: (tree: string) => join(home, 'incoming', tree),
    /** Where the keeper runs it from. */
    slot: (tree: string) => join(home, 'slots', tree),
    /** Puts a revision that is ready to where the keeper runs it from, linked to its packages. The keeper looks at all of it before it takes it. */
    async place(tree: string): Promise<void> {
      const [from, to] = [join(home, 'incoming', tree), join(home, 'slots', tree)]
      if (!existsSync(from)) return // it was put there before
      const lock = await text(join('incoming', tree, 'package-lock.json'))
      await rm(join(from, 'node_modules'), { force: true })
      // The keeper refuses a source without one.
      if (lock !== null) await symlink(join('..', '..', 'deps', packagesKey(lock), 'node_modules'), join(from, 'node_modules'))
      // Many small files: one call for all; where it is missing, the keeper finds what a power cut leaves half.
      spawnSync('sync', ['-f', from])
      await mkdir(join(home, 'slots'), { recursive: true, mode: 0o700 })
      await rm(to, { recursive: true, force: true })
      await rename(from, to)
    },
    /** Whether the keeper that is installed is of the kind that this revision speaks with. */
    async fits(): Promise<boolean> {
      const found = await table()
      return found === null || found.version === VERSION
    },
    /** What the keeper runs now; null: it runs nothing by its table. */
    async running(): Promise<RunningSlot | null> {
      const slots = await table()
      return slots?.slots[slots.active] ?? null
    },
    /** All that it has at hand. */
    async slots() {
      const found = await table()
      const items = (['A', 'B', 'golden'] as const).flatMap((name) => {
        const slot = found?.slots[name]
        if (!slot) return []
        const { commit, tree, state, source, changeId } = slot
        return [{ name, commit: commit ?? null, tree, state: state ?? 'kept', source: source ?? 'checkout', changeId: changeId ?? null }]
      })
      const failed = Object.entries(found?.failed ?? {}).map(([tree, { at, reason, changeId }]) => ({
        tree,
        at,
        reason,
        changeId: changeId ?? null,
      }))
      const active = found === null ? null : found.safe ? ('golden' as const) : found.active
      return { active, good: found?.good ?? null, safe: found?.safe ?? false, items, failed }
    },
    /** Takes away the sources and packages that no slot has and that were not asked for. Only while the keeper runs this process: it changes its slots between two runs. */
    async sweep(now: number): Promise<void> {
      const found = await table()
      if (found === null) return
      const asked = await pending()
      const used = Object.values(found.slots).flatMap((slot) => (slot ? [slot.tree, slot.lock] : []))
      if (asked?.kind === 'change') used.push(asked.tree)
      for (const [place, stays] of [
        ['slots', 0],
        ['deps', DEPS_STAY_MS],
      ] as const) {
        const names = await readdir(join(home, place)).catch(() => []) // nothing was put there yet
        for (const path of names.filter((name) => !used.includes(name)).map((name) => join(home, place, name)))
          if (now - (await stat(path)).mtimeMs >= stays) await rm(path, { recursive: true, force: true })
      }
    },
    /** Whether the keeper has this request, or had it. */
    async knows(id: string): Promise<boolean> {
      return (await table())?.lastRequest === id || (await pending())?.id === id
    },
    /** The newest of what it told, the oldest of them first. */
    events: async (): Promise<KeeperEvent[]> => (await table())?.events ?? [],
    /** Written whole, and for good from the moment this resolves; but a person's wish to go back stays in front of a change, which is asked for again. */
    async writeRequest(request: KeeperRequest): Promise<void> {
      if (request.kind === 'change' && (await pending())?.kind === 'rollback') return
      await mkdir(home, { recursive: true })
      const draft = join(home, 'request.json.new')
      await rm(draft, { force: true })
      const file = await open(draft, 'wx', 0o600)
      try {
        await file.writeFile(JSON.stringify(request))
        await file.sync()
      } finally {
        await file.close()
      }
      await rename(draft, join(home, 'request.json'))
      const folder = await open(home, 'r')
      try {
        await folder.sync()
      } finally {
        await folder.close()
      }
    },
  }
}
