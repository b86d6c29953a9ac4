/** Several items that ask for the same kind of thing, decided with one word. Each is bound to what is shown of it below. */
import { useState } from 'react'
import { DECISIONS_OF, type DecisionWord, type Review } from '../../core/contract/review.ts'
import { useBanyan } from '../banyan.ts'
import { useAct } from '../ui/act.ts'
import { Fault } from '../ui/notice.tsx'

/** What one request may hold. */
const MOST = 200

export function AlikeBar({ group }: { group: readonly Review[] }) {
  const { api } = useBanyan()
  const { busy, fault, act } = useAct()
  const [refused, setRefused] = useState<string | null>(null)
  const some = group.slice(0, MOST)
  const words = DECISIONS_OF[some[0]!.kind].filter((word) => word === 'approve' || word === 'reject')
  const decide = (decision: DecisionWord) =>
    act(async () => {
      const { items } = await api.decideBatch({
        ids: some.map((one) => one.id),
        decision,
        actionHashes: Object.fromEntries(some.map((one) => [one.id, one.actionHash])),
      })
      const not = items.find((one) => !one.ok)
      setRefused(not && !not.ok ? not.detail : null)
    })
  return (
    <fieldset className="alike" aria-label={`${some.length} items that ask the same`}>
      <span>{some.length} ask the same</span>
      {words.map((word) => (
        <button key={word} type="button" className={word === 'reject' ? 'danger' : ''} disabled={busy} onClick={() => void decide(word)}>
          {word === 'approve' ? `Approve all ${some.length}` : `Reject all ${some.length}`}
        </button>
      ))}
      {(fault ?? refused) && <Fault>{fault ?? refused}</Fault>}
    </fieldset>
  )
}
