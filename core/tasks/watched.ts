/** Tasks that the watchdog sees something in, and goals that it leaves alone. */
import { Fault } from '../contract/fault.ts'
import type { Watch } from '../contract/watch.ts'
import type { Store } from '../store/store.ts'
import { lock } from './rows.ts'

const MOST = 200

export type WatchedTask = Pick<Watch, 'sign' | 'rung' | 'words' | 'since' | 'at'> & { taskId: string; treeId: string; title: string }

/** `patient`: it waits twice as long before it helps. */
export type Watching = { on: boolean; patient?: boolean }

export function openWatched(store: Store) {
  return {
    /** At most 200, the newest step first; `count` is of all. */
    async list(): Promise<{ count: number; items: WatchedTask[] }> {
      const watched = store.db.selectFrom('tasks').where('watch', 'is not', null)
      const [all, rows] = await Promise.all([
        watched.select((e) => e.fn.countAll<number>().as('count')).executeTakeFirstOrThrow(),
        watched.select(['id', 'tree_id', 'title', 'watch']).limit(MOST).execute(),
      ])
      const items = rows.map((row) => {
        const { sign, rung, words, since, at } = JSON.parse(row.watch!) as Watch
        return { taskId: row.id, treeId: row.tree_id, title: row.title, sign, rung, words, since, at }
      })
      return { count: Number(all.count), items: items.sort((a, b) => (a.at < b.at ? 1 : -1)) }
    },
    /** From the next look on. What it had held stays held until somebody lets it go on. */
    async set(treeId: string, { on, patient = false }: Watching, by: string): Promise<{ treeId: string } & Required<Watching>> {
      const watched = on ? (patient ? 2 : 1) : 0
      return store.transact(
        async (tx) => {
          await lock(tx, treeId)
          const row = await tx.db.selectFrom('trees').select('watched').where('id', '=', treeId).executeTakeFirst()
          if (!row) throw new Fault('not_found', `There is no tree ${treeId}.`)
          if (row.watched !== watched) {
            await tx.db.updateTable('trees').set({ watched }).where('id', '=', treeId).execute()
            tx.record(treeId, { type: 'tree.watched', on, ...(watched === 2 ? { patient } : {}), by })
          }
          return { treeId, on, patient: watched === 2 }
        },
        { durable: true },
      )
    },
  }
}
