/** What came of a task: its result, what it says for evidence, how it was judged, and what it was told to do. */
import { Check, X } from 'lucide-react'
import { changeLabelOf } from '../../../core/contract/label.ts'
import { type CheckedEvidence, isOver, type Task, type Verdict } from '../../../core/contract/task.ts'
import { size } from '../../format.ts'
import { Link } from '../../ui/link.tsx'
import { LongText } from '../../ui/long-text.tsx'
import { Markdown } from '../../ui/markdown.tsx'
import { detail } from '../../words/detail.ts'
import { changePath } from '../evolution/paths.ts'

export function Outcome({ task }: { task: Task }) {
  const { verdict } = task
  const checked = task.evidence.filter((one) => one.ok).length
  return (
    <>
      {task.instruction.trim() !== task.title.trim() && (
        <details className="told">
          <summary>{detail.instruction}</summary>
          <LongText text={task.instruction} />
        </details>
      )}
      {task.criteria && <Criteria criteria={task.criteria} verdict={verdict} />}
      {task.result !== null && task.result !== '' && (
        <details className="told" open={isOver(task.status)}>
          <summary>
            <h3>{detail.result}</h3>
          </summary>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keys */}
          <div className="framed" tabIndex={0}>
            <Markdown text={task.result} />
          </div>
        </details>
      )}
      {(task.evidence.length > 0 || verdict) && (
        <details className="told">
          <summary>
            {task.evidence.length > 0 && (
              <span className="told-fact">
                <Mark good={checked === task.evidence.length} word={detail.evidence} /> {detail.evidenceOf(checked, task.evidence.length)}
              </span>
            )}
            {verdict && (
              <span className="told-fact">
                <Mark good={verdict.passed} word={detail.verdict} /> {verdictWords(verdict)}
              </span>
            )}
          </summary>
          {task.evidence.length > 0 && (
            <ul className="evidence">
              {task.evidence.map((one, i) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: the list is written once and never reordered
                <li key={i}>
                  <Mark good={one.ok} word={one.ok ? detail.checked : detail.notChecked} /> <Claim one={one} />
                  {one.problem && <span className="problem"> {one.problem}</span>}
                </li>
              ))}
            </ul>
          )}
          {verdict && <p className="plain">{verdict.reasons}</p>}
        </details>
      )}
    </>
  )
}

/** What counts as done, each with what its evaluator found once it was judged. */
function Criteria({ criteria, verdict }: { criteria: readonly string[]; verdict: Verdict | null }) {
  const found = criteria.map((_, i) => verdict?.criteria?.find(({ number }) => number === i + 1))
  const judged = found.some((one) => one !== undefined)
  const met = found.filter((one) => one?.met).length
  return (
    <details className="told" open>
      <summary>
        <h3>{detail.criteria}</h3>{' '}
        {judged ? (
          <span className="told-fact">
            <Mark good={met === criteria.length} word={detail.verdict} /> {detail.criteriaMet(met, criteria.length)}
          </span>
        ) : (
          <span className="dim">{detail.criteriaOpen}</span>
        )}
      </summary>
      <ol className="evidence criteria">
        {criteria.map((criterion, i) => {
          const one = found[i]
          return (
            // biome-ignore lint/suspicious/noArrayIndexKey: the list is written once and never reordered
            <li key={i}>
              {one && <Mark good={one.met} word={one.met ? detail.met : detail.notMet} />} <span className="plain">{criterion}</span>
              {one && <p className={one.met ? 'plain dim' : 'plain problem'}>{one.evidence}</p>}
            </li>
          )
        })}
      </ol>
    </details>
  )
}

const verdictWords = ({ passed, score, by }: Verdict): string =>
  [passed ? detail.passed : detail.notPassed, score !== undefined && detail.score(score), by && detail.judgedBy(by)]
    .filter(Boolean)
    .join(' · ')

function Mark({ good, word }: { good: boolean; word: string }) {
  const Icon = good ? Check : X
  return (
    <span className={`status tone-${good ? 'good' : 'bad'}`}>
      <span className="shape" role="img" aria-label={word}>
        <Icon aria-hidden="true" />
      </span>
    </span>
  )
}

function Claim({ one }: { one: CheckedEvidence }) {
  switch (one.kind) {
    case 'file':
      return (
        <>
          {detail.file} <code>{one.path}</code> {one.bytes !== undefined && <span className="dim">{size(one.bytes)}</span>}
        </>
      )
    case 'command':
      return (
        <>
          {detail.command} <code>{one.command}</code> <span className="dim">{detail.exit(one.exitCode)}</span>
        </>
      )
    case 'change':
      return (
        <>
          {detail.change} <Link to={changePath(one.id)}>{one.title ?? one.id}</Link>{' '}
          {one.state && <span className="dim">{changeLabelOf({ state: one.state }).word}</span>}
        </>
      )
    case 'link':
      // The parsed address, not what the agent wrote: foreign letters that look like ours show as what they are.
      return /^https?:\/\//i.test(one.url) && URL.canParse(one.url) ? (
        <a href={one.url} rel="noopener noreferrer" target="_blank">
          {new URL(one.url).href}
        </a>
      ) : (
        <code>{one.url}</code>
      )
  }
}
