import { once } from 'node:events'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import type { Event, Fact, TreeHead } from '../contract/event.ts'
import type { ClientFrame, LiveFrame, Topic } from '../contract/live.ts'
import { headAfter, nodeAfter, nodeOf, type TaskNode, unpackNodes } from '../contract/node.ts'
import type { Task } from '../contract/task.ts'
import { type Server, serve, TOKEN } from './fixture/serve.ts'

let server: Server
beforeEach(async () => {
  server = await serve({ live: { slowBytes: 64 * 1024 } })
})
afterEach(() => server.stop())

type Client = {
  socket: WebSocket
  frames: LiveFrame[]
  say(frame: ClientFrame | string): void
  of<T extends LiveFrame['type']>(type: T): Extract<LiveFrame, { type: T }>[]
  until(enough: () => boolean): Promise<void>
}
async function connect(query = '?topics=1'): Promise<Client> {
  const socket = new WebSocket(`ws://127.0.0.1:${server.port}/api/live${query}`, { headers: { authorization: `Bearer ${TOKEN}` } })
  const frames: LiveFrame[] = []
  socket.on('message', (data) => frames.push(JSON.parse(String(data)) as LiveFrame))
  socket.on('error', () => undefined) // it is cut off at will
  await once(socket, 'open')
  return {
    socket,
    frames,
    say: (frame) => socket.send(typeof frame === 'string' ? frame : JSON.stringify(frame)),
    of: <T extends LiveFrame['type']>(type: T) => frames.filter((frame): frame is Extract<LiveFrame, { type: T }> => frame.type === type),
    until: async (enough) => {
      while (!enough()) await once(socket, 'message', { signal: AbortSignal.timeout(10_000) })
    },
  }
}
const moved = (taskId: string, note: string): Fact => ({
  type: 'task.moved',
  taskId,
  from: 'waiting',
  to: 'waiting',
  reason: 'children',
  note,
  attempt: 0,
  wakeAt: null,
})
/** Writes a note to a task, and its fact. */
const note = (treeId: string, taskId: string, words: string, times = 1) =>
  server.store.transact(async (tx) => {
    for (let i = 0; i < times; i++) tx.record(treeId, moved(taskId, `${words} ${i}`))
    await tx.db
      .updateTable('tasks')
      .set({ status: 'waiting', reason: 'children', note: `${words} ${times - 1}`, attempts: 0, updated_at: tx.now })
      .where('id', '=', taskId)
      .execute()
  })
/** Subtasks right in the table, with their facts. */
async function grow(treeId: string, count: number, from = 0): Promise<void> {
  const [root] = await server.store.db.selectFrom('tasks').selectAll().where('id', '=', treeId).execute()
  const parent = await server.tasks.task(treeId)
  for (let start = from; start < from + count; start += 200)
    await server.store.transact(async (tx) => {
      const ids = Array.from({ length: Math.min(200, from + count - start) }, (_, i) => `${treeId}.c${start + i}`)
      await tx.db
        .insertInto('tasks')
        .values(ids.map((id) => ({ ...root!, id, parent_id: treeId, title: id, created_at: tx.now, updated_at: tx.now })))
        .execute()
      const at = new Date(tx.now).toISOString()
      for (const id of ids)
        tx.record(treeId, { type: 'task.created', task: { ...parent, id, parentId: treeId, title: id, createdAt: at, updatedAt: at } })
      await tx.db
        .updateTable('trees')
        .set((e) => ({ tasks: e('tasks', '+', ids.length) }))
        .where('id', '=', treeId)
        .execute()
    })
}
/** What a client that follows a tree knows after its frames. */
function heldBy(frames: readonly LiveFrame[], topic: Topic) {
  let nodes = new Map<string, TaskNode>()
  let head: TreeHead | undefined
  let seq = 0
  for (const frame of frames) {
    if (!('topic' in frame) || frame.topic !== topic) continue
    if (frame.type === 'tree') {
      if (frame.part === 0) nodes = new Map()
      for (const node of unpackNodes(frame.nodes)) nodes.set(node.id, node)
      if (frame.head) head = frame.head
      seq = frame.seq
    } else if (frame.type === 'nodes') {
      for (const node of unpackNodes(frame.nodes)) nodes.set(node.id, node)
      head = frame.head
      seq = frame.seq
    } else if (frame.type === 'facts') {
      for (const event of frame.events as Event[]) {
        if (event.seq <= seq) continue
        if (head) head = headAfter(head, event)
        if (event.type === 'task.created') nodes.set(event.task.id, nodeOf(event.task))
        else if ('taskId' in event && nodes.has(event.taskId)) nodes.set(event.taskId, nodeAfter(nodes.get(event.taskId)!, event))
      }
      seq = frame.seq
    }
  }
  return { nodes, head, seq }
}
async function inTables(treeId: string): Promise<Map<string, TaskNode>> {
  const { tasks } = await server.tasks.tree(treeId)
  return new Map((tasks as Task[]).map((task) => [task.id, nodeOf(task)]))
}
const sorted = (nodes: Map<string, TaskNode>) => [...nodes.values()].sort((a, b) => (a.id < b.id ? -1 : 1))

