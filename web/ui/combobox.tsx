/** One of many, found by typing. */
import { Command } from 'cmdk'
import { Check, ChevronDown } from 'lucide-react'
import { Popover as Primitive } from 'radix-ui'
import { type ReactElement, useState } from 'react'
import { kit } from '../words/kit.ts'
import type { Option } from './select.tsx'

export function Combobox(props: {
  id?: string
  label: string
  value: string
  options: readonly Option[]
  choose: (value: string) => void
  disabled?: boolean
  /** In place of the usual button. */
  trigger?: ReactElement
  open?: boolean
  setOpen?: (open: boolean) => void
}) {
  const [ownOpen, setOwnOpen] = useState(false)
  const open = props.open ?? ownOpen
  const setOpen = props.setOpen ?? setOwnOpen
  const chosen = props.options.find((option) => option.value === props.value)
  return (
    <Primitive.Root open={open} onOpenChange={setOpen}>
      {props.trigger ? (
        <Primitive.Trigger asChild>{props.trigger}</Primitive.Trigger>
      ) : (
        <Primitive.Trigger
          className="select"
          id={props.id}
          role="combobox"
          aria-expanded={open}
          aria-label={`${props.label}: ${chosen?.label ?? kit.choose}`}
          disabled={props.disabled}
        >
          <span>{chosen?.label ?? kit.choose}</span>
          <ChevronDown aria-hidden="true" />
        </Primitive.Trigger>
      )}
      <Primitive.Portal>
        <Primitive.Content className="menu combobox-menu" align="start" sideOffset={4} collisionPadding={8} aria-label={props.label}>
          <Command label={props.label} defaultValue={props.value}>
            <Command.Input placeholder={kit.filter} />
            <Command.List label={props.label}>
              <Command.Empty>{kit.nothingFits}</Command.Empty>
              {props.options.map((option) => (
                <Command.Item
                  key={option.value}
                  value={option.value}
                  keywords={[option.label, option.hint ?? '']}
                  disabled={option.disabled ?? false}
                  onSelect={() => {
                    props.choose(option.value)
                    setOpen(false)
                  }}
                >
                  <span className="grow">
                    {option.label}
                    {option.hint && <span className="dim menu-hint">{option.hint}</span>}
                  </span>
                  {option.value === props.value && <Check aria-hidden="true" />}
                </Command.Item>
              ))}
            </Command.List>
          </Command>
        </Primitive.Content>
      </Primitive.Portal>
    </Primitive.Root>
  )
}
