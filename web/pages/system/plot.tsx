/** Lines over time, drawn by uPlot. Loaded when the first one is shown; whoever cannot see it has the words of `label` and the table. */
import { useEffect, useRef, useSyncExternalStore } from 'react'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { clockTime } from '../../words/words.ts'
import { amount, type PlotSpec, type Unit } from './plots.ts'

const HEIGHT = 150
const DASHES = [[], [5, 4], [2, 3]]

const axisWord = (unit: Unit, value: number): string => (value === 0 ? '0' : unit === 'count' && value % 1 !== 0 ? '' : amount(unit, value))
/** With seconds only where the marks are closer than a minute. */
const clockTimes: uPlot.Axis.DynamicValues = (_, splits, __, ___, step) => splits.map((at) => clockTime(at * 1_000, step < 60))

/** Changes when the colours of the page do: a canvas does not follow them by itself. */
function useScheme(): string {
  const get = () => `${document.documentElement.dataset.theme ?? ''} ${matchMedia('(prefers-color-scheme: dark)').matches}`
  return useSyncExternalStore(followScheme, get)
}
function followScheme(listener: () => void): () => void {
  const query = matchMedia('(prefers-color-scheme: dark)')
  const observer = new MutationObserver(listener)
  observer.observe(document.documentElement, { attributeFilter: ['data-theme'] })
  query.addEventListener('change', listener)
  return () => {
    observer.disconnect()
    query.removeEventListener('change', listener)
  }
}

/** `point`: told the index of the sample under the pointer, here or in another plot; null when there is none. */
export function Plot(props: {
  spec: PlotSpec
  columns: (number | null)[][]
  most: number | null
  label: string
  point: (index: number | null) => void
}) {
  const { spec, columns, most, label } = props
  const place = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot>(null)
  const newest = useRef({ columns, most, point: props.point })
  newest.current = { columns, most, point: props.point }
  const scheme = useScheme()

  // biome-ignore lint/correctness/useExhaustiveDependencies: another scheme has other colours, which are read here
  useEffect(() => {
    const element = place.current!
    const style = getComputedStyle(document.documentElement)
    const colour = (name: string) => style.getPropertyValue(name).trim()
    const axis = {
      stroke: colour('--dim'),
      font: '12px system-ui, sans-serif',
      grid: { stroke: colour('--line'), width: 1 },
      ticks: { show: false },
    }
    const own = new uPlot(
      {
        width: element.clientWidth,
        height: HEIGHT,
        padding: [8, 8, 0, 0],
        legend: { show: false },
        cursor: { sync: { key: 'system' }, drag: { x: false, y: false }, y: false, points: { size: 7 } },
        scales: {
          x: { time: true },
          y: { range: (_, __, high) => [0, newest.current.most ?? (high > 0 ? high * 1.15 : 1)] },
        },
        axes: [
          { ...axis, size: 28, space: 70, grid: { show: false }, values: clockTimes },
          {
            ...axis,
            size: 64,
            space: 34,
            values: (_, splits) => splits.map((value) => axisWord(spec.unit, value)),
          },
        ],
        series: [
          {},
          ...spec.lines.map((line, i) => ({
            label: line.name,
            stroke: colour(line.colour),
            width: 1.75,
            dash: DASHES[i] ?? [],
            points: { show: false },
            ...(i === 0 ? { fill: `${colour(line.colour)}1f` } : {}),
          })),
        ],
        hooks: { setCursor: [(self) => newest.current.point(self.cursor.idx ?? null)] },
      },
      newest.current.columns as uPlot.AlignedData,
      element,
    )
    plot.current = own
    const size = new ResizeObserver(() => own.setSize({ width: element.clientWidth, height: HEIGHT }))
    size.observe(element)
    return () => {
      size.disconnect()
      own.destroy()
      plot.current = null
    }
  }, [spec, scheme])

  useEffect(() => {
    plot.current?.setData(columns as uPlot.AlignedData)
  }, [columns])

  return <div className="plot-place" ref={place} role="img" aria-label={label} />
}