describe('a tree over the live line', () => {
  test('begins with every node at one number and goes on with that tree alone', async () => {
    const [mine, other] = [await server.goal(), await server.goal()]
    await grow(mine, 4_500)
    const client = await connect()
    client.say({ sub: [{ topic: `tree:${mine}` }] })
    await client.until(() => client.of('tree').some((frame) => frame.last))
    expect(client.of('tree').map(({ part, last }) => [part, last])).toEqual([
      [0, false],
      [1, false],
      [2, true],
    ])
    await note(other, other, 'not mine')
    await note(mine, `${mine}.c7`, 'seven')
    await grow(mine, 1, 4_500)
    await client.until(() => client.of('facts').length === 2)
    const held = heldBy(client.frames, `tree:${mine}`)
    expect(held.nodes.size).toBe(4_502)
    expect(held.head?.taskCount).toBe(4_502)
    expect(sorted(held.nodes)).toEqual(sorted(await inTables(mine)))
    expect(client.of('event')).toEqual([])
    client.socket.close()
  })

  test('carries neither instruction nor result of its tasks', async () => {
    const id = await server.goal('A goal with a secret recipe in its instruction.\nThe recipe: seven spoons of salt.')
    const client = await connect()
    client.say({ sub: [{ topic: `tree:${id}` }] })
    await client.until(() => client.of('tree').length === 1)
    await server.tasks.control(id, { verb: 'abort', by: 'me' })
    await client.until(() => client.of('facts').some((frame) => frame.events.some((event) => event.type === 'task.moved')))
    for (const frame of [...client.of('facts'), { nodes: client.of('tree')[0]!.nodes }])
      expect(JSON.stringify(frame)).not.toContain('seven spoons')
    client.socket.close()
  })

  test('tells who comes back only what was missed', async () => {
    const id = await server.goal()
    await grow(id, 3)
    const seq = await server.store.lastSeq()
    await note(id, `${id}.c1`, 'missed')
    const client = await connect()
    client.say({ sub: [{ topic: `tree:${id}`, after: seq }] })
    await client.until(() => client.of('facts').length === 1)
    expect(client.of('tree')).toEqual([])
    expect(client.of('facts')[0]!.events.map((event) => event.type)).toEqual(['task.moved'])
    client.socket.close()
  })

  test('tells who missed more facts than rows the rows, and who missed too much or knows too much everything', async () => {
    const id = await server.goal()
    await grow(id, 3)
    const seq = await server.store.lastSeq()
    await note(id, `${id}.c1`, 'again and again', 800)
    const rows = await connect()
    rows.say({ sub: [{ topic: `tree:${id}`, after: seq }] })
    await rows.until(() => rows.of('nodes').length === 1)
    expect(unpackNodes(rows.of('nodes')[0]!.nodes).map((node) => [node.id, node.note])).toEqual([[`${id}.c1`, 'again and again 799']])
    await note(id, id, 'so often', 21_000)
    const whole = await connect()
    whole.say({ sub: [{ topic: `tree:${id}`, after: seq }] })
    await whole.until(() => whole.of('tree').some((frame) => frame.last))
    expect(whole.of('resync')).toEqual([{ type: 'resync', topic: `tree:${id}` }])
    const ahead = await connect()
    ahead.say({ sub: [{ topic: `tree:${id}`, after: seq + 1_000_000 }] })
    await ahead.until(() => ahead.of('tree').some((frame) => frame.last))
    expect(ahead.of('resync')).toHaveLength(1)
    for (const client of [rows, whole, ahead]) client.socket.close()
  })

  test('holds little for a client that does not read, and what it then knows is what is in the tables', async () => {
    const id = await server.goal()
    await grow(id, 50)
    const client = await connect()
    client.say({ sub: [{ topic: `tree:${id}` }] })
    await client.until(() => client.of('tree').length === 1)
    client.socket.pause()
    let most = 0
    for (let round = 0; round < 400; round++) {
      await note(id, `${id}.c${round % 50}`, 'x'.repeat(20_000), 2)
      most = Math.max(most, server.live.load().bufferedBytes)
    }
    expect(most).toBeLessThan(512 * 1024) // of 16 MB
    client.socket.resume()
    const last = await server.store.lastSeq()
    await client.until(() => heldBy(client.frames, `tree:${id}`).seq >= last)
    expect(client.of('nodes').length).toBeGreaterThan(0)
    expect(sorted(heldBy(client.frames, `tree:${id}`).nodes)).toEqual(sorted(await inTables(id)))
    client.socket.close()
  })

  test('is the same for clients that come, go and come back while many write', async () => {
    const id = await server.goal()
    await grow(id, 100)
    let writing = true
    const writer = (async () => {
      for (let i = 0; i < 300; i++) {
        if (i % 3 === 0) await grow(id, 1, 100 + i)
        else await note(id, `${id}.c${i % 100}`, `round ${i}`, 1 + (i % 5))
        await new Promise(setImmediate)
      }
      writing = false
    })()
    const followers = Array.from({ length: 4 }, async () => {
      const frames: LiveFrame[] = []
      const topic: Topic = `tree:${id}`
      for (;;) {
        const last = !writing
        const { seq } = heldBy(frames, topic)
        const client = await connect()
        client.say({ sub: [{ topic, ...(seq > 0 ? { after: seq } : {}) }] })
        const end = last ? await server.store.lastSeq() : 0
        if (last && seq >= end) return frames
        if (!last) await note(id, id, 'something new for a follower that has everything')
        await client.until(
          () =>
            heldBy([...frames, ...client.frames], topic).seq > seq && (!last || heldBy([...frames, ...client.frames], topic).seq >= end),
        )
        client.socket.terminate()
        // A snapshot that was cut off in the middle is of no use to anybody.
        const whole = client.of('tree').length === 0 || client.of('tree').at(-1)!.last
        if (whole) frames.push(...client.frames)
      }
    })
    const [ends] = await Promise.all([Promise.all(followers), writer])
    const tables = sorted(await inTables(id))
    for (const frames of ends) expect(sorted(heldBy(frames, `tree:${id}`).nodes)).toEqual(tables)
  })
})

