/** CodeMirror as `CodeEditor` uses it. Tab leaves the editor, as it leaves any field; Ctrl or Command with `]` indents. */
import { closeBrackets } from '@codemirror/autocomplete'
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands'
import { bracketMatching, foldGutter } from '@codemirror/language'
import { type Diagnostic, linter, lintGutter } from '@codemirror/lint'
import { EditorState } from '@codemirror/state'
import { drawSelection, EditorView, highlightActiveLine, keymap, lineNumbers } from '@codemirror/view'
import { useEffect, useRef } from 'react'
import type { EditorProps } from './code-editor.tsx'
import { finder } from './editor-search.ts'
import { look } from './editor-theme.ts'
import { grammar } from './grammar.ts'

export function Editor({ label, value, onChange, language = 'text', check, most = 30 }: EditorProps) {
  const place = useRef<HTMLDivElement>(null)
  const view = useRef<EditorView>(null)
  const newest = useRef({ value, onChange, check })
  newest.current = { value, onChange, check }
  const readOnly = onChange === undefined

  useEffect(() => {
    const judge = async ({ state }: EditorView): Promise<readonly Diagnostic[]> =>
      (await newest.current.check?.(state.doc.toString())) ?? []
    const { place: colours, fill } = grammar(language)
    const editor = new EditorView({
      parent: place.current!,
      state: EditorState.create({
        doc: newest.current.value,
        extensions: [
          look(),
          EditorView.contentAttributes.of({ 'aria-label': label, tabindex: '0', ...(readOnly ? { 'aria-readonly': 'true' } : {}) }),
          EditorView.theme({ '.cm-scroller': { maxHeight: `${most}rem`, overflow: 'auto' } }),
          lineNumbers(),
          foldGutter(),
          colours,
          bracketMatching(),
          drawSelection(),
          finder(),
          // Ctrl or Command with Enter is the page's: it starts what the text is for.
          keymap.of([...defaultKeymap.filter(({ key }) => key !== 'Mod-Enter'), ...historyKeymap]),
          readOnly
            ? [EditorState.readOnly.of(true), EditorView.editable.of(false)]
            : [history(), closeBrackets(), highlightActiveLine(), lintGutter(), linter(judge)],
          EditorView.updateListener.of((update) => {
            if (update.docChanged) newest.current.onChange?.(update.state.doc.toString())
          }),
        ],
      }),
    })
    view.current = editor
    fill(editor)
    return () => editor.destroy()
  }, [label, language, readOnly, most])

  // What changed from outside (another version was chosen) replaces the text; what was typed here is that text already.
  useEffect(() => {
    const editor = view.current
    if (!editor || editor.state.doc.toString() === value) return
    editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: value } })
  }, [value])
  return <div className="editor" ref={place} />
}
