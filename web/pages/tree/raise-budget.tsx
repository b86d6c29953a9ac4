/** One click for a goal that stands at one of its limits: what the open item of the queue would set. */
import { ROUTES } from '../../../core/contract/api.ts'
import type { Limits } from '../../../core/contract/limits.ts'
import { useReviews } from '../../data/use-reviews.ts'
import { count, duration } from '../../format.ts'
import { useWrite } from '../../read.ts'
import { useToast } from '../../toasts.ts'
import { Button } from '../../ui/button.tsx'
import { tree } from '../../words/tree.ts'
import { usd } from '../../words/words.ts'

export function RaiseBudget({ treeId }: { treeId: string }) {
  const { reviews } = useReviews()
  const toast = useToast()
  const decide = useWrite(ROUTES.decide)
  const review = reviews.find((one) => one.kind === 'budget' && one.treeId === treeId)
  if (!review) return null
  const to = raisedTo(review.action)
  return (
    <Button
      look="primary"
      small
      disabled={decide.isPending}
      onClick={() =>
        decide.mutate(
          { params: { id: review.id }, body: { decision: 'approve', actionHash: review.actionHash } },
          {
            onSuccess: () => toast(tree.head.raised, { tone: 'good' }),
            onError: (fault) => toast(fault.message, { tone: 'bad' }),
          },
        )
      }
    >
      {to === null ? tree.head.raiseAny : tree.head.raise(to)}
    </Button>
  )
}

/** What an approval sets the reached limit to, in words; null when the item does not say. */
export function raisedTo(action: unknown): string | null {
  const { reached, approveSetsTo, approveSetsTodayTo } = (action ?? {}) as {
    reached?: { limit?: string }
    approveSetsTo?: Partial<Limits>
    approveSetsTodayTo?: unknown
  }
  const limit = reached?.limit
  if (limit === 'dailyMicros') return typeof approveSetsTodayTo === 'number' ? usd(approveSetsTodayTo) : null
  const value = limit === undefined ? undefined : approveSetsTo?.[limit as keyof Limits]
  if (typeof value !== 'number') return null
  if (limit === 'costMicros') return usd(value)
  if (limit === 'wallSeconds') return duration(value * 1_000)
  return `${count(value)} ${limit === 'fanOut' ? '' : limit}`.trim()
}
