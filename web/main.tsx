/** Starts the page. */
import { MutationCache, QueryCache, QueryClient } from '@tanstack/react-query'
import { setNonce } from 'get-nonce'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { ROUTES } from '../core/contract/api.ts'
import { createActions } from './actions.ts'
import { ApiFault, createApi, newKey } from './api.ts'
import { App } from './app.tsx'
import { startLive } from './live.ts'
import { createOutbox } from './outbox.ts'
import { createPrefs } from './prefs.ts'
import { createPageRouter } from './routes.tsx'
import { shelf } from './theme.ts'
import { createToasts } from './toasts.ts'
import './styles/tokens.css'
import './styles/base.css'
import './styles/kit.css'
import './styles/shell.css'
import './styles/parts.css'

// Dialogs lock the page's scrolling with a style sheet of their own, which the policy lets through with this only.
setNonce(document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')?.nonce ?? '')

const api = createApi()
const live = startLive({
  api,
  socketUrl: `${location.origin.replace(/^http/, 'ws')}/api/live?topics=1`,
})

/** Timers that stood still mean that the machine slept: the line is dead whatever it says. */
const SLEPT_MS = 20_000
let ticked = Date.now()
const woke = () => {
  const slept = Date.now() - ticked > SLEPT_MS
  ticked = Date.now()
  if (slept) live.wake()
}
setInterval(() => {
  if (!document.hidden) woke()
}, 5_000)
// A hidden page's timers stand still too, so coming back after a while takes the line up again; nothing is missed by that.
document.addEventListener('visibilitychange', () => {
  if (!document.hidden) woke()
})
addEventListener('online', () => live.wake())

/** What the server refuses it refuses again; only a server that does not answer is asked again. */
const mayHelp = (failures: number, fault: Error) => failures < 2 && fault instanceof ApiFault && (fault.status === 0 || fault.status >= 502)
/** A session that ended while the page was open shows at the next call: the live line then finds out and the login takes the page's place. */
const onError = (fault: Error) => {
  if (fault instanceof ApiFault && fault.status === 401) live.wake()
}
const queries = new QueryClient({
  queryCache: new QueryCache({ onError }),
  mutationCache: new MutationCache({ onError }),
  defaultOptions: { queries: { staleTime: 5_000, retry: mayHelp }, mutations: { retry: false } },
})

const outbox = createOutbox({
  api,
  who: async () => (await api.call(ROUTES.me)).name,
  shelf: shelf(),
  newKey,
})
void outbox.start()
addEventListener('pagehide', () => outbox.flush())
// A phone may end a page that is hidden without another word.
document.addEventListener('visibilitychange', () => {
  if (document.hidden) outbox.flush()
})
let wasLive = true
live.subscribe(() => {
  const isLive = live.state().connection === 'live'
  if (isLive && !wasLive && outbox.get().stuck) outbox.flush()
  wasLive = isLive
})

const parts = { api, live, prefs: createPrefs(), actions: createActions(), toasts: createToasts(), outbox }
createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <App parts={parts} queries={queries} router={createPageRouter()} />
  </StrictMode>,
)
