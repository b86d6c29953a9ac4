/** A link within the page: changes the address without loading anew; with a modifier key the browser does what it does with links. */
import type { ComponentProps, MouseEvent } from 'react'
import { go } from '../route.ts'

export function Link({ to, replace, ...rest }: { to: string; replace?: boolean } & Omit<ComponentProps<'a'>, 'href' | 'onClick'>) {
  const follow = (event: MouseEvent) => {
    if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
    event.preventDefault()
    go(to, replace ? 'replace' : 'push')
  }
  return <a {...rest} href={to} onClick={follow} />
}
