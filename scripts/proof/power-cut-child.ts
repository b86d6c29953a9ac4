/** One life of a runtime in which a change of its own code is under way; killed at a named point, or running to its end or to the restart that it asks for. */
import { parseArgs } from 'node:util'
import { violations } from '../../core/tasks/invariants.ts'
import { checkoutAt } from '../testing/checkout.ts'
import { louder, self } from '../testing/self.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { point: { type: 'string' }, kept: { type: 'boolean' }, back: { type: 'boolean' }, mark: { type: 'string' } },
})
const [dataDir, folder] = positionals
if (dataDir === undefined || folder === undefined)
  throw new Error('power-cut-child.ts DATA_DIR CHECKOUT [--point=NAME] [--kept] [--back] [--mark=TEXT]')
const kept = values.kept === true
const s = await self(
  { louder: louder(values.mark) },
  {
    dataDir,
    source: checkoutAt(folder),
    keepSource: true,
    kept,
    failPoint: (name) => {
      if (name === values.point) process.kill(process.pid, 'SIGKILL')
    },
  },
)
const asked = new Promise<'restart'>((resolve) => s.runtime.onRestart(() => resolve('restart')))
const ends = kept ? (['kept', 'undone'] as const) : (['merged'] as const)
const id = await s.goal('louder', { idempotencyKey: 'the one' })
const change = await s.until(id, 'review', 'merged', 'restarting', 'watching', ...ends)
if (change.state === 'review' && change.decidedBy === null) await s.approve(await s.item(id))
const end = s.until(id, ...ends)
if (values.back) {
  const watched = await Promise.race([s.until(id, 'watching', ...ends), asked])
  const isAsked = (await s.runtime.changes.list({ limit: 9 })).items.some((one) => one.kind === 'rollback')
  if (watched !== 'restart' && watched.state === 'watching' && !isAsked) await s.runtime.changes.rollback(watched.id, 'a person', null)
}
const came = await Promise.race([end, asked])
const tell = (told: object) => console.log(JSON.stringify({ restart: false, state: '', result: '', violations: [], ...told }))
if (came === 'restart') {
  // As abruptly as a restart may be.
  tell({ restart: true })
  process.exit(0)
}
const { result } = await s.h.over(id)
tell({ state: came.state, result, violations: await violations(s.runtime.store) })
process.exit(0)
