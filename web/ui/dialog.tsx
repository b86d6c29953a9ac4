/** A window over the page: focus stays inside, Escape and a click beside it close. `side`: `bottom` slides up, for thumbs; `right` stands beside the page and fills a phone. */
import { X } from 'lucide-react'
import { Dialog as Primitive } from 'radix-ui'
import type { ReactNode } from 'react'
import { kit } from '../words/kit.ts'
import { AwayNote, CannotSend, useAway } from './while-online.tsx'

export function Dialog(props: {
  open: boolean
  setOpen: (open: boolean) => void
  title: string
  /** One sentence below the title. */
  description?: string
  size?: 'small' | 'large'
  side?: 'bottom' | 'right'
  /** It changes something on the server: while that cannot be reached it says so, and only reading and writing go on. */
  sends?: boolean
  children: ReactNode
}) {
  const cannot = useAway() && props.sends === true
  return (
    <Primitive.Root open={props.open} onOpenChange={props.setOpen}>
      <Primitive.Portal>
        <Primitive.Overlay className="veil" />
        <Primitive.Content
          className={`dialog ${props.size === 'large' ? 'dialog-large' : ''} ${props.side ? `dialog-${props.side}` : ''}`}
          {...(props.description === undefined ? { 'aria-describedby': undefined } : {})}
        >
          <header>
            <Primitive.Title asChild>
              <h2>{props.title}</h2>
            </Primitive.Title>
            <Primitive.Close className="quiet icon" aria-label={kit.close}>
              <X aria-hidden="true" />
            </Primitive.Close>
          </header>
          {props.description && <Primitive.Description className="dim">{props.description}</Primitive.Description>}
          {cannot && <AwayNote />}
          <CannotSend value={cannot}>{props.children}</CannotSend>
        </Primitive.Content>
      </Primitive.Portal>
    </Primitive.Root>
  )
}
