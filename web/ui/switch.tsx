/** On or off, at once. */
import { Switch as Primitive } from 'radix-ui'
import { useId } from 'react'

export function Switch(props: { label: string; hint?: string; on: boolean; set: (on: boolean) => void; disabled?: boolean }) {
  const id = useId()
  return (
    <div className="switch-line">
      <Primitive.Root
        id={id}
        className="switch"
        checked={props.on}
        onCheckedChange={props.set}
        disabled={props.disabled ?? false}
        {...(props.hint ? { 'aria-describedby': `${id}-hint` } : {})}
      >
        <Primitive.Thumb className="switch-thumb" />
      </Primitive.Root>
      <label htmlFor={id}>{props.label}</label>
      {props.hint && (
        <span id={`${id}-hint`} className="dim">
          {props.hint}
        </span>
      )}
    </div>
  )
}