describe('topics that are told as rows', () => {
  test('home has the goals with how their tasks stand, and tells of each that changes', async () => {
    const first = await server.goal('First')
    const client = await connect()
    client.say({ sub: [{ topic: 'home' }] })
    await client.until(() => client.of('home').length === 1)
    expect(client.of('home')[0]).toMatchObject({ whole: true, older: null, trees: [{ id: first, counts: { pending: 1 }, needsYou: 0 }] })
    const second = await server.goal('Second')
    await server.flag(second)
    await client.until(() => client.of('home').some((frame) => frame.trees.some((tree) => tree.id === second && tree.needsYou === 1)))
    await server.tasks.control(first, { verb: 'abort', by: 'me' })
    await client.until(() =>
      client.of('home').some((frame) => frame.trees.some((tree) => tree.id === first && tree.counts.cancelled === 1)),
    )
    expect(client.of('home').filter((frame) => frame.whole)).toHaveLength(1)
    client.socket.close()
  })

  test('reviews tell what is open, and then what was decided', async () => {
    const id = await server.goal()
    const item = await server.flag(id)
    const client = await connect()
    client.say({ sub: [{ topic: 'reviews' }] })
    await client.until(() => client.of('reviews').length === 1)
    expect(client.of('reviews')[0]).toMatchObject({ whole: true, reviews: [{ id: item, state: 'open', waiting: [] }] })
    await server.tasks.decide(item, { decision: 'approve' }, 'me')
    await client.until(() => client.of('reviews').length === 2)
    expect(client.of('reviews')[1]).toMatchObject({ whole: false, reviews: [{ id: item, state: 'decided' }] })
    client.socket.close()
  })

  test('a task comes whole with its newest messages, long ones cut, and then with each new one', async () => {
    const id = await server.goal('A task that is opened.')
    const client = await connect()
    client.say({ sub: [{ topic: `task:${id}` }, { topic: 'system' }] })
    await client.until(() => client.of('task').length === 1)
    expect(client.of('task')[0]).toMatchObject({ whole: true, task: { id, instruction: 'A task that is opened.' }, earlier: 0, calls: [] })
    const before = client.of('task')[0]!.messages.length
    await server.tasks.control(id, { verb: 'steer', by: 'me', message: 'y'.repeat(20_000) })
    await client.until(() => client.of('task').some((frame) => !frame.whole && frame.messages.length > 0))
    const { messages } = client.of('task').at(-1)!
    expect(messages.map((message) => message.n)).toEqual([before + 1])
    expect(messages[0]).toMatchObject({ role: 'user' })
    expect(messages[0]!.bytes).toBeGreaterThanOrEqual(20_000)
    await client.until(() => client.of('system').length > 0)
    expect(client.of('system')[0]!.system).toMatchObject({ tasks: { pending: 1 }, openReviews: 0, liveConnections: 1 })
    server.live.delta(id, 'Hel')
    server.live.delta('another', 'no')
    await client.until(() => client.of('delta').length === 1)
    expect(client.of('delta')).toEqual([{ type: 'delta', taskId: id, text: 'Hel' }])
    client.socket.close()
  })
})

