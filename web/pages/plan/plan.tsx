/** A plan before it is carried out: read, changed and approved. What is approved is frozen by its hash; a changed plan asks again. */
import { getRouteApi } from '@tanstack/react-router'
import { ROUTES } from '../../../core/contract/api.ts'
import { isOver, titleOf } from '../../../core/contract/task.ts'
import { useRead } from '../../read.ts'
import { treePath } from '../../route.ts'
import { useTitle } from '../../title.ts'
import { ErrorState } from '../../ui/error-state.tsx'
import { Link } from '../../ui/link.tsx'
import { Skeleton } from '../../ui/skeleton.tsx'
import { plan as words } from '../../words/plan.ts'
import './plan.css'
import { PlanEditor } from './plan-editor.tsx'

const route = getRouteApi('/plans/$id')

export function PlanPage() {
  const { id } = route.useParams()
  const { data: plan, error, refetch } = useRead(ROUTES.plan, { params: { id } }, { follow: true })
  const treeId = plan?.treeId ?? id
  const { data: root } = useRead(ROUTES.task, { params: { id: treeId } }, { follow: true })
  const goal = root ? titleOf(root.instruction) : null
  useTitle(goal && words.of(goal))
  const none = error?.status === 404
  return (
    <div className="column wide plan-page">
      <header className="page-head">
        <h1>{goal ?? words.title}</h1>
        <Link to={treePath(treeId)} className="button">
          {words.openGoal}
        </Link>
      </header>
      {plan ? (
        <PlanEditor key={plan.id} plan={plan} />
      ) : error && !none ? (
        <ErrorState title={words.failed} cause={error.message} effect={words.failedEffect} retry={() => void refetch()} />
      ) : none && root && isOver(root.status) ? (
        <ErrorState title={words.noPlan} cause={root.note ?? words.noPlanHow} />
      ) : (
        <>
          <p role="status">{words.making}</p>
          <p className="dim">{words.makingHow}</p>
          <Skeleton lines={5} label={words.making} />
        </>
      )}
    </div>
  )
}
