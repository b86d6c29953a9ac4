/** The acts that are there on every page: going to one, what it looks like, and the two overlays. */
import { useActions } from '../actions.ts'
import { usePrefs } from '../prefs.ts'
import { useGo } from '../route.ts'
import { setTheme } from '../theme.ts'
import { ask } from '../words/ask.ts'
import { shell } from '../words/shell.ts'
import { usePages } from './nav.tsx'
import type { Overlay } from './shell.tsx'

const THEMES = ['light', 'dark', 'system'] as const

export function useShellActions(show: (overlay: Overlay) => void): void {
  const pages = usePages()
  const go = useGo()
  const [prefs, setPrefs] = usePrefs()
  const group = shell.keys.actions
  const other = prefs.density === 'compact' ? 'comfortable' : 'compact'
  useActions([
    ...pages.map((page) => ({
      id: `go${page.path === '/' ? '.home' : page.path.replaceAll('/', '.')}`,
      label: page.title,
      group: shell.palette.pages,
      keys: page.key ? `g ${page.key}` : undefined,
      words: page.path,
      run: () => go(page.path),
    })),
    { id: 'palette', label: shell.keys.open, group, keys: 'mod+k', keyOnly: true, run: () => show('palette') },
    { id: 'ask', label: ask.open, group, keys: 'h', words: ask.keywords, run: () => show('ask') },
    { id: 'keys', label: shell.keys.sheet, group, keys: '?', run: () => show('keys') },
    ...THEMES.map((theme) => ({
      id: `theme.${theme}`,
      label: shell.actions[theme],
      group,
      words: shell.theme,
      run: () => setTheme(theme),
    })),
    { id: 'density', label: shell.actions[other], group, words: shell.density, run: () => setPrefs({ density: other }) },
    {
      id: 'rail',
      label: prefs.rail === 'full' ? shell.collapse : shell.expand,
      group,
      keys: '[',
      run: () => setPrefs({ rail: prefs.rail === 'full' ? 'icons' : 'full' }),
    },
  ])
}
