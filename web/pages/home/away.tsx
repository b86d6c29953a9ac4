/** What happened while nobody looked: told once, until the person says that it is seen. */
import { useEffect, useState } from 'react'
import { ROUTES } from '../../../core/contract/api.ts'
import { useBanyan } from '../../banyan.ts'
import { lastSeen, markSeen } from '../../data/use-tree.ts'
import { useRead } from '../../read.ts'
import { treePath } from '../../route.ts'
import { Button } from '../../ui/button.tsx'
import { Link } from '../../ui/link.tsx'
import { moneyWords } from '../../ui/money.tsx'
import { RelativeTime } from '../../ui/relative-time.tsx'
import { home as words } from '../../words/home.ts'

const SHOWN = 5

export function Away() {
  const { live } = useBanyan()
  const [since, setSince] = useState(() => lastSeen('home'))
  // The frame remembers the newest fact whenever the page is hidden; coming back begins a new "while you were away".
  useEffect(() => {
    const back = () => {
      if (!document.hidden) setSince(lastSeen('home'))
    }
    document.addEventListener('visibilitychange', back)
    return () => document.removeEventListener('visibilitychange', back)
  }, [])
  const { data } = useRead(ROUTES.since, { query: { seq: String(since ?? 0) } }, { when: since !== null })
  if (since === null || !data || data.finished + data.failed + data.asked === 0) return null
  const { finished, failed, asked, items, complete } = data
  const cost = { costMicros: data.spentMicros, unpricedCalls: data.unpricedCalls }
  const facts = [
    finished > 0 && words.finished(finished),
    failed > 0 && words.failedGoals(failed),
    asked > 0 && words.asked(asked),
    (cost.costMicros > 0 || cost.unpricedCalls > 0) && words.spent(moneyWords(cost)),
  ].filter(Boolean)
  const more = items.length - SHOWN
  return (
    <section className="card away" aria-labelledby="away">
      <header>
        <h2 id="away">{words.away}</h2>
        <Button
          look="quiet"
          small
          onClick={() => {
            markSeen('home', Math.max(data.seq, live.state().seq))
            setSince(null)
          }}
        >
          {words.awayClose}
        </Button>
      </header>
      <p>{facts.join(' · ')}</p>
      <ul className="away-items">
        {items.slice(0, SHOWN).map((item) => (
          <li key={item.seq}>
            <span className={`away-what tone-${item.what === 'finished' ? 'good' : item.what === 'failed' ? 'bad' : 'you'}`}>
              {words.what[item.what]}
            </span>
            <Link to={treePath(item.treeId, item.taskId)}>{item.title}</Link>
            <span className="dim">
              <RelativeTime at={item.at} />
            </span>
          </li>
        ))}
      </ul>
      {(more > 0 || !complete) && (
        <p className="dim">
          {more > 0 && words.moreHappened(more)} {!complete && words.atLeastSo}
        </p>
      )}
    </section>
  )
}
