/** The first page: say a goal, answer what waits, see all goals as they are now. */
import { useState } from 'react'
import { useLive } from '../banyan.ts'
import { Examples } from '../parts/examples.tsx'
import { GoalBox } from '../parts/goal-box.tsx'
import { GoalList } from '../parts/goal-list.tsx'
import { NeedsYou } from '../parts/needs-you.tsx'
import { Fault, Loading } from '../ui/notice.tsx'

export function Home() {
  const loaded = useLive((state) => state.loaded)
  const fault = useLive((state) => state.fault)
  const [given, setGiven] = useState<{ goal: string; example: string } | null>(null)
  return (
    <div className="column">
      <h1 className="hidden">Goals</h1>
      <GoalBox given={given} />
      <Examples
        edit={(example) => {
          setGiven({ ...example })
          scrollTo({ top: 0 })
        }}
      />
      {loaded && <NeedsYou most={3} />}
      <section aria-labelledby="goals">
        <h2 id="goals">Goals</h2>
        {loaded ? <GoalList /> : fault ? <Fault>{fault}</Fault> : <Loading what="the goals" />}
      </section>
    </div>
  )
}
