/** Goals to try, each one click away. They need no model. */
import { useEffect, useRef, useState } from 'react'
import type { GoalExample } from '../../core/contract/api.ts'
import { newKey } from '../api.ts'
import { useBanyan, useLive } from '../banyan.ts'
import { sentence } from '../live.ts'
import { treePath, useGo } from '../route.ts'
import { useAct } from '../ui/act.ts'
import { Fault } from '../ui/notice.tsx'

export function Examples({ edit }: { edit: (example: { goal: string; example: string }) => void }) {
  const { api } = useBanyan()
  const go = useGo()
  const [examples, setExamples] = useState<GoalExample[]>([])
  const [unread, setUnread] = useState<string | null>(null)
  const { busy, fault, act } = useAct()
  const known = useLive((state) => Object.keys(state.lists.trees).length > 0)
  const loaded = useLive((state) => state.loaded)
  const keys = useRef(new Map<string, string>())
  useEffect(() => {
    let wanted = true
    api.goalExamples().then(
      ({ items }) => wanted && setExamples(items),
      (cause) => wanted && setUnread(sentence(cause)),
    )
    return () => {
      wanted = false
    }
  }, [api])

  const start = (example: GoalExample) =>
    act(async () => {
      const key = keys.current.get(example.name) ?? newKey()
      keys.current.set(example.name, key)
      const { treeId } = await api.submitGoal({ goal: example.goal, example: example.name }, key)
      keys.current.delete(example.name)
      go(treePath(treeId))
    })

  if (unread) return <Fault>The examples could not be read: {unread}</Fault>
  if (examples.length === 0 || !loaded) return null
  // Who has goals already needs the names only.
  if (known) {
    return (
      <section aria-label="Examples" className="tries">
        <span>Try one:</span>
        {examples.map((example) => (
          <button
            type="button"
            key={example.name}
            disabled={busy}
            title={example.description}
            aria-label={`Start: ${example.title}`}
            onClick={() => void start(example)}
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
      <h2 id="examples">Try one</h2>
      <ul className="examples">
        {examples.map((example) => (
          <li key={example.name} className="card">
            <h3>{example.title}</h3>
            <p>{example.description}</p>
            <div className="actions">
              <button type="button" disabled={busy} onClick={() => void start(example)} aria-label={`Start: ${example.title}`}>
                Start
              </button>
              <button
                type="button"
                className="quiet"
                onClick={() => edit({ goal: example.goal, example: example.name })}
                aria-label={`Edit first: ${example.title}`}
              >
                Edit first
              </button>
            </div>
          </li>
        ))}
      </ul>
      {fault && <Fault>{fault}</Fault>}
    </section>
  )
}
