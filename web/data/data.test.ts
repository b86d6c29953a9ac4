import { once } from 'node:events'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { type Server, serve, TOKEN } from '../../core/http/fixture/serve.ts'
import { createApi } from '../api.ts'
import { openChannel } from './channel.ts'
import { createData } from './data.ts'

let server: Server
beforeEach(async () => {
  server = await serve()
})
afterEach(() => server.stop())

/** The page's data over real sockets to a real server; `join` opens the line, and what it returns cuts it off. */
function page() {
  const channel = openChannel()
  const data = createData(channel, createApi(server.url, { authorization: `Bearer ${TOKEN}` }))
  const asked: string[] = []
  const join = async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${server.port}/api/live?topics=1`, { headers: { authorization: `Bearer ${TOKEN}` } })
    socket.on('message', (text) => channel.take(JSON.parse(String(text))))
    await once(socket, 'open')
    channel.opened(
      (frame) => {
        asked.push(JSON.stringify(frame))
        socket.send(asked.at(-1)!)
      },
      () => socket.terminate(),
    )
    return () => {
      channel.closed()
      socket.terminate()
    }
  }
  return { data, asked, join }
}

test('after the line broke the page is told only what it missed, and shows what is in the tables', async () => {
  const id = await server.goal()
  const { data, asked, join } = page()
  const cut = await join()
  const { store, use } = data.tree(id)
  const leave = use()
  await expect.poll(() => store.state().state).toBe('ready')
  cut()
  await server.tasks.control(id, { verb: 'abort', by: 'me' })
  const seq = store.seq()
  const end = await join()
  expect(asked.at(-1)).toBe(JSON.stringify({ sub: [{ topic: `tree:${id}`, after: seq }] }))
  await expect.poll(() => store.view(id)?.node.status, { timeout: 2_000 }).toBe('cancelled')
  leave()
  end()
})

test('home, reviews and an opened task are what the server has, and follow it', async () => {
  const id = await server.goal('The first goal.')
  const { data, join } = page()
  const end = await join()
  const leave = [data.home, data.reviews, data.system, data.task(id)].map((source) => source.subscribe(() => undefined))
  await expect.poll(() => data.home.get().trees.map((tree) => tree.goal)).toEqual(['The first goal.'])
  await expect.poll(() => data.task(id).get().task?.instruction).toBe('The first goal.')
  const item = await server.flag(id)
  await expect.poll(() => data.reviews.get().reviews.map((review) => review.id)).toEqual([item])
  await expect.poll(() => data.home.get().trees[0]?.needsYou).toBe(1)
  await server.tasks.decide(item, { decision: 'approve' }, 'me')
  await expect.poll(() => data.reviews.get().reviews).toEqual([])
  await server.tasks.control(id, { verb: 'steer', by: 'me', message: 'Look here.' })
  await expect
    .poll(() =>
      data
        .task(id)
        .get()
        .messages.map((message) => 'text' in message && message.text),
    )
    .toContain('Look here.')
  for (const stop of leave) stop()
  end()
})

test('going through many tasks quickly asks for no more at once than the server tells, and the last one is told', async () => {
  const id = await server.goal()
  const { data, join } = page()
  const end = await join()
  for (let i = 0; i < 100; i++) data.task(`nobody-${i}`).subscribe(() => undefined)()
  const leave = data.task(id).subscribe(() => undefined)
  await expect.poll(() => data.task(id).get()).toMatchObject({ loaded: true, fault: null })
  leave()
  end()
})
