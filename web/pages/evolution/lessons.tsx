/** What the history of calls taught: each lesson with its cases, how it did on the built-in goals, and what a person may do with it. */
import { useState } from 'react'
import { ROUTES } from '../../../core/contract/api.ts'
import type { LessonItem } from '../../../core/contract/api-lessons.ts'
import { lessonLabelOf } from '../../../core/contract/label.ts'
import { useMay } from '../../me.ts'
import { useRead, useWrite } from '../../read.ts'
import { treePath } from '../../route.ts'
import { useToast } from '../../toasts.ts'
import { Button } from '../../ui/button.tsx'
import { Link } from '../../ui/link.tsx'
import { Reading } from '../../ui/reading.tsx'
import { Drawn } from '../../ui/shape.tsx'
import { evolution } from '../../words/evolution.ts'

const words = evolution.lessons
/** Facts tell of every state; while a lesson is tried the line may be all that moves. */
const TRYING_MS = 5_000

export function Lessons() {
  const read = useRead(ROUTES.lessons, undefined, { follow: true, every: TRYING_MS })
  const look = useWrite(ROUTES.lookForLessons, [ROUTES.lessons])
  const toast = useToast()
  const may = useMay()
  const lookNow = () =>
    look.mutate(
      {},
      { onSuccess: ({ found, runs }) => toast(words.looked(found, runs)), onError: (fault) => toast(fault.message, { tone: 'bad' }) },
    )
  return (
    <section className="lessons" aria-labelledby="lessons-title">
      <div className="lessons-head">
        <h2 id="lessons-title">{words.title}</h2>
        {may('goals:write') && (
          <Button onClick={lookNow} disabled={look.isPending}>
            {words.look}
          </Button>
        )}
      </div>
      <p className="dim">{words.about}</p>
      <Reading read={read} label={words.reading} failed={words.failed} effect={evolution.effect} lines={2}>
        {({ items }) =>
          items.length === 0 ? (
            <p className="lessons-none">{words.none}</p>
          ) : (
            <ul className="lesson-list">
              {items.map((lesson) => (
                <Lesson key={lesson.id} lesson={lesson} />
              ))}
            </ul>
          )
        }
      </Reading>
    </section>
  )
}

