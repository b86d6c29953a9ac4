/** Holding everything: while it is set nothing is claimed and no model call begins, in any process, across restarts. */
import { Fault } from '../contract/fault.ts'
import { prepare } from '../store/prepared.ts'
import type { Store, Tx } from '../store/store.ts'

export type Halt = { by: string; at: string; comment: string | null }

const KEY = 'paused'
const haltRow = prepare<object>()((db) => db.selectFrom('meta').select('value').where('key', '=', KEY))

export const isHalted = async (tx: Tx): Promise<boolean> => (await tx.query(haltRow, {})).length > 0

export function openHalt(store: Store) {
  return {
    /** Null: work goes on. */
    async state(): Promise<Halt | null> {
      const [row] = await store.read(haltRow, {})
      return row ? (JSON.parse(row.value) as Halt) : null
    },
    /** Turns under way end; nothing else begins. */
    pause: (by: string, comment: string | null): Promise<Halt> =>
      store.transact(
        async (tx) => {
          if (await isHalted(tx)) throw new Fault('conflict', 'Everything is paused already; resume it first.')
          const halt: Halt = { by, at: new Date(tx.now).toISOString(), comment }
          await tx.db
            .insertInto('meta')
            .values({ key: KEY, value: JSON.stringify(halt) })
            .execute()
          tx.record(null, { type: 'system.paused', by, comment })
          return halt
        },
        { durable: true },
      ),
    resume: (by: string): Promise<void> =>
      store.transact(
        async (tx) => {
          const gone = await tx.db.deleteFrom('meta').where('key', '=', KEY).returning('key').executeTakeFirst()
          if (!gone) throw new Fault('conflict', 'Nothing is paused as a whole; goals and tasks are resumed by their ids.')
          tx.record(null, { type: 'system.resumed', by })
        },
        { durable: true },
      ),
  }
}
