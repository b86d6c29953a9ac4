/** What is kept how long and how large it is: goals that would leave the database now, letting them go, and those that went. */
import { Archive, Download } from 'lucide-react'
import { useState } from 'react'
import { ROUTES } from '../../../core/contract/api.ts'
import type { RetentionPreview } from '../../../core/contract/api-retention.ts'
import { pathOf } from '../../api.ts'
import { preview, size } from '../../format.ts'
import { useRead, useWrite } from '../../read.ts'
import { treePath } from '../../route.ts'
import { useToast } from '../../toasts.ts'
import { Button } from '../../ui/button.tsx'
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx'
import { EmptyState } from '../../ui/empty-state.tsx'
import { Field } from '../../ui/field.tsx'
import { Link } from '../../ui/link.tsx'
import { Fault } from '../../ui/notice.tsx'
import { ReadAge } from '../../ui/read-age.tsx'
import { Reading } from '../../ui/reading.tsx'
import { RelativeTime } from '../../ui/relative-time.tsx'
import { system } from '../../words/system.ts'

const words = system.storage
const EVERY_MS = 60_000
const [LEAST, MOST] = [14, 36_500]

export function Storage() {
  const [typed, setTyped] = useState<string | null>(null)
  const days = typed === null || typed.trim() === '' ? null : Number(typed)
  const wrong = days !== null && !(Number.isInteger(days) && days >= LEAST && days <= MOST)
  const asked = days === null || wrong ? {} : { days: String(days) }
  const read = useRead(ROUTES.retention, { query: asked }, { every: EVERY_MS, keep: true })
  const about = useRead(ROUTES.system, undefined, { every: EVERY_MS })
  return (
    <div className="system-part">
      <div className="part-head">
        <span className="grow" />
        <ReadAge at={read.dataUpdatedAt} every={EVERY_MS} again={() => void read.refetch()} busy={read.isFetching} />
      </div>
      <Reading read={read} label={words.reading} failed={words.failed} effect={system.effect} lines={6}>
        {(found) => (
          <>
            <p className="storage-size">
              {about.data?.dataBytes !== undefined && words.database(size(about.data.dataBytes))}{' '}
              {found.exported.files > 0 && words.exports(found.exported.files, size(found.exported.bytes))}
            </p>
            <p>
              {found.days === null ? words.keptForGood : words.keptFor(found.days)}{' '}
              {found.exports === null ? words.noFolder : words.toFolder(found.exports)}
            </p>
            <section aria-labelledby="storage-next" className="stack">
              <h2 id="storage-next">{words.next}</h2>
              <Field label={words.olderThan} hint={words.least} error={wrong ? words.least : null}>
                {(id, described) => (
                  <input
                    id={id}
                    {...described}
                    className="storage-days"
                    inputMode="numeric"
                    value={typed ?? found.days ?? ''}
                    onChange={(event) => setTyped(event.target.value)}
                  />
                )}
              </Field>
              <Next found={found} />
            </section>
            <section aria-labelledby="storage-lately" className="stack">
              <h2 id="storage-lately">{words.lately}</h2>
              <Lately removed={found.removed} />
            </section>
          </>
        )}
      </Reading>
    </div>
  )
}

function Next({ found }: { found: RetentionPreview }) {
  const [asking, setAsking] = useState(false)
  const run = useWrite(ROUTES.runRetention, [ROUTES.retention, ROUTES.system])
  const toast = useToast()
  if (found.items.length === 0) return <EmptyState icon={Archive} title={words.none} />
  const days = found.askedDays
  const go = () =>
    run.mutate({ body: days === null ? {} : { days } }, { onSuccess: ({ items }) => toast(words.done(items.length), { tone: 'good' }) })
  return (
    <>
      <div className="part-head">
        <strong>{words.sum(found.trees, found.tasks)}</strong>
        <span className="grow" />
        <Button look="danger" disabled={run.isPending} onClick={() => setAsking(true)}>
          {words.run}
        </Button>
      </div>
      {run.error && <Fault>{run.error.message}</Fault>}
      <table className="rows">
        <thead>
          <tr>
            <th scope="col">{words.goal}</th>
            <th scope="col">{words.tasks}</th>
            <th scope="col">{words.ended}</th>
            <th scope="col">{words.acts}</th>
          </tr>
        </thead>
        <tbody>
          {found.items.map((one) => (
            <tr key={one.treeId}>
              <td className="rows-main">
                <Link to={treePath(one.treeId)}>{preview(one.goal, 120)}</Link>
              </td>
              <td data-name={words.tasks}>{one.tasks}</td>
              <td data-name={words.ended}>
                <RelativeTime at={one.endedAt} />
              </td>
              <td>
                <a
                  className="with-icon"
                  href={pathOf(ROUTES.exportTree.path, { id: one.treeId })}
                  download
                  aria-label={words.exportOf(preview(one.goal, 60))}
                >
                  <Download aria-hidden="true" /> {words.export}
                </a>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {found.more && <p className="dim">{words.more}</p>}
      <ConfirmDialog open={asking} setOpen={setAsking} title={words.ask(found.trees)} yes={words.run} look="danger" onYes={go}>
        {words.meaning}
      </ConfirmDialog>
    </>
  )
}

function Lately({ removed }: { removed: RetentionPreview['removed'] }) {
  if (removed.length === 0) return <p className="dim">{words.latelyNone}</p>
  return (
    <table className="rows">
      <thead>
        <tr>
          <th scope="col">{words.goal}</th>
          <th scope="col">{words.tasks}</th>
          <th scope="col">{words.file}</th>
          <th scope="col">{words.by}</th>
        </tr>
      </thead>
      <tbody>
        {removed.map((one) => (
          <tr key={one.treeId}>
            <td className="rows-main">
              <code>{one.treeId}</code> <RelativeTime at={one.at} />
            </td>
            <td data-name={words.tasks}>{one.tasks}</td>
            <td data-name={words.file}>{one.file === null ? words.noFile : <code>{one.file}</code>}</td>
            <td data-name={words.by}>{one.by === 'system' ? words.itself : one.by}</td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}
