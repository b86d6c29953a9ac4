/** What happened while nobody looked: counted from the facts after a number. */
import type { Since } from '../contract/api-look.ts'
import { Fault } from '../contract/fault.ts'
import { isOver } from '../contract/task.ts'
import type { Store } from '../store/store.ts'

/** Facts counted at most, newest ones; and those told one by one. */
const [FACTS, ITEMS] = [20_000, 100]
const BATCH = 2_000

/** Of one goal, or (without an id) of all, where of tasks only the roots count. */
export async function happenedSince(store: Store, after: number, treeId?: string): Promise<Since> {
  if (treeId !== undefined) {
    const there = await store.db.selectFrom('trees').select('id').where('id', '=', treeId).executeTakeFirst()
    if (!there) throw new Fault('not_found', `There is no tree ${treeId}.`)
  }
  const seq = await store.lastSeq()
  const from = await beginning(store, after, treeId)
  const told: Since = {
    from,
    seq,
    complete: from <= after,
    finished: 0,
    failed: 0,
    asked: 0,
    spentMicros: 0,
    unpricedCalls: 0,
    items: [],
  }
  const items: Since['items'] = []
  for (let at = from; ; ) {
    const events = await store.eventsAfter(at, { limit: BATCH, ...(treeId === undefined ? {} : { treeId }) })
    for (const event of events) {
      const tree = event.treeId
      if (tree === null) continue
      if (event.type === 'model.called') {
        told.spentMicros += event.spend.costMicros
        told.unpricedCalls += event.spend.unpricedCalls
      } else if (event.type === 'task.moved' && isOver(event.to) && !isOver(event.from)) {
        if (event.to === 'cancelled' || (treeId === undefined && event.taskId !== tree)) continue
        const what = event.to === 'done' ? 'finished' : 'failed'
        told[what] += 1
        items.push({ seq: event.seq, at: event.at, treeId: tree, taskId: event.taskId, what, title: '' })
      } else if (event.type === 'review.opened') {
        told.asked += 1
        const { taskId, title } = event.review
        items.push({ seq: event.seq, at: event.at, treeId: tree, taskId, what: 'asked', title })
      }
    }
    if (items.length > ITEMS * 2) items.splice(0, items.length - ITEMS)
    if (events.length < BATCH) break
    at = events.at(-1)!.seq
    await new Promise(setImmediate)
  }
  told.items = items.slice(-ITEMS).reverse()
  const untitled = [...new Set(told.items.flatMap((item) => (item.title === '' ? [item.taskId] : [])))]
  if (untitled.length > 0) {
    const rows = await store.db.selectFrom('tasks').select(['id', 'title']).where('id', 'in', untitled).execute()
    const titles = new Map(rows.map((row) => [row.id, row.title]))
    for (const item of told.items) item.title ||= titles.get(item.taskId) ?? ''
  }
  return told
}

/** The number after which at most `FACTS` facts come. */
async function beginning(store: Store, after: number, treeId: string | undefined): Promise<number> {
  let ask = store.db.selectFrom('events').select('seq').where('seq', '>', after).orderBy('seq', 'desc').offset(FACTS).limit(1)
  if (treeId !== undefined) ask = ask.where('tree_id', '=', treeId)
  return (await ask.executeTakeFirst())?.seq ?? after
}
