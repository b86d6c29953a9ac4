/** The whole thing: keeper, engine and HTTP, killed with -9 as one process group and started again 200 ms later. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod'
import { openStore } from '../../core/store/store.ts'
import { violations } from '../../core/tasks/invariants.ts'
import { startOf } from '../testing/slots.ts'
import { processesIn } from './lane.ts'
import { effectLines } from './world.ts'

const TOKEN = 'crash-token-of-this-run'
const PAUSE_MS = 200
const UP_MS = 30_000
const GOAL = [
  '1. Run `echo a >> effects.log; sleep 0.3`',
  '2. Then run `echo b >> effects.log`',
  '3. Run `echo c >> effects.log` (once)',
].join('\n')
const Tree = z.object({ status: z.string(), tasks: z.array(z.object({ status: z.string() })) })
const Reviews = z.object({ items: z.array(z.object({ id: z.string(), kind: z.string() })) })

/** Sentences about what is broken after so many kills. Leaves no process behind, whatever happens. */
export async function runEngine(root: string, folder: string, kills: number, random: () => number): Promise<string[]> {
  const dataDir = join(folder, 'data')
  mkdirSync(dataDir, { mode: 0o711 })
  let engine = start(root, dataDir)
  try {
    return await killAndLook(folder, dataDir, kills, random, {
      up: () => engine.up(),
      stop: () => engine.stop(),
      async killAndStart() {
        await engine.kill()
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
        const left = processesIn(folder).map(({ pid }) => `process ${pid} outlived kill -9 of the whole group by ${PAUSE_MS} ms`)
        engine = start(root, dataDir)
        return left
      },
    })
  } catch (error) {
    return [`it could not be carried through: ${error instanceof Error ? error.message : String(error)}`]
  } finally {
    await engine.kill()
  }
}

type Whole = { up(): Promise<string>; stop(): Promise<void>; killAndStart(): Promise<string[]> }

/** Submits a goal in each life, by a key so that asking again is harmless, and kills at a random moment. */
async function killAndLook(folder: string, dataDir: string, kills: number, random: () => number, engine: Whole): Promise<string[]> {
  const found: string[] = []
  const acknowledged: string[] = []
  for (let n = 0; n < kills; n++) {
    const url = await engine.up()
    acknowledged.push(await submit(url, n))
    // The same words under the same key, as one who lost the answer would: the same tree.
    if ((await submit(url, n)) !== acknowledged[n]) found.push(`the goal ${n} was made twice`)
    await new Promise((resolve) => setTimeout(resolve, random() * 700))
    found.push(...(await engine.killAndStart()))
  }
  const url = await engine.up()
  for (const until = performance.now() + UP_MS; ; ) {
    const open = Reviews.parse(await ask(url, '/api/reviews?state=open'))
    for (const { id } of open.items.filter(({ kind }) => kind === 'in_doubt'))
      await ask(url, `/api/reviews/${encodeURIComponent(id)}/decision`, { decision: 'answer', comment: 'I looked.' })
    const trees = await Promise.all(acknowledged.map(async (id) => Tree.parse(await ask(url, `/api/trees/${id}`))))
    if (trees.every(({ status }) => status === 'done')) break
    if (performance.now() > until) {
      found.push(
        `goals did not end: ${trees.map(({ status, tasks }) => `${status} (${tasks.map((task) => task.status).join(', ')})`).join('; ')}`,
      )
      break
    }
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  await engine.stop()
  const lines = effectLines(folder)
  const count = (key: string): number => lines.filter((line) => line === key).length
  if (count('a') < kills || count('b') < kills) found.push(`${kills} goals left ${count('a')} and ${count('b')} effects`)
  if (count('c') > kills) found.push(`${count('c')} effects that may happen once came of ${kills} goals`)
  const store = await openStore(`sqlite:${join(dataDir, 'agent_system.db')}`)
  found.push(...(await violations(store, { settled: true })))
  await store.close()
  return found
}

async function submit(url: string, n: number): Promise<string> {
  return z.object({ treeId: z.string() }).parse(await ask(url, '/api/goals', { goal: GOAL }, { 'idempotency-key': `goal-${n}` })).treeId
}

async function ask(url: string, path: string, body?: object, headers: Record<string, string> = {}): Promise<unknown> {
  const response = await fetch(`${url}${path}`, {
    method: body ? 'POST' : 'GET',
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json', ...headers },
    ...(body ? { body: JSON.stringify(body) } : {}),
    signal: AbortSignal.timeout(UP_MS),
  })
  if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`)
  return response.json()
}

function start(root: string, dataDir: string) {
  const child: ChildProcess = spawn(process.execPath, startOf(dataDir), {
    cwd: root,
    detached: true,
    env: { PATH: '/usr/bin:/bin', HOME: dataDir, DATA_DIR: dataDir, PORT: '0', MODEL: 'playbook', ADMIN_TOKEN: TOKEN },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  const exit = once(child, 'exit')
  const url = new Promise<string>((resolve, reject) => {
    for (const stream of [child.stdout!, child.stderr!])
      stream.setEncoding('utf8').on('data', (text: string) => {
        said += text
        const at = /Banyan runs at (\S+)\n/.exec(said)
        if (at) resolve(at[1]!)
      })
    exit.then(([code, signal]) => reject(new Error(`the keeper ended with ${code ?? signal} before the engine answered: ${said}`)))
  })
  url.catch(() => undefined) // told by `up`
  return {
    up: () => url,
    async kill() {
      if (child.exitCode === null && child.signalCode === null) process.kill(-child.pid!, 'SIGKILL')
      await exit
    },
    async stop() {
      child.kill('SIGTERM')
      await exit
    },
  }
}
