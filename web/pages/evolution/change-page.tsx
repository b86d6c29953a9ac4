/** One change of Banyan's own code: how far it is, why it was made, what the gates said, what it changes, how it does, and taking it back. */
import { getRouteApi } from '@tanstack/react-router'
import { ArrowLeft, Undo2 } from 'lucide-react'
import { useState } from 'react'
import { type ResponseOf, ROUTES } from '../../../core/contract/api.ts'
import type { Change } from '../../../core/contract/change.ts'
import { changeLabelOf } from '../../../core/contract/label.ts'
import { useActions } from '../../actions.ts'
import { useGoalWords } from '../../data/use-home.ts'
import { preview } from '../../format.ts'
import { useMay } from '../../me.ts'
import { useRead } from '../../read.ts'
import { treePath, useGo } from '../../route.ts'
import { useTitle } from '../../title.ts'
import { Button } from '../../ui/button.tsx'
import { CopyButton } from '../../ui/copy-button.tsx'
import { ErrorState } from '../../ui/error-state.tsx'
import { Link } from '../../ui/link.tsx'
import { Reading } from '../../ui/reading.tsx'
import { RelativeTime } from '../../ui/relative-time.tsx'
import { Skeleton } from '../../ui/skeleton.tsx'
import { WhileOnline } from '../../ui/while-online.tsx'
import { evolution as words } from '../../words/evolution.ts'
import { dayAndTime } from '../../words/words.ts'
import { AgentWords } from '../reviews/agent-words.tsx'
import { firstLine } from '../reviews/queue.ts'
import '../reviews/reviews.css'
import { Awaited } from './awaited.tsx'
import { FileDiffs } from './file-diffs.tsx'
import { GateFold } from './gates.tsx'
import { Health } from './health.tsx'
import { changePath } from './paths.ts'
import { momentOf, sentenceOf } from './say.ts'
import { ChangeStatus, LevelBadge, LevelWhy } from './state.tsx'
import { Steps } from './steps.tsx'
import { mayUndo, UndoDialog } from './undo.tsx'
import './evolution.css'

const route = getRouteApi('/evolution/$id')
type Detail = ResponseOf<'change'>

export function ChangePage() {
  const { id } = route.useParams()
  const { data, error, refetch } = useRead(ROUTES.change, { params: { id } }, { follow: true })
  return (
    <div className="column wide evolution">
      <p>
        <Link to="/evolution" className="with-icon change-back">
          <ArrowLeft aria-hidden="true" /> {words.back}
        </Link>
      </p>
      {data ? (
        <Shown key={id} detail={data} />
      ) : error ? (
        <>
          <h1 className="hidden">{words.title}</h1>
          <ErrorState
            title={error.status === 404 ? words.notFound : words.oneFailed}
            cause={error.message}
            effect={words.effect}
            {...(error.status === 404 ? {} : { retry: () => void refetch() })}
          />
        </>
      ) : (
        <>
          <h1 className="hidden">{words.title}</h1>
          <Skeleton lines={10} label={words.oneReading} />
        </>
      )}
    </div>
  )
}

function Shown({ detail }: { detail: Detail }) {
  const { change, gates, story, keeper, watchSeconds } = detail
  const { gate } = route.useSearch()
  const go = useGo()
  const may = useMay()
  const [undoing, setUndoing] = useState(false)
  useTitle(`${preview(change.title, 60)} · ${words.title}`)
  const asks = change.state === 'review' && change.reviewId !== null && change.decidedBy === null
  const undoable = mayUndo(change) && may('evolve')
  const reviewPath = `/reviews/${encodeURIComponent(change.reviewId ?? '')}`
  useActions([
    ...(asks ? [{ id: 'change.decide', label: words.decide, group: words.title, keys: 'r', run: () => go(reviewPath) }] : []),
    ...(undoable ? [{ id: 'change.undo', label: words.undo.act, group: words.title, keys: 'shift+u', run: () => setUndoing(true) }] : []),
  ])
  return (
    <>
      <header className="change-head">
        <div className="change-marks">
          <ChangeStatus change={change} />
          <LevelBadge level={change.level} />
          <span className="dim">{words.kinds[change.kind]}</span>
          <span className="dim">
            <RelativeTime at={change.createdAt} />
          </span>
          <span className="grow" />
          <CopyButton text={`${location.origin}${changePath(change.id)}`} label={words.copyLink} />
        </div>
        <div className="change-title-line">
          <h1>{change.title}</h1>
          <div className="change-acts">
            {asks && (
              <Link to={reviewPath} className="button primary">
                {words.decide}
              </Link>
            )}
            {undoable && (
              <WhileOnline>
                <Button onClick={() => setUndoing(true)} title={words.undo.hint}>
                  <Undo2 aria-hidden="true" /> {words.undo.act}
                </Button>
              </WhileOnline>
            )}
          </div>
        </div>
        {change.note && change.join === null && (
          <p className={`change-why tone-${changeLabelOf(change).tone}`}>{sentenceOf(change.note)}</p>
        )}
        <Awaited change={change} story={story} keeper={keeper} watchSeconds={watchSeconds} />
      </header>
      <Steps change={change} story={story} failed={gates.some((gate) => gate.verdict === 'failed')} />
      {change.join && <Join change={change} />}
      <div className="change-columns">
        <div className="change-column">
          <Reasons change={change} />
          <Gates change={change} gates={gates} open={gate} setOpen={(name) => go(changePath(change.id, { gate: name }), 'replace')} />
          <Files change={change} />
        </div>
        <aside className="change-column" aria-label={words.facts.title}>
          <Health change={change} keeper={keeper} watchSeconds={watchSeconds} />
          <Facts change={change} />
          <Story story={story} />
        </aside>
      </div>
      <UndoDialog change={change} open={undoing} setOpen={setUndoing} />
    </>
  )
}

