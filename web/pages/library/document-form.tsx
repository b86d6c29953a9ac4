/** A document: Markdown beside what it looks like. */
import { useDeferredValue, useId } from 'react'
import { CodeEditor } from '../../ui/code-editor.tsx'
import { Markdown } from '../../ui/markdown.tsx'
import { Switch } from '../../ui/switch.tsx'
import { library } from '../../words/library.ts'
import type { Editing } from './entry-page.tsx'
import { problemsOf } from './problems.ts'
import { NameAndDescription } from './text-fields.tsx'

/** Characters to a token, roughly, in English prose; good enough to know the size. */
const TOKEN = 4

export function DocumentForm({ editing }: { editing: Editing<'document'> }) {
  const { item, draft, validation } = editing
  const { body, set } = draft
  const shown = useDeferredValue(body.content)
  const title = useId()
  const preview = useId()
  const problem = problemsOf(validation, 'content').error
  return (
    <div className="stack">
      <NameAndDescription kind="document" editing={editing} />
      {item === null && (
        <Switch label={library.fields.enabled} hint={library.fields.enabledHint} on={body.enabled} set={(on) => set({ enabled: on })} />
      )}
      <div className="write-two">
        <section className="stack" aria-labelledby={title}>
          <div className="editor-head">
            <h2 id={title}>{library.fields.content}</h2>
            <span className="facts">{library.aboutTokens(Math.ceil(body.content.length / TOKEN))}</span>
          </div>
          <CodeEditor
            label={library.fields.content}
            value={body.content}
            language="markdown"
            most={44}
            onChange={(text) => set({ content: text })}
          />
          {problem && (
            <p className="field-error" role="alert">
              {problem}
            </p>
          )}
        </section>
        <div className="stack">
          <div className="editor-head">
            <h2 id={preview}>{library.preview}</h2>
          </div>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, and a keyboard scrolls what has the focus */}
          <section className="preview card" tabIndex={0} aria-labelledby={preview}>
            {shown.trim() === '' ? <p className="dim">{library.nothingToPreview}</p> : <Markdown text={shown} />}
          </section>
        </div>
      </div>
    </div>
  )
}
