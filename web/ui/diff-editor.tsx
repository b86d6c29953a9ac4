/** One file's changes, in one column: what went above what came. */
import { unifiedMergeView } from '@codemirror/merge'
import { EditorState } from '@codemirror/state'
import { EditorView, lineNumbers } from '@codemirror/view'
import { useEffect, useRef } from 'react'
import type { Language } from './code-editor.tsx'
import { look } from './editor-theme.ts'
import { grammar } from './grammar.ts'

export function DiffEditor({ label, before, after, language }: { label: string; before: string; after: string; language: Language }) {
  const place = useRef<HTMLDivElement>(null)
  useEffect(() => {
    const { place: colours, fill } = grammar(language)
    const view = new EditorView({
      parent: place.current!,
      state: EditorState.create({
        doc: after,
        extensions: [
          look(),
          lineNumbers(),
          colours,
          EditorState.readOnly.of(true),
          EditorView.editable.of(false),
          EditorView.contentAttributes.of({ 'aria-label': label, 'aria-readonly': 'true', tabindex: '0' }),
          unifiedMergeView({ original: before, mergeControls: false, collapseUnchanged: { margin: 3, minSize: 6 } }),
        ],
      }),
    })
    fill(view)
    return () => view.destroy()
  }, [label, before, after, language])
  return <div className="editor" ref={place} />
}
