/** Alerts as facts, and which stand, so that a restart neither tells one twice nor forgets that it ended. */
import type { ResourceAlert } from '../contract/api-system.ts'
import type { AlertKind } from '../contract/event.ts'
import type { Store } from '../store/store.ts'

const KEY = 'alerts'

export async function keptAlerts(store: Store): Promise<AlertKind[]> {
  const row = await store.db.selectFrom('meta').select('value').where('key', '=', KEY).executeTakeFirst()
  return row ? (JSON.parse(row.value) as AlertKind[]) : []
}

export function keepAlerts(store: Store, alert: ResourceAlert, over: boolean): Promise<void> {
  const { what, percent, words } = alert
  return store.transact(async (tx) => {
    const row = await tx.db.selectFrom('meta').select('value').where('key', '=', KEY).executeTakeFirst()
    const others = (row ? (JSON.parse(row.value) as AlertKind[]) : []).filter((kind) => kind !== what)
    const value = JSON.stringify(over ? [...others, what] : others)
    await tx.db
      .insertInto('meta')
      .values({ key: KEY, value })
      .onConflict((c) => c.column('key').doUpdateSet({ value }))
      .execute()
    tx.record(null, over ? { type: 'alert.raised', what, percent, words } : { type: 'alert.cleared', what, percent })
  })
}
