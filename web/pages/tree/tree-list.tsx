/**
 * The rows of a goal as a tree for keyboard, mouse and those who listen: one stop of the Tab key, arrows walk and fold, Enter goes to the
 * details. What is chosen is the page's; this shows it and asks for another.
 */
import { type KeyboardEvent, type RefObject, useCallback, useEffect, useMemo, useRef } from 'react'
import type { TreeRow, TreeStore } from '../../data/tree-store.ts'
import { usePrefs } from '../../prefs.ts'
import { tree } from '../../words/tree.ts'
import { placesOf } from './places.ts'
import { TimeAxis } from './time-bar.tsx'
import type { Span } from './time-span.ts'
import { TreeLine } from './tree-row.tsx'
import { type RowsHandle, VirtualRows } from './virtual-rows.tsx'

const HEIGHT = { comfortable: 54, compact: 34, drill: 68 }

export function TreeList(props: {
  store: TreeStore
  rows: readonly TreeRow[]
  chosen: string | null
  hits: ReadonlySet<string>
  span: Span | null
  drill: boolean
  scroller: RefObject<HTMLElement | null>
  choose: (id: string) => void
  drillInto: (id: string) => void
  toDetail: () => void
}) {
  const { store, rows, chosen, drill } = props
  const [prefs] = usePrefs()
  const places = useMemo(() => placesOf(rows), [rows])
  const index = useMemo(() => new Map(rows.map((row, i) => [row.id, i])), [rows])
  const box = useRef<HTMLDivElement>(null)
  const handle = useRef<RowsHandle>(null)
  const at = chosen === null ? -1 : (index.get(chosen) ?? -1)
  /** The row that the Tab key reaches. */
  const entry = Math.max(at, 0)

  // The chosen row comes into view when another is chosen or its branch opens, not whenever the tree grows.
  const shown = useRef<string | null>(null)
  useEffect(() => {
    if (at < 0) shown.current = null
    else if (shown.current !== chosen) {
      shown.current = chosen
      handle.current?.show(at)
    }
  }, [at, chosen])
  // Focus follows along when it is in the tree.
  useEffect(() => {
    const inside = box.current?.contains(document.activeElement) || document.activeElement === document.body
    if (at >= 0 && inside && box.current?.dataset.walked) {
      requestAnimationFrame(() => box.current?.querySelector<HTMLElement>('[tabindex="0"]')?.focus({ preventScroll: true }))
    }
  }, [at])

  // The same for ever, so that a row draws only for its own sake.
  const newest = useRef({ rows, index, props })
  useEffect(() => {
    newest.current = { rows, index, props }
  })
  const act = useCallback(
    (id: string, what: 'choose' | 'fold' | 'drill') => {
      const { rows, index, props } = newest.current
      if (what === 'fold') return store.fold(id, !rows[index.get(id) ?? -1]?.open)
      return what === 'drill' ? props.drillInto(id) : props.choose(id)
    },
    [store],
  )
  const walk = (to: number) => {
    const row = rows[Math.max(0, Math.min(to, rows.length - 1))]
    if (!row) return
    box.current!.dataset.walked = 'yes'
    props.choose(row.id)
  }
  const page = () => Math.max(1, Math.floor((props.scroller.current?.clientHeight ?? 400) / HEIGHT[prefs.density]) - 1)
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return
    const here = rows[entry]
    if (!here) return
    const up = () => {
      for (let i = entry - 1; i >= 0; i--) if (rows[i]!.level < here.level) return walk(i)
    }
    const into = () => (here.open === false ? store.fold(here.id, true) : here.open ? walk(entry + 1) : undefined)
    const out = () => (here.open ? store.fold(here.id, false) : up())
    const moves: Record<string, () => void> = {
      ArrowDown: () => walk(entry + 1),
      ArrowUp: () => walk(entry - 1),
      Home: () => walk(0),
      End: () => walk(rows.length - 1),
      PageDown: () => walk(entry + page()),
      PageUp: () => walk(entry - page()),
      ArrowRight: into,
      ArrowLeft: out,
      l: into,
      h: out,
      Enter: () => {
        if (drill && here.open !== null) return props.drillInto(here.id)
        props.choose(here.id)
        props.toDetail()
      },
      ' ': () => props.choose(here.id),
    }
    const move = moves[event.key]
    if (!move) return
    event.preventDefault()
    move()
  }
  const height = drill ? HEIGHT.drill : HEIGHT[prefs.density]
  return (
    <>
      {props.span && <TimeAxis span={props.span} />}
      <div className="tree-list" role="tree" aria-label={tree.tasks} ref={box} onKeyDown={onKeyDown}>
        <VirtualRows
          count={rows.length}
          size={height}
          scroller={props.scroller}
          keep={entry}
          handle={handle}
          row={(i, top) => (
            <TreeLine
              key={rows[i]!.id}
              store={store}
              row={rows[i]!}
              top={top}
              height={height}
              pos={places.pos[i]!}
              size={places.size[i]!}
              chosen={i === at}
              entry={i === entry}
              hit={props.hits.has(rows[i]!.id)}
              span={props.span}
              drill={drill}
              act={act}
            />
          )}
        />
      </div>
    </>
  )
}
