/**
 * What every provider over HTTP promises, run against each of them with a real server that speaks its protocol. Bodies are streams as
 * the services send them, written out as text.
 */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { drain, type ModelEvent, type ModelFault, type ModelRequest, type Provider, type Reply } from './provider.ts'

export type Recording = {
  name: string
  body: string
  /** The message has ended once the last occurrence of this was sent. */
  endMark: string
  reply: Partial<Reply>
  thinking?: string
}

export type Protocol = {
  name: string
  make(at: { baseUrl: string; idleTimeoutMs?: number }): Provider
  recordings: { text: Recording; call: Recording; parallel: Recording } & Record<string, Recording>
  /** An error's body as the service words it. */
  error(type: string, message: string): string
  /** Bytes that say "still alive" and nothing else. */
  keepAlive: string
  /** Words of the service for a request that is too long, and for an account without money, with their statuses. */
  tooLong: { status: number; type: string; message: string }[]
  unpaid: { status: number; type: string; message: string }[]
}

export const request: ModelRequest = {
  model: 'test-model',
  system: 'You work on one task.',
  messages: [{ role: 'user', text: 'What is in the folder?' }],
  tools: ['list_files', 'read_file'].map((name) => ({
    name,
    description: `${name} of the workspace`,
    inputSchema: { type: 'object', properties: { path: { type: 'string' } } },
  })),
  maxOutputTokens: 1000,
  task: { id: 't1', treeId: 't1', agent: 'agent', kind: 'work', instruction: 'What is in the folder?', origin: 'person', stopping: false },
}

export type Handler = (req: IncomingMessage, res: ServerResponse, body: string) => void

