/** One plot with what it says now, its table twin and its numbers as a file. */
import { ChartLine, Download, Table } from 'lucide-react'
import { lazy, Suspense, useMemo, useState } from 'react'
import type { ResourceSample } from '../../../core/contract/api-system.ts'
import { csvOf, saveFile } from '../../save-file.ts'
import { IconButton } from '../../ui/icon-button.tsx'
import { system } from '../../words/system.ts'
import { dayAndTime } from '../../words/words.ts'
import { amount, columnsOf, type PlotSpec, rowsOf, summaryOf, thinned } from './plots.ts'

const Plot = lazy(async () => ({ default: (await import('./plot.tsx')).Plot }))
const words = system.plots
const ROWS = 60

export function PlotCard(props: {
  spec: PlotSpec
  samples: readonly ResourceSample[]
  since: string
  holeSeconds: number
  table: boolean
  showTable: (table: boolean) => void
}) {
  const { spec, samples, since, holeSeconds, table } = props
  const [point, setPoint] = useState<number | null>(null)
  const columns = useMemo(() => columnsOf(spec, samples, holeSeconds), [spec, samples, holeSeconds])
  const newest = samples.at(-1)
  const most = (newest && spec.most?.(newest)) ?? null
  const at = point === null ? null : (columns[0]?.[point] ?? null)
  return (
    <figure className="plot card">
      <figcaption>
        <span className="plot-title">{spec.title}</span>
        <span className="dim plot-at">
          {at === null ? most !== null && spec.unit === 'bytes' && words.ofTotal(amount(spec.unit, most)) : dayAndTime(at * 1_000)}
        </span>
        <IconButton
          icon={table ? ChartLine : Table}
          label={(table ? words.plot : words.table)(spec.title)}
          aria-pressed={table}
          onClick={() => props.showTable(!table)}
        />
        <IconButton
          icon={Download}
          label={words.csv(spec.title)}
          onClick={() => saveFile(`banyan-${spec.id}.csv`, csvOf(rowsOf([spec], samples)))}
        />
      </figcaption>
      <ul className="plot-legend">
        {spec.lines.map((line, i) => {
          const value = at === null ? (newest ? line.value(newest) : null) : (columns[i + 1]?.[point!] ?? null)
          return value === null && at === null ? null : (
            <li key={line.name}>
              <Swatch at={i} colour={line.colour} />
              <span className="dim">{line.name}</span> <strong>{amount(spec.unit, value)}</strong>
            </li>
          )
        })}
      </ul>
      {samples.length === 0 || (samples.length === 1 && !table) ? (
        <p className="dim">{samples.length === 0 ? words.none : words.one}</p>
      ) : table ? (
        <Rows spec={spec} samples={samples} />
      ) : (
        <Suspense fallback={<div className="plot-place" role="status" aria-label={words.drawing} />}>
          <Plot spec={spec} columns={columns} most={most} label={summaryOf(spec, samples, since)} point={setPoint} />
        </Suspense>
      )}
    </figure>
  )
}

/** The line as the plot draws it. */
function Swatch({ at, colour }: { at: number; colour: string }) {
  return (
    <svg className={`swatch swatch${colour}`} width="18" height="8" viewBox="0 0 18 8" aria-hidden="true">
      <line x1="0" y1="4" x2="18" y2="4" stroke="currentColor" strokeWidth="2.5" strokeDasharray={['none', '5 4', '2 3'][at]} />
    </svg>
  )
}

function Rows({ spec, samples }: { spec: PlotSpec; samples: readonly ResourceSample[] }) {
  const shown = thinned(samples, ROWS)
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard */}
      <section className="plot-table" tabIndex={0} aria-label={words.table(spec.title)}>
        <table>
          <thead>
            <tr>
              <th scope="col">{words.time}</th>
              {spec.lines.map((line) => (
                <th key={line.name} scope="col">
                  {line.name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {shown.map((one) => (
              <tr key={one.at}>
                <td>{dayAndTime(one.at)}</td>
                {spec.lines.map((line) => (
                  <td key={line.name}>{amount(spec.unit, line.value(one))}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      <p className="dim plot-note">{words.rows(shown.length, samples.length)}</p>
    </>
  )
}
