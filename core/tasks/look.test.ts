import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { DEFAULT_LIMITS } from '../contract/limits.ts'
import { nodeOf, unpackNodes } from '../contract/node.ts'
import { openStore, type Store } from '../store/store.ts'
import { readOpenTask } from './previews.ts'
import { openReview } from './review.ts'
import { searchTree } from './search.ts'
import { happenedSince } from './since.ts'
import { readNodes, readSkeleton } from './skeleton.ts'
import { openTasks, type Tasks } from './tasks.ts'
import { listTrees, type TreeFilter } from './trees.ts'

describe.each(['sqlite', 'pglite'])('what the page reads, on %s', (kind) => {
  let folder: string
  let store: Store
  let tasks: Tasks
  let tree: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'banyan-look-'))
    store = await openStore(kind === 'sqlite' ? `sqlite:${join(folder, 'a.db')}` : 'pglite:')
    tasks = openTasks(store)
    const goal = {
      agent: 'generalist',
      mode: 'auto',
      limits: DEFAULT_LIMITS,
      priority: 0,
      workspace: 'task',
      submittedBy: 'me',
      origin: 'person',
    } as const
    tree = (await tasks.createGoal({ ...goal, goal: 'Count the 100 % wool sheep.' })).treeId
    await tasks.createGoal({ ...goal, goal: 'Another goal.' })
  })
  afterEach(async () => {
    await store.close()
    await rm(folder, { recursive: true, force: true })
  })

  test('a skeleton is the tasks of the tables at the number of the newest fact', async () => {
    const whole = await readSkeleton(store, tree)
    const nodes = (await tasks.tree(tree)).tasks.map(nodeOf)
    expect(whole.chunks.flatMap(unpackNodes)).toEqual(nodes)
    expect(whole.seq).toBe(await store.lastSeq())
    expect(unpackNodes((await readNodes(store, tree, [tree, 'gone'])).nodes)).toEqual(nodes)
    await expect(readSkeleton(store, 'gone')).rejects.toThrow('There is no tree gone.')
    expect(await readOpenTask(store, tree)).toMatchObject({ seq: whole.seq, task: await tasks.task(tree), calls: [] })
  })

  test('every way to narrow a list or a search finds the goal that fits, and no other', async () => {
    const seq = await store.lastSeq()
    await store.transact((tx) =>
      openReview(tx, { id: `${tree}/f`, kind: 'flag', treeId: tree, taskId: tree, callId: null, title: 'Look', action: {}, risk: 'low' }),
    )
    await store.transact(async (tx) => {
      await tx.db
        .updateTable('tasks')
        .set({ status: 'failed', cost_micros: 5, agent: 'shepherd', result: 'None were found.' })
        .where('id', '=', tree)
        .execute()
      await tx.db.updateTable('trees').set({ cost_micros: 5 }).where('id', '=', tree).execute()
      await tx.db
        .insertInto('calls')
        .values({
          id: `${tree}/2a`,
          task_id: tree,
          n: 2,
          tool: 'count_sheep',
          input: '{}',
          state: 'ended',
          effect: 'read',
          attempts: 1,
          waits: null,
          wait_ids: null,
          approved: 0,
          begun_at: 1,
          ended_at: 2,
          ok: 1,
        })
        .execute()
    })
    const filters: TreeFilter[] = [
      { q: 'SHEEP' },
      { q: '100 %' },
      { status: 'failed' },
      { failed: true },
      { needsYou: true },
      { agent: 'shepherd' },
      { tool: 'count_sheep' },
      { costOver: 4 },
      { changedSince: seq },
    ]
    for (const filter of filters) {
      const { items } = await listTrees(store, { ...filter, limit: 10 })
      expect(
        items.map((item) => [item.id, item.counts, item.needsYou]),
        JSON.stringify(filter),
      ).toEqual([[tree, { failed: 1 }, 1]])
      expect(
        (await searchTree(store, tree, { ...filter, limit: 10 })).items.map((hit) => hit.taskId),
        JSON.stringify(filter),
      ).toEqual([tree])
    }
    expect((await listTrees(store, { running: true, limit: 10 })).items).toEqual([])
    expect((await searchTree(store, tree, { q: 'none WERE', limit: 10 })).items).toMatchObject([
      { where: 'result', snippet: 'None were found.' },
    ])
    expect((await searchTree(store, tree, { q: 'count_s', limit: 10 })).items).toMatchObject([{ where: 'tool' }])
    expect(await happenedSince(store, seq, tree)).toMatchObject({ asked: 1, complete: true, items: [{ what: 'asked', title: 'Look' }] })
    expect(await happenedSince(store, seq)).toMatchObject({ asked: 1, failed: 0 })
  })
})
