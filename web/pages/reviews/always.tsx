/** Approve, and make a rule of it: exactly this, this program with its flags, or this tool in this goal, for a time. */
import { useId, useState } from 'react'
import type { Remember } from '../../../core/contract/policy.ts'
import type { Review } from '../../../core/contract/review.ts'
import { Button } from '../../ui/button.tsx'
import { Field } from '../../ui/field.tsx'
import { Popover } from '../../ui/popover.tsx'
import { reviews as words } from '../../words/reviews.ts'
import { KeyOf } from './marks.tsx'

export function Always(props: {
  review: Review
  open: boolean
  setOpen: (open: boolean) => void
  keys: string | null
  disabled: boolean
  done: (remember: Remember) => void
}) {
  const { review } = props
  const [scope, setScope] = useState(review.offers[0]?.scope)
  const [seconds, setSeconds] = useState('86400')
  const name = useId()
  const say = words.decide
  const tainted = review.taint.length > 0
  const yes = () => {
    if (!scope) return
    props.setOpen(false)
    // A rule made of an item with taint is meant for such tasks: without that it would never be used.
    props.done({ scope, ...(seconds ? { expiresInSeconds: Number(seconds) } : {}), ...(tainted ? { tainted: true } : {}) })
  }
  return (
    <Popover
      label={say.alwaysTitle}
      open={props.open}
      setOpen={props.setOpen}
      align="end"
      trigger={
        <Button disabled={props.disabled} aria-keyshortcuts={props.keys ?? undefined}>
          {say.always}
          {props.keys && <KeyOf id="review.always" keys={props.keys} />}
        </Button>
      }
    >
      <form
        className="stack always"
        onSubmit={(event) => {
          event.preventDefault()
          yes()
        }}
      >
        <fieldset>
          <legend>{say.alwaysTitle}</legend>
          {review.offers.map((offer) => (
            <label key={offer.scope}>
              <input type="radio" name={name} value={offer.scope} checked={scope === offer.scope} onChange={() => setScope(offer.scope)} />
              <span>
                {say.alwaysScopes[offer.scope]}
                <code>{offer.label.replace(/^exactly this: /, '')}</code>
              </span>
            </label>
          ))}
        </fieldset>
        <Field label={say.alwaysUntil}>
          {(id) => (
            <select id={id} value={seconds} onChange={(event) => setSeconds(event.target.value)}>
              {Object.entries(say.expiries).map(([value, label]) => (
                <option key={value} value={value}>
                  {label}
                </option>
              ))}
            </select>
          )}
        </Field>
        {tainted && <p className="dim">{say.alwaysTaint}</p>}
        <Button look="primary" type="submit">
          {say.alwaysYes}
        </Button>
      </form>
    </Popover>
  )
}
