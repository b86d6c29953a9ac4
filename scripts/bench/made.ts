/**
 * Tools that agents make: from a rollback asked for until the live set holds the other version (the save on disk included), and one call in a
 * process of its own. Prints one JSON object.
 */

import { harness } from '../testing/harness.ts'
import { endWith } from '../testing/scripted.ts'
import { TALLY } from '../testing/tally-words.ts'

const RELOADS = 100
const CALLS = 20
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
for (const source of [TALLY.source, `${TALLY.source}// second\n`]) {
  const ready = await made.prepare({ ...TALLY, source } as never, 'bench', signal)
  await store.transact((tx) => made.save(tx, ready, { by: 'bench', ...who, approvedBy: null }))
  await made.refresh(TALLY.name)
}
const reloads: number[] = []
for (let i = 0; i < RELOADS; i++) {
  const began = performance.now()
  await made.rollback(TALLY.name, 1 + (i % 2), 'bench')
  reloads.push(performance.now() - began)
}
const calls: number[] = []
for (let i = 0; i < CALLS; i++) {
  const began = performance.now()
  const { outcome } = await made.run(TALLY.name, { text: 'a b c' }, { id: `bench/${i}`, ...who, signal, tried: false }, (_, act) =>
    act(null),
  )
  if (outcome.kind !== 'answer' || outcome.text !== '{"words":3}') throw new Error(JSON.stringify(outcome))
  calls.push(performance.now() - began)
}
await end()
console.log(JSON.stringify({ reloadMs: at(reloads, 0.5), reloadP95: at(reloads, 0.95), callMs: at(calls, 0.5), callP95: at(calls, 0.95) }))
