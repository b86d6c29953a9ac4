/** Two parts side by side whose widths a person sets, by mouse, finger or arrow keys; they are kept under `name`. */
import type { ReactNode } from 'react'
import { Group, type Layout, Panel, Separator } from 'react-resizable-panels'
import { readLocal, writeLocal } from '../theme.ts'
import { kit } from '../words/kit.ts'

export function Splitter(props: { name: string; left: ReactNode; right: ReactNode; first?: number; least?: number }) {
  const key = `banyan-split-${props.name}`
  const kept = widths(readLocal(key))
  const least = `${props.least ?? 20}%`
  return (
    <Group
      className="splitter"
      orientation="horizontal"
      defaultLayout={kept ?? { left: props.first ?? 45, right: 100 - (props.first ?? 45) }}
      onLayoutChanged={(layout) => writeLocal(key, JSON.stringify(layout))}
    >
      <Panel id="left" minSize={least}>
        {props.left}
      </Panel>
      <Separator className="splitter-bar" aria-label={kit.resize} />
      <Panel id="right" minSize={least}>
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
