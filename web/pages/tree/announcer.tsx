/** Tells those who listen what needs them, failed or ended; not more than one sentence in five seconds. */
import { useEffect, useRef, useState } from 'react'
import { labelOf } from '../../../core/contract/label.ts'
import { isOver } from '../../../core/contract/task.ts'
import type { TreeStore } from '../../data/tree-store.ts'
import { useNodePart } from '../../data/use-tree.ts'
import { tree } from '../../words/tree.ts'
import { hasFailed } from './filter.ts'

const QUIET_MS = 5_000

export function Announcer({ store, rootId }: { store: TreeStore; rootId: string }) {
  const over = useNodePart(store, rootId, (root) => root !== undefined && isOver(root.node.status))
  const needs = useNodePart(store, rootId, (root) => root?.total.needsYou ?? 0)
  const failed = useNodePart(store, rootId, (root) => (root ? root.total.counts.failed + root.total.counts.dead : 0))
  const [said, setSaid] = useState('')
  const known = useRef({ over, needs, failed })
  const last = useRef(0)
  useEffect(() => {
    const timer = setTimeout(
      () => {
        const was = known.current
        known.current = { over, needs, failed }
        const root = store.view(rootId)
        const words =
          over && !was.over && root
            ? tree.said.over(labelOf(root.node).word)
            : needs > was.needs
              ? tree.said.asked
              : failed > was.failed
                ? tree.said.failed(newestFailure(store))
                : null
        if (words === null) return
        last.current = Date.now()
        setSaid(words)
      },
      Math.max(0, last.current + QUIET_MS - Date.now()),
    )
    return () => clearTimeout(timer)
  }, [over, needs, failed, rootId, store])
  return (
    <p className="hidden" aria-live="polite">
      {said}
    </p>
  )
}

const newestFailure = (store: TreeStore): string =>
  store
    .all()
    .filter(hasFailed)
    .reduce<{ title: string; updatedAt: number }>((a, b) => (b.updatedAt > a.updatedAt ? b : a), { title: '', updatedAt: 0 }).title
