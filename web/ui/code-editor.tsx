/** Text with lines, colours and marks for what is wrong. The editor itself (CodeMirror) is loaded when the first one is shown. */
import { lazy, Suspense } from 'react'
import { kit } from '../words/kit.ts'
import { Skeleton } from './skeleton.tsx'

export type Language = 'markdown' | 'json' | 'yaml' | 'text'
/** `from` and `to` are positions in the text. */
export type Mark = { from: number; to: number; severity: 'error' | 'warning' | 'info'; message: string }
export type EditorProps = {
  /** For those who listen. */
  label: string
  value: string
  /** Left out: it can be read and copied only. */
  onChange?: (value: string) => void
  language?: Language
  /** What is wrong with a text; asked a moment after the last change. JSON that cannot be read is marked anyway. */
  check?: (text: string) => readonly Mark[] | Promise<readonly Mark[]>
  /** Height in `rem`, after which it scrolls. */
  most?: number
}

const Editor = lazy(() => import('./editor.tsx').then((file) => ({ default: file.Editor })))

export function CodeEditor(props: EditorProps) {
  return (
    <Suspense fallback={<Skeleton lines={5} label={kit.loading} />}>
      <Editor {...props} />
    </Suspense>
  )
}
