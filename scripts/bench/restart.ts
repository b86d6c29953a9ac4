/**
 * Graceful restarts under load: how long nobody answers, and that no task and no fact is lost. 50 tasks run commands all the while, a
 * client follows the facts and goes on where it was. With `--changes` each restart brings another revision, as an approved change does, once
 * the one before was kept. `restart.ts [restarts] [tasks] [--changes]`
 */
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import WebSocket from 'ws'
import { openStore } from '../../core/store/store.ts'
import { violations } from '../../core/tasks/invariants.ts'
import { openSubject, request, SHORT_WATCH_SECONDS, type Subject } from '../proof/bad-updates.ts'

const LOOK_MS = 10
const { values: said, positionals } = parseArgs({ options: { changes: { type: 'boolean', default: false } }, allowPositionals: true })
const [restarts, tasks] = [Number(positionals[0] ?? 5), Number(positionals[1] ?? 50)]

/** Follows the facts over every restart; answers the numbers that it missed or saw twice. */
function follow(subject: Subject) {
  let last = 0
  let [missed, twice, lines] = [0, 0, 0]
  let stopped = false
  let socket: WebSocket | undefined
  const connect = () => {
    socket = new WebSocket(`ws://127.0.0.1:${subject.port}/api/live?after=${last}`, {
      headers: { authorization: `Bearer ${subject.token}` },
    })
    socket.on('open', () => lines++)
    socket.on('message', (data) => {
      const frame = JSON.parse(String(data)) as { type?: string; events?: { seq: number }[]; seq?: number; event?: { seq: number } }
      for (const { seq } of frame.events ?? (frame.event ? [frame.event] : [])) {
        if (seq <= last) twice++
        else {
          missed += last === 0 ? 0 : seq - last - 1
          last = seq
        }
      }
    })
    socket.on('error', () => undefined) // `close` follows
    socket.on('close', () => {
      if (!stopped) setTimeout(connect, 20)
    })
  }
  connect()
  return {
    stop() {
      stopped = true
      socket?.close()
      return { last, missed, twice, lines }
    },
  }
}

const subject = await openSubject(
  {
    MAX_CONCURRENT_AGENTS: String(tasks),
    NODE_COMPILE_CACHE: join(import.meta.dirname, '../../node_modules/.cache/banyan/compile'),
  },
  SHORT_WATCH_SECONDS,
)
try {
  const client = follow(subject)
  const ids: string[] = []
  for (let n = 0; n < tasks; n++) {
    const goal = `Run \`for i in 1 2 3 4 5 6 7 8; do echo ${n}-$i; sleep 1; done\``
    ids.push(String((await subject.ask('POST', '/api/goals', { goal })).treeId))
  }
  const downtimes: number[] = []
  for (let n = 0; n < restarts; n++) {
    await subject.until('tasks under way', async () => {
      const { tasks: counts } = (await subject.ask('GET', '/api/system')) as { tasks: Record<string, number> }
      return (counts.active ?? 0) > 0 || (counts.pending ?? 0) === 0 ? true : undefined
    })
    if (said.changes) {
      await subject.until('the running revision to be kept', () => {
        const { active, slots } = subject.table()
        return slots[active]?.state === 'kept' ? true : undefined
      })
      request(subject, { name: `change ${n}` })
    }
    const before = subject.running()
    const boots = subject.events().filter(({ type }) => type === 'ready').length
    await subject.ask('POST', '/admin/graceful-shutdown?restart=1')
    let lastAnswer = performance.now()
    for (let down = false; ; ) {
      const answers = await subject.ask('GET', '/health').then(
        () => true,
        () => false,
      )
      if (answers && (down || subject.events().filter(({ type }) => type === 'ready').length > boots)) break
      if (answers) lastAnswer = performance.now()
      else down = true
      await pause(LOOK_MS)
    }
    downtimes.push(performance.now() - lastAnswer)
    if (said.changes && subject.running() === before) throw new Error(`the revision was not taken: ${subject.events().at(-1)?.reason}`)
    console.log(`restart ${n + 1}: nobody answered for ${(downtimes.at(-1)! / 1000).toFixed(2)} s`)
  }
  const wrong: string[] = []
  for (const id of ids) {
    const status = await subject.until(`goal ${id}`, async () => {
      const tree = await subject.ask('GET', `/api/trees/${id}`).catch(() => null)
      return tree && ['done', 'failed', 'cancelled', 'dead'].includes(String(tree.status)) ? String(tree.status) : undefined
    })
    if (status !== 'done') wrong.push(`goal ${id} is ${status}`)
  }
  const { last, missed, twice, lines } = client.stop()
  await subject.stop()
  const store = await openStore(`sqlite:${join(subject.dataDir, 'agent_system.db')}`)
  wrong.push(...(await violations(store, { settled: true })))
  await store.close()
  if (missed + twice > 0) wrong.push(`the client missed ${missed} facts and saw ${twice} twice`)
  if (lines <= restarts) wrong.push(`the client connected ${lines} times in ${restarts} restarts`)
  for (const words of wrong) console.log(`FAILED ${words}`)
  downtimes.sort((a, b) => a - b)
  const at = (part: number) => (downtimes[Math.min(downtimes.length - 1, Math.floor(downtimes.length * part))]! / 1000).toFixed(2)
  console.log(
    `${restarts} restarts${said.changes ? ', each into another revision,' : ''} with ${tasks} tasks under way: downtime median ${at(0.5)} s, p95 ${at(0.95)} s; ${last} facts followed, ${wrong.length} faults`,
  )
  process.exitCode = wrong.length > 0 ? 1 : 0
} finally {
  await subject.remove()
}
