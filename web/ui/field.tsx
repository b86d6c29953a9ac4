/** A label, what it labels, a hint and what is wrong, tied together for those who listen. The child gets the ids. */
import { type ReactNode, useId } from 'react'
import { kit } from '../words/kit.ts'

export function Field(props: {
  label: string
  hint?: string
  error?: string | null
  optional?: boolean
  children: (id: string, described: { 'aria-describedby'?: string; 'aria-invalid'?: true }) => ReactNode
}) {
  const id = useId()
  const about = [props.hint && `${id}-hint`, props.error && `${id}-error`].filter(Boolean).join(' ')
  return (
    <div className="field">
      <label htmlFor={id}>
        {props.label} {props.optional && <span className="dim">({kit.optional})</span>}
      </label>
      {props.children(id, { ...(about ? { 'aria-describedby': about } : {}), ...(props.error ? { 'aria-invalid': true } : {}) })}
      {props.hint && (
        <p id={`${id}-hint`} className="dim field-hint">
          {props.hint}
        </p>
      )}
      {props.error && (
        <p id={`${id}-error`} className="field-error" role="alert">
          {props.error}
        </p>
      )}
    </div>
  )
}
