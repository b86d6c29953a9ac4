import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { type WebSocket, WebSocketServer } from 'ws'
import type { Event, Fact, TreeHead } from '../core/contract/event.ts'
import { DEFAULT_LIMITS } from '../core/contract/limits.ts'
import type { LiveFrame } from '../core/contract/live.ts'
import { noSpend, type Task } from '../core/contract/task.ts'
import { applyEvent, emptyView, type View } from '../core/contract/tree.ts'
import { createApi } from './api.ts'
import { type LiveState, startLive } from './live.ts'

const at = '2026-01-01T00:00:00.000Z'
const head = (id: string): TreeHead => ({
  id,
  goal: id,
  mode: 'auto',
  limits: DEFAULT_LIMITS,
  spend: noSpend,
  taskCount: 0,
  pausedReason: null,
  submittedBy: 'admin',
  createdAt: at,
})
const task = (id: string, parentId: string | null): Task => ({
  id,
  treeId: id.split('.')[0]!,
  parentId,
  callId: null,
  kind: 'work',
  agent: 'generalist',
  title: id,
  instruction: id,
  origin: 'person',
  status: 'pending',
  reason: null,
  note: null,
  priority: 0,
  depth: 0,
  attempt: 0,
  after: [],
  deadlineAt: null,
  wakeAt: null,
  model: null,
  stoppedByPerson: false,
  taint: [],
  workspace: '',
  result: null,
  summary: null,
  evidence: [],
  verdict: null,
  spend: noSpend,
  createdAt: at,
  updatedAt: at,
})

/** A server that speaks the protocol and whose log the test writes: tables are the fold of the log, so page and server can be compared. */
async function openServer(port = 0, log: Event[] = []) {
  let status = 200
  let aroundTree: { before?: () => void; after?: () => void } = {}
  let snapshots = 0
  const lines = new Set<{ socket: WebSocket; sent: number }>()
  const view = () => log.reduce<View>(applyEvent, emptyView)
  const newest = () => log.at(-1)?.seq ?? 0
  const item = (tree: TreeHead, now: View) => {
    const root = now.tasks[tree.id]!
    return {
      ...tree,
      status: root.status,
      reason: root.reason,
      attempt: root.attempt,
      counts: { [root.status]: 1 },
      needsYou: 0,
      result: root.result,
      summary: root.summary,
      note: root.note,
      updatedAt: at,
      cost: { dollars: 0, unpricedCalls: 0 },
    }
  }
  const answer = (path: string, query: URLSearchParams): unknown => {
    const tree = /^\/api\/trees\/(\w+)$/.exec(path)
    const around = tree ? aroundTree : {}
    if (tree) aroundTree = {}
    around.before?.()
    const now = view()
    if (path === '/api/system')
      return { revision: 'r1', seq: newest(), provider: { name: 'playbook', model: null, judges: false, detail: '' } }
    if (path === '/api/trees') {
      snapshots += 1
      return { items: Object.values(now.trees).map((tree) => item(tree, now)), nextCursor: null }
    }
    if (path === '/api/reviews') return { items: [], nextCursor: null }
    if (path === '/api/events') {
      const treeId = query.get('treeId')
      return { items: log.filter((e) => e.seq > Number(query.get('after')) && (treeId === null || e.treeId === treeId)), nextCursor: null }
    }
    const found = tree && now.trees[tree[1]!]
    if (!found) return undefined
    const read = { ...item(found, now), tasks: Object.values(now.tasks).filter((one) => one.treeId === found.id) }
    around.after?.()
    return read
  }
  const send = (response: ServerResponse, code: number, body: unknown) =>
    response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  const server = createServer((request, response) => {
    const url = new URL(request.url!, 'http://x')
    if (status !== 200) return send(response, status, { detail: 'Log in first.' })
    const body = answer(url.pathname, url.searchParams)
    send(response, body === undefined ? 404 : 200, body ?? { detail: 'There is none.' })
  })
  const sockets = new WebSocketServer({ server })
  sockets.on('connection', (socket, request) => {
    const after = Number(new URL(request.url!, 'http://x').searchParams.get('after'))
    socket.send(JSON.stringify({ type: 'hello', seq: newest(), revision: 'r1' } satisfies LiveFrame))
    const line = { socket, sent: after }
    lines.add(line)
    socket.on('close', () => lines.delete(line))
    pump(line)
  })
  const pump = (line: { socket: WebSocket; sent: number }) => {
    for (const event of log.filter((one) => one.seq > line.sent))
      line.socket.send(JSON.stringify({ type: 'event', event } satisfies LiveFrame))
    line.sent = newest()
  }
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    log,
    snapshots: () => snapshots,
    record(treeId: string, fact: Fact) {
      log.push({ ...fact, seq: newest() + 1, at, treeId })
      for (const line of lines) pump(line)
    },
    say(taskId: string, text: string) {
      for (const { socket } of lines) socket.send(JSON.stringify({ type: 'delta', taskId, text } satisfies LiveFrame))
    },
    answerWith(code: number) {
      status = code
    },
    /** Called once: after the page asked, before and after the tree is read from the tables. */
    aroundTree(before: () => void, after: () => void) {
      aroundTree = { before, after }
    },
    async stop() {
      for (const { socket } of lines) socket.terminate()
      sockets.close()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
type Server = Awaited<ReturnType<typeof openServer>>

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})
async function open(log: Event[] = []) {
  const server = await openServer(0, log)
  closers.push(() => server.stop())
  return server
}
function watch(server: Server, gap?: number) {
  const live = startLive({
    api: createApi(`http://127.0.0.1:${server.port}`),
    socketUrl: (after) => `ws://127.0.0.1:${server.port}/api/live?after=${after}`,
    ...(gap === undefined ? {} : { gap }),
  })
  closers.push(() => live.stop())
  return live
}
const until = (live: ReturnType<typeof watch>, is: (state: LiveState) => boolean): Promise<void> =>
  new Promise((resolve) => {
    const look = () => {
      if (!is(live.state())) return
      stop()
      resolve()
    }
    const stop = live.subscribe(look)
    look()
  })
