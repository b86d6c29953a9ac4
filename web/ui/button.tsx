/** A button. One `primary` a view; `danger` for what cannot be undone; `quiet` beside text. */
import { type ComponentProps, useContext } from 'react'
import { CannotSend } from './while-online.tsx'

export type Look = 'plain' | 'primary' | 'danger' | 'quiet'

export function Button({ look = 'plain', small, className = '', ...rest }: ComponentProps<'button'> & { look?: Look; small?: boolean }) {
  const isActing = look === 'primary' || look === 'danger'
  const cannot = useContext(CannotSend) && isActing
  return (
    <button
      type="button"
      {...rest}
      disabled={cannot || rest.disabled}
      className={`${look === 'plain' ? '' : look} ${small ? 'small' : ''} ${className}`.trim()}
    />
  )
}
