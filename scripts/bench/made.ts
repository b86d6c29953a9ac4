/**
 * Tools that agents make: from a rollback asked for until the live set holds the other version (the save on disk included), and one call, with
 * its process to start and with one that waits. Prints one JSON object.
 */

import { harness } from '../testing/harness.ts'
import { endWith } from '../testing/scripted.ts'
import { TALLY } from '../testing/tally-words.ts'

const RELOADS = 100
const CALLS = 10
const THINKS_MS = 400
const { runtime, end } = await harness(() => endWith('nothing'), { paused: true })
const { made, store, isolation } = runtime
if (!isolation.sandbox.ok) {
  console.log('{}')
  await end()
  process.exit(0)
}
const at = (list: number[], part: number): number => list.sort((a, b) => a - b)[Math.min(list.length - 1, Math.floor(list.length * part))]!
const signal = new AbortController().signal
const who = { treeId: 'bench', taskId: 'bench' }
async function save(source: string): Promise<void> {
  const ready = await made.prepare({ ...TALLY, source } as never, 'bench', signal)
  await store.transact((tx) => made.save(tx, ready, { by: 'bench', ...who, approvedBy: null }))
  await made.refresh(TALLY.name)
}
await save(TALLY.source)
await save(`${TALLY.source}// second\n`)
const reloads: number[] = []
for (let i = 0; i < RELOADS; i++) {
  const began = performance.now()
  await made.rollback(TALLY.name, 1 + (i % 2), 'bench')
  reloads.push(performance.now() - began)
}
async function call(id: string): Promise<number> {
  const began = performance.now()
  const { outcome } = await made.run(TALLY.name, { text: 'a b c' }, { id, ...who, signal, tried: false }, (_, act) => act(null))
  if (outcome.kind !== 'answer' || outcome.text !== '{"words":3}') throw new Error(JSON.stringify(outcome))
  return performance.now() - began
}
const cold: number[] = []
const warm: number[] = []
for (let i = 0; i < CALLS; i++) {
  await save(`${TALLY.source}// version ${i}\n`)
  cold.push(await call(`bench/cold-${i}`))
  // Between two calls an agent thinks; the process for the next has started by then.
  await new Promise((resolve) => setTimeout(resolve, THINKS_MS))
  warm.push(await call(`bench/warm-${i}`))
}
await end()
console.log(
  JSON.stringify({
    reloadMs: at(reloads, 0.5),
    reloadP95: at(reloads, 0.95),
    callMs: at(cold, 0.5),
    callP95: at(cold, 0.95),
    warmMs: at(warm, 0.5),
    warmP95: at(warm, 0.95),
  }),
)
