/** A small window beside its button, for what is looked at or filled in on the way. */
import { Popover as Primitive } from 'radix-ui'
import type { ReactElement, ReactNode } from 'react'

export function Popover(props: {
  trigger: ReactElement
  label: string
  children: ReactNode
  open?: boolean
  setOpen?: (open: boolean) => void
  align?: 'start' | 'center' | 'end'
}) {
  return (
    <Primitive.Root {...(props.open === undefined ? {} : { open: props.open })} {...(props.setOpen ? { onOpenChange: props.setOpen } : {})}>
      <Primitive.Trigger asChild>{props.trigger}</Primitive.Trigger>
      <Primitive.Portal>
        <Primitive.Content className="popover" aria-label={props.label} align={props.align ?? 'start'} sideOffset={6} collisionPadding={8}>
          {props.children}
        </Primitive.Content>
      </Primitive.Portal>
    </Primitive.Root>
  )
}
