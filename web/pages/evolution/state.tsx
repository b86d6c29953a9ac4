/** The state of a change as shape, word and colour, so that none of the three is needed alone. */
import { type Change, LEVEL_WORDS, type Level } from '../../../core/contract/change.ts'
import { changeLabelOf } from '../../../core/contract/label.ts'
import { Badge } from '../../ui/badge.tsx'
import { Drawn } from '../../ui/shape.tsx'
import { evolution as words } from '../../words/evolution.ts'

export function ChangeStatus({ change }: { change: Pick<Change, 'state' | 'decidedBy'> }) {
  const { word, shape, tone } = changeLabelOf(change)
  return (
    <span className={`status tone-${tone}`}>
      <span className="shape" aria-hidden="true">
        <Drawn shape={shape} />
      </span>
      <span className="word">{word}</span>
    </span>
  )
}

/** The higher, the more it needs: 3 and 4 are beyond what agents may do alone. */
export function LevelBadge({ level }: { level: Change['level'] }) {
  if (level === null) return null
  return (
    <span title={LEVEL_WORDS[level]}>
      <Badge tone={level >= 3 ? 'bad' : level === 2 ? 'you' : 'idle'}>{words.level(level)}</Badge>
    </span>
  )
}

/** Which level it has, in words, and what made it so. */
export function LevelWhy({ level, reasons }: { level: Level; reasons: readonly string[] }) {
  return (
    <>
      {words.level(level)}, {LEVEL_WORDS[level]}
      <ul className="change-reasons dim">
        {reasons.map((reason) => (
          <li key={reason}>{reason}</li>
        ))}
      </ul>
    </>
  )
}

export function Lines({ files }: { files: Change['files'] }) {
  const sum = (name: 'added' | 'removed') => files.reduce((all, file) => all + file[name], 0)
  return (
    <span className="change-lines">
      <span className="tone-good">+{sum('added')}</span> <span className="tone-bad">−{sum('removed')}</span>
    </span>
  )
}
