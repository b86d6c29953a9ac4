/** A link within the page: changes the address without loading anew; with a modifier key the browser does what it does with links. */
import type { ComponentProps, MouseEvent } from 'react'
import { useGo } from '../route.ts'

export function Link({ to, replace, onClick, ...rest }: { to: string; replace?: boolean } & Omit<ComponentProps<'a'>, 'href'>) {
  const go = useGo()
  const follow = (event: MouseEvent<HTMLAnchorElement>) => {
    onClick?.(event)
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
    event.preventDefault()
    go(to, replace ? 'replace' : 'push')
  }
  return <a {...rest} href={to} onClick={follow} />
}
