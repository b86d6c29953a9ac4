/** What a person may do to the selected task. What its status does not allow is not offered; the server has the last word. */
import { useId, useState } from 'react'
import { isOver, type Task } from '../../core/contract/task.ts'
import type { Verb } from '../api.ts'
import { useBanyan, useLive } from '../banyan.ts'
import { useAct } from '../ui/act.ts'
import { Confirm } from '../ui/confirm.tsx'
import { Fault } from '../ui/notice.tsx'

const WORDS: Record<Exclude<Verb, 'steer'>, { word: string; hint: string }> = {
  pause: { word: 'Pause', hint: 'Holds it and everything below after the turn that runs' },
  resume: { word: 'Resume', hint: 'Lets it and everything below go on' },
  step: { word: 'Step', hint: 'Runs one turn, then holds it again' },
  retry: { word: 'Retry', hint: 'Opens it again; it sees what it did so far' },
  cancel: { word: 'Cancel', hint: 'Lets it wrap up with what it has; what is below stops' },
  abort: { word: 'Abort', hint: 'Ends it and everything below now' },
}

/** The acts that make sense for a task as it is. */
export function verbsFor(task: Pick<Task, 'status' | 'reason'>): (keyof typeof WORDS)[] {
  if (isOver(task.status)) return task.status === 'done' ? [] : ['retry']
  const held = task.status === 'paused'
  return [
    held ? 'resume' : 'pause',
    ...(task.status === 'waiting' || (held && task.reason === 'budget') ? [] : ['step' as const]),
    'cancel',
    'abort',
  ]
}

export function TaskControls({ task }: { task: Task }) {
  const { api } = useBanyan()
  const live = useLive((state) => state.connection === 'live')
  const { busy, fault, act, forget } = useAct()
  const [asking, setAsking] = useState(false)
  const [words, setWords] = useState('')
  const id = useId()
  const over = isOver(task.status)
  const off = busy || !live
  const steer = async () => {
    if (await act(() => api.control(task.id, 'steer', { message: words.trim() }))) setWords('')
  }
  return (
    <div className="controls">
      <div className="actions">
        {verbsFor(task).map((verb) => (
          <button
            key={verb}
            type="button"
            className={verb === 'abort' ? 'danger' : ''}
            title={live ? WORDS[verb].hint : 'Not connected'}
            disabled={off}
            onClick={() => {
              forget()
              if (verb === 'abort') setAsking(true)
              else void act(() => api.control(task.id, verb))
            }}
          >
            {WORDS[verb].word}
          </button>
        ))}
      </div>
      {!over && (
        <form
          className="steer"
          onSubmit={(event) => {
            event.preventDefault()
            if (words.trim()) void steer()
          }}
        >
          <label htmlFor={id} className="hidden">
            Message to the agent
          </label>
          <input
            id={id}
            value={words}
            maxLength={100_000}
            placeholder="Say something to the agent; it reads it at its next turn"
            onChange={(event) => setWords(event.target.value)}
          />
          <button type="submit" disabled={off || words.trim() === ''}>
            Steer
          </button>
        </form>
      )}
      {fault && <Fault>{fault}</Fault>}
      {asking && (
        <Confirm
          title="Abort this task?"
          yes="Abort now"
          onNo={() => setAsking(false)}
          onYes={() => {
            setAsking(false)
            void act(() => api.control(task.id, 'abort'))
          }}
        >
          <p>“{task.title}” and everything below it ends at once, without a result. Cancel instead lets it wrap up with what it has.</p>
        </Confirm>
      )}
    </div>
  )
}
