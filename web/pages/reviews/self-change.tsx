/** A change of Banyan's own code as it would land: what it changes, what the gates said, why it needs a person, and the words of its author. */
import { ROUTES } from '../../../core/contract/api.ts'
import type { Review } from '../../../core/contract/review.ts'
import { useRead } from '../../read.ts'
import { Link } from '../../ui/link.tsx'
import { evolution as words } from '../../words/evolution.ts'
import { FileDiffs } from '../evolution/file-diffs.tsx'
import { GateFold, Verdict } from '../evolution/gates.tsx'
import { changePath } from '../evolution/paths.ts'
import { LevelWhy, Lines } from '../evolution/state.tsx'
import '../evolution/evolution.css'
import { AgentWords } from './agent-words.tsx'
import type { SelfChange } from './effect.ts'
import { Newer } from './newer.tsx'

/** `keys`: it is the one item on the page, so its keys listen. */
export function SelfChangeItem({ review, change, keys }: { review: Review; change: SelfChange; keys: boolean }) {
  // How long each gate took is no part of what is decided, so it is read beside it.
  const { data } = useRead(ROUTES.change, { params: { id: change.id } }, { follow: true })
  const times = new Map(data?.change.tree === change.tree ? data.gates.map((gate) => [gate.name, gate.ms]) : [])
  const gates = change.gates.map((gate) => {
    const ms = times.get(gate.name)
    return ms === undefined ? gate : { ...gate, ms }
  })
  return (
    <div className="self-change">
      <Newer review={review} change={change} />
      <dl className="review-rows self-change-facts">
        <div>
          <dt>{words.gates.title}</dt>
          <dd>
            <Verdict gates={gates} />
          </dd>
        </div>
        <div>
          <dt>{words.diff.title}</dt>
          <dd>
            {words.files(change.files.length)} <Lines files={change.files} />
          </dd>
        </div>
        <div>
          <dt>{words.facts.level}</dt>
          <dd>
            <LevelWhy level={change.level} reasons={change.reasons} />
          </dd>
        </div>
        <div>
          <dt>{words.facts.revision}</dt>
          <dd>
            <code>{change.commit.slice(0, 12)}</code> <Link to={changePath(change.id)}>{words.review.page}</Link>
          </dd>
        </div>
      </dl>
      <AgentWords text={saysOf(change)} by={change.agent} />
      <GateFold changeId={change.id} gates={gates} />
      <h3>{words.diff.title}</h3>
      <FileDiffs changeId={change.id} commit={change.commit} files={change.files} diff={change.diff} keys={keys} />
      {review.state !== 'decided' && <p className="dim">{words.review.stands}</p>}
    </div>
  )
}

const saysOf = ({ says }: SelfChange): string =>
  (['why', 'evidence', 'effect'] as const)
    .filter((name) => says[name].trim() !== '')
    .map((name) => `**${words.words[name]}**\n\n${says[name]}`)
    .join('\n\n')
