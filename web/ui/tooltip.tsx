/** A few words on hover and focus. What is only here is not needed to go on: fingers have no hover. */
import { Tooltip as Primitive } from 'radix-ui'
import type { ReactElement } from 'react'

export function Tooltip({
  text,
  side = 'bottom',
  children,
}: {
  text: string
  side?: 'top' | 'right' | 'bottom' | 'left'
  children: ReactElement
}) {
  return (
    <Primitive.Root>
      <Primitive.Trigger asChild>{children}</Primitive.Trigger>
      <Primitive.Portal>
        <Primitive.Content className="tooltip" side={side} sideOffset={6} collisionPadding={8}>
          {text}
        </Primitive.Content>
      </Primitive.Portal>
    </Primitive.Root>
  )
}
