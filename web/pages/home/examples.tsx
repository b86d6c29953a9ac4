/** Goals to try, each one click away. They need no model. Who has goals already sees the names only. */
import { Play } from 'lucide-react'
import { useRef } from 'react'
import { type GoalExample, ROUTES } from '../../../core/contract/api.ts'
import { newKey } from '../../api.ts'
import { useBanyan } from '../../banyan.ts'
import { useRead } from '../../read.ts'
import { useAct } from '../../ui/act.ts'
import { Button } from '../../ui/button.tsx'
import { ErrorState } from '../../ui/error-state.tsx'
import { Fault } from '../../ui/notice.tsx'
import { home as words } from '../../words/home.ts'
import { useStarted } from '../composer/started.ts'

export function Examples({ first, edit }: { first: boolean; edit: (example: GoalExample) => void }) {
  const { api } = useBanyan()
  const { data, error, refetch } = useRead(ROUTES.goalExamples)
  const { busy, fault, act } = useAct()
  const started = useStarted()
  const keys = useRef(new Map<string, string>())

  const start = (example: GoalExample) =>
    void act(async () => {
      const key = keys.current.get(example.name) ?? newKey()
      keys.current.set(example.name, key)
      const submitted = await api.submitGoal({ goal: example.goal, example: example.name }, key)
      keys.current.delete(example.name)
      started(submitted, example.title)
    })

  const examples = data?.items ?? []
  if (error && first) return <ErrorState title={words.examplesFailed} cause={error.message} retry={() => void refetch()} />
  if (examples.length === 0) return null
  if (!first) {
    return (
      <section aria-label={words.examples} className="tries">
        <span>{words.try}</span>
        {examples.map((example) => (
          <button
            type="button"
            key={example.name}
            disabled={busy}
            title={example.description}
            aria-label={words.startOne(example.title)}
            onClick={() => start(example)}
          >
            {example.title}
          </button>
        ))}
        {fault && <Fault>{fault}</Fault>}
      </section>
    )
  }
  return (
    <section aria-labelledby="examples">
      <h2 id="examples">{words.welcome}</h2>
      <p className="dim">{words.welcomeHow}</p>
      <ul className="examples">
        {examples.map((example) => (
          <li key={example.name} className="card">
            <h3>{example.title}</h3>
            <p>{example.description}</p>
            <div className="actions">
              <Button disabled={busy} onClick={() => start(example)} aria-label={words.startOne(example.title)}>
                <Play aria-hidden="true" /> {words.start}
              </Button>
              <Button look="quiet" onClick={() => edit(example)} aria-label={words.editOne(example.title)}>
                {words.edit}
              </Button>
            </div>
          </li>
        ))}
      </ul>
      {fault && <Fault>{fault}</Fault>}
    </section>
  )
}
