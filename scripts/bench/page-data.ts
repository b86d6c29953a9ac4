/**
 * What the page's data costs: `node --expose-gc scripts/bench/page-data.ts [--tasks N,N]`. A snapshot of a tree is read, packed, parsed and
 * built into the page's store, facts are folded into it, and the goal is searched. Times are medians of five; beside each is its ratio to
 * reading the same rows raw, or to parsing the same text.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import BetterSqlite from 'better-sqlite3'
import type { Event } from '../../core/contract/event.ts'
import type { TopicFrame } from '../../core/contract/live.ts'
import { openStore } from '../../core/store/store.ts'
import { searchTree } from '../../core/tasks/search.ts'
import { readSkeleton } from '../../core/tasks/skeleton.ts'
import { listTrees } from '../../core/tasks/trees.ts'
import { createTreeStore } from '../../web/data/tree-store.ts'
import { plant } from './plant.ts'

const { values } = parseArgs({ options: { tasks: { type: 'string', default: '10000,100000' } } })
const ROUNDS = 5
const FACTS = 20_000
const collect = (globalThis as { gc?: () => void }).gc
if (!collect) {
  console.error('Run it as `node --expose-gc scripts/bench/page-data.ts`, so that the heap can be measured.')
  process.exit(2)
}

const median = (times: number[]): number => times.sort((a, b) => a - b)[times.length >> 1]!
async function timed(act: () => unknown, rounds = ROUNDS): Promise<number> {
  const times: number[] = []
  for (let round = 0; round < rounds; round++) {
    const began = performance.now()
    await act()
    times.push(performance.now() - began)
  }
  return median(times)
}
const show = (what: string, figure: string, ratio = '') => console.log(`${what.padEnd(44)}${figure.padStart(14)}  ${ratio}`)
const ms = (time: number) => `${time.toFixed(time < 10 ? 2 : 0)} ms`

for (const count of values.tasks.split(',').map(Number)) {
  const folder = mkdtempSync(join(tmpdir(), 'banyan-page-'))
  const path = join(folder, 'agent_system.db')
  const store = await openStore(`sqlite:${path}`)
  try {
    const treeId = await plant(store, count)
    console.log(`\n${count} tasks`)
    const raw = new BetterSqlite(path, { readonly: true })
    const statement = raw.prepare('select * from tasks where tree_id = ?')
    const rawMs = await timed(() => statement.all(treeId))
    raw.close()
    let texts: string[] = []
    const readMs = await timed(async () => {
      const { seq, head, reviews, chunks } = await readSkeleton(store, treeId)
      texts = chunks.map((nodes, part) =>
        JSON.stringify({
          type: 'tree',
          topic: `tree:${treeId}`,
          seq,
          part,
          last: part === chunks.length - 1,
          nodes,
          ...(part === 0 ? { head, reviews } : {}),
        } satisfies TopicFrame),
      )
    })
    const bytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0)
    show('server: snapshot read, packed, as text', ms(readMs), `${(readMs / rawMs).toFixed(2)} × reading the rows raw (${ms(rawMs)})`)
    show('server: bytes of the snapshot', `${(bytes / 1e6).toFixed(2)} MB`, `${Math.round(bytes / count)} bytes a node`)
    const parseMs = await timed(() => texts.map((text) => JSON.parse(text) as unknown))
    const build = () => {
      let flush: (() => void) | undefined
      const tree = createTreeStore(treeId, (act) => {
        flush = act
      })
      for (const text of texts) tree.take(JSON.parse(text) as TopicFrame)
      flush?.()
      return { tree, draw: () => flush?.() }
    }
    const buildMs = await timed(build)
    show('page: parse, unpack, sums, rows', ms(buildMs), `${(buildMs / parseMs).toFixed(2)} × parsing the text (${ms(parseMs)})`)
    show('from asking to rows, without network', ms(readMs + buildMs))
    collect()
    const before = process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers
    const { tree, draw } = build()
    collect()
    const heap = process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers - before
    show(
      'page: heap of the tree',
      `${(heap / 1e6).toFixed(1)} MB`,
      `${Math.round(heap / count)} bytes a node; ${tree.state().rows.length} rows open`,
    )
    const ids: string[] = []
    for (const text of texts) ids.push(...(JSON.parse(text) as { nodes: { id: string[] } }).nodes.id)
    let seq = tree.seq()
    const fact = (i: number): Event => ({
      seq: ++seq,
      at: new Date().toISOString(),
      treeId,
      type: 'model.called',
      taskId: ids[(i * 7919) % ids.length]!,
      provider: 'p',
      model: 'm',
      latencyMs: 1,
      outcome: 'ok',
      spend: { turns: 1, tokens: 1, costMicros: 1, unpricedCalls: 0 },
    })
    const foldMs = await timed(() => {
      for (let i = 0; i < FACTS; i++) {
        const one = fact(i)
        tree.take({ type: 'facts', topic: `tree:${treeId}`, seq: one.seq, events: [one] })
        if (i % 33 === 0) draw() // 2,000 facts a second, 60 frames a second
      }
    }, 3)
    show(
      'page: a fact, with its share of drawing',
      `${((foldMs / FACTS) * 1_000).toFixed(1)} µs`,
      `${((foldMs / FACTS) * 200).toFixed(1)} % of a core at 2,000 facts/s`,
    )
    const listMs = await timed(() => listTrees(store, { limit: 50 }))
    show('server: list of goals with counts', ms(listMs))
    const titleMs = await timed(() => searchTree(store, treeId, { q: 'part 77', limit: 100 }))
    show('server: search, found in titles', ms(titleMs))
    const messageMs = await timed(() => searchTree(store, treeId, { q: 'needle', limit: 100 }), 3)
    show('server: search, found in one message', ms(messageMs))
  } finally {
    await store.close()
    rmSync(folder, { recursive: true, force: true })
  }
}
