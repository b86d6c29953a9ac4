/** A menu below its button: acts, and choices of one of several. Arrow keys and letters move in it. */
import { Check } from 'lucide-react'
import { DropdownMenu as Primitive } from 'radix-ui'
import type { ReactElement } from 'react'
import { Kbd } from './kbd.tsx'

export type MenuItem =
  /** `hint`: a second line, such as why it cannot be done now. */
  | { kind: 'act'; label: string; run: () => void; keys?: string; hint?: string; danger?: boolean; disabled?: boolean }
  | {
      kind: 'choice'
      label: string
      value: string
      options: readonly { value: string; label: string; hint?: string }[]
      choose: (value: string) => void
      /** The menu is left by choosing. */
      closes?: boolean
    }
  | { kind: 'line' }

export function DropdownMenu({
  trigger,
  items,
  align = 'end',
  open,
  setOpen,
}: {
  trigger: ReactElement
  items: readonly MenuItem[]
  align?: 'start' | 'end'
  /** With `setOpen`: who draws it opens it too, by a key for instance. */
  open?: boolean
  setOpen?: (open: boolean) => void
}) {
  return (
    <Primitive.Root modal={false} {...(open === undefined ? {} : { open })} {...(setOpen ? { onOpenChange: setOpen } : {})}>
      <Primitive.Trigger asChild>{trigger}</Primitive.Trigger>
      <Primitive.Portal>
        <Primitive.Content className="menu" align={align} sideOffset={6} collisionPadding={8}>
          {items.map((item, i) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: a menu's items have no other name and do not move while it is open
            <Item key={i} item={item} />
          ))}
        </Primitive.Content>
      </Primitive.Portal>
    </Primitive.Root>
  )
}

function Item({ item }: { item: MenuItem }) {
  if (item.kind === 'line') return <Primitive.Separator className="menu-line" />
  if (item.kind === 'act') {
    return (
      <Primitive.Item className={item.danger ? 'menu-item danger' : 'menu-item'} disabled={item.disabled ?? false} onSelect={item.run}>
        <span className="grow">
          {item.label}
          {item.hint && <span className="dim menu-hint">{item.hint}</span>}
        </span>
        {item.keys && <Kbd keys={item.keys} />}
      </Primitive.Item>
    )
  }
  return (
    <Primitive.RadioGroup value={item.value} onValueChange={item.choose} aria-label={item.label}>
      <Primitive.Label className="menu-label">{item.label}</Primitive.Label>
      {item.options.map((option) => (
        <Primitive.RadioItem
          key={option.value}
          className="menu-item"
          value={option.value}
          onSelect={(event) => {
            if (!item.closes) event.preventDefault()
          }}
        >
          <span className="grow">
            {option.label}
            {option.hint && <span className="dim menu-hint">{option.hint}</span>}
          </span>
          <Primitive.ItemIndicator>
            <Check aria-hidden="true" />
          </Primitive.ItemIndicator>
        </Primitive.RadioItem>
      ))}
    </Primitive.RadioGroup>
  )
}
