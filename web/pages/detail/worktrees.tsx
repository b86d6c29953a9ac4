/** What a task's git work trees hold beyond where they began, file by file as patches. */
import { GitBranch } from 'lucide-react'
import { useMemo, useState } from 'react'
import { ROUTES } from '../../../core/contract/api.ts'
import type { WorktreeDiff } from '../../../core/contract/api-detail.ts'
import { parsePatch } from '../../patch.ts'
import { useRead } from '../../read.ts'
import { Fault } from '../../ui/notice.tsx'
import { PatchView } from '../../ui/patch-view.tsx'
import { visible } from '../../visible.ts'
import { detail } from '../../words/detail.ts'

const words = detail.git
/** Files whose patch is open at first. */
const OPEN = 3

export function Worktrees({ taskId }: { taskId: string }) {
  const { data, error } = useRead(ROUTES.taskWorktrees, { params: { id: taskId } }, { follow: true })
  if (error) return <Fault>{error.message}</Fault>
  return data?.items.map((one) => <Worktree key={one.repository} worktree={one} />)
}

function Worktree({ worktree }: { worktree: WorktreeDiff }) {
  const { repository, branch, commits, files, untracked, complete } = worktree
  return (
    <section className="stack" aria-label={words.of(visible(repository))}>
      <p className="facts">
        <strong className="with-icon">
          <GitBranch aria-hidden="true" /> {visible(repository)}
        </strong>
        <code>{visible(branch)}</code>
        <span>{words.commits(commits)}</span>
        <span>{words.files(files.length + untracked.length)}</span>
      </p>
      {files.map((file, i) => (
        <OneFile key={file.path} file={file} first={i < OPEN} />
      ))}
      {untracked.length > 0 && (
        <p className="dim">
          {words.untracked} {untracked.map(visible).join(', ')}
        </p>
      )}
      {!complete && <p className="dim">{words.cut}</p>}
    </section>
  )
}

function OneFile({ file, first }: { file: WorktreeDiff['files'][number]; first: boolean }) {
  const [open, setOpen] = useState(first)
  const [patch] = useMemo(() => parsePatch(file.patch), [file.patch])
  return (
    <details className="change" open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        <code className="grow">{visible(file.path)}</code>
        <span className="tone-good">+{file.added}</span> <span className="tone-bad">−{file.removed}</span>
      </summary>
      {open && patch && <PatchView patch={patch} label={visible(file.path)} />}
    </details>
  )
}
