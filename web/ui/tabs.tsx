/** Parts of a page of which one is shown. The page keeps which, mostly in its address. */
import { Tabs as Primitive } from 'radix-ui'
import { type ReactNode, useEffect, useRef } from 'react'

export type Tab = { value: string; label: string; badge?: ReactNode; body: ReactNode }

export function Tabs(props: { label: string; value: string; choose: (value: string) => void; tabs: readonly Tab[] }) {
  const list = useRef<HTMLDivElement>(null)
  // On a narrow screen the row of tabs is longer than the screen; which one is open must be seen.
  // biome-ignore lint/correctness/useExhaustiveDependencies: the tab that is open is marked in the document when its value has changed
  useEffect(() => {
    list.current?.querySelector('[data-state="active"]')?.scrollIntoView({ block: 'nearest', inline: 'center' })
  }, [props.value])
  return (
    <Primitive.Root className="tabs" value={props.value} onValueChange={props.choose}>
      <Primitive.List ref={list} className="tab-list" aria-label={props.label}>
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
