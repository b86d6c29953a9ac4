/** What an open change waits for just now, and for how long. */
import type { KeeperFact } from '../../../core/contract/api-changes.ts'
import { type Change, isSettled } from '../../../core/contract/change.ts'
import { changeLabelOf } from '../../../core/contract/label.ts'
import { useNow } from '../../banyan.ts'
import { duration } from '../../format.ts'
import { evolution } from '../../words/evolution.ts'
import type { StoryStep } from './steps.tsx'

const words = evolution.awaited

type Props = { change: Change; story: readonly StoryStep[]; keeper: readonly KeeperFact[]; watchSeconds: number }

export function Awaited({ change, story, keeper, watchSeconds }: Props) {
  const open = !isSettled(change.state)
  const now = useNow(open)
  if (!open) return null
  const since = duration(Math.max(0, now - Date.parse(sinceOf(story, change))))
  return <p className={`change-awaited tone-${changeLabelOf(change).tone}`}>{sayOf()}</p>

  function sayOf(): string {
    switch (change.state) {
      case 'review':
        return change.decidedBy === null ? words.decision(since) : words.landing(since)
      case 'watching': {
        const ready = keeper.findLast((fact) => fact.type === 'ready')
        if (!ready) return words.starts(since)
        const rest = Date.parse(ready.at) + watchSeconds * 1_000 - now
        return rest > 0 ? words.watched(duration(rest)) : evolution.health.soon
      }
      case 'restarting':
        return words.starts(since)
      case 'merged':
        return words.merged
      case 'gating':
        return words.gates(since)
      default:
        return words.turn(since)
    }
  }
}

/** When it came into the state in which it is: the first of the newest lines of that state. */
export function sinceOf(story: readonly StoryStep[], change: Pick<Change, 'state' | 'updatedAt'>): string {
  const before = story.findLastIndex((step) => step.state !== change.state)
  return story[before + 1]?.at ?? change.updatedAt
}
