/** A server that is a program, on a machine where programs run plain: nothing of it runs before a person has allowed just that. */
import { afterEach, expect, test } from 'vitest'
import { type Harness, harness } from '../../scripts/testing/harness.ts'
import { answersIn, endWith, type Scripted } from '../../scripts/testing/scripted.ts'
import { AddServer } from '../contract/api-servers.ts'
import type { ModelRequest } from '../models/provider.ts'
import { fixture } from './fixture/servers.ts'

const PATIENCE = { timeout: 15_000 }
let h: Harness
afterEach(async () => {
  expect(await h.end()).toEqual([])
})
const hub = () => h.runtime.hub
const decide = (request: ModelRequest): Scripted => {
  const [answer] = answersIn(request)
  return answer === undefined ? { calls: [{ tool: 'mcp__files__echo', input: { words: 'hello' } }] } : endWith(answer)
}
const add = (more: object = {}) => hub().add(AddServer.parse({ name: 'files', command: fixture('honest').command, ...more }), 'owner')
const items = async (state: 'open' | 'decided' = 'open') => (await h.runtime.tasks.reviews({ state, limit: 50 })).items

/** One whose tools were approved while it could run, as after a move to a machine without a sandbox. */
async function moved(): Promise<void> {
  await add({ isolation: 'plain' })
  await hub().approve('files', {}, 'owner')
  await hub().rules('files', { policy: 'allow', tainted: true }, 'owner')
  const { version: _v, author: _a, updatedAt: _u, ...agent } = (await h.runtime.registry.get('agent', 'generalist'))!
  await h.runtime.registry.save('agent', { ...agent, tools: [...agent.tools, 'mcp__files__echo'] }, 'owner')
  await hub().enable('files', false, 'owner')
  await h.runtime.store.transact(async (tx) => {
    await tx.db
      .updateTable('mcp_servers')
      .set({ spec: JSON.stringify({ command: fixture('honest').command }) })
      .execute()
  })
  await hub().enable('files', true, 'owner')
}

test('it is added and not started, says why, and starts when a person lets it', async () => {
  h = await harness(decide, { isolation: 'plain' })
  const added = await add({ folders: fixture('honest').folders })
  expect(added).toMatchObject({ walls: 'asks', state: 'failed', running: 0, retryAt: null, tools: { offered: 0 } })
  expect(added.problem).toMatch(
    /^there is no sandbox here for the MCP server "files" \(.+\), so it would see and do all that its user may; a person lets it with `banyan mcp plain files`$/,
  )
  expect(await hub().restart('files')).toMatchObject({ walls: 'asks', running: 0 })
  expect(await hub().allowPlain('files', 'owner')).toMatchObject({ walls: 'plain', state: 'running', problem: null, tools: { pending: 2 } })
  const facts = (await h.runtime.store.eventsAfter(0)).filter((event) => event.type === 'server.changed')
  expect(facts.map(({ what, detail, by }) => [what, detail, by]).slice(1)).toEqual([
    ['rules', 'runs plain where there is no sandbox', 'owner'],
  ])
  await expect(async () => hub().allowPlain('none', 'owner')).rejects.toThrow(/There is no MCP server "none"/)
})

test('a call of an agent asks in the review queue at the level "plain"; reject leaves it ended, approve starts it', async () => {
  h = await harness(decide, { isolation: 'plain' })
  await moved()
  const first = await h.over(await h.goal('say hello'))
  expect(first.result).toMatch(
    /^Not called: there is no sandbox here for the MCP server "files".*An item in the review queue asks for that/,
  )
  expect(hub().detail('files')).toMatchObject({ walls: 'asks', running: 0 })
  const [item] = await items()
  expect(item).toMatchObject({
    kind: 'flag',
    risk: 'high',
    title: 'The MCP server files can only run without a sandbox here',
    action: { server: 'files', isolation: 'plain', command: expect.stringContaining('honest') },
  })
  // Another task that meets it opens no second item.
  await h.over(await h.goal('say hello again'))
  expect(await items()).toHaveLength(1)
  await h.runtime.tasks.decide(item!.id, { decision: 'approve' }, 'owner')
  await expect.poll(() => hub().detail('files').walls, PATIENCE).toBe('plain')
  expect((await h.over(await h.goal('and now'))).result).toBe('echo: hello')
  // A later server of the same name is another program.
  await hub().remove('files', 'owner')
  expect(await add()).toMatchObject({ walls: 'asks', running: 0 })
})

test('a rejected item leaves it ended', async () => {
  h = await harness(decide, { isolation: 'plain' })
  await moved()
  await h.over(await h.goal('say hello'))
  const [item] = await items()
  await h.runtime.tasks.decide(item!.id, { decision: 'reject' }, 'owner')
  expect((await h.over(await h.goal('and now'))).result).toMatch(/^Not called: there is no sandbox here/)
  expect(hub().detail('files')).toMatchObject({ walls: 'asks', running: 0 })
  expect(await items()).toEqual([])
})

test('one that was added to run plain runs at once, and each question about a call shows that', async () => {
  h = await harness(decide, { isolation: 'plain' })
  await moved()
  await hub().remove('files', 'owner')
  await add({ isolation: 'plain' })
  await hub().approve('files', {}, 'owner')
  const id = await h.goal('say hello')
  await h.until(id, (task) => task.status === 'waiting')
  expect((await items())[0]).toMatchObject({ kind: 'permission', action: { server: 'files', runs: 'plain' } })
  await h.runtime.tasks.decide((await items())[0]!.id, { decision: 'approve' }, 'owner')
  expect((await h.over(id)).result).toContain('echo: hello')
})
