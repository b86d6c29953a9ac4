import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { WebSocket } from 'ws'
import { type Server, serve, TOKEN } from '../core/http/fixture/serve.ts'
import { createApi } from './api.ts'
import { type LiveState, startLive } from './live.ts'

const headers = { authorization: `Bearer ${TOKEN}` }
const closers: (() => unknown)[] = []
beforeEach(() => {
  // A browser sends its cookie by itself.
  const WithToken = class extends WebSocket {
    constructor(url: string) {
      super(url, { headers })
    }
  }
  vi.stubGlobal('WebSocket', WithToken)
})
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
  vi.unstubAllGlobals()
})
async function open(options: Parameters<typeof serve>[0] = {}): Promise<Server> {
  const server = await serve(options)
  let stopped: Promise<void> | undefined
  const stop = () => (stopped ??= server.stop())
  closers.push(stop)
  return { ...server, stop }
}
function watch(server: Server) {
  const live = startLive({
    api: createApi(`http://127.0.0.1:${server.port}`, headers),
    socketUrl: `ws://127.0.0.1:${server.port}/api/live?topics=1`,
  })
  closers.push(() => live.stop())
  const until = (is: (state: LiveState) => boolean): Promise<void> =>
    new Promise((resolve) => {
      const look = () => {
        if (!is(live.state())) return
        stop()
        resolve()
      }
      const stop = live.subscribe(look)
      look()
    })
  return { live, until }
}
const isLive = (state: LiveState) => state.connection === 'live'

test('is live with what the server is, and hears of every fact, also of one that no goal has', async () => {
  const server = await open()
  const { live, until } = watch(server)
  await until(isLive)
  expect(live.state()).toMatchObject({ revision: 'r1', firstRevision: 'r1', system: { revision: 'r1' }, reads: 1 })
  const { seq } = live.state()
  await server.registry.save('document', { name: 'house', description: 'The house.', content: 'It has a door.' }, 'me')
  await until((state) => state.seq > seq)
})

test('after the server was away the line is taken up again, what a goal is by then is shown, and a newer revision is told', async () => {
  const server = await open()
  const { live, until } = watch(server)
  await until(isLive)
  const leave = live.data.home.subscribe(() => undefined)
  const first = await server.goal('The first goal.')
  await expect.poll(() => live.data.home.get().trees.map((tree) => tree.id)).toEqual([first])
  await server.stop()
  await until((state) => state.connection === 'reconnecting')
  expect(live.state().lostAt).not.toBeNull()
  expect(live.state().restarting, 'it said so').toBe(true)
  const again = await open({ port: server.port, revision: 'r2' })
  const second = await again.goal('Of another database.')
  await until((state) => isLive(state) && state.reads === 2)
  expect(live.state()).toMatchObject({ revision: 'r2', firstRevision: 'r1', lostAt: null, restarting: false })
  await expect.poll(() => live.data.home.get().trees.map((tree) => tree.id)).toEqual([second])
  leave()
})

test('a server with a database that was put back shows an opened goal as it is there, not as it was', async () => {
  const server = await open()
  const { live, until } = watch(server)
  await until(isLive)
  for (let i = 0; i < 5; i++) await server.goal(`Goal ${i}.`)
  const { store, use } = live.data.tree(await server.goal('Gone with the old database.'))
  const leave = use()
  await expect.poll(() => store.state().state).toBe('ready')
  await server.stop()
  const again = await open({ port: server.port })
  await until((state) => isLive(state) && state.reads === 2)
  await expect.poll(() => store.state().state).toBe('missing')
  expect(live.state().seq).toBeLessThanOrEqual(await again.store.lastSeq())
  leave()
})

test('a server that stays away is said to be offline', async () => {
  const server = await open()
  const { until } = watch(server)
  await until(isLive)
  await server.stop()
  await until((state) => state.connection === 'offline')
})

test('a login that ended stops the knocking', async () => {
  const server = await open()
  const live = startLive({
    api: createApi(`http://127.0.0.1:${server.port}`, { authorization: 'Bearer nobody' }),
    socketUrl: `ws://127.0.0.1:${server.port}/api/live?topics=1`,
  })
  closers.push(() => live.stop())
  await expect.poll(() => live.state().connection).toBe('signed_out')
  live.wake()
  expect(live.state().connection).toBe('signed_out')
})

test('waking takes the line up again at once', async () => {
  const server = await open()
  const { live, until } = watch(server)
  await until(isLive)
  live.wake()
  expect(live.state().connection).toBe('reconnecting')
  await until((state) => isLive(state) && state.reads === 2)
})
