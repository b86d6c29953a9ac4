/** A goal on a page of its own: from nothing, from a template, or from a past goal. */
import { getRouteApi } from '@tanstack/react-router'
import { ROUTES } from '../../../core/contract/api.ts'
import { useRead } from '../../read.ts'
import { ErrorState } from '../../ui/error-state.tsx'
import { Skeleton } from '../../ui/skeleton.tsx'
import { composer as words } from '../../words/composer.ts'
import { Composer } from '../composer/composer.tsx'
import { EMPTY, fromTemplate } from '../composer/draft.ts'
import '../home/home.css'

const route = getRouteApi('/goals/new')

/** Under which the draft of the first page is kept; the page of a new goal goes on with it. */
export const DRAFT = 'banyan-draft'

export function NewGoal() {
  const { template, from, agent } = route.useSearch()
  return (
    <div className="column">
      <h1>{from ? words.fromTitle : words.newTitle}</h1>
      {from ? (
        <Again key={from} id={from} />
      ) : template ? (
        <Templated key={template} id={template} />
      ) : agent ? (
        <>
          <p className="dim">{words.forAgent(agent)}</p>
          <Composer key={agent} name={`${DRAFT}:agent:${agent}`} begin={{ ...EMPTY, agent }} focus />
        </>
      ) : (
        <Composer name={DRAFT} focus />
      )}
    </div>
  )
}

function Templated({ id }: { id: string }) {
  const { data, error, refetch } = useRead(ROUTES.template, { params: { id } })
  if (data) return <Composer name={`${DRAFT}:template:${id}`} begin={fromTemplate(data, EMPTY)} focus />
  if (!error) return <Skeleton lines={4} label={words.fromReading} />
  const gone = error.status === 404
  return (
    <>
      <ErrorState
        title={gone ? words.templateMissing(id) : words.templatesFailed}
        cause={error.message}
        {...(gone ? {} : { retry: () => void refetch() })}
      />
      {gone && <Composer name={DRAFT} focus />}
    </>
  )
}

function Again({ id }: { id: string }) {
  // The list tells of a goal without its tasks, of which there may be very many.
  const { data, error, refetch } = useRead(ROUTES.trees, { query: { q: id, limit: '50' } })
  const tree = data?.items.find((item) => item.id === id)
  if (tree)
    return (
      <>
        <p className="dim">{words.fromHint}</p>
        <Composer
          name={`${DRAFT}:from:${id}`}
          begin={{ ...EMPTY, goal: tree.goal }}
          from={{ id, limits: tree.limits, model: tree.model }}
          focus
        />
      </>
    )
  if (error || data)
    return <ErrorState title={words.fromMissing} cause={error?.message ?? words.fromNone(id)} retry={() => void refetch()} />
  return <Skeleton lines={4} label={words.fromReading} />
}
