import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type ClientOptions, WebSocket } from 'ws'
import type { Event } from '../contract/event.ts'
import type { LiveFrame } from '../contract/live.ts'
import { type Server, serve, TOKEN } from './fixture/serve.ts'

let server: Server
const LIMITS = { slowBytes: 256 * 1024, maxConnections: 10 }
beforeEach(async () => {
  server = await serve({ live: LIMITS })
})
afterEach(() => server.stop())
/** A server whose heart beats so fast that a test can wait for it; too fast for one that is busy. */
const beatFast = async () => {
  await server.stop()
  server = await serve({ live: { ...LIMITS, heartbeatMs: 100 } })
}

const write = (what: string, count = 1, treeId: string | null = null) =>
  server.store.transact(async (tx) => {
    for (let i = 0; i < count; i++) tx.record(treeId, { type: 'sweep.repaired', taskId: 't', what: `${what} ${i}` })
  })
const all = async (): Promise<Event[]> => {
  const events: Event[] = []
  for (let batch = await server.store.eventsAfter(0); batch.length > 0; batch = await server.store.eventsAfter(events.at(-1)!.seq))
    events.push(...batch)
  return events
}

type Client = { socket: WebSocket; frames: LiveFrame[]; events(): Event[]; until(enough: () => boolean): Promise<void> }
async function connect(after: number, options: ClientOptions = {}): Promise<Client> {
  const socket = new WebSocket(`ws://127.0.0.1:${server.port}/api/live?after=${after}`, {
    headers: { authorization: `Bearer ${TOKEN}` },
    ...options,
  })
  const frames: LiveFrame[] = []
  socket.on('message', (data) => frames.push(JSON.parse(String(data)) as LiveFrame))
  await once(socket, 'open')
  return {
    socket,
    frames,
    events: () => frames.flatMap((frame) => (frame.type === 'event' ? [frame.event] : [])),
    until: async (enough) => {
      while (!enough()) await once(socket, 'message', { signal: AbortSignal.timeout(10_000) })
    },
  }
}