function Reasons({ change }: { change: Change }) {
  const { why, evidence, effect } = change
  const parts = (
    [
      ['why', why],
      ['evidence', evidence],
      ['effect', effect],
    ] as const
  ).filter(([, text]) => text.trim() !== '')
  if (parts.length === 0) return null
  if (change.taskId === null) return <p className="change-said">{why}</p>
  return <AgentWords by={change.author} text={parts.map(([name, text]) => `**${words.words[name]}**\n\n${text}`).join('\n\n')} />
}

function Gates(props: { change: Change; gates: Detail['gates']; open: string | undefined; setOpen: (name: string | undefined) => void }) {
  const { change, gates, open, setOpen } = props
  const runs = change.state === 'gating'
  if (gates.length > 0) return <GateFold changeId={change.id} gates={gates} runs={runs} log={{ open, setOpen }} />
  return (
    <section className="card change-card" aria-labelledby="change-gates">
      <h2 id="change-gates">{words.gates.title}</h2>
      <p className="dim">{runs ? words.gates.running(0) : change.kind === 'rollback' ? words.gates.none : words.gates.waits}</p>
    </section>
  )
}

function Files({ change }: { change: Change }) {
  // Another round is another difference.
  const read = useRead(
    ROUTES.changeDiff,
    { params: { id: change.id } },
    { when: change.commit !== null, follow: change.state === 'gating' },
  )
  return (
    <section className="card change-card" aria-labelledby="change-diff">
      <h2 id="change-diff">{words.diff.title}</h2>
      {change.files.length === 0 ? (
        <p className="dim">{words.diff.unknown}</p>
      ) : (
        <Reading read={read} label={words.diff.reading} failed={words.diff.failed} lines={8}>
          {(diff) => <FileDiffs changeId={change.id} commit={change.commit ?? ''} files={change.files} diff={diff} keys />}
        </Reading>
      )}
    </section>
  )
}

function Facts({ change }: { change: Change }) {
  const goal = useGoalWords(change.treeId)
  const { facts } = words
  return (
    <section className="card change-card" aria-labelledby="change-facts">
      <h2 id="change-facts">{facts.title}</h2>
      <dl className="change-facts">
        <dt>{facts.author}</dt>
        <dd>
          {change.author}
          {change.treeId && (
            <>
              {' '}
              {words.forGoal}{' '}
              <Link to={treePath(change.treeId, change.taskId ?? undefined)}>{goal ? preview(firstLine(goal), 60) : change.treeId}</Link>
            </>
          )}
        </dd>
        {change.level !== null && (
          <>
            <dt>{facts.level}</dt>
            <dd>
              <LevelWhy level={change.level} reasons={change.reasons} />
            </dd>
          </>
        )}
        {change.decidedBy && (
          <>
            <dt>{facts.decided}</dt>
            <dd>{change.decidedBy}</dd>
          </>
        )}
        {change.commit && (
          <>
            <dt>{facts.revision}</dt>
            <dd className="change-hash">
              <code>{change.commit.slice(0, 12)}</code>
              <CopyButton text={change.commit} label={words.runs.copy} />
            </dd>
          </>
        )}
        {change.base && (
          <>
            <dt>{facts.base}</dt>
            <dd>
              <code>{change.base.slice(0, 12)}</code>
            </dd>
          </>
        )}
        {change.landed && (
          <>
            <dt>{facts.branch}</dt>
            <dd>
              <code>{change.landed}</code>
            </dd>
          </>
        )}
        {change.reverts && (
          <>
            <dt>{facts.takesBack}</dt>
            <dd>
              <Link to={changePath(change.reverts)}>{change.reverts}</Link>
            </dd>
          </>
        )}
      </dl>
    </section>
  )
}

function Story({ story }: { story: Detail['story'] }) {
  return (
    <section className="card change-card" aria-labelledby="change-story">
      <h2 id="change-story">{words.story.title}</h2>
      <ol className="change-story">
        {story.map((step, i) => {
          // A second line of the same state without a word about why is the moment in which somebody agreed.
          const agreed = step.state === 'review' && step.note === null && story[i - 1]?.state === 'review'
          const { word, tone } = agreed ? { word: words.story.agreed, tone: 'good' } : changeLabelOf(step)
          return (
            // biome-ignore lint/suspicious/noArrayIndexKey: steps come at the end only
            <li key={i}>
              <time dateTime={step.at} title={dayAndTime(step.at)} className="dim">
                {momentOf(step.at, Date.now())}
              </time>
              <span className={`tone-${tone}`}>{word}</span>
              {step.note && <p className="dim">{sentenceOf(step.note)}</p>}
            </li>
          )
        })}
      </ol>
    </section>
  )
}

function Join({ change }: { change: Change }) {
  return (
    <section className="change-join" aria-label={words.join.title}>
      <h2>{words.join.title}</h2>
      <p>{words.join.about(change.landed ?? '')}</p>
      <p className="change-command">
        <code>{change.join}</code>
        <CopyButton text={change.join ?? ''} label={words.join.copy} />
      </p>
    </section>
  )
}