describe('what a client sends', () => {
  test('is answered when it is not understood, and the line goes on', async () => {
    const id = await server.goal()
    const client = await connect()
    for (const bad of [
      'no json',
      '[]',
      '{"sub":"home"}',
      '{"sub":[{"topic":"all"}]}',
      '{"what":1}',
      '{"sub":[{"topic":"tree:x","after":-1}]}',
    ])
      client.say(bad)
    await client.until(() => client.of('fault').length === 6)
    expect(new Set(client.of('fault').map((fault) => fault.code))).toEqual(new Set(['invalid']))
    client.say({ sub: [{ topic: 'tree:nowhere' }, { topic: 'task:nowhere' }, { topic: `tree:${id}` }] })
    await client.until(() => client.of('tree').length === 1 && client.of('fault').length === 8)
    expect(
      client
        .of('fault')
        .slice(6)
        .map(({ topic, code, detail }) => [topic, code, detail])
        .sort(),
    ).toEqual([
      ['task:nowhere', 'not_found', 'There is no task nowhere.'],
      ['tree:nowhere', 'not_found', 'There is no tree nowhere.'],
    ])
    for (let i = 0; i < 20; i++) client.say('again')
    const [code] = (await once(client.socket, 'close')) as [number]
    expect(code).toBe(1008)
  })

  test('may not ask for more topics than one page can show, and what is left behind costs nothing', async () => {
    const ids = await Promise.all(Array.from({ length: 33 }, (_, i) => server.goal(`Goal ${i}`)))
    const client = await connect()
    client.say({ sub: ids.slice(0, 32).map((id) => ({ topic: `tree:${id}` as const })) })
    client.say({ sub: [{ topic: `tree:${ids[32]!}` }] })
    await client.until(() => client.of('fault').length === 1 && client.of('tree').length === 32)
    expect(client.of('fault')[0]).toMatchObject({ code: 'limited', topic: `tree:${ids[32]}` })
    client.say({ unsub: [`tree:${ids[0]!}`], sub: [{ topic: `tree:${ids[32]!}` }] })
    await client.until(() => client.of('tree').length === 33)
    await note(ids[0]!, ids[0]!, 'nobody hears')
    await note(ids[32]!, ids[32]!, 'heard')
    await client.until(() => client.of('facts').length === 1)
    expect(client.of('facts')[0]!.topic).toBe(`tree:${ids[32]}`)
    client.socket.close()
  })

  test('is given a sign of life that a page can see', async () => {
    await server.stop()
    server = await serve({ live: { heartbeatMs: 100 } })
    const client = await connect()
    client.say({ beat: true })
    await client.until(() => client.of('beat').length >= 2)
    client.socket.close()
  })
})
