/** Only the rows that can be seen, of any number. By itself in a small part, because a compiler of React must leave it alone. */
import { defaultRangeExtractor, useVirtualizer } from '@tanstack/react-virtual'
import { type ReactNode, type Ref, type RefObject, useCallback, useEffect, useImperativeHandle, useRef, useState } from 'react'

export type RowsHandle = { show(place: number): void }

export function VirtualRows(props: {
  count: number
  /** Height of every row, in pixels. */
  size: number
  /** What scrolls; rows may begin further down in it. */
  scroller: RefObject<HTMLElement | null>
  /** Place of a row that is drawn even when it is out of sight: the one that has the focus. */
  keep: number
  handle: Ref<RowsHandle>
  row: (place: number, top: number) => ReactNode
}) {
  const { count, size, scroller, keep } = props
  const list = useRef<HTMLDivElement>(null)
  const [margin, setMargin] = useState(0)
  // What stands above the rows grows and shrinks: a head that unfolds, a line that is put away.
  useEffect(() => {
    const [box, outer] = [list.current, scroller.current]
    if (!box || !outer) return
    const measure = () => setMargin(Math.round(box.getBoundingClientRect().top - outer.getBoundingClientRect().top + outer.scrollTop))
    measure()
    const watch = new ResizeObserver(measure)
    for (const part of [outer, ...outer.children]) watch.observe(part)
    return () => watch.disconnect()
  }, [scroller])
  const rows = useVirtualizer({
    count,
    getScrollElement: () => scroller.current,
    estimateSize: () => size,
    overscan: 6,
    scrollMargin: margin,
    scrollPaddingStart: 44,
    scrollPaddingEnd: 12,
    rangeExtractor: useCallback(
      (range: Parameters<typeof defaultRangeExtractor>[0]) => {
        const seen = defaultRangeExtractor(range)
        return keep < 0 || keep >= range.count || seen.includes(keep) ? seen : [...seen, keep].sort((a, b) => a - b)
      },
      [keep],
    ),
  })
  // biome-ignore lint/correctness/useExhaustiveDependencies: another size of rows makes every measure wrong
  useEffect(() => rows.measure(), [size])
  useImperativeHandle(props.handle, () => ({ show: (place) => rows.scrollToIndex(place, { align: 'auto' }) }), [rows])
  return (
    <div ref={list} className="tree-rows" role="presentation" style={{ height: rows.getTotalSize() }}>
      {rows.getVirtualItems().map((item) => props.row(item.index, item.start - margin))}
    </div>
  )
}
