import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { TALLY } from '../testing/tally-words.ts'
import { openBench } from './fixture/banyan.ts'

const bench = openBench()
let url = ''
let token = ''
beforeAll(async () => {
  ;({ url } = await bench.engine())
  token = (await readFile(join(bench.dataDir, 'admin-token'), 'utf8')).trim()
}, 60_000)
afterAll(() => bench.remove())

test('a tool that an agent made is shown, approved, switched off and on, and compared; its source is not changed by hand', {
  timeout: 120_000,
}, async () => {
  const send = async (path: string, body?: unknown, method = body === undefined ? 'GET' : 'POST') => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
    const response = await fetch(`${url}${path}`, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) })
    return { status: response.status, body: (await response.json()) as Record<string, never> }
  }
  await send('/api/tools/create_tool/try', { input: TALLY })
  await expect.poll(async () => (await send('/api/tools/tally_words')).status, { timeout: 60_000 }).toBe(200)
  const run = async (...argv: string[]) => bench.run(['tool', ...argv])
  expect((await run('ls')).out).toMatch(/^tally_words +made +v1/m)
  const shown = (await run('show', 'tally_words')).out
  expect(shown).toMatch(/pure; not approved/)
  expect(shown).toMatch(/2 tests passed/)
  expect(shown).toMatch(/# source\nexport default async function tally/)
  expect((await run('approve', 'tally_words', '--version-shown', '2')).err).toMatch(/Version 1 of tally_words is the newest/)
  expect(await run('approve', 'tally_words')).toMatchObject({ code: 0, out: expect.stringMatching(/approved, as version 1/) })
  expect((await run('rollback', 'tally_words')).err).toMatch(/no earlier version/)
  expect((await run('disable', 'tally_words')).out).toMatch(/is off, as version 2/)
  expect((await run('diff', 'tally_words')).out).toMatch(/^\+\(off\)$/m)
  expect((await run('enable', 'tally_words')).out).toMatch(/is on, as version 3/)
  expect(JSON.parse((await run('versions', 'tally_words', '--json')).out)).toMatchObject({
    states: [{ version: 3, approvedBy: 'owner' }, {}, {}],
  })
  expect((await run('rollback', 'write_file')).err).toMatch(/No agent made/)

  const { body } = await send('/api/tools/tally_words')
  const changed = { ...body, made: { ...(body.made as unknown as object), source: 'export default async () => 1' } }
  expect((await send('/api/tools/tally_words', changed, 'PUT')).status).toBe(403)
  expect((await send('/api/tools', { ...changed, name: 'another_one' }, 'POST')).status).toBe(403)
  const { name, core } = body
  expect((await send('/api/tools/tally_words', { name, core, description: 'Counts the words of a text.' }, 'PUT')).body).toMatchObject({
    made: { source: TALLY.source },
  })
})
