/** On top of every page: whether what it shows is true now, what runs, what waits for a person, what was spent. */
import { Palette as Colours, Search } from 'lucide-react'
import { ROUTES } from '../../core/contract/api.ts'
import { useLive, useNow } from '../banyan.ts'
import { useRunningGoals } from '../data/use-home.ts'
import { useAsked } from '../data/use-reviews.ts'
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
import { shell } from '../words/shell.ts'
import { relativeTime, usd } from '../words/words.ts'
import { HeldNotice, PauseAll } from './pause-all.tsx'

export function Header({ search }: { search: () => void }) {
  const signedOut = useLive((state) => state.connection === 'signed_out')
  const running = useRunningGoals()
  const asked = useAsked()
  return (
    <header className="top">
      {!signedOut && (
        <button type="button" className="search" onClick={search}>
          <Search aria-hidden="true" />
          <span className="search-word">{shell.search}</span>
          <Kbd keys="mod+k" />
        </button>
      )}
      <span className="grow" />
      {!signedOut && (
        <>
          <Link to="/goals?f=open" className="count">
            <Drawn shape="▶" /> <Count n={running} words={shell.running(running)} />
          </Link>
          <Link to="/reviews" className={asked > 0 ? 'count you' : 'count'}>
            <Drawn shape="⚑" /> <Count n={asked} words={shell.needsYou(asked)} />
          </Link>
          <Spent />
          <PauseAll />
        </>
      )}
      <Line />
      <Appearance />
    </header>
  )
}

/** On a phone the sign and the number are seen and the words are heard, so that the header stays one line. */
function Count({ n, words }: { n: number; words: string }) {
  return (
    <>
      <span className="count-words">{words}</span>
      <span className="count-number" aria-hidden="true">
        {n}
      </span>
    </>
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

function Line() {
  const connection = useLive((state) => state.connection)
  const lostAt = useLive((state) => state.lostAt)
  const revision = useLive((state) => state.revision)
  const now = useNow(connection !== 'live')
  const words =
    connection === 'offline' && lostAt !== null ? shell.connection.lastHeard(relativeTime(lostAt, now)) : shell.connection[connection]
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