function Lesson({ lesson }: { lesson: LessonItem }) {
  const { word, shape, tone } = lessonLabelOf(lesson.state)
  const { judgement } = lesson
  return (
    <li className="card lesson" id={lesson.id}>
      <div className="lesson-head">
        <span className={`status tone-${tone}`}>
          <span className="shape" aria-hidden="true">
            <Drawn shape={shape} />
          </span>
          <span className="word">{word}</span>
        </span>
        <Acts lesson={lesson} />
      </div>
      <p className="lesson-title">
        {lesson.change.kind === 'repeat' ? (
          <>
            {words.repeat(lesson.change.repeat.times)} <code>{lesson.change.repeat.error}</code>
          </>
        ) : lesson.change.kind === 'limit' ? (
          words.limit(lesson.change.limit.program, lesson.change.limit.seconds)
        ) : (
          <>
            {words.adds[lesson.change.words.target.kind]}{' '}
            <Link to={`/${lesson.change.words.target.kind}s/${encodeURIComponent(lesson.tool)}`}>{lesson.tool}</Link>
          </>
        )}
      </p>
      {lesson.change.kind === 'words' && (
        <>
          <blockquote className="lesson-words plain">{lesson.change.words.text}</blockquote>
          <p className="dim">{words.untested}</p>
        </>
      )}
      <p className="dim">
        {lesson.why} <Cases cases={lesson.cases} />
      </p>
      {lesson.change.kind === 'words' && <Said cases={lesson.cases} />}
      {judgement && (
        <table className="rows lesson-arms">
          <caption>{judgement.words}</caption>
          <thead>
            <tr>
              <th scope="col">{words.goal}</th>
              <th scope="col">{words.before}</th>
              <th scope="col">{words.after}</th>
            </tr>
          </thead>
          <tbody>
            {judgement.before.map((was) => (
              <tr key={was.goal}>
                <td className="rows-main" data-name={words.goal}>
                  {was.goal}
                </td>
                <td data-name={words.before}>{armOf(was)}</td>
                <td data-name={words.after}>{armOf(judgement.after.find((one) => one.goal === was.goal))}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </li>
  )
}

type Arm = NonNullable<LessonItem['judgement']>['before'][number]
const armOf = (arm: Arm | undefined): string =>
  arm ? words.arm(arm.done, arm.tries, arm.medianMs === null ? null : (arm.medianMs / 1_000).toFixed(1)) : ''

/** A goal each, however many calls of it show the same. */
function Cases({ cases }: { cases: LessonItem['cases'] }) {
  const trees = [...new Map(cases.map((one) => [one.treeId, one])).values()]
  return (
    <span>
      {trees.map((one, i) => (
        <span key={one.treeId}>
          {i > 0 && ' · '}
          <Link to={treePath(one.treeId, one.taskId)}>{one.treeId}</Link>
        </span>
      ))}
    </span>
  )
}

/** What was said in each case, word for word. */
function Said({ cases }: { cases: LessonItem['cases'] }) {
  return (
    <details>
      <summary>{words.evidence(cases.length)}</summary>
      <ul className="errors">
        {cases.map((one) => (
          <li key={one.callId ?? one.taskId}>
            <Link to={treePath(one.treeId, one.taskId)}>{one.taskId}</Link> <span className="plain">{one.words}</span>
          </li>
        ))}
      </ul>
    </details>
  )
}

/** Words may be kept whatever was found: a person has read them. */
const actsOf = ({ change, state }: LessonItem): readonly (keyof typeof words.acts)[] =>
  change.kind === 'words' && state === 'no_better' ? ACTS.untested : ACTS[state]
const ACTS = {
  found: ['judge', 'decline'],
  untested: ['judge', 'keep', 'decline'],
  judging: [],
  better: ['keep', 'decline'],
  no_better: ['judge', 'decline'],
  kept: ['undo'],
  declined: [],
  undone: [],
} as const satisfies Record<LessonItem['state'], readonly (keyof typeof words.acts)[]>

function Acts({ lesson }: { lesson: LessonItem }) {
  const stale = [ROUTES.lessons]
  const writes = {
    judge: useWrite(ROUTES.judgeLesson, stale),
    keep: useWrite(ROUTES.keepLesson, stale),
    decline: useWrite(ROUTES.declineLesson, stale),
    undo: useWrite(ROUTES.undoLesson, stale),
  }
  const [under, setUnder] = useState(false)
  const [dollars, setDollars] = useState('1')
  const live = lesson.change.kind === 'words' && actsOf(lesson).includes('judge')
  const toast = useToast()
  const may = useMay()
  if (!may('review:decide')) return null
  const act = (name: keyof typeof writes) => {
    setUnder(true)
    const params = { id: lesson.id }
    const after = {
      onSuccess: () => toast(words.done[name]),
      onError: (fault: Error) => toast(fault.message, { tone: 'bad' }),
      onSettled: () => setUnder(false),
    }
    if (name === 'judge') writes.judge.mutate({ params, body: live ? { dollars: Number(dollars) } : {} }, after)
    else writes[name].mutate({ params }, after)
  }
  return (
    <span className="lesson-acts">
      {live && (
        <label className="lesson-dollars">
          {words.dollars}
          <input type="number" min="0.01" max="100" step="any" value={dollars} onChange={(event) => setDollars(event.target.value)} />
        </label>
      )}
      {actsOf(lesson).map((name) => (
        <Button key={name} onClick={() => act(name)} disabled={under} title={live && name === 'judge' ? words.liveHint : words.hints[name]}>
          {words.acts[name]}
        </Button>
      ))}
    </span>
  )
}
