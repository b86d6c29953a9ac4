/** Asks the running instance to restart gracefully and waits until the new one is healthy; if none runs, says so and starts it. */
import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import * as z from 'zod'
import { type Config, ensureSecrets, readProcessConfig } from '../core/config.ts'
import { Fault } from '../core/contract/fault.ts'
import { own } from '../core/store/owner.ts'
import { mendOf } from './mend.ts'

/** Running turns may take their time to end. */
const PATIENCE_MS = 10 * 60_000
const Health = z.object({ uptimeSeconds: z.number() })

function isRunning(config: Config): boolean {
  if (!existsSync(join(config.dataDir, 'owner.db'))) return false
  try {
    own(config.dataDir).release()
    return false
  } catch (error) {
    if (error instanceof Fault) return true
    throw error
  }
}

async function restart(config: Config) {
  const token = ensureSecrets(config).adminToken
  const url = readFileSync(join(config.dataDir, 'url'), 'utf8').trim()
  const asked = Date.now()
  const answer = await fetch(`${url}/admin/graceful-shutdown?restart=1`, { method: 'POST', headers: { authorization: `Bearer ${token}` } })
  if (!answer.ok)
    throw new Fault('unavailable', `the instance at ${url} answered ${answer.status} instead of restarting: ${await answer.text()}`)
  console.error(`Asked ${url} to restart; running turns finish or park first.`)
  while (Date.now() - asked < PATIENCE_MS) {
    await pause(200)
    const uptime = await uptimeMs(url)
    if (uptime !== null && uptime < Date.now() - asked) return console.log(`Banyan runs again at ${url}`)
  }
  throw new Fault(
    'unavailable',
    `no new instance answers at ${url} after ${PATIENCE_MS / 60_000} minutes: look at the output of "npm start".`,
  )
}

async function uptimeMs(url: string): Promise<number | null> {
  try {
    return Health.parse(await (await fetch(`${url}/health`)).json()).uptimeSeconds * 1000
  } catch {
    return null // between two instances nobody answers: asked again by the caller
  }
}

const root = dirname(import.meta.dirname)
let config: Config | null = null
try {
  config = readProcessConfig(root)
  if (isRunning(config)) await restart(config)
  else {
    console.error(`No Banyan runs on ${config.dataDir}; starting it.`)
    const keeper = spawn(process.execPath, [join(root, 'scripts/start.mjs')], { stdio: 'inherit' })
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => keeper.kill(signal))
    keeper.once('close', (code) => process.exit(code ?? 1))
  }
} catch (error) {
  const sentence = mendOf(error, config)
  if (sentence === null) throw error
  console.error(`banyan: ${sentence}`)
  process.exitCode = 1
}
