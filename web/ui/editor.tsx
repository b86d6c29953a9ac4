/** CodeMirror as `CodeEditor` uses it. Tab leaves the editor, as it leaves any field; Ctrl or Command with `]` indents. */
import { autocompletion, closeBrackets } from '@codemirror/autocomplete'
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands'
import { json, jsonParseLinter } from '@codemirror/lang-json'
import { markdown } from '@codemirror/lang-markdown'
import { yaml } from '@codemirror/lang-yaml'
import { bracketMatching, foldGutter } from '@codemirror/language'
import { type Diagnostic, linter, lintGutter } from '@codemirror/lint'
import { highlightSelectionMatches, searchKeymap } from '@codemirror/search'
import { EditorState, type Extension } from '@codemirror/state'
import { drawSelection, EditorView, highlightActiveLine, keymap, lineNumbers } from '@codemirror/view'
import { useEffect, useRef } from 'react'
import type { EditorProps, Language } from './code-editor.tsx'
import { look } from './editor-theme.ts'

export const languageOf = (language: Language): Extension =>
  language === 'json' ? json() : language === 'yaml' ? yaml() : language === 'markdown' ? markdown() : []

export function Editor({ label, value, onChange, language = 'text', check, most = 30 }: EditorProps) {
  const place = useRef<HTMLDivElement>(null)
  const view = useRef<EditorView>(null)
  const newest = useRef({ value, onChange, check })
  newest.current = { value, onChange, check }
  const readOnly = onChange === undefined

  useEffect(() => {
    const judge = async (editor: EditorView): Promise<Diagnostic[]> => {
      const text = editor.state.doc.toString()
      const broken = language === 'json' && text.trim() !== '' ? jsonParseLinter()(editor) : []
      return [...broken, ...((await newest.current.check?.(text)) ?? [])]
    }
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
          languageOf(language),
          bracketMatching(),
          drawSelection(),
          highlightSelectionMatches(),
          // Ctrl or Command with Enter is the page's: it starts what the text is for.
          keymap.of([...defaultKeymap.filter(({ key }) => key !== 'Mod-Enter'), ...historyKeymap, ...searchKeymap]),
          readOnly
            ? [EditorState.readOnly.of(true), EditorView.editable.of(false)]
            : [history(), closeBrackets(), autocompletion(), highlightActiveLine(), lintGutter(), linter(judge)],
          EditorView.updateListener.of((update) => {
            if (update.docChanged) newest.current.onChange?.(update.state.doc.toString())
          }),
        ],
      }),
    })
    view.current = editor
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
