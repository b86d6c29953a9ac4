/** A new rule that asks or refuses. One that allows comes from a decision only. */
import { useState } from 'react'
import { ROUTES } from '../../../core/contract/api.ts'
import { NARROW_SCOPES, type NarrowScope } from '../../../core/contract/policy.ts'
import { useWrite } from '../../read.ts'
import { useToast } from '../../toasts.ts'
import { Button } from '../../ui/button.tsx'
import { Field } from '../../ui/field.tsx'
import { reviews } from '../../words/reviews.ts'

const words = reviews.rulesPage

export function AddRule() {
  const add = useWrite(ROUTES.addRule, [ROUTES.rules])
  const toast = useToast()
  const [verdict, setVerdict] = useState<'ask' | 'deny'>('ask')
  const [scope, setScope] = useState<NarrowScope>('program')
  const [signature, setSignature] = useState('')
  const [seconds, setSeconds] = useState('')
  const save = () =>
    add.mutate(
      { body: { verdict, scope, signature: signature.trim(), ...(seconds ? { expiresInSeconds: Number(seconds) } : {}) } },
      {
        onSuccess: () => {
          setSignature('')
          toast(words.added, { tone: 'good' })
        },
      },
    )
  return (
    <form
      className="card add-rule"
      aria-label={words.add}
      onSubmit={(event) => {
        event.preventDefault()
        save()
      }}
    >
      <h2>{words.add}</h2>
      <div className="add-rule-fields">
        <Field label={words.verdict}>
          {(id) => (
            <select id={id} value={verdict} onChange={(event) => setVerdict(event.target.value === 'deny' ? 'deny' : 'ask')}>
              <option value="ask">{words.verdicts.ask}</option>
              <option value="deny">{words.verdicts.deny}</option>
            </select>
          )}
        </Field>
        <Field label={words.scope}>
          {(id) => (
            <select id={id} value={scope} onChange={(event) => setScope(event.target.value as NarrowScope)}>
              {NARROW_SCOPES.map((one) => (
                <option key={one} value={one}>
                  {words.scopes[one]}
                </option>
              ))}
            </select>
          )}
        </Field>
        <Field label={words.signature} hint={words.signatureHint[scope] ?? ''} error={add.error?.message ?? null}>
          {(id, described) => (
            <input
              id={id}
              {...described}
              required
              maxLength={300}
              autoComplete="off"
              value={signature}
              onChange={(event) => setSignature(event.target.value)}
            />
          )}
        </Field>
        <Field label={words.until}>
          {(id) => (
            <select id={id} value={seconds} onChange={(event) => setSeconds(event.target.value)}>
              {Object.entries(reviews.decide.expiries)
                .reverse()
                .map(([value, label]) => (
                  <option key={value} value={value}>
                    {label}
                  </option>
                ))}
            </select>
          )}
        </Field>
        <Button look="primary" type="submit" disabled={add.isPending}>
          {words.save}
        </Button>
      </div>
    </form>
  )
}
