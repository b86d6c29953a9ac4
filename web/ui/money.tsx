/** What was spent. A price that is not known is never shown as 0: "unpriced", or "≥ $x" when only a part is known. */
import type { Spend } from '../../core/contract/task.ts'
import { kit } from '../words/kit.ts'
import { usd } from '../words/words.ts'

export function moneyWords(spend: Pick<Spend, 'costMicros' | 'unpricedCalls'>): string {
  if (spend.unpricedCalls === 0) return usd(spend.costMicros)
  return spend.costMicros > 0 ? kit.atLeast(usd(spend.costMicros)) : kit.unpriced
}

/** Nothing is drawn when no model was called. */
export function Money({ spend }: { spend: Pick<Spend, 'costMicros' | 'unpricedCalls' | 'turns'> }) {
  if (spend.turns === 0 && spend.costMicros === 0 && spend.unpricedCalls === 0) return null
  return <span className="money">{moneyWords(spend)}</span>
}
