/** A button that is only an icon; its label is there for everybody: on hover, on focus and for those who listen. */
import type { LucideIcon } from 'lucide-react'
import type { ComponentProps } from 'react'
import { Tooltip } from './tooltip.tsx'

type Props = Omit<ComponentProps<'button'>, 'children' | 'aria-label' | 'title'> & { icon: LucideIcon; label: string }

export function IconButton({ icon: Icon, label, className = '', ...rest }: Props) {
  return (
    <Tooltip text={label}>
      <button type="button" {...rest} className={`quiet icon ${className}`.trim()} aria-label={label}>
        <Icon aria-hidden="true" />
      </button>
    </Tooltip>
  )
}
