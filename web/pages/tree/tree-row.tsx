/** One line of the tree: what it is, how it stands, what is below it, what it took. It draws again only when something of it changed. */
import { ChevronDown, ChevronRight, Flag } from 'lucide-react'
import { memo } from 'react'
import { labelOf } from '../../../core/contract/label.ts'
import { isOver } from '../../../core/contract/task.ts'
import { watchText } from '../../../core/contract/watch.ts'
import { useNow } from '../../banyan.ts'
import type { NodeView, TreeRow, TreeStore } from '../../data/tree-store.ts'
import { useNode } from '../../data/use-tree.ts'
import { count, duration } from '../../format.ts'
import { moneyWords } from '../../ui/money.tsx'
import { StatusIcon } from '../../ui/status-icon.tsx'
import { tree } from '../../words/tree.ts'
import { dayAndTime } from '../../words/words.ts'
import { TimeBar } from './time-bar.tsx'
import type { Span } from './time-span.ts'

export type RowProps = {
  store: TreeStore
  row: TreeRow
  top: number
  height: number
  pos: number
  size: number
  chosen: boolean
  /** The Tab key reaches it. */
  entry: boolean
  /** The search found it. */
  hit: boolean
  /** Shows when it ran instead of what it took. */
  span: Span | null
  /** In a list of one level: what is below is one tap away. */
  drill: boolean
  act: (id: string, what: 'choose' | 'fold' | 'drill') => void
}

export const TreeLine = memo(function TreeLine(props: RowProps) {
  const { store, row } = props
  const view = useNode(store, row.id)
  return view ? <Line {...props} view={view} /> : null
})

