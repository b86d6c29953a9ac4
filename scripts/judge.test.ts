import { describe, expect, it } from 'vitest'
import { openJudge, type Second } from './judge.ts'

const MB = 2 ** 20
const second = (more: Partial<Second>): Second => ({ ended: 0, failed: 0, lag: 0, rss: 0, ...more })
/** What is said after so many seconds of a process whose memory is `rss(n)` MB. */
function leakOf(rss: (n: number) => number, seconds = 80): string | null {
  const judge = openJudge(null)
  let leak: string | null = null
  for (let n = 0; n < seconds; n++) {
    const said = judge(second({ rss: rss(n) * MB }))
    expect(said.wrong).toBeNull()
    leak = said.leak
  }
  return leak
}

describe('the judge', () => {
  it.each([
    ['a cache that fills and is full', (n: number) => 150 + 300 * (1 - Math.exp(-n / 12))],
    ['garbage that is collected', (n: number) => 150 + (n % 17) * 12],
    ['a little growth', (n: number) => 150 + n * 0.5],
    ['a big process that grows by a tenth', (n: number) => 2_000 + n * 2.5],
  ])('sees no leak in %s', (_, rss) => expect(leakOf(rss)).toBeNull())

  it('sees a leak below the saw of collections, in a short window and in one of days', () => {
    const leaks = (n: number) => 150 + n * 3 + (n % 7) * 10
    expect(leakOf(leaks)).toMatch(/^its memory grew without a pause, by \d+ MB$/)
    expect(leakOf((n) => leaks(n / 100), 8_000)).toMatch(/^its memory grew without a pause, by \d+ MB$/)
  })

  it.each([null, undefined, 'much', {}, { ended: 'many', failed: {}, lag: [] }])('takes %j for nothing known', (known) => {
    expect(openJudge(known)(second({ ended: 3, lag: 7 })).usual).toEqual({ ended: 3, failed: 0, lag: 7 })
  })

  it('waits for ten ended tasks before it speaks of them, and before they count as the usual', () => {
    const known = { ended: 100, failed: 1, lag: 20 }
    const judge = openJudge(known)
    expect(judge(second({ ended: 9, failed: 9 }))).toMatchObject({ wrong: null, usual: { ended: 100, failed: 1 } })
    expect(judge(second({ ended: 10, failed: 3 }))).toMatchObject({
      wrong: '3 of 10 tasks failed, where 3 of 100 are usual',
      usual: { ended: 10, failed: 3 },
    })
  })

  it('speaks of an event loop that hangs in most seconds, and not where that is usual', () => {
    const hangs = (known: unknown) => {
      const judge = openJudge(known)
      return Array.from({ length: 30 }, () => judge(second({ lag: 900 }))).map((said) => said.wrong)
    }
    expect(hangs(null).at(-2)).toBeNull()
    expect(hangs(null).at(-1)).toBe('its event loop hangs for 900 ms in most seconds')
    expect(hangs({ ended: 0, failed: 0, lag: 300 }).at(-1)).toBeNull()
  })
})
