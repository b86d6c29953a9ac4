/** One life of a runtime in which a change of its own code is under way; killed at a named point, or running to the end. */
import { checkoutAt } from '../testing/checkout.ts'
import { louder, self } from '../testing/self.ts'

const [dataDir, folder, point] = process.argv.slice(2)
if (dataDir === undefined || folder === undefined) throw new Error('power-cut-child.ts DATA_DIR CHECKOUT [POINT]')
const s = await self(
  { louder: louder() },
  {
    dataDir,
    source: checkoutAt(folder),
    keepSource: true,
    failPoint: (name) => {
      if (name === point) process.kill(process.pid, 'SIGKILL')
    },
  },
)
const id = await s.goal('louder', { idempotencyKey: 'the one' })
let change = await s.until(id, 'review', 'merged')
if (change.state === 'review' && change.decidedBy === null) {
  const item = await s.item(id)
  await s.approve(item)
}
change = await s.until(id, 'merged')
const task = await s.h.over(id)
const violations = await s.end()
console.log(JSON.stringify({ state: change.state, answered: task.result?.includes('is merged') ?? false, changes: 1, violations }))
