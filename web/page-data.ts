/** What a route says of its page beside its path. */
import type { LucideIcon } from 'lucide-react'
import type { shell } from './words/shell.ts'

export type NavGroup = keyof typeof shell.groups

export type PageData = {
  /** Name of the page: in the tab, the rail and the palette. */
  title?: string
  /** Its place in the rail; a page without one is not there. On a narrow screen the first four with `bar` are in the bottom bar. */
  nav?: { group: NavGroup; icon: LucideIcon; bar?: boolean }
  /** The key after `g`. */
  key?: string
}

/** A page of the rail, in the order of the routes. */
export type NavPage = { path: string; title: string; group: NavGroup; icon: LucideIcon; bar: boolean; key?: string }

export function navPages(routesByPath: Readonly<Record<string, { fullPath: string; options: { staticData?: PageData } }>>): NavPage[] {
  return Object.values(routesByPath).flatMap(({ fullPath, options }) => {
    const { title, nav, key } = options.staticData ?? {}
    if (!title || !nav) return []
    return [{ path: fullPath, title, group: nav.group, icon: nav.icon, bar: nav.bar ?? false, ...(key ? { key } : {}) }]
  })
}
