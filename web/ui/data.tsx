/** Data of any shape as a person reads it: short values beside their names, long texts as text. */
import { LongText } from './long-text.tsx'

export function Data({ value }: { value: unknown }) {
  if (value === null || value === undefined || value === '') return null
  if (typeof value !== 'object') return <LongText text={String(value)} shown={2_000} />
  if (Array.isArray(value)) return value.length === 0 ? null : <LongText text={JSON.stringify(value, null, 2)} shown={2_000} />
  const entries = Object.entries(value).filter(([, one]) => one !== null && one !== '')
  if (entries.length === 0) return null
  return (
    <dl className="data">
      {entries.map(([name, one]) => (
        <div key={name}>
          <dt>{words(name)}</dt>
          <dd>
            {typeof one === 'string' || typeof one === 'number' || typeof one === 'boolean' ? (
              plain(String(one))
            ) : (
              <LongText text={JSON.stringify(one, null, 2)} shown={2_000} />
            )}
          </dd>
        </div>
      ))}
    </dl>
  )
}
const plain = (text: string) => (text.length > 120 || text.includes('\n') ? <LongText text={text} shown={2_000} /> : <code>{text}</code>)
/** "costMicros" → "cost micros". */
const words = (name: string): string =>
  name.replace(/_/g, ' ').replace(/([a-z])([A-Z])/g, (_, a: string, b: string) => `${a} ${b.toLowerCase()}`)
