/** JSON that can be folded. What is folded is not drawn, and long lists come in parts, so that any size stays quick. */
import { useState } from 'react'
import { LongText } from '../../ui/long-text.tsx'
import { detail } from '../../words/detail.ts'

/** Levels that are open at first, and items of one level that come at once. */
const OPEN = 2
const PART = 100

export function JsonTree({ value, level = 0 }: { value: unknown; level?: number }) {
  const [most, setMost] = useState(PART)
  if (typeof value !== 'object' || value === null) return <Leaf value={value} />
  const entries = Array.isArray(value) ? value.map((one, i) => [String(i), one] as const) : Object.entries(value)
  if (entries.length === 0) return <code className="json-leaf">{Array.isArray(value) ? '[]' : '{}'}</code>
  return (
    <ul className="json">
      {entries.slice(0, most).map(([name, one]) => (
        <li key={name}>
          {typeof one === 'object' && one !== null ? (
            <Branch name={name} value={one} level={level} />
          ) : (
            <>
              <span className="json-name">{name}</span> <Leaf value={one} />
            </>
          )}
        </li>
      ))}
      {entries.length > most && (
        <li>
          <button type="button" className="quiet small" onClick={() => setMost(most * 4)}>
            {detail.json.more(entries.length - most)}
          </button>
        </li>
      )}
    </ul>
  )
}

function Branch({ name, value, level }: { name: string; value: object; level: number }) {
  const [open, setOpen] = useState(level + 1 < OPEN)
  return (
    <details open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        <span className="json-name">{name}</span> <span className="dim">{detail.json.items(Object.keys(value).length)}</span>
      </summary>
      {open && <JsonTree value={value} level={level + 1} />}
    </details>
  )
}

function Leaf({ value }: { value: unknown }) {
  if (typeof value === 'string' && (value.length > 120 || value.includes('\n'))) return <LongText text={value} />
  return <code className={`json-leaf json-${value === null ? 'null' : typeof value}`}>{JSON.stringify(value) ?? 'undefined'}</code>
}
