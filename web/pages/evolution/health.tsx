/** How a change does where it runs: what the keeper saw, and how much of its watch is over. */
import type { KeeperFact } from '../../../core/contract/api-changes.ts'
import type { Change } from '../../../core/contract/change.ts'
import { useNow } from '../../banyan.ts'
import { duration } from '../../format.ts'
import { evolution } from '../../words/evolution.ts'
import { momentOf, sentenceOf } from './say.ts'

const words = evolution.health
const TONES: Record<KeeperFact['type'], string> = {
  boot: 'idle',
  ready: 'run',
  kept: 'good',
  undone: 'stop',
  refused: 'bad',
  crash: 'bad',
  'safe-mode': 'bad',
  restored: 'stop',
}

export function Health({ change, keeper, watchSeconds }: { change: Change; keeper: readonly KeeperFact[]; watchSeconds: number }) {
  const watching = change.state === 'watching'
  const now = useNow(watching)
  const ready = keeper.findLast((fact) => fact.type === 'ready')
  if (keeper.length === 0 && change.state !== 'restarting') return null
  const all = watchSeconds * 1_000
  const past = ready ? Math.min(all, Math.max(0, now - Date.parse(ready.at))) : 0
  return (
    <section className="card change-card" aria-labelledby="change-health">
      <h2 id="change-health">{words.title}</h2>
      {change.state === 'restarting' && <p role="status">{words.restarting}</p>}
      {watching && ready && (
        <>
          <progress className="watch" value={past} max={all} aria-label={words.watch} />
          <p>{past < all ? words.watched(duration(past), duration(all)) : words.soon}</p>
        </>
      )}
      <ol className="health-facts">
        {keeper.map((fact, i) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: facts come at the end only
          <li key={i}>
            <time dateTime={fact.at} className="dim">
              {momentOf(fact.at, now)}
            </time>
            <span className={`tone-${TONES[fact.type]}`}>{words.types[fact.type]}</span>
            {fact.slot && <span className="dim">{words.slot(fact.slot)}</span>}
            {fact.reason && <p>{sentenceOf(fact.reason)}</p>}
          </li>
        ))}
      </ol>
    </section>
  )
}
