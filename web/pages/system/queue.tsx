/** What is ready, what waits for what and for how long. */
import { Inbox } from 'lucide-react'
import { ROUTES } from '../../../core/contract/api.ts'
import { duration } from '../../format.ts'
import { useRead } from '../../read.ts'
import { EmptyState } from '../../ui/empty-state.tsx'
import { Link } from '../../ui/link.tsx'
import { ReadAge } from '../../ui/read-age.tsx'
import { Reading } from '../../ui/reading.tsx'
import { RelativeTime } from '../../ui/relative-time.tsx'
import { system } from '../../words/system.ts'
import { wholeNumber } from '../../words/words.ts'

const words = system.queue
const EVERY_MS = 5_000

export function Queue() {
  const read = useRead(ROUTES.queue, undefined, { follow: true, every: EVERY_MS })
  return (
    <div className="system-part">
      <div className="part-head">
        {read.data && (
          <span className="slots">
            {words.slots}: {words.slotsWords(read.data.active, read.data.slots)}
            <meter min={0} max={read.data.slots} value={read.data.active} aria-label={words.slots} />
            <Link to="/settings/runtime">{words.change}</Link>
          </span>
        )}
        <span className="grow" />
        <ReadAge at={read.dataUpdatedAt} every={EVERY_MS} again={() => void read.refetch()} />
      </div>
      <Reading read={read} label={system.reading} failed={words.failed} effect={system.effect}>
        {(queue) => {
          const stages = [
            {
              name: words.ready,
              hint: queue.oldestReadySeconds === null ? words.readyHint : system.tiles.oldest(duration(queue.oldestReadySeconds * 1_000)),
              count: queue.ready,
            },
            { name: words.claimed, hint: words.claimedHint, count: queue.claimed },
            { name: words.backlog, hint: words.backlogHint, count: queue.backlog },
            { name: words.paused, hint: words.pausedHint, count: queue.paused },
          ]
          if (queue.waiting.length === 0 && stages.every((one) => one.count === 0)) {
            return (
              <EmptyState icon={Inbox} title={words.none}>
                {words.noneHow}
              </EmptyState>
            )
          }
          return (
            <>
              <dl className="stages">
                {stages.map((one) => (
                  <div key={one.name} className="card">
                    <dt>{one.name}</dt>
                    <dd className="tile-value">{wholeNumber(one.count)}</dd>
                    <dd className="dim">{one.hint}</dd>
                  </div>
                ))}
              </dl>
              {queue.waiting.length > 0 && (
                <table className="rows">
                  <caption>{words.waitingFor}</caption>
                  <thead>
                    <tr>
                      <th scope="col">{words.reason}</th>
                      <th scope="col">{words.tasks}</th>
                      <th scope="col">{words.oldest}</th>
                      <th scope="col">{words.resumes}</th>
                    </tr>
                  </thead>
                  <tbody>
                    {queue.waiting.map((one) => (
                      <tr key={one.reason}>
                        <td className="rows-main" data-name={words.reason}>
                          {words.reasons[one.reason] ?? one.reason}
                          {one.reason === 'review' && (
                            <>
                              {' '}
                              <Link to="/reviews">{words.reviews(queue.openReviews)}</Link>
                            </>
                          )}
                        </td>
                        <td data-name={words.tasks}>{wholeNumber(one.count)}</td>
                        <td data-name={words.oldest}>{duration(one.oldestSeconds * 1_000)}</td>
                        <td data-name={words.resumes}>{one.resumesAt ? <RelativeTime at={one.resumesAt} /> : words.noTime}</td>
                      </tr>
                    ))}
                  </tbody>
                </table>
              )}
            </>
          )
        }}
      </Reading>
    </div>
  )
}
