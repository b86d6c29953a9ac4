/** What the goal may use at most, cap by cap. */
import { CircleDollarSign } from 'lucide-react'
import type { Limits } from '../../../core/contract/limits.ts'
import { useLive } from '../../banyan.ts'
import { count, dollars, duration } from '../../format.ts'
import { Button } from '../../ui/button.tsx'
import { Field } from '../../ui/field.tsx'
import { Popover } from '../../ui/popover.tsx'
import { composer as words } from '../../words/composer.ts'
import { Chip } from './chip.tsx'
import { CAPS, type Cap, capOf, type Draft } from './draft.ts'

/** `limits`: what holds where nothing is typed; without it, the system's. */
export function BudgetChip(props: {
  budget: Draft['budget']
  limits: Limits | undefined
  change: (budget: Draft['budget']) => void
  open: boolean
  setOpen: (open: boolean) => void
}) {
  const standard = useLive((state) => state.system?.defaultLimits)
  const limits = props.limits ?? standard
  const { budget } = props
  const set = CAPS.some((cap) => (budget[cap] ?? '').trim() !== '')
  return (
    <Popover
      label={words.budget}
      open={props.open}
      setOpen={props.setOpen}
      trigger={<Chip icon={CircleDollarSign} name={words.budget} value={limits && shortBudget(budget, limits)} set={set} />}
    >
      <div className="caps">
        <p className="dim">{words.budgetHint}</p>
        {CAPS.map((cap) => {
          const wrong = capOf(cap, budget[cap] ?? '')
          return (
            <Field key={cap} label={words.capNames[cap]} hint={words.capUnits[cap]} error={typeof wrong === 'string' ? wrong : null}>
              {(id, described) => (
                <input
                  id={id}
                  {...described}
                  inputMode="decimal"
                  value={budget[cap] ?? ''}
                  placeholder={limits && String(usual(cap, limits))}
                  onChange={(event) => props.change({ ...budget, [cap]: event.target.value })}
                />
              )}
            </Field>
          )
        })}
        <Button small disabled={!set} onClick={() => props.change({})}>
          {words.budgetReset}
        </Button>
      </div>
    </Popover>
  )
}

const usual = (cap: Cap, limits: Limits): number =>
  cap === 'dollars' ? limits.costMicros / 1_000_000 : cap === 'minutes' ? limits.wallSeconds / 60 : limits[cap]

/** Money and time always, the rest where it was said. */
function shortBudget(budget: Draft['budget'], limits: Limits): string {
  const now = (cap: Cap) => {
    const typed = capOf(cap, budget[cap] ?? '')
    return typeof typed === 'number' ? typed : usual(cap, limits)
  }
  const more = CAPS.filter((cap) => cap !== 'dollars' && cap !== 'minutes' && typeof capOf(cap, budget[cap] ?? '') === 'number')
  return [
    dollars(now('dollars') * 1_000_000),
    short(now('minutes') * 60_000),
    ...more.map((cap) => `${words.capNames[cap].toLowerCase()} ${count(now(cap))}`),
  ].join(' · ')
}
/** "4 h 0 min" says no more than "4 h". */
const short = (ms: number): string => duration(ms).replace(/ 0 (min|s)$/, '')
