/** The parts of a plan as a tree that is walked and changed by keys, by dragging, or by the menu of a part. */
import { ChevronDown, ChevronRight, Ellipsis, GripVertical, Plus } from 'lucide-react'
import { type DragEvent, type KeyboardEvent, useRef, useState } from 'react'
import { PLAN_WORKER, type PlanItem } from '../../../core/contract/plan.ts'
import { useToast } from '../../toasts.ts'
import { Badge } from '../../ui/badge.tsx'
import { Button } from '../../ui/button.tsx'
import { DropdownMenu } from '../../ui/dropdown-menu.tsx'
import { plan as words } from '../../words/plan.ts'
import {
  add,
  change,
  halves,
  indent,
  levelOf,
  mayMerge,
  mergeWithNext,
  move,
  outdent,
  type Place,
  put,
  type Row,
  remove,
  rowsOf,
} from './edit.ts'
import { PartForm } from './part-form.tsx'
import { SplitDialog } from './split-dialog.tsx'

const key = (path: Place) => path.join('/')

/** `edit` is given the whole new plan; null: it can only be read. */
export function PlanTree({ items, edit }: { items: readonly PlanItem[]; edit: ((items: PlanItem[]) => void) | null }) {
  const toast = useToast()
  const tree = useRef<HTMLDivElement>(null)
  const [at, setAt] = useState('')
  const [shut, setShut] = useState<ReadonlySet<string>>(new Set())
  const [editing, setEditing] = useState<Place | null>(null)
  const [splitting, setSplitting] = useState<Place | null>(null)
  const [dragged, setDragged] = useState<Place | null>(null)
  const [over, setOver] = useState<{ at: string; half: 'before' | 'after' } | null>(null)
  const rows = rowsOf(items, shut)
  const current = rows.find((row) => key(row.path) === at) ?? rows[0]

  const focus = (path: Place) => {
    setAt(key(path))
    requestAnimationFrame(() => tree.current?.querySelector<HTMLElement>(`[data-at="${CSS.escape(key(path))}"]`)?.focus())
  }
  const to = (next: { items: PlanItem[]; path: Place }) => {
    edit?.(next.items)
    focus(next.path)
  }
  const acts = (row: Row) => {
    const { path, item } = row
    const level = levelOf(items, path)
    const leaf = item.children.length === 0
    return {
      edit: () => setEditing(path),
      up: () => to({ items: move(items, path, -1), path }),
      down: () => to({ items: move(items, path, 1), path }),
      inward: () => to(indent(items, path)),
      outward: () => to(outdent(items, path)),
      split: () => (halves(item.instruction) || item.instruction.length > 1) && leaf && setSplitting(path),
      merge: () => mayMerge(item, level[row.place]) && to({ items: mergeWithNext(items, path), path }),
      ask: () => to({ items: change(items, path, { askMe: item.askMe ? undefined : true }), path }),
      below: () => {
        const next = add(items, path, words.newPart)
        to(next)
        setEditing(next.path)
      },
      remove: () => {
        if (rows.length === 1) return
        const neighbour = rows[rows.indexOf(row) + 1] ?? rows[rows.indexOf(row) - 1]
        edit?.(remove(items, path))
        if (neighbour) focus(neighbour.path)
        toast(words.removed(item.title), { undo: () => edit?.([...items]) })
      },
    }
  }
  const fold = (row: Row, is: boolean) => {
    const next = new Set(shut)
    if (is) next.add(row.item.id)
    else next.delete(row.item.id)
    setShut(next)
  }

  const press = (row: Row) => (event: KeyboardEvent) => {
    if (event.target !== event.currentTarget || event.ctrlKey || event.metaKey) return
    const i = rows.indexOf(row)
    const act = edit ? acts(row) : null
    const go = (n: number) => () => rows[n] && focus(rows[n].path)
    const walks: Record<string, (() => unknown) | undefined> = event.altKey
      ? { ArrowUp: act?.up, ArrowDown: act?.down, ArrowRight: act?.inward, ArrowLeft: act?.outward }
      : {
          ArrowUp: go(i - 1),
          ArrowDown: go(i + 1),
          k: go(i - 1),
          j: go(i + 1),
          Home: go(0),
          End: go(rows.length - 1),
          ArrowLeft: () =>
            row.item.children.length > 0 && !shut.has(row.item.id) ? fold(row, true) : row.depth > 0 && focus(row.path.slice(0, -1)),
          ArrowRight: () => (shut.has(row.item.id) ? fold(row, false) : row.item.children.length > 0 && go(i + 1)()),
          Enter: act?.edit,
          F2: act?.edit,
          Delete: act?.remove,
          Backspace: act?.remove,
          a: act?.ask,
          s: act?.split,
          m: act?.merge,
          o: act?.below,
        }
    const run = walks[event.key.length === 1 ? event.key.toLowerCase() : event.key]
    if (!run) return
    event.preventDefault()
    event.stopPropagation()
    run()
  }

  const drop = (row: Row) => (event: DragEvent) => {
    event.preventDefault()
    if (!dragged || !over) return
    const above = row.path.slice(0, -1)
    to(put(items, dragged, above, over.half === 'before' ? row.place - 1 : row.place))
    setDragged(null)
    setOver(null)
  }

  return (
    <div className="plan-tree-box">
      <div className="plan-tree" role="tree" aria-label={words.parts} ref={tree}>
        {rows.map((row) => {
          const path = key(row.path)
          const { item } = row
          const wave = waveWords(levelOf(items, row.path), item)
          return (
            <div
              key={path}
              role="treeitem"
              data-at={path}
              data-over={over?.at === path ? over.half : undefined}
              className="plan-row"
              tabIndex={current === row ? 0 : -1}
              aria-level={row.depth + 1}
              aria-posinset={row.place}
              aria-setsize={row.of}
              aria-selected={current === row}
              aria-expanded={item.children.length > 0 ? !shut.has(item.id) : undefined}
              aria-label={words.row(item.title, wave, item.agent ?? words.agentUsual, item.askMe === true)}
              onFocus={() => setAt(path)}
              onKeyDown={press(row)}
              onDoubleClick={() => edit && setEditing(row.path)}
              draggable={edit !== null}
              onDragStart={(event) => {
                event.dataTransfer.effectAllowed = 'move'
                event.dataTransfer.setData('text/plain', item.title)
                setDragged(row.path)
              }}
              onDragEnd={() => {
                setDragged(null)
                setOver(null)
              }}
              onDragOver={(event) => {
                if (!dragged) return
                event.preventDefault()
                const box = event.currentTarget.getBoundingClientRect()
                setOver({ at: path, half: event.clientY < box.top + box.height / 2 ? 'before' : 'after' })
              }}
              onDrop={drop(row)}
            >
              <svg className="plan-indent" width={row.depth * 22} height="1" aria-hidden="true" />
              {edit && (
                <span className="plan-grip" title={words.drag(item.title)}>
                  <GripVertical aria-hidden="true" />
                </span>
              )}
              {item.children.length > 0 && (
                <span className="plan-fold" aria-hidden="true" onClick={() => fold(row, !shut.has(item.id))}>
                  {shut.has(item.id) ? <ChevronRight /> : <ChevronDown />}
                </span>
              )}
              <span className="plan-words">
                <span className="plan-title">{item.title}</span>{' '}
                <span className="plan-facts">
                  {wave} · {item.agent ?? PLAN_WORKER}
                </span>
              </span>{' '}
              {item.askMe && <Badge tone="you">{words.asksFirst}</Badge>}
              {edit && <PartMenu row={row} last={rows.length === 1} acts={acts(row)} next={levelOf(items, row.path)[row.place]} />}
            </div>
          )
        })}
      </div>
      {edit && (
        <Button
          className="plan-add"
          onClick={() => {
            const next = add(items, null, words.newPart)
            to(next)
            setEditing(next.path)
          }}
        >
          <Plus aria-hidden="true" /> {words.add}
        </Button>
      )}
      {editing && edit && (
        <PartForm
          items={items}
          path={editing}
          close={() => {
            focus(editing)
            setEditing(null)
          }}
          save={(fields) => edit(change(items, editing, fields))}
        />
      )}
      {splitting && edit && <SplitDialog items={items} path={splitting} close={() => setSplitting(null)} save={to} />}
    </div>
  )
}

