/** The files of a change one below the other, each with a mark for having been looked at. A file is read and drawn when it is opened. */
import { ChevronDown, ChevronRight } from 'lucide-react'
import { useId, useMemo, useRef, useState } from 'react'
import { ROUTES } from '../../../core/contract/api.ts'
import type { ChangedFile } from '../../../core/contract/change.ts'
import { useActions } from '../../actions.ts'
import { type FilePatch, parsePatch } from '../../patch.ts'
import { useRead } from '../../read.ts'
import { Badge } from '../../ui/badge.tsx'
import { PatchView } from '../../ui/patch-view.tsx'
import { Reading } from '../../ui/reading.tsx'
import { visible } from '../../visible.ts'
import { evolution } from '../../words/evolution.ts'
import { Lines } from './state.tsx'
import { useViewed, type Viewed } from './viewed.ts'

const words = evolution.diff
/** Files beyond these, long ones and those that a program writes are shut at first. */
const OPEN_AT_FIRST = 8
const LONG = 400
const isMade = (path: string) => /(^|\/)package-lock\.json$|\.snap$|\.min\.\w+$/.test(path)
const TONES = { new: 'good', changed: 'idle', deleted: 'bad', renamed: 'wait' } as const

type Props = {
  changeId: string
  /** What would land; it stands for a file that has no hash of its own. */
  commit: string
  files: readonly ChangedFile[]
  /** What `git diff` wrote; `cut`: not all of it. */
  diff: { text: string; cut: boolean }
  /** Its keys listen: where it is the one list of files on the page. */
  keys?: boolean
  /** Name of the difference in a file, where a file is shown twice on the page. */
  name?: (path: string) => string
}

export function FileDiffs({ changeId, commit, files, diff, keys = false, name = words.differenceIn }: Props) {
  const patches = useMemo(() => new Map(parsePatch(diff.text, diff.cut).map((patch) => [patch.path, patch])), [diff.text, diff.cut])
  const viewed = useViewed(changeId)
  const list = useRef<HTMLUListElement>(null)
  const done = files.filter((file) => viewed.look(file.path, file.hash ?? commit) === 'viewed').length
  const heads = () => [...(list.current?.querySelectorAll<HTMLElement>('.file-toggle') ?? [])]
  const at = () => heads().findIndex((head) => head.closest('li')?.contains(document.activeElement))
  const go = (to: number) => {
    const head = heads()[Math.min(Math.max(to, 0), heads().length - 1)]
    head?.focus({ preventScroll: true })
    head?.scrollIntoView({ block: 'start' })
  }
  const mark = () => {
    const here = Math.max(at(), 0)
    list.current?.querySelectorAll<HTMLInputElement>('.file-viewed input')[here]?.click()
    go(here + 1)
  }
  const group = words.title
  useActions(
    keys && files.length > 0
      ? [
          { id: 'files.next', label: evolution.keys.nextFile, group, keys: 'n', keyOnly: true, run: () => go(at() + 1) },
          { id: 'files.previous', label: evolution.keys.previousFile, group, keys: 'p', keyOnly: true, run: () => go(at() - 1) },
          { id: 'files.viewed', label: evolution.keys.viewed, group, keys: 'v', run: mark },
        ]
      : [],
  )
  if (files.length === 0) return <p className="empty">{words.none}</p>
  return (
    <div className="file-diffs">
      <p className="file-sum">
        {evolution.files(files.length)} <Lines files={[...files]} />
        <span className="grow" />
        <span className="dim">{words.progress(done, files.length)}</span>
        <progress value={done} max={files.length} aria-label={words.progress(done, files.length)} />
      </p>
      {viewed.unsaved > 0 && (
        <p className="why tone-you" role="status">
          {words.unsaved(viewed.unsaved)}
        </p>
      )}
      <ul ref={list} className="stack">
        {files.map((file, i) => (
          <OneFile
            key={file.path}
            changeId={changeId}
            file={file}
            hash={file.hash ?? commit}
            patch={patches.get(file.path)}
            viewed={viewed}
            name={name}
            first={i < OPEN_AT_FIRST && file.added + file.removed <= LONG && !isMade(file.path)}
          />
        ))}
      </ul>
    </div>
  )
}

function OneFile(props: {
  changeId: string
  file: ChangedFile
  hash: string
  patch: FilePatch | undefined
  viewed: Viewed
  name: (path: string) => string
  first: boolean
}) {
  const { changeId, file, hash, patch, viewed, name } = props
  const look = viewed.look(file.path, hash)
  const isViewed = look === 'viewed'
  const [chosen, setOpen] = useState<boolean>()
  const open = chosen ?? (props.first && !isViewed)
  const id = useId()
  const Turn = open ? ChevronDown : ChevronRight
  const cut = file.path.lastIndexOf('/') + 1
  return (
    <li className={isViewed ? 'file-diff is-viewed' : 'file-diff'}>
      <div className="file-head">
        <button type="button" className="file-toggle" aria-expanded={open} aria-controls={id} onClick={() => setOpen(!open)}>
          <Turn aria-hidden="true" />
          <span className="file-path">
            <span className="dim">{visible(file.path.slice(0, cut))}</span>
            <strong>{visible(file.path.slice(cut))}</strong>
          </span>
        </button>
        {file.what !== 'changed' && <Badge tone={TONES[file.what]}>{evolution.what[file.what]}</Badge>}
        {file.from !== null && <span className="dim file-from">{words.from(visible(file.from))}</span>}
        {look === 'changed' && <Badge tone="you">{words.changedSince}</Badge>}
        <Lines files={[file]} />
        <label className="file-viewed">
          <input
            type="checkbox"
            checked={isViewed}
            disabled={!viewed.ready}
            aria-label={words.viewedOf(file.path)}
            onChange={(event) => {
              viewed.set(file.path, hash, event.target.checked)
              setOpen(undefined)
            }}
          />{' '}
          {words.viewed}
        </label>
      </div>
      <div id={id}>
        {open &&
          (patch ? (
            <PatchView patch={patch} label={name(file.path)} />
          ) : (
            <Later changeId={changeId} path={file.path} label={name(file.path)} />
          ))}
      </div>
    </li>
  )
}

/** A file that the whole difference was too long for. */
function Later({ changeId, path, label }: { changeId: string; path: string; label: string }) {
  const read = useRead(ROUTES.changeDiff, { params: { id: changeId }, query: { path } })
  return (
    <Reading read={read} label={words.reading} failed={words.failed}>
      {({ text }) => {
        const [patch] = parsePatch(text)
        return patch ? <PatchView patch={patch} label={label} /> : <p className="empty">{words.gone}</p>
      }}
    </Reading>
  )
}
