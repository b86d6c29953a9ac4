/** One part of a plan as a form: its words, who does it, what it waits for. */
import { useState } from 'react'
import { ROUTES } from '../../../core/contract/api.ts'
import { PLAN_WORKER, type PlanItem } from '../../../core/contract/plan.ts'
import { useRead } from '../../read.ts'
import { Button } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { Field } from '../../ui/field.tsx'
import { Select } from '../../ui/select.tsx'
import { Switch } from '../../ui/switch.tsx'
import { composer } from '../../words/composer.ts'
import { plan as words } from '../../words/plan.ts'
import { criteriaOf } from '../composer/draft.ts'
import { itemAt, levelOf, mayWaitFor, type Place } from './edit.ts'

type Fields = Partial<Omit<PlanItem, 'id' | 'children'>>

export function PartForm(props: { items: readonly PlanItem[]; path: Place; save: (fields: Fields) => void; close: () => void }) {
  const item = itemAt(props.items, props.path)
  return item ? <Form {...props} item={item} level={levelOf(props.items, props.path)} /> : null
}

function Form(props: { item: PlanItem; level: readonly PlanItem[]; save: (fields: Fields) => void; close: () => void }) {
  const { item, level } = props
  const { data } = useRead(ROUTES.agents)
  const [title, setTitle] = useState(item.title)
  const [instruction, setInstruction] = useState(item.instruction)
  const [criteria, setCriteria] = useState(item.criteria?.join('\n') ?? '')
  const [agent, setAgent] = useState(item.agent ?? PLAN_WORKER)
  const [after, setAfter] = useState(item.after)
  const [askMe, setAskMe] = useState(item.askMe === true)
  const names = [
    ...new Set([agent, PLAN_WORKER, ...(data?.items ?? []).filter((one) => one.enabled && !one.watcher).map((one) => one.name)]),
  ]
  const others = mayWaitFor(level, item)
  const whole = title.trim() !== '' && instruction.trim() !== ''
  const save = () => {
    props.save({
      title: title.trim(),
      instruction: instruction.trim(),
      // Who is not named is the usual one; naming that one where nobody was named would change the plan for nothing.
      agent: agent === PLAN_WORKER && item.agent === undefined ? undefined : agent,
      after,
      criteria: criteriaOf(criteria).length > 0 ? criteriaOf(criteria) : undefined,
      askMe: askMe || undefined,
    })
    props.close()
  }
  return (
    <Dialog open setOpen={props.close} title={words.edit} size="large">
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault()
          if (whole) save()
        }}
      >
        <Field label={words.name}>
          {(id) => <input id={id} value={title} maxLength={200} required onChange={(event) => setTitle(event.target.value)} />}
        </Field>
        <Field label={item.children.length > 0 ? words.frame : words.does}>
          {(id) => (
            <textarea
              id={id}
              value={instruction}
              rows={5}
              maxLength={100_000}
              required
              onChange={(event) => setInstruction(event.target.value)}
              onKeyDown={(event) => {
                if (event.key === 'Enter' && (event.ctrlKey || event.metaKey) && whole) save()
              }}
            />
          )}
        </Field>
        <Field label={composer.criteria} hint={composer.criteriaHint}>
          {(id, described) => (
            <textarea id={id} {...described} value={criteria} rows={2} onChange={(event) => setCriteria(event.target.value)} />
          )}
        </Field>
        <Field label={words.agent}>
          {(id) => <Select id={id} value={agent} options={names.map((name) => ({ value: name, label: name }))} choose={setAgent} />}
        </Field>
        <fieldset className="waits-for">
          <legend>{words.waitsFor}</legend>
          {others.length === 0 && <p className="dim">{words.waitsNothing}</p>}
          {others.map((other) => (
            <label key={other.id}>
              <input
                type="checkbox"
                checked={after.includes(other.id)}
                onChange={(event) => setAfter(event.target.checked ? [...after, other.id] : after.filter((id) => id !== other.id))}
              />
              {other.title}
            </label>
          ))}
        </fieldset>
        <Switch label={words.askMe} on={askMe} set={setAskMe} />
        <div className="actions">
          <Button type="submit" look="primary" disabled={!whole}>
            {words.done}
          </Button>
        </div>
      </form>
    </Dialog>
  )
}
