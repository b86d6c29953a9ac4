import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openBench } from './fixture/banyan.ts'

const bench = openBench()
let url = ''
beforeAll(async () => {
  url = (await bench.engine()).url
})
afterAll(() => bench.remove())

test('scores tell how versions did, who made them, and that few say too little', { timeout: 90_000 }, async () => {
  const token = readFileSync(join(bench.dataDir, 'admin-token'), 'utf8').trim()
  const api = async (path: string, body?: object) =>
    (await (
      await fetch(`${url}${path}`, {
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        ...(body ? { method: 'POST', body: JSON.stringify(body) } : {}),
      })
    ).json()) as { treeId: string; status: string }
  const { treeId } = await api('/api/goals', { goal: 'Run `exit 3`', agent: 'generalist' })
  await expect.poll(async () => (await api(`/api/trees/${treeId}`)).status, { timeout: 15_000 }).toBe('failed')
  const [all, one, none, wrong] = await Promise.all([
    bench.run(['scores']),
    bench.run(['scores', '--tool', 'use_terminal', '--json']),
    bench.run(['scores', '--agent', 'nobody']),
    bench.run(['scores', '--days', '0']),
  ])
  expect(all.out).toMatch(/generalist v1 \(current\) +0 of 1: too few to say/)
  expect(JSON.parse(one.out)).toMatchObject({
    days: 30,
    items: [{ kind: 'tool', name: 'use_terminal', version: 1, n: 1 }],
    versions: [{ version: 1, author: 'seed', cause: null }],
  })
  expect(none.err).toContain('Nothing of that ended in the last 30 days')
  expect(wrong.code).toBe(2)
})
