/** What a task's git work trees hold beyond where they began, file by file as patches. */
import { GitBranch } from 'lucide-react'
import { useState } from 'react'
import { ROUTES } from '../../../core/contract/api.ts'
import type { WorktreeDiff } from '../../../core/contract/api-detail.ts'
import { useRead } from '../../read.ts'
import { Fault } from '../../ui/notice.tsx'
import { visible } from '../../visible.ts'
import { detail } from '../../words/detail.ts'

const words = detail.git
/** Files whose patch is open at first. */
const OPEN = 3
/** Lines of one patch that are drawn; more would make the page slow. */
const LINES = 2_000

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
  return (
    <details className="change" open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        <code className="grow">{visible(file.path)}</code>
        <span className="tone-good">+{file.added}</span> <span className="tone-bad">−{file.removed}</span>
      </summary>
      {open && <Patch text={file.patch} />}
    </details>
  )
}

const KINDS: Readonly<Record<string, string>> = { '+': 'patch-added', '-': 'patch-removed', '@': 'patch-place' }
function Patch({ text }: { text: string }) {
  const all = text.slice(text.indexOf('\n@@') + 1).split('\n')
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keys
    <pre className="text patch" tabIndex={0}>
      {all.slice(0, LINES).map((line, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: lines have no other name and are never moved
        <span key={i} className={KINDS[line[0] ?? ''] ?? ''}>
          {line}
          {'\n'}
        </span>
      ))}
      {all.length > LINES && words.moreLines(all.length - LINES)}
    </pre>
  )
}
