/** One part becomes two: where its text is cut is proposed and can be changed. */
import { useState } from 'react'
import type { PlanItem } from '../../../core/contract/plan.ts'
import { Button } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { Field } from '../../ui/field.tsx'
import { plan as words } from '../../words/plan.ts'
import { divide, halves, itemAt, type Place } from './edit.ts'

export function SplitDialog(props: {
  items: readonly PlanItem[]
  path: Place
  save: (next: { items: PlanItem[]; path: Place }) => void
  close: () => void
}) {
  const instruction = itemAt(props.items, props.path)?.instruction ?? ''
  const [parts, setParts] = useState<[string, string]>(() => halves(instruction) ?? [instruction, ''])
  const [first, second] = parts
  const whole = first.trim() !== '' && second.trim() !== ''
  return (
    <Dialog open setOpen={props.close} title={words.split} size="large" {...(halves(instruction) ? {} : { description: words.noSplit })}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault()
          if (!whole) return
          props.save(divide(props.items, props.path, first.trim(), second.trim()))
          props.close()
        }}
      >
        <Field label={words.firstHalf}>
          {(id) => <textarea id={id} rows={4} value={first} onChange={(event) => setParts([event.target.value, second])} />}
        </Field>
        <Field label={words.secondHalf}>
          {(id) => <textarea id={id} rows={4} value={second} onChange={(event) => setParts([first, event.target.value])} />}
        </Field>
        <div className="actions">
          <Button type="submit" look="primary" disabled={!whole}>
            {words.splitNow}
          </Button>
        </div>
      </form>
    </Dialog>
  )
}
