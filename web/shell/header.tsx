/** On top of every page: whether what it shows is true now, what runs, what waits for a person, what was spent. */
import { Palette as Colours, MessageCircleQuestionMark, Search } from 'lucide-react'
import { ROUTES } from '../../core/contract/api.ts'
import { useLive, useNow } from '../banyan.ts'
import { useHomePart, useRunningGoals } from '../data/use-home.ts'
import { useAsked, useReviewsLoaded } from '../data/use-reviews.ts'
import { usePrefs } from '../prefs.ts'
import { useRead } from '../read.ts'
import { useTheme } from '../theme.ts'
import { DropdownMenu } from '../ui/dropdown-menu.tsx'
import { IconButton } from '../ui/icon-button.tsx'
import { Kbd } from '../ui/kbd.tsx'
import { Link } from '../ui/link.tsx'
import { moneyWords } from '../ui/money.tsx'
import { Drawn } from '../ui/shape.tsx'
import { Tooltip } from '../ui/tooltip.tsx'
import { ask as askWords } from '../words/ask.ts'
import { shell } from '../words/shell.ts'
import { relativeTime, usd } from '../words/words.ts'
import { HeldNotice, PauseAll } from './pause-all.tsx'

export function Header({ search, ask }: { search: () => void; ask: () => void }) {
  const signedOut = useLive((state) => state.connection === 'signed_out')
  const knowsGoals = useHomePart((state) => state.loaded)
  const knowsReviews = useReviewsLoaded()
  const running = useRunningGoals()
  const waiting = useAsked()
  const asked = knowsReviews ? waiting : null
  return (
    <header className="top">
      {!signedOut && (
        <button type="button" className="search" onClick={search}>
          <Search aria-hidden="true" />
          <span className="search-word">{shell.search}</span>
          <Kbd keys="mod+k" />
        </button>
      )}
      {!signedOut && <IconButton className="ask-open" icon={MessageCircleQuestionMark} label={askWords.open} onClick={ask} />}
      <span className="grow" />
      {!signedOut && (
        <>
          <Link to="/goals?f=open" className="count">
            <Drawn shape="▶" /> <Count n={knowsGoals ? running : null} words={shell.running} />
          </Link>
          <Link to="/reviews" className={asked ? 'count you' : 'count'}>
            <Drawn shape="⚑" /> <Count n={asked} words={shell.needsYou} />
          </Link>
          <Landing />
          <Spent />
          <PauseAll />
        </>
      )}
      <Line />
      <Appearance />
    </header>
  )
}

/** On a phone the sign and the number are seen and the words are heard, so that the header stays one line. `n` null: not known yet. */
function Count({ n, words }: { n: number | null; words: (n: number) => string }) {
  if (n === null) return <span className="count-unknown" role="img" aria-label={shell.counting} />
  return (
    <>
      <span className="count-words">{words(n)}</span>
      <span className="count-number" aria-hidden="true">
        {n}
      </span>
    </>
  )
}

/** A change of Banyan itself that is being started, or that the keeper watches. */
function Landing() {
  const { data } = useRead(ROUTES.system, undefined, { follow: true })
  const landing = data?.selfChange?.landing
  if (!landing) return null
  return (
    <Tooltip text={shell.landingHint(landing.title)}>
      <Link to={`/evolution/${encodeURIComponent(landing.id)}`} className="count landing">
        <Drawn shape={landing.state === 'watching' ? '◉' : '↻'} /> <span className="count-words">{shell.landing[landing.state]}</span>
      </Link>
    </Tooltip>
  )
}

/** Nothing is shown before the first call of a model: a machine without one has no spend to watch. */
function Spent() {
  const { data } = useRead(ROUTES.spend, undefined, { follow: true })
  if (!data || (data.week.dollars === 0 && data.week.unpricedCalls === 0)) return null
  const { today, week, limit } = data
  const look = limit && limit.usedPercent >= 80 ? 'count spent-total you' : 'count spent-total'
  return (
    <Tooltip text={shell.spentHint(moneyWords(micros(week)))}>
      <Link to="/goals" className={look}>
        {shell.today(moneyWords(micros(today)))} {limit && <span className="dim">{shell.ofLimit(usd(limit.dollars * 1_000_000))}</span>}
      </Link>
    </Tooltip>
  )
}
const micros = (sum: { dollars: number; unpricedCalls: number }) => ({
  costMicros: Math.round(sum.dollars * 1_000_000),
  unpricedCalls: sum.unpricedCalls,
})

/** A server that is away for longer than this does not restart: it was stopped. */
const RESTART_MS = 30_000

function Line() {
  const connection = useLive((state) => state.connection)
  const lostAt = useLive((state) => state.lostAt)
  const revision = useLive((state) => state.revision)
  const now = useNow(connection !== 'live')
  const restarting = useLive((state) => state.restarting) && connection !== 'live' && lostAt !== null && now - lostAt < RESTART_MS
  const words = restarting
    ? shell.connection.restarting
    : connection === 'offline' && lostAt !== null
      ? shell.connection.lastHeard(relativeTime(lostAt, now))
      : shell.connection[connection]
  return (
    <span className={`line line-${connection}`}>
      <span className="dot" aria-hidden="true" />
      <span className="word" role="status">
        {words}
      </span>
      {revision && connection === 'live' && (
        <span className="dim revision" title={shell.revision}>
          {revision.slice(0, 8)}
        </span>
      )}
    </span>
  )
}

function Appearance() {
  const [prefs, setPrefs] = usePrefs()
  const [theme, setTheme] = useTheme()
  return (
    <DropdownMenu
      trigger={<IconButton icon={Colours} label={shell.appearance} />}
      items={[
        {
          kind: 'choice',
          label: shell.theme,
          value: theme,
          options: Object.entries(shell.themes).map(([value, label]) => ({ value, label })),
          choose: (value) => setTheme(value === 'light' || value === 'dark' ? value : 'system'),
        },
        {
          kind: 'choice',
          label: shell.density,
          value: prefs.density,
          options: Object.entries(shell.densities).map(([value, label]) => ({ value, label })),
          choose: (value) => setPrefs({ density: value === 'compact' ? 'compact' : 'comfortable' }),
        },
      ]}
    />
  )
}

/** What a person should know on every page: that all is held, that no model drives the agents, that this page is out of date. */
export function Driver() {
  const provider = useLive((state) => (state.connection === 'signed_out' ? undefined : state.system?.provider))
  const outdated = useLive((state) => state.revision !== null && state.firstRevision !== null && state.revision !== state.firstRevision)
  if (!provider) return null
  return (
    <aside className="driver" aria-label={shell.driver}>
      <HeldNotice />
      {!provider.judges && (
        <p>
          {provider.detail} <Link to="/settings/providers">{shell.addModel}</Link>
        </p>
      )}
      {outdated && (
        <p>
          {shell.outdated}{' '}
          <button type="button" className="quiet small" onClick={() => location.reload()}>
            {shell.loadNew}
          </button>
        </p>
      )}
    </aside>
  )
}
