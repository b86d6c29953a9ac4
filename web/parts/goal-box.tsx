/** Where a goal is typed. What was typed survives a reload, and a goal that is sent twice by accident starts once. */
import { useEffect, useId, useRef, useState } from 'react'
import { newKey } from '../api.ts'
import { useBanyan, useLive } from '../banyan.ts'
import { dollars } from '../format.ts'
import { GOAL_CAP, submission } from '../goal-form.ts'
import { treePath, useGo } from '../route.ts'
import { readLocal, writeLocal } from '../theme.ts'
import { useAct } from '../ui/act.ts'
import { Fault } from '../ui/notice.tsx'

const DRAFT = 'banyan-draft'
const isMac = /Mac|iPhone|iPad/.test(navigator.platform)

export function GoalBox({ given }: { given: { goal: string; example: string } | null }) {
  const { api } = useBanyan()
  const go = useGo()
  const limits = useLive((state) => state.system?.defaultLimits)
  const [goal, setGoal] = useState(() => readLocal(DRAFT))
  const [example, setExample] = useState<string>()
  const [mode, setMode] = useState<'auto' | 'step'>('auto')
  const [budget, setBudget] = useState('')
  const { busy, fault, act } = useAct()
  const key = useRef('')
  const box = useRef<HTMLTextAreaElement>(null)
  const ids = { goal: useId(), mode: useId(), budget: useId() }

  useEffect(() => {
    if (given === null) return
    setGoal(given.goal)
    setExample(given.example)
    writeLocal(DRAFT, given.goal)
    box.current?.focus()
  }, [given])

  const built = submission({ goal, mode, budget, example })
  const send = () => {
    if (!built.ok) return
    // One key for one text: sending again after an answer that was lost finds the goal that was made.
    key.current ||= newKey()
    void act(async () => {
      const { treeId } = await api.submitGoal(built.request, key.current)
      writeLocal(DRAFT, '')
      go(treePath(treeId))
    })
  }
  const change = (text: string) => {
    setGoal(text)
    writeLocal(DRAFT, text)
    key.current = ''
    if (!text) setExample(undefined)
  }

  return (
    <form
      className="goal-box"
      onSubmit={(event) => {
        event.preventDefault()
        send()
      }}
    >
      <label htmlFor={ids.goal} className="goal-label">
        What should be done?
      </label>
      <textarea
        id={ids.goal}
        ref={box}
        value={goal}
        rows={4}
        placeholder={'Say it in your own words, or as a list:\n1. Run `date > now.txt`\n2. Then run `cat now.txt`'}
        onChange={(event) => change(event.target.value)}
        onKeyDown={(event) => {
          if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey) || event.nativeEvent.isComposing) return
          event.preventDefault()
          send()
        }}
      />
      <div className="options">
        <label htmlFor={ids.mode}>
          Mode{' '}
          <select
            id={ids.mode}
            value={mode}
            onChange={(event) => {
              setMode(event.target.value === 'step' ? 'step' : 'auto')
              key.current = ''
            }}
          >
            <option value="auto">automatic</option>
            <option value="step">step by step</option>
          </select>
        </label>
        <label htmlFor={ids.budget}>
          Budget ${' '}
          <input
            id={ids.budget}
            inputMode="decimal"
            size={6}
            value={budget}
            placeholder={limits ? dollars(limits.costMicros).slice(1) : ''}
            aria-invalid={!built.ok && built.field === 'budget'}
            onChange={(event) => {
              setBudget(event.target.value)
              key.current = ''
            }}
          />
        </label>
        <span className="grow" />
        <button type="submit" className="primary" disabled={busy || goal.trim() === ''}>
          {busy ? 'Starting…' : 'Start'} <kbd>{isMac ? '⌘' : 'Ctrl'} ↵</kbd>
        </button>
      </div>
      {!built.ok && goal.length > 0 && built.why && <Fault>{built.why}</Fault>}
      {goal.length > GOAL_CAP && <p className="dim">{goal.length.toLocaleString('en')} characters</p>}
      {fault && <Fault again={send}>{fault}</Fault>}
    </form>
  )
}
