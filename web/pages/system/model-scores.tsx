/** How the models did that answered for the agents, beside each other. */
import { ROUTES } from '../../../core/contract/api.ts'
import { duration } from '../../format.ts'
import { useRead } from '../../read.ts'
import { moneyWords } from '../../ui/money.tsx'
import { Rate } from '../../ui/rate.tsx'
import { Reading } from '../../ui/reading.tsx'
import { scores } from '../../words/scores.ts'
import { system } from '../../words/system.ts'
import '../library/scores.css'

const words = scores.models

export function ModelScores() {
  const read = useRead(ROUTES.scores, undefined, { every: 60_000 })
  return (
    <div className="stack">
      <h2 id="model-scores">{words.title}</h2>
      <Reading read={read} label={scores.reading} failed={scores.failed} effect={system.effect} lines={2}>
        {({ days, items }) => {
          const models = items.filter((item) => item.kind === 'model')
          if (models.length === 0) return <p className="dim">{words.none}</p>
          return (
            <>
              <p className="dim">{words.about(days)}</p>
              {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keys */}
              <section className="score-scroll" tabIndex={0} aria-label={words.table}>
                <table className="score-table">
                  <thead>
                    <tr>
                      <th scope="col">{words.model}</th>
                      <th scope="col">{words.calls}</th>
                      <th scope="col">{words.tasks}</th>
                      <th scope="col">{scores.score}</th>
                      <th scope="col">{words.cost}</th>
                      <th scope="col">{scores.time}</th>
                    </tr>
                  </thead>
                  <tbody>
                    {models.map((one) => (
                      <tr key={one.name}>
                        <th scope="row">{one.name}</th>
                        <td>
                          <Rate score={one} />
                        </td>
                        <td>{one.tasks && words.tasksOf(one.tasks.done, one.tasks.ended)}</td>
                        <td>{one.score !== null && scores.points(one.score, one.scored)}</td>
                        <td className="money">{one.costMicros === 0 && one.unpricedCalls === 0 ? '' : moneyWords(one)}</td>
                        <td>{one.p50Ms !== null && one.p95Ms !== null && scores.times(duration(one.p50Ms), duration(one.p95Ms))}</td>
                      </tr>
                    ))}
                  </tbody>
                </table>
              </section>
            </>
          )
        }}
      </Reading>
    </div>
  )
}
