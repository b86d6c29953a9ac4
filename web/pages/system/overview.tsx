/** The machine and the work at one look, then over time. */
import { getRouteApi } from '@tanstack/react-router'
import { CircleCheck, Download, TriangleAlert } from 'lucide-react'
import { useMemo } from 'react'
import { ROUTES } from '../../../core/contract/api.ts'
import { useActions } from '../../actions.ts'
import { duration } from '../../format.ts'
import { useRead } from '../../read.ts'
import { useGo } from '../../route.ts'
import { csvOf, saveFile } from '../../save-file.ts'
import { writeSearch } from '../../search.ts'
import { Button } from '../../ui/button.tsx'
import { Link } from '../../ui/link.tsx'
import { ReadAge } from '../../ui/read-age.tsx'
import { Reading } from '../../ui/reading.tsx'
import { system as words } from '../../words/system.ts'
import { wholeNumber } from '../../words/words.ts'
import { PlotCard } from './plot-card.tsx'
import { plotsFor, rowsOf } from './plots.ts'
import { Tile } from './tile.tsx'
import { everyOf, useResources, type Window } from './use-resources.ts'

const route = getRouteApi('/system')
const WINDOWS = Object.entries(words.windows) as [Window, string][]

export function Overview() {
  const ask = route.useSearch()
  const window: Window = ask.window ?? '1h'
  const go = useGo()
  const read = useResources(window)
  const cores = read.data?.cores ?? 1
  const specs = useMemo(() => plotsFor(cores), [cores])
  const to = (change: Record<string, string | undefined>) => `/system${writeSearch({ ...ask, ...change })}`
  const other = window === '1h' ? '24h' : '1h'
  const save = () => read.data && saveFile(`banyan-${window}.csv`, csvOf(rowsOf(specs, read.data.items)))
  useActions([
    { id: 'system.read', label: words.plots.allCsv, group: words.title, keys: 'e', run: () => void save() },
    {
      id: 'system.window',
      label: words.windows[other],
      group: words.title,
      keys: 'w',
      run: () => go(to({ window: other === '1h' ? undefined : other }), 'replace'),
    },
  ])
  return (
    <div className="system-part">
      <Verdict alerts={read.data?.alerts.map((alert) => alert.words) ?? []} known={read.data !== undefined} />
      <Tiles />
      <div className="part-head">
        <nav className="chips" aria-label={words.window}>
          {WINDOWS.map(([value, label]) => (
            <Link
              key={value}
              replace
              to={to({ window: value === '1h' ? undefined : value })}
              className="chip"
              aria-current={window === value ? 'true' : undefined}
            >
              {label}
            </Link>
          ))}
        </nav>
        <span className="grow" />
        <Button look="quiet" small onClick={save} disabled={!read.data}>
          <Download aria-hidden="true" /> {words.plots.allCsv}
        </Button>
        <ReadAge at={read.dataUpdatedAt} every={everyOf(window)} again={() => void read.refetch()} busy={read.isFetching} />
      </div>
      <Reading read={read} label={words.reading} failed={words.failed} effect={words.effect} lines={8}>
        {({ items, stepSeconds }) => (
          <div className="plots">
            {specs.map((spec) => (
              <PlotCard
                key={spec.id}
                spec={spec}
                samples={items}
                since={words.windows[window].toLowerCase()}
                // The hour before a restart is known by the minute only.
                holeSeconds={Math.max(150, stepSeconds * 3.5)}
                table={ask.table === spec.id}
                showTable={(table) => go(to({ table: table ? spec.id : undefined }), 'replace')}
              />
            ))}
          </div>
        )}
      </Reading>
    </div>
  )
}

/** One line that says whether anybody has to look, and where. */
function Verdict({ alerts, known }: { alerts: readonly string[]; known: boolean }) {
  const { data: now } = useRead(ROUTES.system, undefined, { follow: true })
  const { data: dead } = useRead(ROUTES.dead, { query: { limit: '200' } }, { follow: true })
  const { data: breakers } = useRead(ROUTES.breakers, undefined, { every: 10_000 })
  if (!known || !now || !dead || !breakers) return null
  const troubles = [
    ...(now.paused ? [{ text: words.verdict.paused(now.paused.by), to: null }] : []),
    ...alerts.map((text) => ({ text, to: null })),
    ...breakers.items
      .filter((one) => one.state !== 'closed')
      .map((one) => ({ text: words.verdict.breaker(one.id), to: '/system?tab=providers' })),
    ...breakers.items.flatMap(({ id, hold }) => (hold ? [{ text: words.verdict.held[hold.kind](id), to: '/system?tab=providers' }] : [])),
    ...(dead.items.length > 0 ? [{ text: words.verdict.dead(dead.items.length), to: '/system?tab=dead' }] : []),
  ]
  if (troubles.length === 0) {
    return (
      <p className="verdict verdict-good" role="status">
        <CircleCheck aria-hidden="true" /> {words.verdict.good}{' '}
        {now.openReviews > 0 && <Link to="/reviews">{words.verdict.asked(now.openReviews)}</Link>}
      </p>
    )
  }
  return (
    <div className="verdict verdict-bad" role="status">
      <TriangleAlert aria-hidden="true" />
      <ul aria-label={words.verdict.trouble}>
        {troubles.map(({ text, to }) => (
          <li key={text}>{to ? <Link to={to}>{text}</Link> : text}</li>
        ))}
      </ul>
    </div>
  )
}

function Tiles() {
  const { data: queue } = useRead(ROUTES.queue, undefined, { follow: true, every: 5_000 })
  const { data: now } = useRead(ROUTES.system, undefined, { follow: true })
  const { data: dead } = useRead(ROUTES.dead, { query: { limit: '200' } }, { follow: true })
  const waiting = queue?.waiting.reduce((sum, one) => sum + one.count, 0)
  const n = (value: number | undefined) => (value === undefined ? null : wholeNumber(value))
  return (
    <ul className="tiles" aria-label={words.tiles.label}>
      <Tile
        name={words.tiles.turns}
        value={n(queue?.active)}
        beside={queue && words.tiles.of(queue.slots)}
        to="/system?tab=workers"
        tone={queue && queue.active > 0 ? 'run' : undefined}
      />
      <Tile
        name={words.tiles.ready}
        value={n(queue?.ready)}
        beside={queue?.oldestReadySeconds ? words.tiles.oldest(duration(queue.oldestReadySeconds * 1_000)) : undefined}
        to="/system?tab=queue"
      />
      <Tile name={words.tiles.waiting} value={n(waiting)} to="/system?tab=queue" />
      <Tile name={words.tiles.needYou} value={n(queue?.openReviews)} to="/reviews" tone={queue?.openReviews ? 'you' : undefined} />
      <Tile name={words.tiles.stuck} value={n(dead?.items.length)} to="/system?tab=dead" tone={dead?.items.length ? 'bad' : undefined} />
      <Tile name={words.tiles.up} value={now ? duration(now.uptimeSeconds * 1_000) : null} to="/settings/about" />
    </ul>
  )
}
