/** What a task's model calls cost, by model and by the kinds of tokens that are billed; alone and with everything below. */
import { Download } from 'lucide-react'
import { ROUTES } from '../../../core/contract/api.ts'
import type { ModelSpend } from '../../../core/contract/api-detail.ts'
import { useRead } from '../../read.ts'
import { EmptyState } from '../../ui/empty-state.tsx'
import { ErrorState } from '../../ui/error-state.tsx'
import { moneyWords } from '../../ui/money.tsx'
import { Skeleton } from '../../ui/skeleton.tsx'
import { detail } from '../../words/detail.ts'
import { wholeNumber } from '../../words/words.ts'
import { Part } from './call.tsx'

const words = detail.cost
const NUMBERS = ['calls', 'input', 'output', 'reasoning', 'cacheRead', 'cacheWrite'] as const
type Row = Omit<ModelSpend, 'tokens'>

export function Cost({ taskId }: { taskId: string }) {
  const { data, error, refetch } = useRead(ROUTES.taskSpend, { params: { id: taskId } }, { follow: true })
  if (error) return <ErrorState title={words.failed} cause={error.message} retry={() => void refetch()} />
  if (!data) return <Skeleton lines={5} label={detail.reading} />
  if (data.subtree.length === 0) return <EmptyState title={words.none}>{words.noneHow}</EmptyState>
  const csv = csvOf([...data.own.map((row) => ['own', row] as const), ...data.subtree.map((row) => ['subtree', row] as const)])
  const below = JSON.stringify(data.own) !== JSON.stringify(data.subtree)
  return (
    <section className="stack" aria-label={detail.tab.cost}>
      {data.own.length > 0 && <Table title={words.own} rows={data.own} />}
      {below && <Table title={words.subtree} rows={data.subtree} />}
      <p className="dim">{words.source(data.prices.source, data.prices.version)}</p>
      <p>
        <a className="button" href={`data:text/csv;charset=utf-8,${encodeURIComponent(csv)}`} download={`cost-${taskId}.csv`}>
          <Download aria-hidden="true" /> {words.csv}
        </a>
      </p>
    </section>
  )
}

function Table({ title, rows }: { title: string; rows: readonly ModelSpend[] }) {
  const total = sumOf(rows)
  return (
    <Part title={title}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard */}
      <div className="table-scroll" tabIndex={0}>
        <table className="numbers">
          <thead>
            <tr>
              <th scope="col">{words.model}</th>
              {NUMBERS.map((name) => (
                <th key={name} scope="col">
                  {words[name]}
                </th>
              ))}
              <th scope="col">{words.cost}</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <Line key={`${row.provider}/${row.model}`} name={`${row.provider} · ${row.model}`} row={row} />
            ))}
          </tbody>
          {rows.length > 1 && (
            <tfoot>
              <Line name={words.total} row={total} />
            </tfoot>
          )}
        </table>
      </div>
      {total.unpricedCalls > 0 && <p className="tone-you">{words.unpriced(total.unpricedCalls)}</p>}
      {total.lostCalls > 0 && <p className="dim">{words.lost(total.lostCalls)}</p>}
    </Part>
  )
}
function Line({ name, row }: { name: string; row: Row }) {
  return (
    <tr>
      <th scope="row">{name}</th>
      {NUMBERS.map((one) => (
        <td key={one}>{wholeNumber(row[one])}</td>
      ))}
      <td>{moneyWords(row)}</td>
    </tr>
  )
}

function sumOf(rows: readonly ModelSpend[]): Row {
  const sum = (name: Exclude<keyof Row, 'provider' | 'model'>) => rows.reduce((total, row) => total + row[name], 0)
  return {
    provider: '',
    model: '',
    calls: sum('calls'),
    lostCalls: sum('lostCalls'),
    input: sum('input'),
    output: sum('output'),
    reasoning: sum('reasoning'),
    cacheRead: sum('cacheRead'),
    cacheWrite: sum('cacheWrite'),
    costMicros: sum('costMicros'),
    unpricedCalls: sum('unpricedCalls'),
  }
}

/** A name that begins like a formula must not become one in a spreadsheet. */
const cell = (value: string): string => `"${value.replace(/^([=+\-@\t\r])/, "'$1").replaceAll('"', '""')}"`
export function csvOf(rows: readonly (readonly [string, ModelSpend])[]): string {
  const head = ['scope', 'provider', 'model', ...NUMBERS, 'cost_usd', 'unpriced_calls']
  const lines = rows.map(([scope, row]) => [
    cell(scope),
    cell(row.provider),
    cell(row.model),
    ...NUMBERS.map((name) => row[name]),
    (row.costMicros / 1_000_000).toFixed(6),
    row.unpricedCalls,
  ])
  return [head, ...lines].map((line) => line.join(',')).join('\r\n')
}