/** A server whose answer is set by each test. */
export async function serve(handler: Handler) {
  const server = createServer(async (req, res) => {
    let body = ''
    for await (const piece of req) body += piece
    handler(req, res, body)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const close = async () => {
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  }
  return { url, close }
}

export const stream = (res: ServerResponse) => res.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' })

export async function eventsOf(provider: Provider, asked: ModelRequest = request, signal = new AbortController().signal) {
  const events: ModelEvent[] = []
  for await (const event of provider.stream(asked, signal)) events.push(event)
  return events
}

const isFault = (end: Reply | ModelFault): end is ModelFault => 'kind' in end

export function providerSuite(protocol: Protocol): void {
  describe(`${protocol.name} as a provider`, () => {
    let answer: Handler = (_, res) => res.end()
    let server: Awaited<ReturnType<typeof serve>>
    beforeAll(async () => {
      server = await serve((req, res, body) => answer(req, res, body))
    })
    afterAll(() => server.close())

    const make = (idleTimeoutMs = 20_000, baseUrl = server.url) => protocol.make({ baseUrl, idleTimeoutMs })
    const ends = async (handler: Handler, provider = make()): Promise<Reply | ModelFault> => {
      answer = handler
      return drain(provider.stream(request, new AbortController().signal))
    }
    const { recordings } = protocol

    for (const recording of Object.values(recordings))
      it(`reads ${recording.name}`, async () => {
        answer = (_, res) => stream(res).end(recording.body)
        const events = await eventsOf(make())
        const last = events.at(-1)
        expect(last).toMatchObject({ type: 'done', reply: recording.reply })
        const reply = (last as { reply: Reply }).reply
        expect(reply.calls).toEqual(recording.reply.calls ?? [])
        expect(events.flatMap((event) => (event.type === 'call' ? [event.tool] : []))).toEqual(reply.calls.map(({ tool }) => tool))
        expect(events.filter((event) => event.type === 'thinking').reduce((all, { delta }) => all + delta, '')).toBe(
          recording.thinking ?? '',
        )
        expect(events.findIndex(({ type }) => type === 'done')).toBe(events.length - 1)
      })

    it('tells the words as they come', async () => {
      answer = (_, res) => stream(res).end(recordings.text.body)
      const words = (await eventsOf(make())).flatMap((event) => (event.type === 'text' ? [event.delta] : []))
      expect(words.length).toBeGreaterThan(1)
      expect(words.join('')).toBe(recordings.text.reply.text)
    })

    it('makes the same of a stream that arrives byte by byte', async () => {
      const { body, reply } = recordings.call
      const end = await ends((_, res) => {
        stream(res)
        for (const byte of Buffer.from(body)) res.write(Buffer.from([byte]))
        res.end()
      })
      expect(end).toMatchObject(reply)
    })

    for (const recording of Object.values(recordings))
      for (const how of ['ended', 'reset'] as const)
        it(`never takes ${recording.name} for whole when it is ${how} before its end, at whatever byte`, async () => {
          const body = Buffer.from(recording.body)
          const needed = Buffer.byteLength(
            recording.body.slice(0, recording.body.lastIndexOf(recording.endMark) + recording.endMark.length),
          )
          const cuts = await serve((req, res) => {
            const at = Number(/\/cut(\d+)\//.exec(req.url ?? '')?.[1])
            stream(res)
            if (how === 'ended') res.end(body.subarray(0, at))
            else res.write(body.subarray(0, at), () => res.socket?.destroy())
          })
          const wrong: string[] = []
          let whole = 0
          const tryAt = async (at: number) => {
            const events = await eventsOf(make(20_000, `${cuts.url}/cut${at}`))
            const done = events.some(({ type }) => type === 'done')
            const told = events.some(({ type }) => type === 'call')
            const lasts = events.filter(({ type }) => type === 'done' || type === 'fault').length
            if (done) whole += 1
            if ((at < needed && (done || told)) || lasts !== 1) wrong.push(`${at}: ${events.map(({ type }) => type).join(' ')}`)
            const fault = events.at(-1)
            if (fault?.type === 'fault' && fault.fault.kind !== 'later') wrong.push(`${at}: ${fault.fault.kind} ${fault.fault.message}`)
          }
          let next = 1
          const worker = async () => {
            while (next <= body.length) await tryAt(next++)
          }
          await Promise.all(Array.from({ length: 24 }, worker))
          await cuts.close()
          expect(wrong).toEqual([])
          if (how === 'ended') expect(whole).toBeGreaterThan(0)
        }, 60_000)

    describe('when the provider fails', () => {
      const error = (status: number, headers: Record<string, string>, body: string): Handler => {
        return (_, res) => res.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body)
      }
      const busy = protocol.error('rate_limit_error', 'slow down')

      it.each([
        ['seconds', { 'retry-after': '7' }, 7000, 7000],
        ['a fraction of a second', { 'retry-after': '0.5' }, 500, 500],
        ['milliseconds, which go first', { 'retry-after-ms': '1500', 'retry-after': '2' }, 1500, 1500],
        ['an HTTP date', { 'retry-after': new Date(Date.now() + 7_200_000).toUTCString() }, 3_600_000, 7_200_000],
        ['a date gone by', { 'retry-after': new Date(0).toUTCString() }, 0, 0],
      ])('waits as retry-after says in %s', async (_, headers, least, most) => {
        const end = await ends(error(429, headers, busy))
        expect(end).toMatchObject({ kind: 'later', retryAfterMs: expect.any(Number) })
        const wait = (end as ModelFault).retryAfterMs ?? -1
        expect(wait).toBeGreaterThanOrEqual(least)
        expect(wait).toBeLessThanOrEqual(most)
      })

      it.each([
        [429, 'later'],
        [408, 'later'],
        [500, 'later'],
        [502, 'later'],
        [503, 'later'],
        [529, 'later'],
        [400, 'bad'],
        [404, 'bad'],
        [422, 'bad'],
        [401, 'refused'],
        [403, 'refused'],
        [402, 'refused'],
        [413, 'overflow'],
      ])('takes status %i for "%s"', async (status, kind) => {
        const end = await ends(error(status, {}, protocol.error('some_error', 'words of the provider')))
        expect(end).toMatchObject({ kind, message: expect.stringContaining(`answered ${status}: words of the provider`) })
        expect(end).not.toHaveProperty('retryAfterMs')
      })

      it.each(protocol.tooLong)('takes "$message" for too long a request', async ({ status, type, message }) => {
        expect(await ends(error(status, {}, protocol.error(type, message)))).toMatchObject({ kind: 'overflow' })
      })

      it.each(protocol.unpaid)('leaves "$message" to a person', async ({ status, type, message }) => {
        expect(await ends(error(status, { 'retry-after': '1' }, protocol.error(type, message)))).toMatchObject({ kind: 'refused' })
      })

      it('takes a rate limit that mentions billing for a rate limit', async () => {
        const words = 'You exceeded your current quota of 3 a minute; add a payment method at https://example.org/account/billing.'
        expect(await ends(error(429, { 'retry-after': '20' }, protocol.error('rate_limit_error', words)))).toMatchObject({
          kind: 'later',
          retryAfterMs: 20_000,
        })
      })

      it('says what a web page of a proxy says, without its markup', async () => {
        const page = '<html><head><style>b{}</style></head><body><h1>502 Bad Gateway</h1></body></html>'
        const end = await ends((_, res) => res.writeHead(502, { 'content-type': 'text/html' }).end(page))
        expect(end).toMatchObject({ kind: 'later', message: expect.stringContaining('Bad Gateway') })
        expect((end as ModelFault).message).not.toMatch(/[<{]/)
      })

      it('asks a person about an address that answers with a web page', async () => {
        const end = await ends((_, res) => res.writeHead(200, { 'content-type': 'text/html' }).end('<html>Welcome</html>'))
        expect(end).toMatchObject({ kind: 'refused', message: expect.stringContaining('check the base URL') })
      })

      it('never repeats the key', async () => {
        const end = await ends(error(401, {}, protocol.error('authentication_error', 'no such key: secret-key')))
        expect((end as ModelFault).message).toContain('no such key: [key]')
      })

      it.each([
        ['a connection that is reset', (_: IncomingMessage, res: ServerResponse) => void res.socket?.destroy()],
        ['an empty answer', (_: IncomingMessage, res: ServerResponse) => void stream(res).end()],
        [
          'events that are not JSON',
          (_: IncomingMessage, res: ServerResponse) => void stream(res).end('event: message_start\ndata: {"a\n\n'),
        ],
      ])('tries again later after %s', async (_, handler) => {
        expect(await ends(handler)).toMatchObject({ kind: 'later' })
      })

      it('tries again later when nobody listens', async () => {
        const gone = await serve(() => undefined)
        await gone.close()
        expect(await ends(() => undefined, make(20_000, gone.url))).toMatchObject({
          kind: 'later',
          message: expect.stringMatching(/ECONNREFUSED|failed/),
        })
      })

      it('does not make words of bytes that are not UTF-8', async () => {
        const body = Buffer.from(recordings.text.body)
        const at = body.indexOf(Buffer.from('ö'))
        expect(at).toBeGreaterThan(0)
        body[at] = 0xff
        expect(await ends((_, res) => stream(res).end(body))).toMatchObject({ kind: 'later' })
      })

      it('calls silence before the first byte a fault', async () => {
        expect(await ends(() => undefined, make(60))).toMatchObject({
          kind: 'later',
          message: expect.stringContaining('sent nothing for 0.1 s'),
        })
      })

      it('calls silence in the middle a fault', async () => {
        const end = await ends((_, res) => void stream(res).write(recordings.call.body.slice(0, -200)), make(60))
        expect(end).toMatchObject({ kind: 'later', message: expect.stringContaining('sent nothing') })
      })

      it('waits for a provider that shows signs of life, and then reads its answer', async () => {
        const end = await ends((_, res) => {
          stream(res)
          let beats = 0
          const timer = setInterval(() => {
            if (++beats < 8) return void res.write(protocol.keepAlive)
            clearInterval(timer)
            res.end(recordings.text.body)
          }, 50)
        }, make(200))
        expect(end).toMatchObject(recordings.text.reply)
      })

      it('does not wait for ever on signs of life alone', async () => {
        const end = await ends((_, res) => {
          stream(res)
          const timer = setInterval(() => res.write(protocol.keepAlive), 10)
          res.on('close', () => clearInterval(timer))
        }, make(50))
        expect(end).toMatchObject({ kind: 'later' })
      })
    })

    it('stops at once when told to, hangs up, and ends with a fault to try later', async () => {
      const stop = new AbortController()
      const hungUp = Promise.withResolvers<void>()
      answer = (_, res) => {
        res.on('close', () => hungUp.resolve())
        stream(res).write(recordings.text.body.slice(0, recordings.text.body.lastIndexOf(recordings.text.endMark)))
      }
      const events: ModelEvent[] = []
      for await (const event of make().stream(request, stop.signal)) {
        events.push(event)
        if (event.type === 'text') stop.abort()
      }
      expect(events.at(-1)).toMatchObject({ type: 'fault', fault: { kind: 'later', message: expect.stringContaining('was stopped') } })
      await hungUp.promise
    })

    it('hangs up when nobody reads on', async () => {
      const hungUp = Promise.withResolvers<void>()
      answer = (_, res) => {
        res.on('close', () => hungUp.resolve())
        stream(res).write(recordings.text.body.slice(0, -60))
      }
      for await (const event of make().stream(request, new AbortController().signal)) if (event.type === 'text') break
      await hungUp.promise
    })

    it('asks nothing when it was stopped before', async () => {
      let asked = 0
      answer = (_, res) => {
        asked += 1
        stream(res).end(recordings.text.body)
      }
      const end = await drain(make().stream(request, AbortSignal.abort()))
      expect(isFault(end) && end.kind).toBe('later')
      expect(asked).toBe(0)
    })

    it('serves many streams at the same time', async () => {
      const kinds = [recordings.text, recordings.call, recordings.parallel]
      const busy = await serve((req, res) => void stream(res).end(kinds[Number(/\/n(\d)\//.exec(req.url ?? '')?.[1])]!.body))
      const all = await Promise.all(
        Array.from({ length: 60 }, (_, at) =>
          drain(make(20_000, `${busy.url}/n${at % 3}`).stream(request, new AbortController().signal)).then((end) => [
            end,
            kinds[at % 3]!.reply,
          ]),
        ),
      )
      await busy.close()
      for (const [end, reply] of all) expect(end).toMatchObject(reply!)
    })
  })
}