const goal = (server: Server, id: string) => {
  server.record(id, { type: 'tree.created', tree: head(id) })
  server.record(id, { type: 'task.created', task: task(id, null) })
}
const spend = (server: Server, taskId: string, costMicros: number) =>
  server.record(taskId.split('.')[0]!, {
    type: 'model.called',
    taskId,
    provider: 'p',
    model: 'm',
    spend: { turns: 1, tokens: 1, costMicros, unpricedCalls: 0 },
    latencyMs: 1,
    outcome: 'ok',
  })
const isLive = (state: LiveState) => state.connection === 'live'

test('begins with what the tables hold and goes on with every fact', async () => {
  const server = await open()
  goal(server, 'a')
  const live = watch(server)
  await until(live, isLive)
  expect(Object.keys(live.state().lists.trees)).toEqual(['a'])
  goal(server, 'b')
  await until(live, (state) => state.lists.tasks.b !== undefined)
  expect(live.state().lists.seq).toBe(4)
})

test('an open goal is what the server folds, also when facts come while it is read, and no cost counts twice', async () => {
  const server = await open()
  goal(server, 'a')
  const live = watch(server)
  await until(live, isLive)
  spend(server, 'a', 100)
  server.aroundTree(
    () => spend(server, 'a', 4_000),
    () => {
      server.record('a', { type: 'task.created', task: task('a.1a', 'a') })
      spend(server, 'a', 20)
      spend(server, 'a.1a', 3)
    },
  )
  live.open('a')
  await until(live, (state) => state.tree?.state === 'ready')
  goal(server, 'b')
  server.record('a', { type: 'task.created', task: task('a.1b', 'a') })
  await until(live, (state) => state.tree?.view.tasks['a.1b'] !== undefined)
  const { view } = live.state().tree!
  const truth = server.log.filter((event) => event.treeId === 'a').reduce<View>(applyEvent, emptyView)
  expect(view.tasks).toEqual(truth.tasks)
  expect(view.trees.a!.spend).toEqual(truth.trees.a!.spend)
  expect(live.state().lists.trees.a!.spend).toEqual(truth.trees.a!.spend)
})

test('after the server was away it takes the line up where it broke, without reading everything anew', async () => {
  const server = await open()
  goal(server, 'a')
  const live = watch(server)
  await until(live, isLive)
  await server.stop()
  await until(live, (state) => state.connection === 'reconnecting')
  const again = await openServer(server.port, server.log)
  closers.push(() => again.stop())
  goal(again, 'b')
  await until(live, (state) => isLive(state) && state.lists.tasks.b !== undefined)
  expect(again.snapshots()).toBe(0)
})

test('a gap that is too large, or a log that begins anew, is read as a whole', async () => {
  const server = await open()
  goal(server, 'a')
  const live = watch(server, 3)
  live.open('a')
  await until(live, (state) => isLive(state) && state.tree?.state === 'ready')
  await server.stop()
  const missed = await openServer(server.port, [...server.log])
  for (let i = 0; i < 5; i++) missed.record('a', { type: 'task.created', task: task(`a.1${i}`, 'a') })
  closers.push(() => missed.stop())
  await until(live, (state) => isLive(state) && state.reads === 2 && Object.keys(state.tree?.view.tasks ?? {}).length === 6)
  expect(missed.snapshots()).toBe(1)

  await missed.stop()
  const anew = await openServer(server.port)
  closers.push(() => anew.stop())
  goal(anew, 'z')
  await until(live, (state) => isLive(state) && state.reads === 3)
  expect(Object.keys(live.state().lists.trees)).toEqual(['z'])
  await until(live, (state) => state.tree?.state === 'missing')
})

test('words that are being said are shown until they are a message', async () => {
  const server = await open()
  goal(server, 'a')
  const live = watch(server)
  live.open('a')
  await until(live, (state) => isLive(state) && state.tree?.state === 'ready')
  server.say('a', 'Hel')
  server.say('a', 'lo')
  await until(live, (state) => state.speaking.a === 'Hello')
  server.record('a', { type: 'message.added', taskId: 'a', n: 2, role: 'assistant', text: 'Hello' })
  await until(live, (state) => state.written.a === 2)
  expect(live.state().speaking).toEqual({})
})

test('a login that ended stops the knocking', async () => {
  const server = await open()
  const live = watch(server)
  await until(live, isLive)
  server.answerWith(401)
  live.wake()
  await until(live, (state) => state.connection === 'signed_out')
})

test('a goal that is not there is said to be missing', async () => {
  const server = await open()
  const live = watch(server)
  live.open('nothing')
  await until(live, (state) => state.tree?.state === 'missing')
  expect(live.state().tree!.fault).toBe('There is none.')
})
