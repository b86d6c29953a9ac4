/** How far a change is: what is behind it, where it stands, what is to come. */
import { type Change, type ChangeState, isSettled } from '../../../core/contract/change.ts'
import { changeLabelOf } from '../../../core/contract/label.ts'
import { Drawn } from '../../ui/shape.tsx'
import { evolution as words } from '../../words/evolution.ts'
import { dayAndTime } from '../../words/words.ts'
import { momentOf } from './say.ts'

export type StoryStep = { at: string; state: ChangeState; note: string | null }
const WAY = ['proposed', 'gating', 'review', 'merged', 'restarting', 'watching', 'kept'] as const

/** `failed`: a gate said no. */
export function Steps({ change, story, failed = false }: { change: Change; story: readonly StoryStep[]; failed?: boolean }) {
  const settled = isSettled(change.state)
  const first = (state: ChangeState) => story.find((step) => step.state === state)
  const been = WAY.filter((state) => first(state) !== undefined)
  const ends: ChangeState[] = change.state === 'undone' || change.state === 'refused' ? [change.state] : []
  // What is over shows the way that it took; what is under way shows the one that is usual.
  const ahead = WAY.slice(WAY.indexOf(been.at(-1) ?? 'proposed') + 1)
  const stages: ChangeState[] = [...been, ...(settled ? ends : ahead)]
  return (
    <ol className="change-steps" aria-label={words.steps}>
      {stages.map((state) => {
        const step = state === change.state && settled ? story.findLast((one) => one.state === state) : first(state)
        const here = state === change.state
        const bad = failed && state === 'gating' && change.state === 'refused'
        const label = changeLabelOf({ state })
        const look = here ? `tone-${changeLabelOf(change).tone}` : bad ? 'tone-bad' : step ? 'tone-good' : 'tone-idle'
        return (
          <li
            key={state}
            className={`change-step ${look} ${here ? 'is-here' : step ? 'is-done' : 'is-ahead'}`}
            aria-current={here ? 'step' : undefined}
          >
            <span className="change-step-mark" aria-hidden="true">
              <Drawn shape={here ? (change.decidedBy && state === 'review' ? '▶' : label.shape) : bad ? '✕' : step ? '✓' : '◌'} />
            </span>
            <span className="change-step-name">{words.stages[state]}</span>
            <span className="change-step-time">
              {step ? (
                <time dateTime={step.at} title={dayAndTime(step.at)}>
                  {momentOf(step.at, Date.now())}
                </time>
              ) : (
                <span className="hidden">{words.next}</span>
              )}
              {state === 'gating' && change.round > 1 && <> · {words.round(change.round)}</>}
            </span>
          </li>
        )
      })}
    </ol>
  )
}
