/**
 * Tells the owner's own receiver of alerts, of pauses of the whole system and of providers that are out of quota: a POST in the form of Standard Webhooks for each such fact, in
 * their order. What a restart cuts off is sent after it, under the same id; what is older than an hour is news to nobody and is left out.
 */
import type { Event } from '../contract/event.ts'
import type { Store } from '../store/store.ts'
import { signatureOf } from '../web/webhook-signature.ts'
import { savedPlace, savePlace } from './cursor.ts'

const READER = 'alert-webhook'
const TELLS = ['alert.raised', 'alert.cleared', 'system.paused', 'system.resumed', 'provider.held', 'provider.released'] as const
const HOUR_MS = 3_600_000
const TIMEOUT_MS = 10_000
const RETRY_MS = [2_000, 15_000, 60_000, 300_000]
const BATCH = 500

type Told = Extract<Event, { type: (typeof TELLS)[number] }>
const isTold = (event: Event): event is Told => (TELLS as readonly string[]).includes(event.type)

export async function openAlertWebhook(parts: {
  store: Store
  url: string
  /** null: nothing is signed. */
  secret: string | null
  now: () => number
  log: (level: 'info' | 'warn', words: string) => void
  retryMs?: readonly number[]
}): Promise<() => Promise<void>> {
  const { store } = parts
  const retryMs = parts.retryMs ?? RETRY_MS
  const stop = new AbortController()
  const saved = await savedPlace<null>(store, READER)
  let seq = saved?.seq ?? (await store.lastSeq())
  if (!saved) await savePlace(store, READER, seq, null)
  let tries = 0
  /** Something was recorded while it read. */
  let again = false
  let running: Promise<void> | undefined
  let timer: NodeJS.Timeout | undefined

  async function go(): Promise<void> {
    for (;;) {
      const events = await store.eventsAfter(seq, { limit: BATCH })
      for (const event of events.filter(isTold)) {
        if (parts.now() - Date.parse(event.at) > HOUR_MS) continue
        await post(event)
        tries = 0
        seq = event.seq
        await savePlace(store, READER, seq, null)
      }
      const last = events.at(-1)
      if (!last) return
      seq = last.seq
    }
  }
  function look(): void {
    if (stop.signal.aborted || timer) return
    if (running) {
      again = true
      return
    }
    again = false
    running = go()
      .catch((error: unknown) => {
        if (stop.signal.aborted) return
        if (tries === 0)
          parts.log('warn', `An alert could not be sent to ALERT_WEBHOOK: ${error instanceof Error ? error.message : String(error)}`)
        timer = setTimeout(
          () => {
            timer = undefined
            look()
          },
          retryMs[Math.min(tries, retryMs.length - 1)],
        ).unref()
        tries += 1
      })
      .finally(() => {
        running = undefined
        if (again) look()
      })
  }

  async function post({ seq: n, at, treeId: _, type, ...data }: Told): Promise<void> {
    const id = `msg_${READER}_${n}`
    const body = JSON.stringify({ type, timestamp: at, data })
    const seconds = Math.floor(parts.now() / 1_000)
    const answer = await fetch(parts.url, {
      method: 'POST',
      redirect: 'manual',
      headers: {
        'content-type': 'application/json',
        'user-agent': 'Banyan',
        'webhook-id': id,
        'webhook-timestamp': String(seconds),
        ...(parts.secret === null ? {} : { 'webhook-signature': signatureOf(parts.secret, id, seconds, body) }),
      },
      body,
      signal: AbortSignal.any([stop.signal, AbortSignal.timeout(TIMEOUT_MS)]),
    })
    await answer.body?.cancel()
    if (answer.status < 200 || answer.status > 299) throw new Error(`it answered ${answer.status}`)
  }

  const forget = store.onCommit((events) => {
    if (events.some(isTold)) look()
  })
  look()
  return async () => {
    forget()
    stop.abort()
    clearTimeout(timer)
    await running
  }
}
