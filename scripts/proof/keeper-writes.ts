/**
 * A power cut after any single write of the keeper: it is killed with -9 right after its n-th operation on the disk, for each n until none is
 * left, and the next one must serve. A good revision that was asked for must run in the end; a bad one must be known as failed.
 */
import { until, world } from '../testing/keeper-world.ts'

const GOOD = '/* new */ await ready()'
const BAD = '/* new */ await ready(); process.exit(3)'

/** Tries each `stride`-th write; answers how many cuts there were and what was wrong after them. */
export async function cutWrites(stride: number, bad: boolean): Promise<{ cuts: number; wrong: string[] }> {
  const settled = world()
  const wrong: string[] = []
  let cuts = 0
  try {
    const good = await settled.kept('await ready()')
    for (let n = 1; ; n += stride) {
      const here = world(settled.dir)
      try {
        const tree = here.prepare(bad ? BAD : GOOD)
        here.put('request.json', { tree, from: good, changeId: 'ch_1' })
        const isOver = () => {
          const events = here.events()
          const end = events.findIndex((event) => event.tree === tree && event.type === (bad ? 'undone' : 'kept'))
          return end >= 0 && (!bad || events.slice(end).some((event) => event.tree === good && event.type === 'ready'))
        }
        const first = here.keep('--watch-seconds=0', `--stop-after=${n}`)
        const came = await Promise.race([first.end().then(() => false), until(isOver).then(() => true)])
        const wasCut = !came && first.keeper.signalCode === 'SIGKILL'
        if (wasCut) cuts++
        else {
          first.keeper.kill('SIGKILL')
          await first.end()
        }
        const second = here.keep('--watch-seconds=0')
        await second.line('up')
        await until(isOver)
        const { active, slots, failed } = here.table()
        if (slots[active]?.tree !== (bad ? good : tree)) wrong.push(`after write ${n} slot ${active} has another tree: ${second.words()}`)
        if (bad !== Object.hasOwn(failed, tree)) wrong.push(`after write ${n} the tree is ${bad ? 'not ' : ''}known as failed`)
        const { code } = await second.stop()
        if (code !== 0) wrong.push(`after write ${n} the keeper ended with ${code}`)
        if (!wasCut) return { cuts, wrong }
      } finally {
        here.remove()
      }
    }
  } finally {
    settled.remove()
  }
}
