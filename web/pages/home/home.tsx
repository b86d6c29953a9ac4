/** The first page: write a goal, see what waits for you, what runs and what is over. */
import { type ReactNode, useState } from 'react'
import { ROUTES, type TreeItem } from '../../../core/contract/api.ts'
import { isOver } from '../../../core/contract/task.ts'
import { useLive, useNow } from '../../banyan.ts'
import { useConnection } from '../../data/use-connection.ts'
import { useHome } from '../../data/use-home.ts'
import { useRead } from '../../read.ts'
import { ErrorState } from '../../ui/error-state.tsx'
import { Link } from '../../ui/link.tsx'
import { Skeleton } from '../../ui/skeleton.tsx'
import { home as words } from '../../words/home.ts'
import { Composer } from '../composer/composer.tsx'
import { type Draft, EMPTY } from '../composer/draft.ts'
import { GoalRow, rowTimes } from '../goals/goal-row.tsx'
import { DRAFT } from '../goals/new-goal.tsx'
import { AddModel } from './add-model.tsx'
import { Away } from './away.tsx'
import { Examples } from './examples.tsx'
import './home.css'
import { NeedsYou } from './needs-you.tsx'

/** Goals that are over, of which the newest are shown; the rest is a click away. */
const RECENT = 8

export function Home() {
  const { loaded, fault, trees } = useHome()
  const { stale } = useConnection()
  const ready = useLive((state) => state.reads > 0)
  const noModel = useLive((state) => state.system?.provider.judges === false)
  // The box starts anew when an example is put into it.
  const [given, setGiven] = useState<{ n: number; draft: Draft }>({ n: 0, draft: EMPTY })
  const open = useOpenGoals(trees)
  const over = trees.filter((tree) => isOver(tree.status)).slice(0, RECENT)
  const first = loaded && trees.length === 0
  return (
    <div className="column home">
      <h1 className="hidden">{words.title}</h1>
      <Composer key={given.n} name={DRAFT} {...(given.n > 0 ? { given: given.draft, focus: true } : {})} />
      {loaded && (
        <Examples
          first={first}
          edit={(example) => {
            setGiven(({ n }) => ({ n: n + 1, draft: { ...EMPTY, goal: example.goal, example: example.name } }))
            scrollTo({ top: 0 })
          }}
        />
      )}
      {loaded && noModel && <AddModel first={first} />}
      {ready && <Away />}
      {ready && <NeedsYou most={3} />}
      {!loaded && fault ? (
        <ErrorState title={words.failed} cause={fault} effect={words.failedEffect} />
      ) : !loaded ? (
        <Skeleton lines={8} label={words.loading} />
      ) : (
        !first && (
          <>
            <Section id="running" title={words.running} count={open.length}>
              {open.length === 0 ? <p className="dim">{words.runningNone}</p> : <Rows trees={open} stale={stale} label={words.running} />}
            </Section>
            {over.length > 0 && (
              <Section id="recent" title={words.recent}>
                <Rows trees={over} stale={stale} label={words.recent} />
                <p>
                  <Link to="/goals">{words.all}</Link>
                </p>
              </Section>
            )}
          </>
        )
      )}
    </div>
  )
}

/** What the live line tells, and goals from before that which still run. */
function useOpenGoals(live: readonly TreeItem[]): TreeItem[] {
  const { data } = useRead(ROUTES.trees, { query: { is: 'open', limit: '50' } }, { follow: true })
  const known = new Map([...(data?.items ?? []), ...live].map((tree) => [tree.id, tree]))
  return [...known.values()]
    .filter((tree) => !isOver(tree.status))
    .sort((a, b) => Number(b.needsYou > 0) - Number(a.needsYou > 0) || b.createdAt.localeCompare(a.createdAt))
}

function Section(props: { id: string; title: string; count?: number; children: ReactNode }) {
  return (
    <section aria-labelledby={props.id}>
      <h2 id={props.id}>
        {props.title} {props.count ? <span className="dim">{props.count}</span> : null}
      </h2>
      {props.children}
    </section>
  )
}

/** The clock is in here, so that the rest of the page is not drawn every second. */
function Rows({ trees, stale, label }: { trees: readonly TreeItem[]; stale: boolean; label: string }) {
  const now = useNow()
  return (
    <ul className={stale ? 'goals goals-stale' : 'goals'} aria-label={label}>
      {trees.map((tree) => (
        <GoalRow key={tree.id} tree={tree} {...rowTimes(tree, now)} />
      ))}
    </ul>
  )
}
