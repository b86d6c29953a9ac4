/** What the list shows, and in which order; all of it is in the address. */
import { X } from 'lucide-react'
import { type RefObject, useEffect, useState } from 'react'
import { REVIEW_KINDS } from '../../../core/contract/review.ts'
import { useGo } from '../../route.ts'
import { Link } from '../../ui/link.tsx'
import { reviews as words } from '../../words/reviews.ts'
import { type QueueSearch, RISKS, reviewPath, SORTS } from './queue.ts'

/** After the last letter. */
const TYPED_MS = 200
const say = words.filters

export function Filters({ search, box, sorted }: { search: QueueSearch; box: RefObject<HTMLInputElement | null>; sorted: boolean }) {
  const go = useGo()
  const [text, setText] = useState(search.q ?? '')
  const set = (change: Record<string, string>) => go(reviewPath(null, { ...search, ...change } as QueueSearch), 'replace')
  useEffect(() => {
    if (text === (search.q ?? '')) return
    const timer = setTimeout(() => go(reviewPath(null, { ...search, q: text }), 'replace'), TYPED_MS)
    return () => clearTimeout(timer)
  }, [text, search, go])
  return (
    <div className="review-filters">
      <input
        ref={box}
        type="search"
        aria-label={say.search}
        placeholder={say.search}
        value={text}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === 'Escape' || event.key === 'Enter') event.currentTarget.blur()
        }}
      />
      <select aria-label={say.kind} value={search.kind ?? ''} onChange={(event) => set({ kind: event.target.value })}>
        <option value="">{say.any}</option>
        {REVIEW_KINDS.map((kind) => (
          <option key={kind} value={kind}>
            {words.kinds[kind]}
          </option>
        ))}
      </select>
      <select aria-label={say.risk} value={search.risk ?? ''} onChange={(event) => set({ risk: event.target.value })}>
        <option value="">{say.anyRisk}</option>
        {RISKS.map((risk) => (
          <option key={risk} value={risk}>
            {words.risks[risk]}
          </option>
        ))}
      </select>
      {sorted && (
        <select aria-label={say.sort} value={search.sort ?? 'urgent'} onChange={(event) => set({ sort: event.target.value })}>
          {SORTS.map((sort) => (
            <option key={sort} value={sort}>
              {words.sorts[sort]}
            </option>
          ))}
        </select>
      )}
      {search.tree && (
        <Link className="chip" to={reviewPath(null, { ...search, tree: '' })}>
          {say.ofTree} <X aria-hidden="true" />
        </Link>
      )}
    </div>
  )
}
