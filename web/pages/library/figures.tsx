/** How the newest work of an agent or a tool went, in a few words. */
import type { RegistryFigures } from '../../../core/contract/api-registry.ts'
import { moneyWords } from '../../ui/money.tsx'
import { library } from '../../words/library.ts'

const percent = (part: number, of: number): number => Math.round((part / of) * 100)
const toneOf = (share: number): string => (share >= 90 ? 'tone-good' : share >= 60 ? 'tone-you' : 'tone-bad')

export function AgentFigures({ of }: { of: RegistryFigures['agents'][number] | undefined }) {
  if (!of || of.tasks === 0) return <span className="wide-only">{library.neverRan}</span>
  const over = of.done + of.failed
  return (
    <>
      {over > 0 && <strong className={toneOf(percent(of.done, over))}>{library.succeeded(percent(of.done, over))}</strong>}
      <span>
        {library.tasks(of.tasks)}
        {(of.costMicros > 0 || of.unpricedCalls > 0) && ` · ${moneyWords(of)}`}
      </span>
    </>
  )
}

export function ToolFigures({ of }: { of: RegistryFigures['tools'][number] | undefined }) {
  if (!of || of.calls === 0) return <span className="wide-only">{library.neverCalled}</span>
  const worked = percent(of.calls - of.failures, of.calls)
  return (
    <span>
      <strong className={toneOf(worked)}>{library.worked(worked)}</strong> · {library.calls(of.calls)}
    </span>
  )
}
