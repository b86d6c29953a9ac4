/** `/t/ID`: the lasting address of a task, which leads to it in its tree. */
import { getRouteApi } from '@tanstack/react-router'
import { useEffect } from 'react'
import { ROUTES } from '../../core/contract/api.ts'
import { useRead } from '../read.ts'
import { treePath, useGo } from '../route.ts'
import { ErrorState } from '../ui/error-state.tsx'
import { Skeleton } from '../ui/skeleton.tsx'
import { goals } from '../words/goals.ts'

const route = getRouteApi('/t/$taskId')

export function TaskLink() {
  const { taskId } = route.useParams()
  const { data, error, refetch } = useRead(ROUTES.task, { params: { id: taskId } })
  const go = useGo()
  useEffect(() => {
    if (data) go(treePath(data.treeId, data.id), 'replace')
  }, [data, go])
  return (
    <div className="column">
      {error ? (
        <ErrorState title={goals.noTask(taskId)} cause={error.message} retry={() => void refetch()} />
      ) : (
        <Skeleton label={goals.findingTask} />
      )}
    </div>
  )
}
