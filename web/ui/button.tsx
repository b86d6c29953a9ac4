/** A button. One `primary` a view; `danger` for what cannot be undone; `quiet` beside text. */
import type { ComponentProps } from 'react'

export type Look = 'plain' | 'primary' | 'danger' | 'quiet'

export function Button({ look = 'plain', small, className = '', ...rest }: ComponentProps<'button'> & { look?: Look; small?: boolean }) {
  return <button type="button" {...rest} className={`${look === 'plain' ? '' : look} ${small ? 'small' : ''} ${className}`.trim()} />
}
