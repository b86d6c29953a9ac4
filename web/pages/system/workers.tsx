/** Turns under way: which task, who works on it, in which process, and what it asks of a model just now. */
import { Bot } from 'lucide-react'
import { ROUTES } from '../../../core/contract/api.ts'
import { useNow } from '../../banyan.ts'
import { duration } from '../../format.ts'
import { useRead } from '../../read.ts'
import { treePath } from '../../route.ts'
import { Badge } from '../../ui/badge.tsx'
import { EmptyState } from '../../ui/empty-state.tsx'
import { Link } from '../../ui/link.tsx'
import { ReadAge } from '../../ui/read-age.tsx'
import { Reading } from '../../ui/reading.tsx'
import { RelativeTime } from '../../ui/relative-time.tsx'
import { system } from '../../words/system.ts'

const words = system.workers
const EVERY_MS = 3_000

export function Workers() {
  const read = useRead(ROUTES.workers, undefined, { follow: true, every: EVERY_MS })
  const { data: queue } = useRead(ROUTES.queue, undefined, { follow: true, every: 5_000 })
  const now = useNow()
  const since = (at: string) => duration(now - Date.parse(at))
  return (
    <div className="system-part">
      <div className="part-head">
        {queue && <span>{words.slots(queue.active, queue.slots)}</span>}
        <span className="grow" />
        <ReadAge at={read.dataUpdatedAt} every={EVERY_MS} again={() => void read.refetch()} />
      </div>
      <Reading read={read} label={system.reading} failed={words.failed} effect={system.effect}>
        {({ items }) =>
          items.length === 0 ? (
            <EmptyState icon={Bot} title={words.none}>
              {words.noneHow}
            </EmptyState>
          ) : (
            <table className="rows">
              <thead>
                <tr>
                  <th scope="col">{words.task}</th>
                  <th scope="col">{words.agent}</th>
                  <th scope="col">{words.call}</th>
                  <th scope="col">{words.since}</th>
                  <th scope="col">{words.worker}</th>
                  <th scope="col">{words.lease}</th>
                </tr>
              </thead>
              <tbody>
                {items.map((one) => (
                  <tr key={one.taskId}>
                    <td className="rows-main" data-name={words.task}>
                      <Link to={treePath(one.treeId, one.taskId)}>{one.title}</Link>
                      {one.status === 'assigned' && <Badge>{words.claimed}</Badge>}
                      {one.outside && <Badge>{words.outside}</Badge>}
                    </td>
                    <td data-name={words.agent}>{one.agent}</td>
                    <td data-name={words.call}>
                      {one.call ? (
                        <>
                          {one.call.provider} <span className="dim">{one.call.model}</span>
                          <span className="rows-note dim">{words.callSince(since(one.call.since))}</span>
                        </>
                      ) : (
                        <span className="dim">{one.outside ? words.ownModel : words.between}</span>
                      )}
                    </td>
                    <td data-name={words.since}>
                      {one.since ? <RelativeTime at={one.since} /> : <span className="dim">{words.elsewhere}</span>}
                    </td>
                    <td data-name={words.worker}>
                      <code>{one.worker}</code>
                    </td>
                    <td data-name={words.lease}>
                      <RelativeTime at={one.leaseUntil} />
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          )
        }
      </Reading>
    </div>
  )
}
