/** The frame around every page: rail, header, the page, and what lies over it. */
import { Outlet, useLocation, useMatches } from '@tanstack/react-router'
import { useCallback, useEffect, useRef, useState } from 'react'
import { useBanyan, useLive } from '../banyan.ts'
import { useAsked } from '../data/use-reviews.ts'
import { useSeen } from '../data/use-tree.ts'
import { isCovered } from '../keys.ts'
import { Login } from '../pages/login/login.tsx'
import { usePrefs } from '../prefs.ts'
import { TitleOf } from '../title.ts'
import { Toasts } from '../ui/toast.tsx'
import { pages } from '../words/pages.ts'
import { shell } from '../words/shell.ts'
import { AskOverlay } from './ask.tsx'
import { Driver, Header } from './header.tsx'
import { KeyLayer } from './key-layer.tsx'
import { KeySheet } from './key-sheet.tsx'
import { BottomBar, Rail } from './nav.tsx'
import { useIconCount, useNotices } from './notices.ts'
import { Palette } from './palette.tsx'
import { useShellActions } from './shell-actions.ts'

export type Overlay = 'palette' | 'keys' | 'ask' | null

export function Shell() {
  const [prefs] = usePrefs()
  const signedOut = useLive((state) => state.connection === 'signed_out')
  const { live } = useBanyan()
  // On whatever page: what happens while this tab is shown is no news on the first page.
  useSeen(
    'home',
    useCallback(() => live.state().seq, [live]),
  )
  const [overlay, setOverlay] = useState<Overlay>(null)
  const [given, setGiven] = useState<string | null>(null)
  useShellActions(setOverlay)
  const setTitle = useDocumentTitle()
  const main = useFocusOnNewPage()
  return (
    <TitleOf value={setTitle}>
      <a className="skip" href="#main">
        {shell.skip}
      </a>
      <div className="shell" data-rail={prefs.rail}>
        {!signedOut && <Rail />}
        <div className="shell-body">
          <Header search={() => setOverlay('palette')} ask={() => setOverlay('ask')} />
          <Driver />
          <main id="main" ref={main} tabIndex={-1}>
            {signedOut ? <Login /> : <Outlet />}
          </main>
        </div>
        {!signedOut && <BottomBar />}
      </div>
      <KeyLayer />
      <Palette
        open={overlay === 'palette'}
        setOpen={(open) => setOverlay(open ? 'palette' : null)}
        ask={(words) => {
          setGiven(words)
          setOverlay('ask')
        }}
      />
      {!signedOut && (
        <AskOverlay open={overlay === 'ask'} setOpen={(open) => setOverlay(open ? 'ask' : null)} given={given} setGiven={setGiven} />
      )}
      <KeySheet open={overlay === 'keys'} setOpen={(open) => setOverlay(open ? 'keys' : null)} />
      <Toasts />
    </TitleOf>
  )
}

/** What waits for the person is worth a look at the tab. */
function useDocumentTitle() {
  const [own, setOwn] = useState<string | null>(null)
  const asked = useAsked()
  const named = useMatches({ select: (matches) => matches.at(-1)?.staticData.title })
  useIconCount(asked)
  useNotices()
  useEffect(() => {
    document.title = `${asked > 0 ? `(${asked}) ` : ''}${own ?? named ?? pages.missing} · ${shell.name}`
  }, [asked, own, named])
  return setOwn
}

/** A new page begins for those who cannot see that it is new; the page that was loaded is left as the browser has it. */
function useFocusOnNewPage() {
  const path = useLocation({ select: (location) => location.pathname })
  const main = useRef<HTMLElement>(null)
  const first = useRef(path)
  useEffect(() => {
    if (first.current === path) return
    first.current = path
    // Focus taken from an open palette would come back with what is typed so far selected, and the next letter would replace it.
    if (!isCovered()) main.current?.focus({ preventScroll: true })
  }, [path])
  return main
}
