/** The files of the draft: those that are there, those on their way, and what is wrong with one. */
import { FileText, RotateCw, X } from 'lucide-react'
import { size } from '../../format.ts'
import { IconButton } from '../../ui/icon-button.tsx'
import { composer as words } from '../../words/composer.ts'
import type { Attached } from './draft.ts'
import type { Going } from './use-uploads.ts'

export function Files(props: { files: readonly Attached[]; going: readonly Going[]; remove: (file: Attached) => void }) {
  if (props.files.length === 0 && props.going.length === 0) return null
  return (
    <ul className="files" aria-label={words.files}>
      {props.files.map((file) => (
        <li key={file.id} className="file">
          <FileText aria-hidden="true" />
          <span className="file-name">{file.name}</span>
          <span className="dim">
            {size(file.bytes)} · {file.type}
          </span>
          <IconButton icon={X} label={words.filesRemove(file.name)} onClick={() => props.remove(file)} />
        </li>
      ))}
      {props.going.map((file) => (
        <li key={`n${file.n}`} className={file.fault ? 'file file-wrong' : 'file'}>
          <FileText aria-hidden="true" />
          {file.fault ? (
            <span className="file-name" role="alert">
              {file.fault}
            </span>
          ) : (
            <>
              <span className="file-name">{file.name}</span>
              {file.share === null ? (
                <progress aria-label={words.urlFetching(file.name)} />
              ) : (
                <progress max={1} value={file.share} aria-label={words.fileSending(file.name, Math.round(file.share * 100))} />
              )}
            </>
          )}
          {file.again && <IconButton icon={RotateCw} label={words.retry} onClick={file.again} />}
          <IconButton icon={X} label={file.fault ? words.filesRemove(file.name) : words.filesCancel(file.name)} onClick={file.stop} />
        </li>
      ))}
    </ul>
  )
}
