/** What counts as done: short sentences that the goal's agents work by and that its result is judged by. */
import { ListChecks } from 'lucide-react'
import { Field } from '../../ui/field.tsx'
import { Popover } from '../../ui/popover.tsx'
import { composer as words } from '../../words/composer.ts'
import { Chip } from './chip.tsx'
import { criteriaOf } from './draft.ts'

export function CriteriaChip(props: {
  criteria: string | undefined
  change: (typed: string | undefined) => void
  open: boolean
  setOpen: (open: boolean) => void
}) {
  const n = criteriaOf(props.criteria).length
  return (
    <Popover
      label={words.criteria}
      open={props.open}
      setOpen={props.setOpen}
      trigger={<Chip icon={ListChecks} name={words.criteria} value={n > 0 ? words.criteriaCount(n) : undefined} set={n > 0} />}
    >
      <div className="stack url-form">
        <Field label={words.criteria} hint={words.criteriaHint}>
          {(id, described) => (
            <textarea
              id={id}
              {...described}
              rows={4}
              placeholder={words.criteriaExample}
              value={props.criteria ?? ''}
              onChange={(event) => props.change(event.target.value === '' ? undefined : event.target.value)}
            />
          )}
        </Field>
      </div>
    </Popover>
  )
}
