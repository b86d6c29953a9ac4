/** Tasks that the watchdog sees something in, and goals that it leaves alone. */
import { Fault } from '../contract/fault.ts'
import type { Watch } from '../contract/watch.ts'
import type { Store } from '../store/store.ts'
import { lock } from './rows.ts'

const MOST = 200

export type WatchedTask = Pick<Watch, 'sign' | 'rung' | 'words' | 'since' | 'at'> & { taskId: string; treeId: string; title: string }

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
    async set(treeId: string, on: boolean, by: string): Promise<{ treeId: string; on: boolean }> {
      return store.transact(
        async (tx) => {
          await lock(tx, treeId)
          const row = await tx.db.selectFrom('trees').select('watched').where('id', '=', treeId).executeTakeFirst()
          if (!row) throw new Fault('not_found', `There is no tree ${treeId}.`)
          if ((row.watched === 1) !== on) {
            await tx.db
              .updateTable('trees')
              .set({ watched: on ? 1 : 0 })
              .where('id', '=', treeId)
              .execute()
            tx.record(treeId, { type: 'tree.watched', on, by })
          }
          return { treeId, on }
        },
        { durable: true },
      )
    },
  }
}
