/** Tells those who listen what needs them, failed or ended; not more than one sentence in five seconds. */
import { useEffect, useRef, useState } from 'react'
import { labelOf } from '../../../core/contract/label.ts'
import { isOver } from '../../../core/contract/task.ts'
import type { NodeView, TreeStore } from '../../data/tree-store.ts'
import { tree } from '../../words/tree.ts'
import { hasFailed } from './filter.ts'

const QUIET_MS = 5_000

export function Announcer({ store, root }: { store: TreeStore; root: NodeView }) {
  const [said, setSaid] = useState('')
  const known = useRef(stateOf(root))
  const last = useRef(0)
  useEffect(() => {
    const timer = setTimeout(
      () => {
        const [was, now] = [known.current, stateOf(root)]
        known.current = now
        const words =
          now.over && !was.over
            ? tree.said.over(labelOf(root.node).word)
            : now.needs > was.needs
              ? tree.said.asked
              : now.failed > was.failed
                ? tree.said.failed(newestFailure(store))
                : null
        if (words === null) return
        last.current = Date.now()
        setSaid(words)
      },
      Math.max(0, last.current + QUIET_MS - Date.now()),
    )
    return () => clearTimeout(timer)
  }, [root, store])
  return (
    <p className="hidden" aria-live="polite">
      {said}
    </p>
  )
}

const stateOf = ({ node, total }: NodeView) => ({
  over: isOver(node.status),
  needs: total.needsYou,
  failed: total.counts.failed + total.counts.dead,
})
const newestFailure = (store: TreeStore): string =>
  store
    .all()
    .filter(hasFailed)
    .reduce<{ title: string; updatedAt: number }>((a, b) => (b.updatedAt > a.updatedAt ? b : a), { title: '', updatedAt: 0 }).title