describe('the live line', () => {
  test('says hello with the newest number, tells what there is, then what comes', async () => {
    await write('before', 3)
    const { seq } = (await all()).at(-1)!
    const client = await connect(seq - 2)
    await client.until(() => client.events().length === 2)
    expect(client.frames[0]).toEqual({ type: 'hello', seq, revision: 'r1' })
    await write('after', 2)
    await client.until(() => client.events().length === 4)
    expect(client.events()).toEqual((await all()).slice(-4))
    client.socket.close()
  })

  test('loses nothing and repeats nothing for clients that come and go while many write', async () => {
    let writing = true
    const writers = Promise.all(
      Array.from({ length: 8 }, async (_, w) => {
        for (let i = 0; i < 150; i++) {
          await write(`${w}.${i}`, 1 + (i % 4))
          if (i % 10 === 0) await new Promise(setImmediate)
        }
      }),
    ).then(() => {
      writing = false
    })
    const followers = Array.from({ length: 5 }, async (_, f) => {
      const seen: Event[] = []
      let connections = 0
      for (;;) {
        const client = await connect(seen.at(-1)?.seq ?? 0)
        connections++
        const last = !writing
        const wanted = 40 + 60 * f
        const end = last ? await server.store.lastSeq() : Number.POSITIVE_INFINITY
        await client.until(() => client.events().length >= wanted || (client.events().at(-1)?.seq ?? seen.at(-1)?.seq ?? 0) >= end)
        client.socket.terminate()
        seen.push(...client.events())
        if ((seen.at(-1)?.seq ?? 0) >= end) return { seen, connections }
        if (writing) await write(`wakes ${f}`) // a follower that has everything waits for something new
      }
    })
    const [ends] = await Promise.all([Promise.all(followers), writers])
    const whole = await all()
    expect(whole.length).toBeGreaterThan(2_900)
    for (const { seen, connections } of ends) {
      expect(connections).toBeGreaterThan(3)
      expect(seen.map((event) => event.seq)).toEqual(whole.slice(0, seen.length).map((event) => event.seq))
      expect(seen).toEqual(whole.slice(0, seen.length))
    }
  })

  test('holds little for a client that does not read, and tells it everything when it does', async () => {
    const client = await connect(await server.store.lastSeq())
    await client.until(() => client.frames.length === 1)
    client.socket.pause()
    const big = 'x'.repeat(20_000)
    let most = 0
    for (let i = 0; i < 1_000; i++) {
      await write(`${big} ${i}`)
      most = Math.max(most, server.live.load().bufferedBytes)
    }
    expect(most).toBeGreaterThan(256 * 1024) // it did fall behind: 20 MB were written
    expect(most).toBeLessThan(2 * 256 * 1024)
    client.socket.resume()
    await client.until(() => client.events().length === 1_000)
    expect(client.events()).toEqual((await all()).slice(-1_000))
    client.socket.close()
  })

  test('begins anew for a client that knows more than there is', async () => {
    await write('only', 2)
    const seq = await server.store.lastSeq()
    const client = await connect(seq + 5_000)
    await write('later')
    await client.until(() => client.events().length === 1)
    expect(client.frames[0]).toMatchObject({ type: 'hello', seq })
    expect(client.events()[0]?.seq).toBe(seq + 1)
    client.socket.close()
  })

  test('carries what a model is writing, and nobody else keeps it', async () => {
    const client = await connect(0)
    await client.until(() => client.frames.length >= 1)
    const before = await server.store.lastSeq()
    server.live.delta('task-1', 'Hel')
    server.live.delta('task-1', 'lo')
    await client.until(() => client.frames.filter((frame) => frame.type === 'delta').length === 2)
    expect(client.frames.filter((frame) => frame.type === 'delta')).toEqual([
      { type: 'delta', taskId: 'task-1', text: 'Hel' },
      { type: 'delta', taskId: 'task-1', text: 'lo' },
    ])
    expect(await server.store.lastSeq()).toBe(before)
    client.socket.close()
  })

  test('lets go of a client that is dead, and keeps one that answers', async () => {
    await beatFast()
    const alive = await connect(0)
    const dead = await connect(0, { autoPong: false })
    await once(dead.socket, 'close')
    expect(alive.socket.readyState).toBe(WebSocket.OPEN)
    await expect.poll(() => server.live.load().connections).toBe(1)
    alive.socket.close()
  })

  test('refuses a client that sends more than pings need', async () => {
    const client = await connect(0)
    client.socket.on('error', () => undefined) // the server may be gone before all is sent
    client.socket.send('x'.repeat(65 * 1024))
    const [code] = (await once(client.socket, 'close')) as [number]
    expect(code).toBe(1009)
  })

  test('says when it ends for a restart', async () => {
    const client = await connect(0)
    await client.until(() => client.frames.length >= 1)
    const closed = once(client.socket, 'close')
    await server.live.close()
    expect((await closed)[0]).toBe(1012)
    expect(await refusal()).toMatchObject({ status: 503, code: 'unavailable' })
  })

  async function refusal(path = '/api/live', headers: Record<string, string> = { authorization: `Bearer ${TOKEN}` }) {
    const socket = new WebSocket(`ws://127.0.0.1:${server.port}${path}`, { headers })
    socket.on('error', () => undefined) // "unexpected response" is what is looked at
    const [, response] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage]
    const chunks: Buffer[] = []
    for await (const chunk of response) chunks.push(chunk as Buffer)
    return JSON.parse(Buffer.concat(chunks).toString()) as { status: number; code: string; detail: string }
  }

  test('is only for who is logged in, at its own address, after a number', async () => {
    expect(await refusal('/api/live', {})).toMatchObject({ status: 401, code: 'unauthorized' })
    expect(await refusal('/api/live', { authorization: 'Bearer wrong' })).toMatchObject({ status: 401 })
    expect(await refusal('/api/other')).toMatchObject({ status: 404 })
    expect(await refusal('/api/live?after=soon')).toMatchObject({ status: 400, detail: '`after` must be the number of a fact, or 0.' })
    const login = await server.ask('GET', new URL(server.auth.loginLink()).pathname + new URL(server.auth.loginLink()).search)
    const cookie = login.headers['set-cookie']![0]!.split(';')[0]!
    expect(await refusal('/api/live', { cookie })).toMatchObject({ status: 403 })
    const page = await connect(0, { headers: { cookie, origin: server.url } })
    await page.until(() => page.frames.length >= 1)
    page.socket.close()
  })

  test('takes no more clients than it was told to', async () => {
    const clients = await Promise.all(Array.from({ length: 10 }, () => connect(0)))
    expect(await refusal()).toMatchObject({ status: 503, detail: 'There are 10 live connections already; close one, or try again later.' })
    expect((await server.ask('GET', '/api/events', { headers: { accept: 'text/event-stream' } })).status).toBe(503)
    clients[0]!.socket.terminate()
    await expect.poll(() => server.live.load().connections).toBe(9)
    const next = await connect(0)
    for (const { socket } of [...clients, next]) socket.terminate()
  })
})

