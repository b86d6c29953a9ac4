/** How often something went well, and how sure that is. */
import type { Score } from '../../core/contract/api-scores.ts'
import { scores as words } from '../words/scores.ts'

/** Under a limit no rate is told: it would say more than is known. */
export function Rate({ score }: { score: Pick<Score, 'n' | 'succeeded' | 'rate' | 'low' | 'high' | 'few'> | undefined }) {
  if (!score || score.rate === null) return <span className="dim">{words.none}</span>
  if (score.few || score.low === null || score.high === null) return <span className="dim">{words.few(score.succeeded, score.n)}</span>
  return (
    <>
      <strong>{words.rate(score.rate, score.n)}</strong> <span className="dim">{words.between(score.low, score.high)}</span>
    </>
  )
}
