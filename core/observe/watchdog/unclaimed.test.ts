import { expect, it } from 'vitest'
import { harness } from '../../../scripts/testing/harness.ts'
import { endWith } from '../../../scripts/testing/scripted.ts'

it('a task that no outside agent takes up is told to people once, held by nothing, and fine as soon as one comes', async () => {
  let at = Date.UTC(2026, 0, 1)
  const h = await harness(() => endWith('x'), { paused: true, now: () => at })
  const { tasks, watchdog } = h.runtime
  await watchdog.look()
  const id = await h.goal('Wait for somebody.')
  const [lease] = await tasks.turns.lease('me', 1)
  expect(await tasks.turns.parkOutside(lease!, '')).toBe(true)
  const look = async (minutes: number) => {
    at += minutes * 60_000
    await watchdog.look()
    return { task: await tasks.task(id), open: (await tasks.reviews({ state: 'open', limit: 5 })).items }
  }
  expect(await look(10)).toMatchObject({ task: { watch: null }, open: [] })
  expect(await look(10)).toMatchObject({
    task: { status: 'waiting', watch: { sign: 'unclaimed', rung: 'told' } },
    open: [{ kind: 'stuck', taskId: id }],
  })
  expect((await look(60)).open).toHaveLength(1)
  await tasks.outside.claim('helper', { taskId: id })
  expect(await look(1)).toMatchObject({ task: { status: 'waiting', watch: null }, open: [] })
  expect(await h.end()).toEqual([])
})
