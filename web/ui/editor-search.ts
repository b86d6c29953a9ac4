/** Searching in an editor's text: its panel is fetched by the first press of its key. */
import { Compartment, type Extension } from '@codemirror/state'
import { type EditorView, keymap } from '@codemirror/view'

/** Ctrl or Command with F opens the panel; with it come the other keys of a search. */
export function finder(): Extension {
  const place = new Compartment()
  const open = (view: EditorView) => {
    void import('@codemirror/search').then(({ openSearchPanel, search, searchKeymap, highlightSelectionMatches }) => {
      view.dispatch({ effects: place.reconfigure([search(), highlightSelectionMatches(), keymap.of(searchKeymap)]) })
      openSearchPanel(view)
    })
    return true
  }
  return place.of(keymap.of([{ key: 'Mod-f', run: open }]))
}
