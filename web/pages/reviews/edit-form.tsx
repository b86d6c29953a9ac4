/** Fields for what an object holds: texts, numbers, yes or no, lists of texts. What is deeper is edited as JSON. */
import { Field } from '../../ui/field.tsx'
import { Switch } from '../../ui/switch.tsx'
import { reviews as words } from '../../words/reviews.ts'

type Data = Record<string, unknown>

export function Form({ value, change }: { value: Data; change: (value: Data) => void }) {
  return (
    <div className="stack">
      {Object.entries(value).map(([name, one]) => (
        <One key={name} name={name} value={one} change={(next) => change({ ...value, [name]: next })} />
      ))}
    </div>
  )
}

function One({ name, value, change }: { name: string; value: unknown; change: (value: unknown) => void }) {
  const known = words.limits[name] ?? words.rows[name]
  const label = typeof known === 'string' ? known : name
  if (typeof value === 'boolean') return <Switch label={label} on={value} set={change} />
  if (typeof value === 'number')
    return (
      <Field label={label}>
        {(id) => <input id={id} type="number" value={value} onChange={(event) => change(event.target.valueAsNumber || 0)} />}
      </Field>
    )
  const isList = Array.isArray(value) && value.every((one) => typeof one === 'string')
  if (typeof value !== 'string' && !isList) return null
  const text = isList ? value.join('\n') : value
  return (
    <Field label={label}>
      {(id) => (
        <textarea
          id={id}
          className="mono"
          rows={Math.min(12, text.split('\n').length)}
          value={text}
          onChange={(event) => change(isList ? event.target.value.split('\n') : event.target.value)}
        />
      )}
    </Field>
  )
}
