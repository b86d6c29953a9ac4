/** One question with its answer: as it is written, what was done to which goals, and which could be meant. */
import { useEffect } from 'react'
import { ROUTES } from '../../../core/contract/api.ts'
import type { AskItem } from '../../../core/contract/api-asks.ts'
import { isOver } from '../../../core/contract/task.ts'
import { useBanyan } from '../../banyan.ts'
import { useTask } from '../../data/use-task.ts'
import { sentence } from '../../live.ts'
import { treePath } from '../../route.ts'
import { useToast } from '../../toasts.ts'
import { useAct } from '../../ui/act.ts'
import { Button } from '../../ui/button.tsx'
import { Link } from '../../ui/link.tsx'
import { Markdown } from '../../ui/markdown.tsx'
import { StatusIcon } from '../../ui/status-icon.tsx'
import { ask as words } from '../../words/ask.ts'

type Act = AskItem['acts'][number]
type Goal = Act['goals'][number]

export function Exchange(props: { ask: AskItem; say: (text: string) => void; close: () => void; drawn: () => void }) {
  const { ask, say, close } = props
  const over = isOver(ask.status)
  const unclear = ask.acts.filter((act) => !act.done && act.goals.length > 0)
  // Its answer names them as text; here they are buttons.
  const listed = unclear.length > 0 && ask.status === 'failed'
  const done = ask.acts.filter((act) => act.done && (act.act !== 'look' || act.goals.length > 0))
  return (
    <li className="ask-exchange">
      <p className="ask-words">{inTitles(ask)}</p>
      <div className={ask.status === 'failed' && !listed ? 'ask-answer bad' : 'ask-answer'}>
        {over ? listed ? null : <Markdown text={ask.answer ?? words.noAnswer} /> : <Coming ask={ask} close={close} drawn={props.drawn} />}
        {unclear.map((act) => (
          <Choice key={act.act} act={act} say={say} close={close} />
        ))}
        {done.length > 0 && (
          <ul className="ask-acts">
            {done.flatMap((act) =>
              act.goals.map((goal) => (
                <li key={`${act.act} ${goal.id}`}>
                  <StatusIcon task={goal} />
                  <Link to={treePath(goal.id)} className="ask-goal" onClick={close}>
                    {goal.title}
                  </Link>
                  <span className="dim">{act.act === 'cancel' && !isOver(goal.status) ? words.wrapping : words.acts[act.act]}</span>
                  <Undo act={act.act} goal={goal} />
                </li>
              )),
            )}
          </ul>
        )}
        {over && (
          <Link to={treePath(ask.id)} className="ask-details dim" onClick={close}>
            {words.details}
          </Link>
        )}
      </div>
    </li>
  )
}

/** A choice is asked for by its id, which nobody reads. */
const inTitles = ({ words, acts }: AskItem): string =>
  acts.flatMap((act) => act.goals).reduce((text, goal) => text.replaceAll(goal.id, `“${goal.title}”`), words)

/** The answer while a model writes it. */
function Coming({ ask, close, drawn }: { ask: AskItem; close: () => void; drawn: () => void }) {
  const { speaking } = useTask(ask.id)
  // biome-ignore lint/correctness/useExhaustiveDependencies: what was added is looked at
  useEffect(drawn, [speaking])
  if (ask.reason === 'review')
    return (
      <p>
        {words.waitsForYou}{' '}
        <Link to="/reviews" onClick={close}>
          {words.toQueue}
        </Link>
      </p>
    )
  if (speaking) return <Markdown text={speaking} />
  return (
    <p className="dim ask-working">
      <StatusIcon task={ask} /> {words.working}
    </p>
  )
}

function Choice({ act, say, close }: { act: Act; say: (text: string) => void; close: () => void }) {
  const kind = act.act
  return (
    <div className="ask-choice">
      <p>{words.which}</p>
      <ul>
        {act.goals.map((goal) => (
          <li key={goal.id}>
            <StatusIcon task={goal} />
            <Link to={treePath(goal.id)} className="ask-goal" onClick={close}>
              {goal.title}
            </Link>
            {kind !== 'steer' && kind !== 'start' && (kind === 'look' || !isOver(goal.status)) && (
              <Button small onClick={() => say(words.repeat[kind](goal.id))} aria-label={`${words.choose[kind]} ${goal.title}`}>
                {words.choose[kind]}
              </Button>
            )}
          </li>
        ))}
      </ul>
    </div>
  )
}

const UNDO = { cancel: ROUTES.retry, pause: ROUTES.resume, resume: ROUTES.pause, start: ROUTES.cancel }
type Undoable = keyof typeof UNDO

/** Only while it would change something. */
function mayUndo(act: Act['act'], { status }: Goal): act is Undoable {
  switch (act) {
    case 'cancel':
      return status === 'cancelled'
    case 'pause':
      return status === 'paused'
    case 'resume':
      return !isOver(status) && status !== 'paused'
    case 'start':
      return !isOver(status)
    default:
      return false
  }
}

function Undo({ act, goal }: { act: Act['act']; goal: Goal }) {
  const { api } = useBanyan()
  const toast = useToast()
  const { busy, act: once } = useAct()
  if (!mayUndo(act, goal)) return null
  const back = () =>
    void once(async () => {
      try {
        await api.call(UNDO[act], { params: { id: goal.id }, body: {} })
        toast(words.undone[act])
      } catch (cause) {
        toast(sentence(cause), { tone: 'bad' })
      }
    })
  return (
    <Button small disabled={busy} onClick={back} aria-label={`${words.undo[act]}: ${goal.title}`}>
      {words.undo[act]}
    </Button>
  )
}
