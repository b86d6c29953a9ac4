/** The pages: a rail on the left that may be narrow, a bar at the bottom of a narrow screen with the rest behind "More". */
import { useLocation, useRouter } from '@tanstack/react-router'
import { Ellipsis, PanelLeftClose, PanelLeftOpen } from 'lucide-react'
import { useState } from 'react'
import { useAsked } from '../data/use-reviews.ts'
import { type NavPage, navPages } from '../page-data.ts'
import { usePrefs } from '../prefs.ts'
import { Dialog } from '../ui/dialog.tsx'
import { IconButton } from '../ui/icon-button.tsx'
import { Link } from '../ui/link.tsx'
import { Tooltip } from '../ui/tooltip.tsx'
import { shell } from '../words/shell.ts'

export function usePages(): NavPage[] {
  return navPages(useRouter().routesByPath)
}

/** `/` is only itself; any other page is open while something below its address is. */
function useIsHere(): (path: string) => boolean {
  const at = useLocation({ select: (location) => location.pathname })
  return (path) =>
    path === '/' ? at === '/' : at === path || at.startsWith(`${path}/`) || (path === '/goals' && /^\/(trees|plans)\//.test(at))
}

export function Rail() {
  const [prefs, setPrefs] = usePrefs()
  const pages = usePages()
  const narrow = prefs.rail === 'icons'
  return (
    <nav className="rail" aria-label={shell.pages}>
      <Link to="/" className="brand" aria-label={shell.name}>
        <img src="/favicon.svg" alt="" width="24" height="24" />
        <span className="rail-word">{shell.name}</span>
      </Link>
      <div className="rail-pages">
        {Object.entries(shell.groups).map(([group, name]) => {
          const own = pages.filter((page) => page.group === group)
          if (own.length === 0) return null
          return (
            <ul key={group} aria-label={name}>
              {own.map((page) => (
                <li key={page.path}>
                  <Place page={page} tip={narrow} />
                </li>
              ))}
            </ul>
          )
        })}
      </div>
      <IconButton
        className="rail-fold"
        icon={narrow ? PanelLeftOpen : PanelLeftClose}
        label={narrow ? shell.expand : shell.collapse}
        onClick={() => setPrefs({ rail: narrow ? 'full' : 'icons' })}
      />
    </nav>
  )
}

function Place({ page, tip, onClick }: { page: NavPage; tip?: boolean; onClick?: () => void }) {
  const isHere = useIsHere()
  const all = useAsked()
  const asked = page.path === '/reviews' ? all : 0
  const link = (
    <Link to={page.path} className="place" aria-current={isHere(page.path) ? 'page' : undefined} {...(onClick ? { onClick } : {})}>
      <page.icon aria-hidden="true" />
      <span className="rail-word">{page.title}</span>
      {asked > 0 && <span className="place-count">{asked}</span>}
    </Link>
  )
  return tip ? (
    <Tooltip text={page.title} side="right">
      {link}
    </Tooltip>
  ) : (
    link
  )
}

export function BottomBar() {
  const pages = usePages()
  const [open, setOpen] = useState(false)
  const first = pages.filter((page) => page.bar).slice(0, 4)
  const rest = pages.filter((page) => !first.includes(page))
  return (
    <nav className="bottom-bar" aria-label={shell.pages}>
      {first.map((page) => (
        <Place key={page.path} page={page} />
      ))}
      {rest.length > 0 && (
        <>
          <button type="button" className="place" aria-haspopup="dialog" onClick={() => setOpen(true)}>
            <Ellipsis aria-hidden="true" />
            <span className="rail-word">{shell.more}</span>
          </button>
          <Dialog open={open} setOpen={setOpen} title={shell.pages} side="bottom">
            <ul className="drawer">
              {rest.map((page) => (
                <li key={page.path}>
                  <Place page={page} onClick={() => setOpen(false)} />
                </li>
              ))}
            </ul>
          </Dialog>
        </>
      )}
    </nav>
  )
}