type Acts = Record<'edit' | 'up' | 'down' | 'inward' | 'outward' | 'split' | 'merge' | 'ask' | 'below' | 'remove', () => unknown>

/** Every act of a part for those who touch or do not know the keys; the keys stand beside them. */
function PartMenu({ row, acts, last, next }: { row: Row; acts: Acts; last: boolean; next: PlanItem | undefined }) {
  const { item, place, of, depth } = row
  const act = (label: string, run: () => unknown, keys: string, disabled = false) => ({
    kind: 'act' as const,
    label,
    run: () => void run(),
    keys,
    disabled,
  })
  return (
    <DropdownMenu
      trigger={
        <button type="button" tabIndex={-1} className="quiet icon" aria-label={words.more(item.title)}>
          <Ellipsis aria-hidden="true" />
        </button>
      }
      items={[
        act(words.edit, acts.edit, 'enter'),
        act(item.askMe ? words.askNot : words.askMe, acts.ask, 'a'),
        { kind: 'line' },
        act(words.up, acts.up, 'alt+arrowup', place === 1),
        act(words.down, acts.down, 'alt+arrowdown', place === of),
        act(words.inward, acts.inward, 'alt+arrowright', place === 1),
        act(words.outward, acts.outward, 'alt+arrowleft', depth === 0),
        { kind: 'line' },
        act(words.add, acts.below, 'o'),
        act(words.split, acts.split, 's', item.children.length > 0 || item.instruction.length < 2),
        act(words.merge, acts.merge, 'm', !mayMerge(item, next)),
        { ...act(words.remove, acts.remove, 'Del', last), danger: true },
      ]}
    />
  )
}

/** Whether it runs beside others or after them, said as it is. */
function waveWords(level: readonly PlanItem[], item: PlanItem): string {
  const before = level.filter((one) => item.after.includes(one.id))
  if (before.length > 0) return words.after(before.map((one) => one.title))
  return level.some((one) => one.id !== item.id && one.after.length === 0) ? words.sideBySide : words.atOnce
}
