/** The title of the tab: how much waits for the person, then the page. */
import { createContext, useContext, useEffect } from 'react'

export const TitleOf = createContext<(title: string | null) => void>(() => undefined)

/** A page says its own title once it knows it (a goal's words); until then the route's title stands. */
export function useTitle(title: string | null): void {
  const set = useContext(TitleOf)
  useEffect(() => {
    set(title)
    return () => set(null)
  }, [set, title])
}
