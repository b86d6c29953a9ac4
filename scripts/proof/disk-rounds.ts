/** A whole runtime that works goals on a disk which is filled to the last byte and emptied again, with the guard that the server has. See `disk.ts`. */
import { appendFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { type ReadyConfig, readConfig } from '../../core/config.ts'
import { isOver } from '../../core/contract/task.ts'
import { DISK_GUARD, openDiskGuard } from '../../core/observe/disk-guard.ts'
import { openRuntime } from '../../core/runtime.ts'
import { violations } from '../../core/tasks/invariants.ts'
import { answersIn, endWith, scripted } from '../testing/scripted.ts'

/** From the last byte to the pause, and from the space that is there again to work. */
export type Round = { pausedMs: number; resumedMs: number }

const RESERVE = 6 * 1024 * 1024
const AT_ONCE = 4
const LOOK_MS = 5
const PATIENCE_MS = 30_000

const textOf = (goal: string): string => `${goal} `.repeat(4_000)

export async function tryRounds(place: string, rounds: number): Promise<{ rounds: Round[]; broken: string[] }> {
  const dataDir = join(place, 'data')
  mkdirSync(dataDir, { mode: 0o711 })
  const filler = join(place, 'filler')
  const root = dirname(dirname(import.meta.dirname))
  const settings = {
    DATA_DIR: dataDir,
    MODEL: 'scripted',
    PATH: '/usr/bin:/bin',
    MAX_CONCURRENT_AGENTS: String(AT_ONCE),
    ISOLATION: 'plain',
  }
  const config: ReadyConfig = {
    ...readConfig(settings, '/nonexistent'),
    ...{ root, code: root, systemSecretKey: 'proof-secret-key-0123', secretKeyFile: null, adminToken: 'proof-token' },
  }
  let asked = 0
  const provider = scripted((request) => {
    asked += 1
    const done = answersIn(request).length
    const { instruction } = request.task
    if (done < 3)
      return {
        calls: [{ tool: 'write_file', input: { path: `part-${done}.txt`, content: `${done} ${textOf(instruction)}`, overwrite: true } }],
      }
    if (done < 6 && answersIn(request).some((answer) => /disk is full/.test(answer)))
      return { calls: [{ tool: 'write_file', input: { path: 'part-0.txt', content: `0 ${textOf(instruction)}`, overwrite: true } }] }
    return endWith(`${instruction}: written`)
  })
  const runtime = await openRuntime(config, { providers: [provider] })
  const { tasks } = runtime
  const found: Round[] = []
  const broken: string[] = []
  const runner = runtime.run()
  const guard = await openDiskGuard({
    ...{ folders: [dataDir], ballast: join(dataDir, 'ballast'), reserveBytes: RESERVE, halt: tasks.halt, firstFillMs: 0 },
    log: (level, words) => void (level === 'error' && broken.push(words)),
  })
  await guard.look()
  const goals = new Map<string, string>()
  let feeding = true
  let n = 0
  /** Always some goals that are not over; what is refused was not acknowledged. */
  const feeder = (async () => {
    while (feeding) {
      const left = await Promise.all([...goals.keys()].slice(-AT_ONCE * 2).map((id) => tasks.task(id)))
      if (left.filter((task) => !isOver(task.status)).length < AT_ONCE) {
        const goal = `Goal ${++n}`
        await runtime.submitGoal({ goal, agent: 'generalist' }, 'proof').then(
          ({ treeId }) => goals.set(treeId, goal),
          (error: Error) => void (/disk/.test(error.message) || broken.push(`a goal was refused with: ${error.message}`)),
        )
      }
      await delay(LOOK_MS)
    }
  })()
  const until = async (words: string, is: () => Promise<boolean>): Promise<number> => {
    const began = performance.now()
    while (!(await is())) {
      if (performance.now() - began > PATIENCE_MS) throw new Error(`it did not come to this in ${PATIENCE_MS / 1_000} s: ${words}`)
      await delay(LOOK_MS)
    }
    return performance.now() - began
  }
  const halted = async (): Promise<boolean> => (await tasks.halt.state())?.by === DISK_GUARD
  try {
    for (let round = 0; round < rounds; round++) {
      const before = asked
      await until('work is under way', async () => asked > before + 3)
      fill(filler)
      const pausedMs = await until('everything is paused', halted)
      await until('turns under way have ended', async () => runner.active() === 0)
      const atRest = asked
      // Somebody else takes the room of the ballast too: nothing at all can be written then.
      if (round % 2 === 1) fill(filler)
      await delay(200)
      if (asked !== atRest) broken.push(`round ${round}: a model was asked ${asked - atRest} times while everything was paused`)
      rmSync(filler)
      const resumedMs = await until('work goes on', async () => !(await halted()) && asked > atRest)
      found.push({ pausedMs, resumedMs })
    }
    feeding = false
    await feeder
    await until('all goals are over', async () => {
      const all = await Promise.all([...goals.keys()].map((id) => tasks.task(id)))
      return all.every((task) => isOver(task.status))
    })
  } catch (error) {
    broken.push(error instanceof Error ? error.message : String(error))
    feeding = false
    await feeder
  }
  for (const [id, goal] of goals) {
    const task = await tasks.task(id)
    if (task.status !== 'done') {
      broken.push(`${goal} is ${task.status} (${task.reason ?? ''} ${task.note ?? ''})`)
      continue
    }
    const full = (await tasks.messages(id)).some((message) => message.role === 'tool' && message.isError)
    if (full) continue // its agent was told so, and had to make do
    for (const part of [0, 1, 2]) {
      const file = join(runtime.workspaces.path({ treeId: id, workspace: '' }), `part-${part}.txt`)
      const held = await readFile(file, 'utf8').catch(() => null)
      if (held !== `${part} ${textOf(goal)}`) broken.push(`${goal}: part ${part} is not what was written`)
    }
  }
  await guard.close()
  await runner.stop(5_000)
  broken.push(...(await violations(runtime.store)))
  await runtime.close()
  return { rounds: found, broken }
}

/** To the last byte. */
function fill(filler: string): void {
  writeFileSync(filler, '', { flag: 'a' })
  for (const bytes of [1 << 20, 65_536, 4_096, 1])
    try {
      for (;;) appendFileSync(filler, Buffer.alloc(bytes, 1))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
    }
}
