import { expect, it } from 'vitest'
import { until, world } from '../testing/keeper-world.ts'

/** The first write of so many is followed by a cut; 1 tries each. */
const STRIDE = Number(process.env.POWER_CUT_STRIDE ?? 7)

it('a power cut after any write of the keeper leaves a system that starts, and the change that was asked for goes on', {
  timeout: 300_000,
}, async () => {
  const settled = world()
  const good = await settled.kept(`await ready()`)
  let cuts = 0
  for (let n = 1; ; n += STRIDE) {
    const here = world(settled.dir)
    try {
      const tree = here.prepare('/* new */ await ready()')
      here.put('request.json', { tree, from: good, changeId: 'ch_1' })
      const first = here.keep('--watch-seconds=0', `--stop-after=${n}`)
      const came = await Promise.race([
        first.end().then(() => false),
        until(() => here.events().some((event) => event.type === 'kept' && event.tree === tree)).then(
          () => true,
          () => true,
        ),
      ])
      const cut = !came && first.keeper.signalCode === 'SIGKILL'
      if (!cut) {
        first.keeper.kill('SIGKILL')
        await first.end()
      } else cuts++
      const second = here.keep()
      await second.line('up')
      const { active, slots } = here.table()
      expect(slots[active]?.tree, `cut after write ${n}: ${second.words()}`).toBe(tree)
      expect((await second.stop()).code).toBe(0)
      if (!cut) break
    } finally {
      here.remove()
    }
  }
  settled.remove()
  expect(cuts).toBeGreaterThan(30 / STRIDE)
})
