/** All goals, by words and by how they are. What is asked for is in the address, so it can be kept and sent. */
import { getRouteApi } from '@tanstack/react-router'
import { ListTree, Plus, Search } from 'lucide-react'
import { useDeferredValue, useId, useState } from 'react'
import { useBanyan, useLive } from '../banyan.ts'
import { choosesGoal, GOAL_FILTERS } from '../goal-filter.ts'
import { GoalList } from '../parts/goal-list.tsx'
import { useGo } from '../route.ts'
import { writeSearch } from '../search.ts'
import { Button } from '../ui/button.tsx'
import { EmptyState } from '../ui/empty-state.tsx'
import { ErrorState } from '../ui/error-state.tsx'
import { Link } from '../ui/link.tsx'
import { Skeleton } from '../ui/skeleton.tsx'
import { goals } from '../words/goals.ts'

const route = getRouteApi('/goals')

export function Goals() {
  const { live } = useBanyan()
  const ask = route.useSearch()
  const loaded = useLive((state) => state.loaded)
  const fault = useLive((state) => state.fault)
  const any = useLive((state) => Object.keys(state.lists.trees).length > 0)
  const [typed, setTyped] = useState(ask.q ?? '')
  const go = useGo()
  const id = useId()
  const q = useDeferredValue(typed)
  const to = (change: { f?: string | undefined; q?: string }) => `/goals${writeSearch({ ...ask, ...change })}`
  return (
    <div className="column wide">
      <header className="page-head">
        <h1>{goals.title}</h1>
        <Link to="/" className="button primary">
          <Plus aria-hidden="true" /> {goals.new}
        </Link>
      </header>
      <div className="filters">
        <div className="search-box">
          <Search aria-hidden="true" />
          <label className="hidden" htmlFor={id}>
            {goals.search}
          </label>
          <input
            id={id}
            type="search"
            value={typed}
            placeholder={goals.searchPlaceholder}
            onChange={(event) => {
              setTyped(event.target.value)
              go(to({ q: event.target.value }), 'replace')
            }}
          />
        </div>
        <nav className="chips" aria-label={goals.filter}>
          {([undefined, ...GOAL_FILTERS] as const).map((f) => (
            <Link key={f ?? 'all'} to={to({ f })} className="chip" aria-current={ask.f === f ? 'true' : undefined}>
              {goals.filters[f ?? 'all']}
            </Link>
          ))}
        </nav>
      </div>
      {loaded ? (
        <GoalList
          keep={(tree, root, asks) => choosesGoal({ f: ask.f, q }, tree, root, asks)}
          none={
            any ? (
              <EmptyState
                icon={Search}
                title={goals.noFit}
                act={
                  <Button
                    onClick={() => {
                      setTyped('')
                      go('/goals')
                    }}
                  >
                    {goals.clear}
                  </Button>
                }
              >
                {goals.noFitHow}
              </EmptyState>
            ) : (
              <EmptyState icon={ListTree} title={goals.none}>
                {goals.noneHow}
              </EmptyState>
            )
          }
        />
      ) : fault ? (
        <ErrorState title={goals.failed} cause={fault} retry={() => live.wake()} />
      ) : (
        <Skeleton lines={8} label={goals.loading} />
      )}
    </div>
  )
}
