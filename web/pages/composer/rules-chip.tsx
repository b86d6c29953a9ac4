/** What this one goal may not do, or not without a person: rules of its own, beside what it asks in general. */
import { Scale, X } from 'lucide-react'
import { useState } from 'react'
import { GOAL_RULES, type GoalRule, NARROW_SCOPES, type NarrowScope } from '../../../core/contract/policy.ts'
import { Button } from '../../ui/button.tsx'
import { Field } from '../../ui/field.tsx'
import { IconButton } from '../../ui/icon-button.tsx'
import { Popover } from '../../ui/popover.tsx'
import { composer as words } from '../../words/composer.ts'
import { reviews } from '../../words/reviews.ts'
import { Chip } from './chip.tsx'

const { verdicts, scopes, scope: scopeLabel, verdict: verdictLabel, signature: signatureLabel, signatureHint } = reviews.rulesPage

export function RulesChip(props: {
  rules: readonly GoalRule[]
  change: (rules: readonly GoalRule[]) => void
  open: boolean
  setOpen: (open: boolean) => void
}) {
  const { rules } = props
  const [verdict, setVerdict] = useState<GoalRule['verdict']>('ask')
  const [scope, setScope] = useState<NarrowScope>('program')
  const [signature, setSignature] = useState('')
  const name = signature.trim()
  const textOf = (rule: GoalRule) =>
    words.ruleText(verdicts[rule.verdict] ?? rule.verdict, scopes[rule.scope] ?? rule.scope, rule.signature)
  return (
    <Popover
      label={words.rules}
      open={props.open}
      setOpen={props.setOpen}
      trigger={
        <Chip icon={Scale} name={words.rules} value={rules.length > 0 ? words.rulesOf(rules.length) : undefined} set={rules.length > 0} />
      }
    >
      <form
        className="stack url-form"
        onSubmit={(event) => {
          event.preventDefault()
          event.stopPropagation() // it stands within the form of the goal
          if (name === '') return
          props.change([...rules.filter((one) => one.scope !== scope || one.signature !== name), { verdict, scope, signature: name }])
          setSignature('')
        }}
      >
        <p className="dim">{words.rulesHint}</p>
        {rules.length > 0 && (
          <ul className="files" aria-label={words.rules}>
            {rules.map((rule) => (
              <li key={`${rule.scope} ${rule.signature}`} className="file">
                <span className="file-name">{textOf(rule)}</span>
                <IconButton
                  icon={X}
                  label={words.ruleRemove(textOf(rule))}
                  onClick={() => props.change(rules.filter((one) => one !== rule))}
                />
              </li>
            ))}
          </ul>
        )}
        <div className="fields">
          <Field label={verdictLabel}>
            {(id) => (
              <select id={id} value={verdict} onChange={(event) => setVerdict(event.target.value === 'deny' ? 'deny' : 'ask')}>
                <option value="ask">{verdicts.ask}</option>
                <option value="deny">{verdicts.deny}</option>
              </select>
            )}
          </Field>
          <Field label={scopeLabel}>
            {(id) => (
              <select
                id={id}
                value={scope}
                onChange={(event) => setScope(NARROW_SCOPES.find((one) => one === event.target.value) ?? 'program')}
              >
                {NARROW_SCOPES.map((one) => (
                  <option key={one} value={one}>
                    {scopes[one]}
                  </option>
                ))}
              </select>
            )}
          </Field>
        </div>
        <Field label={signatureLabel} hint={signatureHint[scope] ?? ''}>
          {(id, described) => (
            <input
              id={id}
              {...described}
              maxLength={300}
              autoComplete="off"
              value={signature}
              onChange={(event) => setSignature(event.target.value)}
            />
          )}
        </Field>
        <Button type="submit" disabled={name === '' || rules.length >= GOAL_RULES}>
          {words.ruleAdd}
        </Button>
      </form>
    </Popover>
  )
}
