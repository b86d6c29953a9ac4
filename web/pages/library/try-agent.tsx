/** Runs a small goal with the draft, and beside it with what is saved, so that the two results can be compared before anything changes. */
import { FlaskConical } from 'lucide-react'
import { useState } from 'react'
import { ROUTES } from '../../../core/contract/api.ts'
import { useActions } from '../../actions.ts'
import { useBanyan } from '../../banyan.ts'
import { useGo } from '../../route.ts'
import { readLocal, writeLocal } from '../../theme.ts'
import { useAct } from '../../ui/act.ts'
import { Button } from '../../ui/button.tsx'
import { EmptyState } from '../../ui/empty-state.tsx'
import { Field } from '../../ui/field.tsx'
import { Kbd } from '../../ui/kbd.tsx'
import { Fault } from '../../ui/notice.tsx'
import { Switch } from '../../ui/switch.tsx'
import { library } from '../../words/library.ts'
import type { Editing } from './entry-page.tsx'
import { RunView } from './run-view.tsx'

const words = library.tryAgent
const DOLLARS = '0.25'
const goalKey = (id: string) => `banyan-try-${id}`

export function TryAgent({ editing }: { editing: Editing<'agent'> }) {
  const { id, item, draft, ask, to } = editing
  const { api } = useBanyan()
  const [goal, setGoal] = useState(() => readLocal(goalKey(id)))
  const [dollars, setDollars] = useState(DOLLARS)
  const dirty = item === null || draft.dirty.length > 0
  const [beside, setBeside] = useState(true)
  const { busy, fault, act } = useAct()
  const go = useGo()
  const both = beside && dirty && item !== null
  const money = Number(dollars)
  const right = goal.trim() !== '' && dollars.trim() !== '' && Number.isFinite(money) && money >= 0
  const run = () => {
    if (!right || busy) return
    void act(async () => {
      writeLocal(goalKey(id), goal)
      const start = (agent?: typeof draft.body) =>
        api.call(ROUTES.tryAgent, {
          params: { id: draft.body.name },
          body: { goal, budget: { dollars: money }, ...(agent ? { agent } : {}) },
        })
      const [first, second] = await Promise.all([start(dirty ? draft.body : undefined), both ? start() : null])
      go(to({ run: first.treeId, with: second?.treeId }))
    })
  }
  useActions([{ id: 'entry.try', label: library.keys.try, group: library.group, keys: 'mod+enter', run }])
  return (
    <div className="stack try">
      <form
        className="card try-form"
        onSubmit={(event) => {
          event.preventDefault()
          run()
        }}
      >
        <Field label={words.goal} hint={words.how}>
          {(field, described) => (
            <textarea
              id={field}
              {...described}
              rows={3}
              value={goal}
              placeholder={words.goalPlaceholder}
              onChange={(event) => setGoal(event.target.value)}
            />
          )}
        </Field>
        <div className="try-line">
          <Field label={words.budget}>
            {(field, described) => (
              <input id={field} {...described} inputMode="decimal" value={dollars} onChange={(event) => setDollars(event.target.value)} />
            )}
          </Field>
          {dirty && item && <Switch label={words.compare} hint={words.compareHint} on={beside} set={setBeside} />}
          <span className="grow" />
          <Button type="submit" look="primary" disabled={!right || busy}>
            {busy ? words.running : dirty ? words.run : words.runSaved} <Kbd keys="mod+enter" />
          </Button>
        </div>
        {fault && <Fault>{fault}</Fault>}
      </form>
      {ask.run ? (
        <div className={ask.with ? 'runs runs-two' : 'runs'}>
          <RunView key={ask.run} treeId={ask.run} title={ask.with || dirty ? words.draft : words.savedNow} />
          {ask.with && <RunView key={ask.with} treeId={ask.with} title={item ? words.saved(item.version) : words.savedNow} />}
        </div>
      ) : (
        <EmptyState icon={FlaskConical} title={words.empty}>
          {words.emptyHow}
        </EmptyState>
      )}
    </div>
  )
}
