/**
 * Tells outside agents that there is work which they could claim: a POST in the form of Standard Webhooks, to public addresses only. It is a
 * hint and nothing more. It carries no task, it is tried a few times and then forgotten, and whoever misses it finds the work with claim_task.
 */
import { createHmac, randomUUID } from 'node:crypto'
import type { Store } from '../store/store.ts'
import type { OutsideAgent } from '../tasks/outside.ts'
import { checkedAddresses, siteOf } from '../web/address.ts'
import { exchange } from '../web/exchange.ts'
import { type Resolve, type Route, resolved, systemResolve } from '../web/resolve.ts'
import { signatureOf } from '../web/webhook-signature.ts'

/** Derived, so that nothing has to be kept; in the form of Standard Webhooks. */
export const webhookSecret = (systemSecretKey: string, agent: string): string =>
  `whsec_${createHmac('sha256', systemSecretKey).update(`webhook of ${agent}`).digest('base64')}`

/** Refuses an address that is not of the public web. */
export const checkWebhook = (address: string): void => void siteOf(address)

/** Waits between tries; after the last one it is given up. */
const RETRY_MS = [2_000, 15_000, 60_000]
/** News of many tasks at once become one word, and nobody hears more than one in this time. */
const [COALESCE_MS, QUIET_MS] = [250, 5_000]
const TIMEOUT_MS = 10_000

export type WebhookParts = {
  store: Pick<Store, 'onCommit'>
  outside: { agents(): Promise<OutsideAgent[]>; hasWork(name: string, wanted: undefined): Promise<boolean> }
  secret(agent: string): string
  log(words: string, cause: unknown): void
  /** For tests, which have no internet. */
  resolve?: Resolve
  route?: Route
  retryMs?: readonly number[]
  quietMs?: number
}

/** Answers what ends it. */
export function openWebhooks(parts: WebhookParts): () => Promise<void> {
  const { retryMs = RETRY_MS, quietMs = QUIET_MS } = parts
  const stop = new AbortController()
  const running = new Set<Promise<void>>()
  /** Agents that were told, or are being told, and when they may be told again. */
  const quietUntil = new Map<string, number>()
  let timer: NodeJS.Timeout | undefined

  const later = (ms: number) => {
    if (!stop.signal.aborted)
      timer ??= setTimeout(() => {
        timer = undefined
        keep(look())
      }, ms)
  }
  const keep = (work: Promise<void>) => {
    const done = work
      .catch((error: unknown) => parts.log('outside agents could not be told of work', error))
      .finally(() => running.delete(done))
    running.add(done)
  }

  async function look(): Promise<void> {
    for (const agent of await parts.outside.agents()) {
      if (agent.webhook === null || !(await parts.outside.hasWork(agent.name, undefined))) continue
      const wait = (quietUntil.get(agent.name) ?? 0) - Date.now()
      if (wait > 0) {
        later(wait)
        continue
      }
      quietUntil.set(agent.name, Date.now() + quietMs)
      keep(tell(agent.name, agent.webhook))
    }
  }

  async function tell(agent: string, webhook: string): Promise<void> {
    const id = `msg_${randomUUID()}`
    const body = JSON.stringify({ type: 'work.available', timestamp: new Date().toISOString(), data: { agent } })
    for (let attempt = 0; ; attempt++) {
      const problem = await post(agent, webhook, id, body).catch((error: unknown) =>
        error instanceof Error ? error.message : String(error),
      )
      if (problem === null || stop.signal.aborted) return
      const wait = retryMs[attempt]
      if (wait === undefined) return parts.log(`the webhook of the outside agent ${agent} was given up after ${attempt + 1} tries`, problem)
      await pause(wait, stop.signal)
      if (stop.signal.aborted || !(await parts.outside.hasWork(agent, undefined))) return
    }
  }

  /** null: it was taken. */
  async function post(agent: string, webhook: string, id: string, body: string): Promise<string | null> {
    const site = siteOf(webhook)
    const addresses = site.literal ? [site.literal] : checkedAddresses(site.host, await resolved(parts.resolve ?? systemResolve, site.host))
    const { address, port } = parts.route?.(addresses[0]!, site.port) ?? { address: addresses[0]!, port: site.port }
    const seconds = Math.floor(Date.now() / 1_000)
    const answer = await exchange(
      {
        url: site.url,
        addresses: [address],
        port,
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'content-length': String(Buffer.byteLength(body)),
          'user-agent': 'Banyan',
          'webhook-id': id,
          'webhook-timestamp': String(seconds),
          'webhook-signature': signatureOf(parts.secret(agent), id, seconds, body),
        },
        body,
        headerTimeoutMs: TIMEOUT_MS,
        idleTimeoutMs: TIMEOUT_MS,
      },
      AbortSignal.any([stop.signal, AbortSignal.timeout(TIMEOUT_MS)]),
    )
    answer.drop()
    return answer.status >= 200 && answer.status < 300 ? null : `it answered ${answer.status}`
  }

  const stopWatching = parts.store.onCommit((events) => {
    if (events.some((event) => event.type === 'task.moved' && event.to === 'waiting' && event.reason === 'external')) later(COALESCE_MS)
  })
  return async () => {
    stopWatching()
    clearTimeout(timer)
    stop.abort()
    await Promise.all(running)
  }
}

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(done, ms)
    signal.addEventListener('abort', done)
    function done() {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
  })
