/** How CodeMirror looks here: the page's own colours, so both themes are one. Its style sheets carry the page's nonce. */
import { HighlightStyle, syntaxHighlighting } from '@codemirror/language'
import type { Extension } from '@codemirror/state'
import { EditorView } from '@codemirror/view'
import { tags } from '@lezer/highlight'
import { getNonce } from 'get-nonce'

const theme = EditorView.theme({
  '&': { color: 'var(--text)', backgroundColor: 'var(--card)', fontSize: '0.85rem' },
  '&.cm-focused': { outline: 'none' },
  '.cm-scroller': { fontFamily: 'var(--mono)', lineHeight: '1.5' },
  '.cm-content': { caretColor: 'var(--text)' },
  '.cm-cursor': { borderLeftColor: 'var(--text)' },
  '.cm-gutters': { backgroundColor: 'var(--sunken)', color: 'var(--dim)', borderRight: '1px solid var(--line)' },
  '.cm-activeLine, .cm-activeLineGutter': { backgroundColor: 'color-mix(in srgb, var(--tint-idle) 55%, transparent)' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': {
    backgroundColor: 'color-mix(in srgb, var(--focus) 30%, transparent)',
  },
  '.cm-panels, .cm-tooltip': { backgroundColor: 'var(--card)', color: 'var(--text)', borderColor: 'var(--line)' },
  '.cm-changedLine, .cm-insertedLine': { backgroundColor: 'var(--tint-good)' },
  '.cm-deletedChunk': { backgroundColor: 'var(--tint-bad)' },
  '.cm-collapsedLines': { background: 'var(--sunken)', color: 'var(--dim)' },
})
const colours = HighlightStyle.define([
  { tag: [tags.heading, tags.strong], fontWeight: '700' },
  { tag: tags.emphasis, fontStyle: 'italic' },
  { tag: [tags.propertyName, tags.keyword, tags.link], color: 'var(--run)' },
  { tag: [tags.string, tags.url, tags.monospace], color: 'var(--good)' },
  { tag: [tags.number, tags.bool, tags.null], color: 'var(--wait)' },
  { tag: [tags.comment, tags.meta, tags.processingInstruction], color: 'var(--dim)' },
])

export const look = (): Extension => [EditorView.cspNonce.of(getNonce() ?? ''), theme, syntaxHighlighting(colours), EditorView.lineWrapping]
