/** Where a list would be: why there is nothing, and what fills it. */
import type { LucideIcon } from 'lucide-react'
import type { ReactNode } from 'react'

export function EmptyState(props: { icon?: LucideIcon; title: string; children?: ReactNode; act?: ReactNode }) {
  return (
    <div className="empty-state">
      {props.icon && <props.icon aria-hidden="true" />}
      <p className="empty-title">{props.title}</p>
      {props.children && <div className="dim">{props.children}</div>}
      {props.act}
    </div>
  )
}
