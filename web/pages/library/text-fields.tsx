/** The fields that agents, documents and tools share, and numbers that may be left out. */
import { useEffect, useState } from 'react'
import type { Validation } from '../../../core/contract/api-registry.ts'
import { Field } from '../../ui/field.tsx'
import { library } from '../../words/library.ts'
import type { Body, Kind } from './entries.ts'
import type { Editing } from './entry-page.tsx'
import { problemsOf } from './problems.ts'

/** The name while it can still be chosen, and the description. */
export function NameAndDescription<K extends Kind>({ kind, editing }: { kind: K; editing: Editing<K> }) {
  const { item, draft, validation } = editing
  const body = draft.body as { name: string; description: string }
  const set = (change: Partial<typeof body>) => draft.set(change as Partial<Body<K>>)
  const fresh = item === null
  const of = (field: 'name' | 'description') => problemsOf(validation, field, fresh && body[field] === '')
  return (
    <>
      {fresh && (
        <Field label={library.fields.name} hint={library.fields.nameHint} error={of('name').error}>
          {(id, described) => (
            <input
              id={id}
              {...described}
              value={body.name}
              autoComplete="off"
              spellCheck={false}
              maxLength={64}
              onChange={(event) => set({ name: event.target.value })}
            />
          )}
        </Field>
      )}
      <Field label={library.fields.description} hint={library.fields.descriptionHint[kind]} error={of('description').error}>
        {(id, described) => (
          <textarea
            id={id}
            {...described}
            rows={2}
            value={body.description}
            onChange={(event) => set({ description: event.target.value })}
          />
        )}
      </Field>
    </>
  )
}

/** A whole number. What is typed and is none is not handed on until it is left, and then the number stands again. */
export function NumberField(props: {
  label: string
  value: number | undefined
  set: (value: number | undefined) => void
  optional?: boolean
  validation: Validation | null
  field: string
}) {
  const [typed, setTyped] = useState(String(props.value ?? ''))
  useEffect(() => setTyped(String(props.value ?? '')), [props.value])
  const { error, warning } = problemsOf(props.validation, props.field)
  return (
    <Field label={props.label} error={error ?? warning} optional={props.optional ?? false}>
      {(id, described) => (
        <input
          id={id}
          {...described}
          inputMode="numeric"
          value={typed}
          onChange={(event) => {
            const text = event.target.value.trim()
            setTyped(text)
            if (text === '' && props.optional) props.set(undefined)
            else if (/^\d{1,12}$/.test(text)) props.set(Number(text))
          }}
          onBlur={() => setTyped(String(props.value ?? ''))}
        />
      )}
    </Field>
  )
}
