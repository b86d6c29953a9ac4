/**
 * What was shown cannot be decided any more, because the change was judged anew: what is different now, and the way to what can be decided.
 * Only files and verdicts that differ are shown; the rest was read already.
 */
import type { ChangedFile } from '../../../core/contract/change.ts'
import { LEVEL_WORDS } from '../../../core/contract/change.ts'
import type { Review } from '../../../core/contract/review.ts'
import { useReviews } from '../../data/use-reviews.ts'
import { Link } from '../../ui/link.tsx'
import { evolution } from '../../words/evolution.ts'
import { FileDiffs } from '../evolution/file-diffs.tsx'
import { changePath } from '../evolution/paths.ts'
import { effectOf, type SelfChange } from './effect.ts'

const words = evolution.review

export function Newer({ review, change }: { review: Review; change: SelfChange }) {
  const { reviews } = useReviews()
  const newer = reviews.find(
    (one) => one.kind === 'self_change' && one.id !== review.id && (one.action as { change?: unknown } | null)?.change === change.id,
  )
  const shown = newer && effectOf(newer).change
  if (review.state !== 'decided' || (review.decidedBy !== 'system' && !newer)) return null
  return (
    <section className="review-refused self-change-newer" aria-label={words.now}>
      <p role="status">
        <strong>{words.newer}</strong> {review.decidedBy === 'system' ? review.comment : words.approvedBefore}
      </p>
      {newer && shown ? (
        <>
          <Differences before={change} now={shown} />
          <p>
            <Link to={`/reviews/${encodeURIComponent(newer.id)}`} className="button primary">
              {words.newerLink}
            </Link>
          </p>
        </>
      ) : (
        <p>
          <Link to={changePath(change.id)}>{words.page}</Link>
        </p>
      )}
    </section>
  )
}

function Differences({ before, now }: { before: SelfChange; now: SelfChange }) {
  const files = otherFiles(before.files, now.files)
  const gone = before.files.filter((file) => !now.files.some(({ path }) => path === file.path))
  const verdicts = now.gates.filter((gate) => before.gates.find(({ name }) => name === gate.name)?.verdict !== gate.verdict)
  return (
    <>
      <ul>
        <li>{files.length + gone.length === 0 ? words.sameFiles(now.files.length) : words.otherFiles(files.length, now.files.length)}</li>
        {gone.map(({ path }) => (
          <li key={path}>{words.gone(path)}</li>
        ))}
        {now.level !== before.level && <li>{words.otherLevel(before.level, now.level, LEVEL_WORDS[now.level])}</li>}
        {verdicts.map((gate) => (
          <li key={gate.name}>{words.otherGate(gate.name, evolution.gates.verdicts[gate.verdict])}</li>
        ))}
        {verdicts.length === 0 && <li>{words.sameGates}</li>}
      </ul>
      {files.length > 0 && <FileDiffs changeId={now.id} commit={now.commit} files={files} diff={now.diff} name={words.nowIn} />}
    </>
  )
}

/** Those of `now` that `before` did not have so. Without a hash, from before it was kept, nothing can be said to be the same. */
export const otherFiles = (before: readonly ChangedFile[], now: readonly ChangedFile[]): ChangedFile[] =>
  now.filter((file) => file.hash === undefined || before.find(({ path }) => path === file.path)?.hash !== file.hash)
