/** What carrying the plan out would cost and use, and the hash that an approval binds to. */
import { Lock } from 'lucide-react'
import type { Plan } from '../../../core/contract/api-plans.ts'
import { Badge } from '../../ui/badge.tsx'
import { CopyButton } from '../../ui/copy-button.tsx'
import { plan as words } from '../../words/plan.ts'
import { usd } from '../../words/words.ts'

const PERMISSIONS = ['read', 'write', 'exec', 'network', 'self']

/** `changed`: there are edits that the server has not seen, so cost and hash are of the plan before them. */
export function Outlook({ plan, changed }: { plan: Plan; changed: boolean }) {
  const { range, basis, unknown } = plan.cost
  const money = (value: number) => usd(Math.round(value * 1_000_000))
  return (
    <div className="outlook">
      {changed && <p className="dim">{words.outlookOld}</p>}
      <section aria-labelledby="plan-cost">
        <h2 id="plan-cost">{words.cost}</h2>
        <p className="plan-range">{range ? words.costRange(money(range.lowDollars), money(range.highDollars)) : words.costNone}</p>
        <p className="dim">{basis}</p>
        {unknown.length > 0 && <p className="dim">{words.costUnknown(unknown)}</p>}
      </section>
      <section aria-labelledby="plan-needs">
        <h2 id="plan-needs">{words.needs}</h2>
        <ul className="needs">
          {plan.needs.map((need) => (
            <li key={`${need.agent} ${need.model}`}>
              <p>
                <strong>{need.agent}</strong> <code>{need.model}</code>
              </p>
              <p className="need-badges">
                {PERMISSIONS.filter((one) => need.tools.some((tool) => tool.permission === one)).map((permission) => (
                  <Badge
                    key={permission}
                    tone={permission === 'exec' || permission === 'network' || permission === 'self' ? 'you' : 'idle'}
                  >
                    {words.permissions[permission] ?? permission}
                  </Badge>
                ))}
              </p>
              <details>
                <summary>{words.needTools(need.tools.length)}</summary>
                <p className="dim">{need.tools.map((tool) => tool.name).join(', ')}</p>
              </details>
            </li>
          ))}
        </ul>
      </section>
      <p className="plan-hash">
        <Lock aria-hidden="true" /> <span>{plan.state === 'decided' && plan.decision === 'approve' ? words.frozen : words.hash}</span>
        <code>{plan.hash.slice(0, 7)}</code> <CopyButton text={plan.hash} />
      </p>
    </div>
  )
}

export function Decided({ plan }: { plan: Plan }) {
  const said =
    plan.decision === 'approve' ? words.frozenHow(plan.decidedBy ?? '') : plan.decision === 'changes' ? words.changesAsked : words.rejected
  return (
    <p className="plan-decided" role="status">
      {said}
    </p>
  )
}
