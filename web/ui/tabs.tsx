/** Parts of a page of which one is shown. The page keeps which, mostly in its address. */
import { Tabs as Primitive } from 'radix-ui'
import type { ReactNode } from 'react'

export type Tab = { value: string; label: string; badge?: ReactNode; body: ReactNode }

export function Tabs(props: { label: string; value: string; choose: (value: string) => void; tabs: readonly Tab[] }) {
  return (
    <Primitive.Root className="tabs" value={props.value} onValueChange={props.choose}>
      <Primitive.List className="tab-list" aria-label={props.label}>
        {props.tabs.map((tab) => (
          <Primitive.Trigger key={tab.value} className="tab" value={tab.value}>
            {tab.label}
            {tab.badge}
          </Primitive.Trigger>
        ))}
      </Primitive.List>
      {props.tabs.map((tab) => (
        <Primitive.Content key={tab.value} className="tab-body" value={tab.value}>
          {tab.body}
        </Primitive.Content>
      ))}
    </Primitive.Root>
  )
}
