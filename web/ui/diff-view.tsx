/** What changed in some files, one below the other. What did not change is folded; a file is drawn when it is opened. */
import { lazy, Suspense, useState } from 'react'
import { kit } from '../words/kit.ts'
import { Badge } from './badge.tsx'
import type { Language } from './code-editor.tsx'
import { Skeleton } from './skeleton.tsx'

/** `null`: the file was not there. */
export type FileDiff = { path: string; before: string | null; after: string | null; language?: Language }

/** More files than these are shut at first, and longer ones are not compared: the browser would stand still. */
const OPEN_AT_FIRST = 5
const LONGEST = 400_000

const DiffEditor = lazy(() => import('./diff-editor.tsx').then((file) => ({ default: file.DiffEditor })))

export function DiffView({ files }: { files: readonly FileDiff[] }) {
  if (files.length === 0) return <p className="empty">{kit.noChange}</p>
  return (
    <div className="stack">
      {files.length > 1 && <p className="dim">{kit.files(files.length)}</p>}
      {files.map((file, i) => (
        <OneFile key={file.path} file={file} first={i < OPEN_AT_FIRST} />
      ))}
    </div>
  )
}

function OneFile({ file, first }: { file: FileDiff; first: boolean }) {
  const [open, setOpen] = useState(first)
  const { path, before, after } = file
  const long = (before?.length ?? 0) + (after?.length ?? 0) > LONGEST
  return (
    <details className="diff-file" open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        {path}
        {before === null && <Badge tone="good">{kit.added}</Badge>}
        {after === null && <Badge tone="bad">{kit.removed}</Badge>}
        {before === after && <span className="dim">{kit.noChange}</span>}
      </summary>
      {open && long && <p className="empty">{kit.tooLong}</p>}
      {open && !long && (
        <Suspense fallback={<Skeleton label={kit.loading} />}>
          <DiffEditor label={path} before={before ?? ''} after={after ?? ''} language={file.language ?? languageFor(path)} />
        </Suspense>
      )}
    </details>
  )
}

const languageFor = (path: string): Language =>
  /\.json$/i.test(path) ? 'json' : /\.ya?ml$/i.test(path) ? 'yaml' : /\.(md|markdown)$/i.test(path) ? 'markdown' : 'text'
