/** One thing that is said beside a goal: what it is about as a picture and a word, and what holds now. */
import type { LucideIcon } from 'lucide-react'
import type { ComponentProps } from 'react'

export function Chip(
  props: Omit<ComponentProps<'button'>, 'value'> & { icon: LucideIcon; name: string; value?: string | undefined; set?: boolean },
) {
  const { icon: Icon, name, value, set, ...rest } = props
  return (
    <button type="button" {...rest} className={set ? 'say say-set' : 'say'}>
      <Icon aria-hidden="true" />
      {value === undefined ? (
        <span>{name}</span>
      ) : (
        <>
          <span className="say-name">{name}</span> <span className="say-value">{value}</span>
        </>
      )}
    </button>
  )
}
