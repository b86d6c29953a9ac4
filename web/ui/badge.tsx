/** A short word that marks something; its colour never says more than the word. */
import type { ReactNode } from 'react'
import type { Label } from '../../core/contract/label.ts'

export function Badge({ tone = 'idle', children }: { tone?: Label['tone']; children: ReactNode }) {
  return <span className={`badge tone-${tone}`}>{children}</span>
}