function Line({ row, top, height, pos, size, chosen, entry, hit, span, drill, act, view }: RowProps & { view: NodeView }) {
  const { node, total } = view
  const { word, tone } = labelOf(node)
  const over = isOver(node.status)
  const now = useNow(!over)
  const lasted = duration((over ? node.updatedAt : now) - node.createdAt)
  const spent = total.spend.turns > 0 || total.spend.costMicros > 0 || total.spend.unpricedCalls > 0
  // What costs nothing says nothing: a column of zeros hides what does.
  const priced = total.spend.costMicros > 0 || total.spend.unpricedCalls > 0
  const cost = priced ? moneyWords(total.spend) : ''
  const note = over && node.status === 'done' ? null : node.note
  const below = belowWords(view)
  const failedBelow = total.counts.failed + total.counts.dead - Number(node.status === 'failed' || node.status === 'dead')
  const skippedBelow = total.counts.cancelled - Number(node.status === 'cancelled')
  const doneBelow = total.counts.done - Number(node.status === 'done')
  const all = total.tasks - 1
  const into = drill && row.level > 0 && view.children > 0
  const said = [
    node.title,
    word,
    node.agent,
    node.watch !== null && watchText(node.watch),
    node.attempt > 1 && tree.row.attempt(node.attempt),
    total.needsYou > 0 && tree.row.needsYou(total.needsYou),
    below,
    failedBelow > 0 && tree.row.failed(failedBelow),
    cost,
    note,
  ]
  const why = `${word}, ${tree.row.since(dayAndTime(over ? node.updatedAt : node.createdAt))}${node.note ? `: ${node.note}` : ''}`
  const spentHint = spent
    ? [
        tree.row.whole(moneyWords(total.spend), count(total.spend.tokens)),
        view.children > 0 ? tree.row.own(moneyWords(node.spend), count(node.spend.tokens)) : '',
      ]
        .filter(Boolean)
        .join('\n')
    : tree.row.none
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the tree around it takes the keys of all its lines
    <div
      role="treeitem"
      id={`row-${row.id}`}
      data-row={row.id}
      aria-level={row.level + 1}
      aria-posinset={pos}
      aria-setsize={size}
      aria-selected={chosen}
      aria-expanded={row.open ?? undefined}
      tabIndex={entry ? 0 : -1}
      className={`tree-line${hit ? ' hit' : ''}${tone === 'run' ? ' runs' : ''}${isQuiet(view) ? ' quiet-line' : ''}`}
      style={{ transform: `translateY(${top}px)`, height }}
      onClick={() => act(row.id, into ? 'drill' : 'choose')}
    >
      {/* All of it in an order that can be listened to. */}
      <span className="hidden">{said.filter(Boolean).join(', ')}</span>
      <div className="tree-cells" aria-hidden="true">
        <span className="tree-indent" style={{ width: `${Math.min(row.level, 12) * 1.15}rem` }} />
        {/* Left and right arrows do the same for the keyboard. */}
        {!drill && (
          // biome-ignore lint/a11y/noStaticElementInteractions: a wider place to click; keys have the arrows
          // biome-ignore lint/a11y/useKeyWithClickEvents: a wider place to click; keys have the arrows
          <span
            className={row.open === null ? 'tree-fold' : 'tree-fold can'}
            onClick={(event) => {
              if (row.open === null) return
              event.stopPropagation()
              act(row.id, 'fold')
            }}
          >
            {row.open === null ? null : row.open ? <ChevronDown /> : <ChevronRight />}
          </span>
        )}
        <span title={why}>
          <StatusIcon task={node} withWord={false} />
        </span>
        <span className="tree-what">
          <span className="tree-title">{node.title}</span>
          <span className="tree-facts">
            <span className={`tree-word tone-${tone}`}>{word}</span>
            <span className="tree-agent">{node.kind === 'work' ? node.agent : tree.kinds[node.kind]}</span>
            {node.watch && node.status !== 'paused' && <span className="tree-note tone-you">{watchText(node.watch)}</span>}
            {node.attempt > 1 && <span className="tree-attempt">{tree.row.attempt(node.attempt)}</span>}
            {drill && all > 0 && <span>{tree.row.doneOf(doneBelow, all)}</span>}
            {drill && failedBelow > 0 && <span className="tree-count tone-bad">{tree.row.failed(failedBelow)}</span>}
            {note && <span className="tree-note">{note}</span>}
          </span>
        </span>
        {total.needsYou > 0 && (
          <span className="tree-flag" title={tree.row.needsYou(total.needsYou)}>
            <Flag />
            {total.needsYou > 1 && total.needsYou}
          </span>
        )}
        {span === null ? (
          <>
            {all > 0 && !drill && (
              <span className="tree-below">
                {failedBelow > 0 && <span className="tree-count tone-bad">{tree.row.failed(failedBelow)}</span>}
                {skippedBelow > 0 && <span className="tree-count tone-stop wide-only">{tree.row.skipped(skippedBelow)}</span>}
                {doneBelow === all && row.open === false ? (
                  <span className="tree-count tone-good">✓ {tree.row.doneBelow(all)}</span>
                ) : (
                  <span className="tree-progress" title={below ?? ''}>
                    {doneBelow}/{all}
                  </span>
                )}
              </span>
            )}
            <span className="tree-figures" title={spentHint}>
              <span className="tree-cost">{cost}</span>
              {total.spend.tokens > 0 && <span className="tree-tokens">{tree.row.tokens(count(total.spend.tokens))}</span>}
              <span className="tree-time">{lasted}</span>
            </span>
          </>
        ) : (
          <TimeBar node={node} span={span} now={now} lasted={lasted} />
        )}
        {into && <ChevronRight className="tree-into" />}
      </div>
    </div>
  )
}

/** "3 of 8 done", of everything below. */
function belowWords({ total, node }: NodeView): string | null {
  const all = total.tasks - 1
  return all === 0 ? null : tree.row.doneOf(total.counts.done - Number(node.status === 'done'), all)
}
/** Done, and nothing below says otherwise: it may step back behind what goes on. */
const isQuiet = ({ node, total }: NodeView): boolean =>
  (node.status === 'done' || node.status === 'cancelled') && total.needsYou === 0 && total.counts.failed + total.counts.dead === 0