describe('server-sent events', () => {
  /** Reads the stream as a browser's EventSource does. */
  async function listen(path: string, headers: Record<string, string> = {}) {
    const request = get({ port: server.port, path, headers: { authorization: `Bearer ${TOKEN}`, accept: 'text/event-stream', ...headers } })
    const [response] = (await once(request, 'response')) as [IncomingMessage]
    response.on('error', () => undefined) // it is cut off at will
    const told: { id: string | undefined; event: Event }[] = []
    let comments = 0
    let rest = ''
    response.on('data', (chunk: Buffer) => {
      const blocks = (rest + chunk.toString()).split('\n\n')
      rest = blocks.pop()!
      for (const block of blocks) {
        const data = /^data: (.*)$/m.exec(block)?.[1]
        if (data) told.push({ id: /^id: (.*)$/m.exec(block)?.[1], event: JSON.parse(data) as Event })
        else if (block.startsWith(':')) comments++
      }
    })
    return {
      response,
      told,
      comments: () => comments,
      until: (count: number) => expect.poll(() => told.length, { timeout: 10_000 }).toBeGreaterThanOrEqual(count),
      leave: () => request.destroy(),
    }
  }

  test('tell every fact under its number, and go on after the one a client names', async () => {
    await write('first', 3)
    const events = await all()
    const stream = await listen('/api/events')
    expect(stream.response.headers).toMatchObject({ 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
    await stream.until(events.length)
    await write('then', 2)
    await stream.until(events.length + 2)
    expect(stream.told.map(({ event }) => event)).toEqual(await all())
    expect(stream.told.map(({ id }) => id)).toEqual((await all()).map((event) => String(event.seq)))
    stream.leave()
    await expect.poll(() => server.live.load().connections).toBe(0)
    // The header is newer than the address that the browser opened.
    const again = await listen('/api/events?after=1', { 'last-event-id': String(events.length) })
    await again.until(2)
    expect(again.told.map(({ event }) => event)).toEqual((await all()).slice(events.length))
    again.leave()
  })

  test('tell of one tree alone if asked to, whatever else happens', async () => {
    const [mine, other] = [await server.goal(), await server.goal()]
    await write('system', 700)
    const stream = await listen(`/api/events?treeId=${mine}`)
    await stream.until(3)
    await Promise.all([write('mine', 2, mine), write('other', 600, other), write('mine again', 2, mine)])
    await write('system', 10)
    await write('mine last', 1, mine)
    const wanted = (await all()).filter((event) => event.treeId === mine)
    await stream.until(wanted.length)
    expect(stream.told.map(({ event }) => event)).toEqual(wanted)
    stream.leave()
  })

  test('lose nothing for a client that stops reading for a while', async () => {
    const from = await server.store.lastSeq()
    const stream = await listen(`/api/events?after=${from}`)
    stream.response.pause()
    for (let i = 0; i < 300; i++) await write(`${'x'.repeat(50_000)} ${i}`)
    stream.response.resume()
    await stream.until(300)
    expect(stream.told.map(({ event }) => event.seq)).toEqual(Array.from({ length: 300 }, (_, i) => from + 1 + i))
    stream.leave()
  })

  test('show that the line is alive, and end when the system does', async () => {
    await beatFast()
    const stream = await listen('/api/events')
    await expect.poll(() => stream.comments()).toBeGreaterThan(1)
    const ended = once(stream.response, 'end')
    await server.live.close()
    await ended
    expect(server.live.load().connections).toBe(0)
  })

  test('are the same facts as the list, page by page', async () => {
    await write('some', 7)
    const seen: Event[] = []
    let after: string | null = '0'
    while (after !== null) {
      const page = (await server.ask('GET', `/api/events?after=${after}&limit=3`)).json as { items: Event[]; nextCursor: string | null }
      expect(page.items.length).toBeLessThanOrEqual(3)
      seen.push(...page.items)
      after = page.nextCursor
    }
    expect(seen).toEqual(await all())
  })
})
