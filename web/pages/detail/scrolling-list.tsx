/**
 * Lines of any number and height in whatever scrolls around them: a pane on a wide screen, the window on a narrow one. Only what is near the
 * eye is in the document.
 */

import { useVirtualizer, useWindowVirtualizer, type Virtualizer } from '@tanstack/react-virtual'
import { type Key, type ReactNode, type Ref, useEffect, useImperativeHandle, useLayoutEffect, useRef, useState } from 'react'

export type ListHandle = { scrollTo: (index: number, align?: 'center' | 'start' | 'end') => void; toEnd: () => void }
type Props = {
  count: number
  keyOf: (index: number) => Key
  estimate: (index: number) => number
  row: (index: number) => ReactNode
  label: string
  handle: Ref<ListHandle>
  /** Told when the end comes into sight and when it goes, and whether the list stands scrolled. */
  atEnd: (is: boolean, scrolled: boolean) => void
  /** The first and the last line near the eye. */
  seen: (from: number, to: number) => void
}

/** Pixels from the end that still count as its sight. */
const NEAR = 80
/** Frames in which lines around the end are measured. */
const SETTLES = 8

export function ScrollingList(props: Props) {
  const place = useRef<HTMLDivElement>(null)
  const [around, setAround] = useState<HTMLElement | 'window' | null>(null)
  useLayoutEffect(() => setAround(scrollerOf(place.current!)), [])
  return (
    <div ref={place}>
      {around === 'window' && <InWindow {...props} />}
      {around !== null && around !== 'window' && <InElement {...props} element={around} />}
    </div>
  )
}

function scrollerOf(element: HTMLElement): HTMLElement | 'window' {
  for (let one = element.parentElement; one && one !== document.body; one = one.parentElement) {
    if (/auto|scroll/.test(getComputedStyle(one).overflowY)) return one
  }
  return 'window'
}

function InElement({ element, ...props }: Props & { element: HTMLElement }) {
  const list = useRef<HTMLOListElement>(null)
  const margin = useMargin(list, element)
  const virtual = useVirtualizer({
    count: props.count,
    getScrollElement: () => element,
    estimateSize: props.estimate,
    getItemKey: props.keyOf,
    overscan: 6,
    scrollMargin: margin,
  })
  return <Rows {...props} list={list} virtual={virtual} margin={margin} scroller={element} />
}
function InWindow(props: Props) {
  const list = useRef<HTMLOListElement>(null)
  const margin = useMargin(list, null)
  const virtual = useWindowVirtualizer({
    count: props.count,
    estimateSize: props.estimate,
    getItemKey: props.keyOf,
    overscan: 6,
    scrollMargin: margin,
  })
  return <Rows {...props} list={list} virtual={virtual} margin={margin} scroller={null} />
}

/** Pixels from the top of what scrolls to the first line. */
function useMargin(list: { current: HTMLElement | null }, scroller: HTMLElement | null): number {
  const [margin, setMargin] = useState(0)
  useLayoutEffect(() => {
    const element = list.current
    if (!element) return
    const measure = () => {
      const top = element.getBoundingClientRect().top
      setMargin(Math.round(scroller ? top - scroller.getBoundingClientRect().top + scroller.scrollTop : top + scrollY))
    }
    measure()
    // What stands above the list grows and shrinks: reviews come, texts are folded out.
    const watch = new ResizeObserver(measure)
    for (let one = element.parentElement; one && one !== scroller; one = one.parentElement) watch.observe(one)
    return () => watch.disconnect()
  }, [list, scroller])
  return margin
}

function Rows<T extends Element | Window>(
  props: Props & { list: Ref<HTMLOListElement>; virtual: Virtualizer<T, Element>; margin: number; scroller: HTMLElement | null },
) {
  const { virtual, scroller, count, atEnd, seen } = props
  const box = scroller ?? document.documentElement
  const frame = useRef(0)
  useImperativeHandle(props.handle, () => ({
    scrollTo: (index, align = 'center') => virtual.scrollToIndex(index, { align }),
    toEnd: () => {
      // A line is measured when it comes into sight, so the end is looked for again until it has settled.
      const go = (tries: number) => {
        box.scrollTo({ top: box.scrollHeight })
        if (tries < SETTLES) frame.current = requestAnimationFrame(() => go(tries + 1))
      }
      cancelAnimationFrame(frame.current)
      go(1)
    },
  }))
  useEffect(() => () => cancelAnimationFrame(frame.current), [])
  const size = virtual.getTotalSize()
  // biome-ignore lint/correctness/useExhaustiveDependencies: a list that grows leaves its end without a scroll
  useEffect(() => {
    const look = () => atEnd(box.scrollHeight - box.scrollTop - box.clientHeight < NEAR, box.scrollTop > 0)
    look()
    const target: HTMLElement | Window = scroller ?? window
    target.addEventListener('scroll', look, { passive: true })
    return () => target.removeEventListener('scroll', look)
  }, [box, scroller, atEnd, size])
  const items = virtual.getVirtualItems()
  const [from, to] = [items[0]?.index ?? 0, items.at(-1)?.index ?? 0]
  useEffect(() => {
    if (count > 0) seen(from, to)
  }, [from, to, count, seen])
  return (
    // biome-ignore lint/a11y/noRedundantRoles: a list without marks is none for VoiceOver unless it says so
    <ol className="timeline" role="list" aria-label={props.label} ref={props.list} style={{ height: size }}>
      {items.map((item) => (
        <li
          key={item.key}
          ref={virtual.measureElement}
          data-index={item.index}
          aria-setsize={count}
          aria-posinset={item.index + 1}
          style={{ transform: `translateY(${item.start - props.margin}px)` }}
        >
          {props.row(item.index)}
        </li>
      ))}
    </ol>
  )
}
