/** Servers that people really have, as they come from their makers, in the sandbox where this machine has one, called by an agent. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Harness, harness } from '../../scripts/testing/harness.ts'
import { installPeers, PEERS, peer } from '../../scripts/testing/peers.ts'
import { answersIn, endWith } from '../../scripts/testing/scripted.ts'
import { AddServer } from '../contract/api-servers.ts'
import { handOver, NOBODY } from '../exec/local.ts'

const ready = await installPeers()
let h: Harness
let folder: string
let calls: { tool: string; input: unknown }[] = []
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'banyan-peers-'))
  mkdirSync(join(folder, 'notes'))
  writeFileSync(join(folder, 'notes', 'one.txt'), 'the first note')
  if (process.getuid?.() === 0) await handOver(folder, NOBODY)
  h = await harness((request) => {
    const next = calls[answersIn(request).length]
    return next ? { calls: [next] } : endWith(answersIn(request).join('\n'))
  })
})
afterAll(async () => {
  expect(await h.end()).toEqual([])
  rmSync(folder, { recursive: true, force: true })
})

/** Adds a server of the peers and lets the generalist call its tools. */
async function meet(name: string, program: string, args: readonly string[], more: object = {}) {
  const { hub, registry } = h.runtime
  const command = [process.execPath, peer(`@modelcontextprotocol/${program}/dist/index.js`), ...args]
  const folders = [{ path: PEERS, write: false }, ...('folders' in more ? (more.folders as object[]) : [])]
  const added = await hub.add(AddServer.parse({ name, command, ...more, folders }), 'owner')
  expect(added.problem).toBeNull()
  await hub.approve(name, {}, 'owner')
  await hub.rules(name, { policy: 'allow', tainted: true }, 'owner')
  const { version: _v, author: _a, updatedAt: _u, ...agent } = (await registry.get('agent', 'generalist'))!
  const tools = added.toolList.filter((tool) => tool.state === 'pending').map((tool) => tool.id)
  await registry.save('agent', { ...agent, tools }, 'owner')
  return added
}
async function ask(...given: typeof calls): Promise<string> {
  calls = given
  return (await h.over(await h.goal('use it'))).result ?? ''
}

describe.runIf(ready)('an agent', () => {
  test('reads and writes notes with server-filesystem, and nothing beside the folder it was shown', async () => {
    const notes = join(folder, 'notes')
    const added = await meet('files', 'server-filesystem', [notes], { folders: [{ path: notes, write: true }] })
    expect(added.tools).toMatchObject({ offered: 14, unusable: 0 })
    const tool = 'mcp__files__read_text_file'
    expect(await ask({ tool, input: { path: join(notes, 'one.txt') } })).toContain('the first note')
    expect(await ask({ tool: 'mcp__files__write_file', input: { path: join(notes, 'two.txt'), content: 'the second note' } })).toMatch(
      /Successfully/,
    )
    expect(readFileSync(join(notes, 'two.txt'), 'utf8')).toBe('the second note')
    expect(await ask({ tool, input: { path: '/etc/hostname' } })).toMatch(/denied/i)
  }, 60_000)

  test('remembers with server-memory, in a file of the server that outlives it', async () => {
    await meet('memory', 'server-memory', [], { env: { MEMORY_FILE_PATH: join(h.dataDir, 'servers', 'memory', 'shared', 'memory.jsonl') } })
    const entities = [{ name: 'Ann', entityType: 'person', observations: ['likes tea'] }]
    await ask({ tool: 'mcp__memory__create_entities', input: { entities } })
    await h.runtime.hub.restart('memory')
    expect(await ask({ tool: 'mcp__memory__search_nodes', input: { query: 'tea' } })).toContain('Ann')
  }, 60_000)

  test('gets pictures of server-everything as files, and long work with progress', async () => {
    const added = await meet('everything', 'server-everything', ['stdio'])
    expect(added.about?.name).toMatch(/everything/i)
    const named = (part: RegExp) => added.toolList.find((tool) => part.test(tool.name))!.id
    expect(await ask({ tool: named(/^echo$/), input: { message: 'hello' } })).toContain('hello')
    expect(await ask({ tool: named(/tiny-image/i), input: {} })).toMatch(/kept as from-servers\/everything\/\S+\.png/)
    expect(await ask({ tool: named(/long-running/i), input: { duration: 1, steps: 3 } })).toMatch(/complete/i)
  }, 60_000)
})
