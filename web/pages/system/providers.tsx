/** Who answers for the agents: whether they are called, what waits for them, and what their calls cost. */
import { KeyRound } from 'lucide-react'
import { ROUTES } from '../../../core/contract/api.ts'
import type { BreakerItem } from '../../../core/contract/api-system.ts'
import { useMay } from '../../me.ts'
import { useRead, useWrite } from '../../read.ts'
import { useToast } from '../../toasts.ts'
import { Badge } from '../../ui/badge.tsx'
import { Button } from '../../ui/button.tsx'
import { EmptyState } from '../../ui/empty-state.tsx'
import { Link } from '../../ui/link.tsx'
import { moneyWords } from '../../ui/money.tsx'
import { ReadAge } from '../../ui/read-age.tsx'
import { Reading } from '../../ui/reading.tsx'
import { RelativeTime } from '../../ui/relative-time.tsx'
import { system } from '../../words/system.ts'
import { usd, wholeNumber } from '../../words/words.ts'
import { ModelScores } from './model-scores.tsx'

const words = system.providers
const EVERY_MS = 10_000
const TONES = { closed: 'good', 'half-open': 'you', open: 'bad' } as const

export function Providers() {
  const read = useRead(ROUTES.breakers, undefined, { every: EVERY_MS })
  const { data: queue } = useRead(ROUTES.queue, undefined, { follow: true, every: 5_000 })
  const waiting = queue?.waiting.find((one) => one.reason === 'quota')?.count ?? 0
  return (
    <div className="system-part">
      <div className="part-head">
        <h2>{words.breakers}</h2>
        {waiting > 0 && (
          <Badge tone="wait">
            {words.quota}: {words.quotaWords(waiting)}
          </Badge>
        )}
        <span className="grow" />
        <Link to="/settings/providers">{words.keys}</Link>
        <ReadAge at={read.dataUpdatedAt} every={EVERY_MS} again={() => void read.refetch()} />
      </div>
      <p className="dim">{words.breakersHint}</p>
      <Reading read={read} label={system.reading} failed={words.failed} effect={system.effect}>
        {({ items }) => (
          <>
            <ul className="breakers">
              {items.map((one) => (
                <Breaker key={one.id} breaker={one} />
              ))}
            </ul>
            {items.length < 2 && (
              <EmptyState
                icon={KeyRound}
                title={words.none}
                act={
                  <Link to="/settings/providers" className="button">
                    {words.keys}
                  </Link>
                }
              >
                {words.noneHow}
              </EmptyState>
            )}
          </>
        )}
      </Reading>
      <Spend />
      <ModelScores />
    </div>
  )
}

function Breaker({ breaker }: { breaker: BreakerItem }) {
  const may = useMay()
  const toast = useToast()
  const reset = useWrite(ROUTES.resetBreaker, [ROUTES.breakers, ROUTES.queue])
  const { hold } = breaker
  const next = hold?.until ?? breaker.until
  return (
    <li className="breaker card">
      <div className="part-head">
        <strong>{breaker.id}</strong>
        {hold ? (
          <Badge tone="bad">{words.held[hold.kind]}</Badge>
        ) : (
          <Badge tone={TONES[breaker.state]}>{words.states[breaker.state]}</Badge>
        )}
        <span className="grow" />
        {(hold || breaker.state !== 'closed' || breaker.waiting > 0) && may('admin') && (
          <Button
            disabled={reset.isPending}
            onClick={() =>
              reset.mutate(
                { params: { id: breaker.id } },
                {
                  onSuccess: () => toast((hold ? words.tryDone : words.resetDone)(breaker.id), { tone: 'good' }),
                  onError: (fault) => toast(fault.message, { tone: 'bad' }),
                },
              )
            }
          >
            {hold ? words.tryNow : words.reset}
          </Button>
        )}
      </div>
      {breaker.failuresInARow > 0 && <p>{words.failures(breaker.failuresInARow)}</p>}
      {(hold ?? breaker).why && <p className="plain">{(hold ?? breaker).why}</p>}
      {hold?.trying ? (
        <p className="dim">{words.trying}</p>
      ) : (
        next && (
          <p className="dim">
            {words.until} <RelativeTime at={next} />
          </p>
        )
      )}
      {breaker.waiting > 0 && (
        <p className="dim">
          {words.waiting(breaker.waiting)}
          {breaker.resumesAt && (
            <>
              {' '}
              <RelativeTime at={breaker.resumesAt} />
            </>
          )}
        </p>
      )}
    </li>
  )
}

const micros = (sum: { dollars: number; unpricedCalls: number }) =>
  moneyWords({ costMicros: Math.round(sum.dollars * 1_000_000), unpricedCalls: sum.unpricedCalls })

function Spend() {
  const read = useRead(ROUTES.spend, undefined, { follow: true })
  return (
    <section className="stack" aria-labelledby="provider-spend">
      <div className="part-head">
        <h2 id="provider-spend">{words.spend}</h2>
        <span className="grow" />
        <Link to="/settings/budgets">{words.budgets}</Link>
      </div>
      <Reading read={read} label={system.reading} failed={words.failed} lines={2}>
        {({ today, week, byModel, limit }) => (
          <>
            <p>
              {words.today} <strong className="money">{micros(today)}</strong>{' '}
              <span className="dim">
                ({limit ? words.ofLimit(`${Math.round(limit.usedPercent)} %`, usd(limit.dollars * 1_000_000)) : words.noLimit})
              </span>{' '}
              · {words.week} <strong className="money">{micros(week)}</strong>
            </p>
            {byModel.length === 0 ? (
              <p className="dim">{words.nothing}</p>
            ) : (
              <table className="rows">
                <thead>
                  <tr>
                    <th scope="col">{words.model}</th>
                    <th scope="col">{words.calls}</th>
                    <th scope="col">{words.tokens}</th>
                    <th scope="col">{words.cost}</th>
                  </tr>
                </thead>
                <tbody>
                  {byModel.map((one) => (
                    <tr key={`${one.provider}/${one.model}`}>
                      <td className="rows-main" data-name={words.model}>
                        {one.model} <span className="dim">{one.provider}</span>
                      </td>
                      <td data-name={words.calls}>{wholeNumber(one.calls)}</td>
                      <td data-name={words.tokens}>{wholeNumber(one.tokens)}</td>
                      <td data-name={words.cost}>{micros(one)}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            )}
          </>
        )}
      </Reading>
    </section>
  )
}
