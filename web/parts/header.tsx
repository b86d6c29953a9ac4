/** On top of every page: whether what it shows is true now, what drives the agents, what runs and what waits for a person. */
import { useState } from 'react'
import { labelOf } from '../../core/contract/label.ts'
import { isOver } from '../../core/contract/task.ts'
import { useLive, useNow } from '../banyan.ts'
import { ago } from '../format.ts'
import type { LiveState } from '../live.ts'
import { readTheme, setTheme, type Theme } from '../theme.ts'
import { Link } from '../ui/link.tsx'

export function Header() {
  const signedOut = useLive((state) => state.connection === 'signed_out')
  const running = useLive(runningGoals)
  const asked = useLive((state) => Object.values(state.lists.reviews).filter((review) => review.state === 'open').length)
  return (
    <header className="top">
      <div className="bar">
        <Link to="/" className="brand" aria-label="Banyan: all goals">
          <img src="/favicon.svg" alt="" width="24" height="24" />
          <span className="name">Banyan</span>
        </Link>
        {!signedOut && (
          <nav aria-label="Pages">
            <Link to="/" className="count">
              <span className="shape" aria-hidden="true">
                ▶
              </span>
              {running} running
            </Link>
            <Link to="/reviews" className={asked > 0 ? 'count you' : 'count'}>
              <span className="shape" aria-hidden="true">
                ⚑
              </span>
              {asked} {asked === 1 ? 'needs' : 'need'} you
            </Link>
          </nav>
        )}
        <span className="grow" />
        <Line />
        <ThemeChoice />
      </div>
    </header>
  )
}

/** Goals whose root task is neither over nor held by a person. */
const runningGoals = (state: LiveState): number =>
  Object.values(state.lists.tasks).filter(
    (task) => task.parentId === null && !isOver(task.status) && ['run', 'wait', 'idle'].includes(labelOf(task).tone),
  ).length

function Line() {
  const connection = useLive((state) => state.connection)
  const lostAt = useLive((state) => state.lostAt)
  const revision = useLive((state) => state.revision)
  const now = useNow(connection !== 'live')
  const words = {
    starting: 'connecting…',
    live: 'live',
    reconnecting: 'reconnecting…',
    offline: lostAt === null ? 'offline' : `offline, last heard ${ago(new Date(lostAt).toISOString(), now)}`,
    signed_out: 'not logged in',
  }
  return (
    <span className={`line line-${connection}`} role="status">
      <span className="dot" aria-hidden="true" />
      <span className="word">{words[connection]}</span>
      {revision && connection === 'live' && (
        <span className="dim revision" title="Revision of Banyan that is running">
          {revision.slice(0, 8)}
        </span>
      )}
    </span>
  )
}

/** What drives the agents, and that this page is out of date when it is. */
export function Driver() {
  const provider = useLive((state) => (state.connection === 'signed_out' ? undefined : state.system?.provider))
  const outdated = useLive((state) => state.revision !== null && state.firstRevision !== null && state.revision !== state.firstRevision)
  if (!provider) return null
  return (
    <div className="driver">
      <p>{provider.detail}</p>
      {outdated && (
        <p>
          Banyan was updated while this page was open.{' '}
          <button type="button" className="quiet small" onClick={() => location.reload()}>
            Load the new page
          </button>
        </p>
      )}
    </div>
  )
}

const THEMES: readonly { theme: Theme; shape: string; words: string }[] = [
  { theme: 'system', shape: '◐', words: 'as the system' },
  { theme: 'light', shape: '☀', words: 'light' },
  { theme: 'dark', shape: '☾', words: 'dark' },
]
function ThemeChoice() {
  const [theme, choose] = useState(readTheme)
  const at = THEMES.findIndex((one) => one.theme === theme)
  const next = THEMES[(at + 1) % THEMES.length]!
  const label = `Colours: ${THEMES[at]!.words}. Change to ${next.words}`
  return (
    <button
      type="button"
      className="quiet icon"
      title={label}
      aria-label={label}
      onClick={() => {
        setTheme(next.theme)
        choose(next.theme)
      }}
    >
      <span className="shape" aria-hidden="true">
        {THEMES[at]!.shape}
      </span>
    </button>
  )
}
