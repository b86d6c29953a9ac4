/** Files that a task, or everything below it, changed: what differs now from before, and putting it back. */
import { Undo2 } from 'lucide-react'
import { useState } from 'react'
import { type FileChangeItem, ROUTES } from '../../../core/contract/api.ts'
import { size } from '../../format.ts'
import { useRead, useWrite } from '../../read.ts'
import { Badge } from '../../ui/badge.tsx'
import { Button } from '../../ui/button.tsx'
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx'
import { DiffView } from '../../ui/diff-view.tsx'
import { EmptyState } from '../../ui/empty-state.tsx'
import { ErrorState } from '../../ui/error-state.tsx'
import { Fault } from '../../ui/notice.tsx'
import { RelativeTime } from '../../ui/relative-time.tsx'
import { Skeleton } from '../../ui/skeleton.tsx'
import { visible } from '../../visible.ts'
import { detail } from '../../words/detail.ts'
import type { DetailAddress } from './address.ts'
import { shortOf } from './entry-row.tsx'
import { Worktrees } from './worktrees.tsx'

const words = detail.diff
/** Files whose difference is open at first. */
const OPEN = 3
const PAGE = 1_000

export function Changes({ taskId, address }: { taskId: string; address: DetailAddress }) {
  const scope = address.search.scope === 'node' ? 'node' : 'subtree'
  const [limit, setLimit] = useState(PAGE)
  const [asking, setAsking] = useState<{ callId?: string } | null>(null)
  const query = { scope, limit: String(limit) }
  const { data, error, refetch } = useRead(ROUTES.taskFiles, { params: { id: taskId }, query }, { follow: true })
  const undo = useWrite(ROUTES.undoFiles, [ROUTES.taskFiles, ROUTES.fileContents, ROUTES.treeFiles])
  if (error) return <ErrorState title={words.failed} cause={error.message} retry={() => void refetch()} />
  if (!data) return <Skeleton lines={5} label={detail.reading} />
  const files = [...Map.groupBy(data.items, (change) => change.path)]
  return (
    <section className="stack" aria-label={detail.tab.diff}>
      <div className="timeline-tools">
        {/* biome-ignore lint/a11y/useSemanticElements: a fieldset cannot be laid out in a line of tools everywhere */}
        <div className="kind-filter" role="group" aria-label={words.scope}>
          {(['node', 'subtree'] as const).map((one) => (
            <button key={one} type="button" className="chip" aria-pressed={scope === one} onClick={() => address.set({ scope: one })}>
              {words[one]}
            </button>
          ))}
        </div>
        {files.length > 0 && <span className="dim">{words.files(files.length)}</span>}
        {files.length > 0 && (
          <Button small onClick={() => setAsking({})}>
            <Undo2 aria-hidden="true" /> {words.undoTask}
          </Button>
        )}
      </div>
      {undo.error && <Fault>{undo.error.message}</Fault>}
      {undo.data && (
        <div className="undone" role="status">
          <p>
            {words.undone(undo.data.files.length)} {undo.data.already > 0 && words.already(undo.data.already)}
          </p>
          {undo.data.conflicts.length > 0 && (
            <>
              <p>{words.conflicts}</p>
              <ul className="names">
                {undo.data.conflicts.map((one) => (
                  <li key={one.path}>
                    <code>{visible(one.path) || words.wholeFolder}</code>: {one.why}
                  </li>
                ))}
              </ul>
            </>
          )}
          {undo.data.id !== null && (
            <Button small onClick={() => undo.mutate({ params: { id: taskId }, body: { callId: undo.data!.id!, scope } })}>
              {words.redo}
            </Button>
          )}
        </div>
      )}
      <Worktrees taskId={taskId} />
      {files.length === 0 && <EmptyState title={words.none}>{words.noneHow}</EmptyState>}
      {files.map(([path, changes], i) => (
        <OneFile key={path} taskId={taskId} path={path} changes={changes} first={i < OPEN} undo={(callId) => setAsking({ callId })} />
      ))}
      {data.nextCursor !== null && limit < PAGE * 5 && <Button onClick={() => setLimit(limit + PAGE)}>{words.more}</Button>}
      <ConfirmDialog
        open={asking !== null}
        setOpen={(open) => !open && setAsking(null)}
        title={words.undoTitle}
        yes={words.undoYes}
        look="primary"
        onYes={() => {
          undo.mutate({ params: { id: taskId }, body: { scope, ...asking } })
          setAsking(null)
        }}
      >
        {asking?.callId ? words.undoCallAbout : words.undoTaskAbout}
      </ConfirmDialog>
    </section>
  )
}

type FileProps = { taskId: string; path: string; changes: readonly FileChangeItem[]; first: boolean; undo: (callId: string) => void }

function OneFile({ taskId, path, changes, first, undo }: FileProps) {
  const [open, setOpen] = useState(first)
  const last = changes.at(-1)!
  return (
    <details className="change" open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        <code className="grow">{visible(path) || words.wholeFolder}</code>
        <Badge tone={last.what === 'deleted' ? 'bad' : changes[0]!.what === 'made' ? 'good' : 'idle'}>
          {words.what[changes.length === 1 ? last.what : last.what === 'deleted' ? 'deleted' : changes[0]!.what]}
        </Badge>
        {last.bytesAfter !== null && <span className="dim">{size(last.bytesAfter)}</span>}
      </summary>
      {open && (
        <div className="stack">
          <Difference taskId={taskId} path={path} from={changes[0]!.n} to={last.n} />
          <ul className="change-list">
            {changes.map((change) => (
              <li key={change.n}>
                <span>
                  {words.what[change.what]} {change.by === 'agent' ? <code>{shortOf(change.callId)}</code> : words.by(change.by)}{' '}
                  <RelativeTime at={change.at} />
                </span>
                {change.whyNot ? (
                  <span className="dim">{change.whyNot}</span>
                ) : (
                  <Button look="quiet" small onClick={() => undo(change.callId)}>
                    {words.undoCall}
                  </Button>
                )}
              </li>
            ))}
          </ul>
        </div>
      )}
    </details>
  )
}

function Difference({ taskId, path, from, to }: { taskId: string; path: string; from: number; to: number }) {
  const { data, error } = useRead(ROUTES.fileContents, { params: { id: taskId, n: String(from) }, query: { to: String(to) } })
  if (error) return <Fault>{error.message}</Fault>
  if (!data) return <Skeleton label={detail.reading} />
  const why = data.before?.why ?? data.after?.why
  if (why) return <p className="dim">{words.notKept(why)}</p>
  return <DiffView files={[{ path, before: data.before?.text ?? null, after: data.after?.text ?? null }]} />
}
