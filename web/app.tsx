/** The frame around every page: header, what to do when not logged in, and the page that the address names. */
import { useEffect, useRef } from 'react'
import type { Api } from './api.ts'
import { Banyan, useLive } from './banyan.ts'
import { openReviews } from './fold.ts'
import type { Live } from './live.ts'
import { Driver, Header } from './parts/header.tsx'
import { routeOf, useAddress } from './route.ts'
import { Link } from './ui/link.tsx'
import { Home } from './views/home.tsx'
import { Reviews } from './views/reviews.tsx'
import { SignedOut } from './views/signed-out.tsx'
import { Tree } from './views/tree.tsx'

export function App({ api, live }: { api: Api; live: Live }) {
  return (
    <Banyan value={{ api, live }}>
      <a className="skip" href="#main">
        Skip to the page
      </a>
      <Header />
      <Driver />
      <Page />
    </Banyan>
  )
}

function Page() {
  const address = useAddress()
  const signedOut = useLive((state) => state.connection === 'signed_out')
  const asked = useLive((state) => openReviews(state.lists.reviews).length)
  const route = routeOf(new URL(address, 'http://page'))
  const main = useRef<HTMLElement>(null)
  const place = route.view === 'tree' ? route.treeId : route.view
  const first = useRef(place)

  // What waits for the person is worth a look at the tab.
  useEffect(() => {
    document.title = `${asked > 0 ? `(${asked}) ` : ''}${TITLES[route.view]} · Banyan`
  }, [asked, route.view])
  // A new page begins at its top, also for those who cannot see that it is new; the page that was loaded is left as the browser has it.
  useEffect(() => {
    if (first.current === place) return
    first.current = place
    main.current?.focus({ preventScroll: true })
    scrollTo(0, 0)
  }, [place])

  return (
    <main id="main" ref={main} tabIndex={-1}>
      {signedOut ? (
        <SignedOut />
      ) : route.view === 'home' ? (
        <Home />
      ) : route.view === 'reviews' ? (
        <Reviews />
      ) : route.view === 'tree' ? (
        <Tree key={route.treeId} treeId={route.treeId} taskId={route.taskId} />
      ) : (
        <div className="notice">
          <h1>There is no page {route.path}</h1>
          <p>
            The address may be mistyped. <Link to="/">Go to the goals</Link>
          </p>
        </div>
      )}
    </main>
  )
}
const TITLES = { home: 'Goals', reviews: 'Reviews', tree: 'Goal', unknown: 'No such page' }
