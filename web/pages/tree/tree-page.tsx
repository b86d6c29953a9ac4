/** One goal: its head, its tasks as tree, timeline or graph, and beside them the task that is chosen. */
import { getRouteApi } from '@tanstack/react-router'
import { useState } from 'react'
import { titleOf } from '../../../core/contract/task.ts'
import { lastSeen, useNodePart, useSeen, useTreePart, useTreeStore } from '../../data/use-tree.ts'
import { useTitle } from '../../title.ts'
import { ErrorState } from '../../ui/error-state.tsx'
import { Link } from '../../ui/link.tsx'
import { Skeleton } from '../../ui/skeleton.tsx'
import { tree } from '../../words/tree.ts'
import { Panes } from './panes.tsx'
import './tree.css'

const route = getRouteApi('/trees/$id')

export function TreePage() {
  const { id } = route.useParams()
  return <Goal key={id} treeId={id} />
}

function Goal({ treeId }: { treeId: string }) {
  const { store, again } = useTreeStore(treeId)
  const state = useTreePart(store, (tree) => tree.state)
  const fault = useTreePart(store, (tree) => tree.fault)
  const goal = useTreePart(store, (tree) => tree.goal)
  const rows = useTreePart(store, (tree) => tree.rows)
  const root = useNodePart(store, treeId, (view) => view?.node)
  const [seen] = useState(() => lastSeen(treeId))
  useSeen(treeId, store.seq)
  useTitle(goal ? titleOf(goal.goal) : null)
  if (state === 'missing') {
    return (
      <div className="notice">
        <h1>{tree.missing(treeId)}</h1>
        <p>
          {tree.missingWhy} <Link to="/">{tree.toGoals}</Link>
        </p>
      </div>
    )
  }
  if (!goal || !root) {
    return (
      <div className="column">
        {state === 'failed' ? (
          <ErrorState title={tree.failed} cause={fault ?? ''} effect={tree.failedEffect} retry={again} />
        ) : (
          <Skeleton lines={9} label={tree.reading} />
        )}
      </div>
    )
  }
  return (
    <div className="tree-page">
      {state === 'failed' && <ErrorState title={tree.outOfDate} cause={fault ?? ''} effect={tree.failedEffect} retry={again} />}
      <Panes store={store} goal={goal} root={root} rows={rows} seen={seen} />
    </div>
  )
}
