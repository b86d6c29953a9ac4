/** Two parts side by side whose widths a person sets, by mouse, finger or arrow keys; they are kept under `name`. */
import { type ReactNode, useCallback, useEffect, useRef } from 'react'
import { Group, type Layout, Panel, Separator } from 'react-resizable-panels'
import { readLocal, writeLocal } from '../theme.ts'
import { kit } from '../words/kit.ts'

export function Splitter(props: { name: string; left: ReactNode; right: ReactNode; first?: number; least?: number }) {
  const key = `banyan-split-${props.name}`
  const kept = widths(readLocal(key))
  const start = kept ?? { left: props.first ?? 45, right: 100 - (props.first ?? 45) }
  const least = props.least ?? 20
  const bar = useRef<HTMLDivElement>(null)
  // The library 4.24 leaves these out, and without them nobody who listens hears where the bar is.
  const tell = useCallback(
    (layout: Layout) => {
      bar.current?.setAttribute('aria-valuenow', String(Math.round(layout.left ?? 0)))
      bar.current?.setAttribute('aria-valuemin', String(least))
      bar.current?.setAttribute('aria-valuemax', String(100 - least))
    },
    [least],
  )
  // biome-ignore lint/correctness/useExhaustiveDependencies: where it starts is told once; from then on the changes are
  useEffect(() => tell(start), [tell])
  return (
    <Group
      className="splitter"
      orientation="horizontal"
      defaultLayout={start}
      onLayoutChange={tell}
      onLayoutChanged={(layout) => writeLocal(key, JSON.stringify(layout))}
    >
      <Panel id="left" minSize={`${least}%`}>
        {props.left}
      </Panel>
      <Separator elementRef={bar} className="splitter-bar" aria-label={kit.resize} />
      <Panel id="right" minSize={`${least}%`}>
        {props.right}
      </Panel>
    </Group>
  )
}

function widths(text: string): Layout | null {
  try {
    const { left, right } = JSON.parse(text) as { left?: unknown; right?: unknown }
    return typeof left === 'number' && typeof right === 'number' && left > 0 && right > 0 ? { left, right } : null
  } catch {
    return null // nothing was kept, or not by us
  }
}
