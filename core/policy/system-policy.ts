/** The owner's policy for the whole system, as rules that narrow like any other. */
import type { SystemPolicy } from '../contract/api-settings.ts'
import type { Rule } from '../contract/policy.ts'

/** Stands where the id of a rule would: there is no row to count hits in. */
export const POLICY_RULE = 'policy'

export function rulesOf(policy: Pick<SystemPolicy, 'permissions' | 'tools'>): Rule[] {
  const rule = (verdict: 'ask' | 'deny', scope: 'permission' | 'tool', signature: string): Rule => ({
    id: POLICY_RULE,
    verdict,
    scope,
    signature,
    label: `${verdict} the ${scope} ${signature}`,
    treeId: null,
    agent: null,
    tainted: false,
    createdBy: 'owner',
    createdAt: '',
    expiresAt: null,
    hits: 0,
    lastHitAt: null,
    revokedAt: null,
  })
  return [
    ...Object.entries(policy.permissions).map(([name, verdict]) => rule(verdict, 'permission', name)),
    ...Object.entries(policy.tools).map(([name, verdict]) => rule(verdict, 'tool', name)),
  ]
}
