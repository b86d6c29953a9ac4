/** `/t/ID`: the lasting address of a task, and with `#e:N` of one event of it. */
import { getRouteApi } from '@tanstack/react-router'
import { ROUTES } from '../../core/contract/api.ts'
import { TaskDetail } from '../pages/detail/task-detail.tsx'
import { useRead } from '../read.ts'
import { useTitle } from '../title.ts'
import { ErrorState } from '../ui/error-state.tsx'
import { Skeleton } from '../ui/skeleton.tsx'
import { goals } from '../words/goals.ts'
import { pages } from '../words/pages.ts'

const route = getRouteApi('/t/$taskId')

export function TaskLink() {
  const { taskId } = route.useParams()
  const { data, error, refetch } = useRead(ROUTES.task, { params: { id: taskId } })
  useTitle(data?.title ?? null)
  return (
    <div className="detail-page">
      <h1 className="hidden">{pages.task}</h1>
      {data ? (
        <TaskDetail treeId={data.treeId} taskId={data.id} alone />
      ) : error ? (
        <ErrorState title={goals.noTask(taskId)} cause={error.message} retry={() => void refetch()} />
      ) : (
        <Skeleton label={goals.findingTask} />
      )}
    </div>
  )
}
