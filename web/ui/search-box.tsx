import { Search } from 'lucide-react'
import { type ComponentProps, type ReactNode, useId } from 'react'

/** A field in which people search or narrow what is shown. The label is heard only; `children` come behind the field. */
export function SearchBox({ label, children, ...field }: { label: string; children?: ReactNode } & Omit<ComponentProps<'input'>, 'id'>) {
  const id = useId()
  return (
    <div className="search-box">
      <Search aria-hidden="true" />
      <label className="hidden" htmlFor={id}>
        {label}
      </label>
      <input id={id} type="search" {...field} />
      {children}
    </div>
  )
}
