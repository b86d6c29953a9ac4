/** The official conformance suites, against Banyan's own app, login, sessions and Tasks extension. */
import { afterAll, beforeAll, expect, test } from 'vitest'
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

const TASKS = ['lifecycle', 'capability-negotiation', 'wire-fields', 'request-state-removal', 'mrtr-input', 'request-headers', 'dispatch-and-envelope', 'required-task-error', 'mrtr-composition'] // biome-ignore format: a list
const suite = (program: string, ...args: string[]) =>
  run(process.execPath, [peer(`${program}/dist/index.js`), 'server', '--url', front.url, ...args])

test.runIf(ready)(
  'every scored server scenario of 2025-11-25 passes, by the suite that is released',
  async () => {
    const { code, output } = await suite('@modelcontextprotocol/conformance', '--suite', 'active')
    expect(code, output).toBe(0)
  },
  120_000,
)

// The suite runs what a revision does not score after what it does; it says how that ended, and its exit code is silent about it.
test.runIf(ready).each([
  { revision: '2025-11-25', alsoPassed: ['server-session-lifecycle', 'json-schema-2020-12', 'server-sse-polling'] },
  {
    revision: '2026-07-28',
    alsoPassed: [
      ...TASKS.map((name) => `tasks-${name}`),
      'json-schema-2020-12',
      'http-header-validation',
      'http-custom-header-server-validation',
    ],
  },
])(
  'every server scenario that $revision scores passes, and what it only reports: the Tasks extension and later additions',
  async ({ revision, alsoPassed }) => {
    const { code, output } = await suite('conformance-alpha', '--requirements', revision)
    expect(code, output).toBe(0)
    for (const name of alsoPassed) expect(output).toMatch(new RegExp(`✓ ${name}: [1-9]\\d* passed, 0 failed`))
  },
  120_000,
)
