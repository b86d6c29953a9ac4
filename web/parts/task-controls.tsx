/** What a person may do to the selected task. What its status does not allow is not offered; the server has the last word. */
import { useId, useState } from 'react'
import { isOver, type Task } from '../../core/contract/task.ts'
import { useBanyan, useLive } from '../banyan.ts'
import { useAct } from '../ui/act.ts'
import { Confirm } from '../ui/confirm.tsx'
import { Fault } from '../ui/notice.tsx'
import { verbsFor, WORDS } from '../verbs.ts'

export function TaskControls({ task, heldBelow }: { task: Task; heldBelow: boolean }) {
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
        {verbsFor(task, heldBelow).map((verb) => (
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
