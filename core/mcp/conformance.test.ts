/** The official conformance suites, against Banyan's own app, login, sessions and Tasks extension. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { installPeers, peer, run } from '../../scripts/testing/peers.ts'
import { type Server, serve, TOKEN } from '../http/fixture/serve.ts'
import { conformance } from './fixture/conformance.ts'
import { openFront } from './fixture/front.ts'

let server: Server
let front: Awaited<ReturnType<typeof openFront>>
const ready = await installPeers()
beforeAll(async () => {
  server = await serve({ mcp: conformance(() => server.mcp.notify) })
  front = await openFront({ port: server.port, token: TOKEN })
})
afterAll(async () => {
  await front.close()
  await server.stop()
})

const suite = (program: string, ...args: string[]) =>
  run(process.execPath, [peer(`${program}/dist/index.js`), 'server', '--url', front.url, ...args])

describe.runIf(ready)('every scored server scenario passes', () => {
  test('of 2025-11-25, by the suite that is released', async () => {
    const { code, output } = await suite('@modelcontextprotocol/conformance', '--suite', 'active')
    expect(code, output).toBe(0)
  }, 120_000)

  test.each(['2025-11-25', '2026-07-28'])(
    'of %s, as its requirements were frozen',
    async (revision) => {
      const { code, output } = await suite('conformance-alpha', '--requirements', revision)
      expect(code, output).toBe(0)
    },
    120_000,
  )
})

const TASKS = ['lifecycle', 'capability-negotiation', 'wire-fields', 'request-state-removal', 'mrtr-input', 'request-headers', 'dispatch-and-envelope', 'required-task-error', 'mrtr-composition'] // biome-ignore format: a list
test.runIf(ready).each(TASKS)(
  'the Tasks extension passes tasks-%s',
  async (name) => {
    const { code, output } = await suite('conformance-alpha', '--scenario', `tasks-${name}`)
    expect(code, output).toBe(0)
  },
  120_000,
)
