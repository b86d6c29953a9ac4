/**
 * A whole engine for `page.ts`, in a process of its own so that it can be killed: `node page-engine.ts FOLDER PORT`. It says where it
 * listens, and on `{ pour }` writes facts of a goal as fast as asked, each in its own transaction as workers do.
 */
import { dirname } from 'node:path'
import { ensureSecrets, readConfig } from '../../core/config.ts'
import { start } from '../../core/main.ts'

export type Pour = {
  treeId: string
  /** Tasks that the facts tell of, in turn. */
  taskIds: string[]
  /** Whose title is set to `mark N TIME` ten times a second, TIME in milliseconds since 1970. */
  marked: string
  perSecond: number
  seconds: number
}
export type Poured = { poured: number; ms: number }

const TICK_MS = 10
const MARK_MS = 100
const [folder = '', port = '0'] = process.argv.slice(2)
const engine = await start(
  ensureSecrets({
    ...readConfig(
      { DATA_DIR: folder, PORT: port, MODEL: 'playbook', PATH: '/usr/bin:/bin', HOST: '127.0.0.1', ADMIN_TOKEN: 'bench-token' },
      '/nonexistent',
    ),
    root: dirname(dirname(import.meta.dirname)),
    code: dirname(dirname(import.meta.dirname)),
  }),
)
process.send?.({ url: engine.url, loginUrl: engine.loginUrl })
process.on('disconnect', () => process.exit(0))

async function pour({ treeId, taskIds, marked, perSecond, seconds }: Pour): Promise<Poured> {
  const began = performance.now()
  const wanted = perSecond * seconds
  let poured = 0
  let marks = 0
  const writing = new Set<Promise<unknown>>()
  const write = (work: Parameters<typeof engine.store.transact<void>>[0]) => {
    const one = engine.store.transact(work).finally(() => writing.delete(one))
    writing.add(one)
  }
  while (poured < wanted) {
    const due = Math.min(wanted, Math.floor(((performance.now() - began) / 1_000) * perSecond))
    for (; poured < due; poured++) {
      const taskId = taskIds[(poured * 7_919) % taskIds.length]!
      write(async (tx) => {
        tx.record(treeId, {
          type: 'model.called',
          taskId,
          provider: 'bench',
          model: 'bench',
          latencyMs: 1,
          outcome: 'ok',
          spend: { turns: 1, tokens: 1, costMicros: 1, unpricedCalls: 0 },
        })
      })
    }
    if (performance.now() - began >= marks * MARK_MS) {
      const title = `mark ${marks++} ${Date.now()}`
      write(async (tx) => {
        await tx.db.updateTable('tasks').set({ title }).where('id', '=', marked).execute()
        tx.record(treeId, { type: 'task.changed', taskId: marked, title })
      })
    }
    await new Promise((resolve) => setTimeout(resolve, TICK_MS))
  }
  await Promise.all(writing)
  return { poured, ms: performance.now() - began }
}
process.on('message', (message: { pour?: Pour }) => {
  if (message.pour) void pour(message.pour).then((done) => process.send?.(done))
})
