/** DATA_DIR/keeper as the engine sees it: the slots that run, what the keeper tells, and the one file in which it is asked for something. */
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Slot } from '../contract/api-changes.ts'

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
  active: 'A' | 'B'
  good: 'A' | 'B' | null
  safe: boolean
  lastRequest: string | null
  slots: Record<'A' | 'B' | 'golden', (RunningSlot & { lock: string } & Pick<Slot, 'state' | 'source' | 'changeId'>) | null>
  failed: Record<string, { at: string; reason: string; changeId: string | null }>
}
export type KeeperHome = ReturnType<typeof keeperHome>

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
    incoming: (tree: string) => join(home, 'incoming', tree),
    /** The built page of a revision that it has. */
    page: (tree: string) => join(home, 'slots', tree, 'web', 'dist'),
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
    /** Takes away the sources and packages that no slot has. Only while the keeper runs this process: it changes its slots between two runs. */
    async sweep(now: number): Promise<void> {
      const found = await table()
      if (found === null) return
      const used = Object.values(found.slots).flatMap((slot) => (slot ? [slot.tree, slot.lock] : []))
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
    /** All that it told, oldest first. A line that was cut off by a crash is not there yet. */
    async events(): Promise<KeeperEvent[]> {
      const lines = ((await text('events.jsonl')) ?? '').split('\n')
      return lines.flatMap((line) => {
        try {
          return line === '' ? [] : [JSON.parse(line) as KeeperEvent]
        } catch {
          return [] // the last line of a power cut
        }
      })
    },
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
