import { afterAll, beforeAll, expect, it } from 'vitest'
import { faultsOfWork, giveWork, openSubject, SHORT_WATCH_SECONDS, type Subject, tryOne } from './bad-updates.ts'
import { CANDIDATES } from './candidates.ts'

let subject: Subject
let work: string[]
beforeAll(async () => {
  subject = await openSubject({}, SHORT_WATCH_SECONDS)
  work = await giveWork(subject, 3)
}, 200_000)
afterAll(() => subject?.remove())

it.each(CANDIDATES.filter((one) => one.short))('a running Banyan survives: $name', { timeout: 200_000 }, async (candidate) => {
  const verdict = await tryOne(subject, candidate)
  expect(verdict, verdict.reason).toMatchObject({ became: candidate.expect, ok: true })
})

it('and no task was lost by any of them', { timeout: 200_000 }, async () => {
  expect(await faultsOfWork(subject, work)).toEqual([])
})
