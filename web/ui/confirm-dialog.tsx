/** Asks before what cannot be undone. `word`: what has to be typed first, for what reaches far. */
import { AlertDialog as Primitive } from 'radix-ui'
import { type ReactNode, useState } from 'react'
import { kit } from '../words/kit.ts'
import { Button } from './button.tsx'
import { Field } from './field.tsx'
import { AwayNote, useAway } from './while-online.tsx'

export function ConfirmDialog(props: {
  open: boolean
  setOpen: (open: boolean) => void
  title: string
  children: ReactNode
  yes: string
  no?: string
  word?: string
  look?: 'danger' | 'primary'
  onYes: () => void
}) {
  const [typed, setTyped] = useState('')
  const away = useAway()
  const ready = props.word === undefined || typed.trim() === props.word
  return (
    <Primitive.Root open={props.open} onOpenChange={props.setOpen}>
      <Primitive.Portal>
        <Primitive.Overlay className="veil" />
        <Primitive.Content className="dialog">
          <Primitive.Title asChild>
            <h2>{props.title}</h2>
          </Primitive.Title>
          <Primitive.Description asChild>
            <div>{props.children}</div>
          </Primitive.Description>
          {away && <AwayNote />}
          {props.word !== undefined && (
            <Field label={kit.typeToConfirm(props.word)}>
              {(id) => <input id={id} value={typed} autoComplete="off" onChange={(event) => setTyped(event.target.value)} />}
            </Field>
          )}
          <div className="actions">
            <Primitive.Action asChild>
              <Button look={props.look ?? 'danger'} disabled={!ready || away} onClick={props.onYes}>
                {props.yes}
              </Button>
            </Primitive.Action>
            <Primitive.Cancel asChild>
              <Button>{props.no ?? kit.cancel}</Button>
            </Primitive.Cancel>
          </div>
        </Primitive.Content>
      </Primitive.Portal>
    </Primitive.Root>
  )
}
