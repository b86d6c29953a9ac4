/** Starts the page. */
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { createApi } from './api.ts'
import { App } from './app.tsx'
import { startLive } from './live.ts'
import './styles/tokens.css'
import './styles/base.css'
import './styles/parts.css'

const api = createApi()
const live = startLive({
  api,
  socketUrl: (after) => `${location.origin.replace(/^http/, 'ws')}/api/live?after=${after}`,
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

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <App api={api} live={live} />
  </StrictMode>,
)
