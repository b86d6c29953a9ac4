/** Words anywhere in the goal's tasks, found by the server; Enter and n go from place to place, and the tree opens there. */
import { ChevronDown, ChevronUp, X } from 'lucide-react'
import { useEffect, useRef, useState } from 'react'
import { ROUTES } from '../../../core/contract/api.ts'
import type { SearchHit } from '../../../core/contract/api-look.ts'
import { useActions } from '../../actions.ts'
import { useRead } from '../../read.ts'
import { IconButton } from '../../ui/icon-button.tsx'
import { useNarrow } from '../../ui/narrow.ts'
import { SearchBox } from '../../ui/search-box.tsx'
import { StatusIcon } from '../../ui/status-icon.tsx'
import { tree } from '../../words/tree.ts'
import type { useTreeAddress } from './address.ts'

/** Letters in a row are one question. */
const TYPING_MS = 180

export function TreeSearch(props: {
  treeId: string
  q: string | undefined
  set: ReturnType<typeof useTreeAddress>['set']
  show: (taskId: string) => void
  hits: (ids: readonly string[]) => void
}) {
  const { q, set, show, hits } = props
  const [typed, setTyped] = useState(q ?? '')
  const [at, setAt] = useState(-1)
  const input = useRef<HTMLInputElement>(null)
  const narrow = useNarrow()
  const asks = Boolean(q?.trim())
  const { data, isFetching, error } = useRead(
    ROUTES.searchTree,
    { params: { id: props.treeId }, query: { q: (q ?? '').trim().slice(0, 200) } },
    { when: asks },
  )
  const found = asks ? (data?.items ?? []) : []
  useEffect(() => {
    if (typed === (q ?? '')) return
    const timer = setTimeout(() => set({ q: typed || undefined }), TYPING_MS)
    return () => clearTimeout(timer)
  }, [typed, q, set])
  useEffect(() => {
    hits(data && asks ? data.items.map((hit) => hit.taskId) : [])
    setAt(-1)
  }, [data, asks, hits])

  const go = (step: 1 | -1) => {
    if (found.length === 0) return
    const next = at < 0 && step < 0 ? found.length - 1 : (at + step + found.length) % found.length
    setAt(next)
    show(found[next]!.taskId)
  }
  const close = () => {
    setTyped('')
    set({ q: undefined })
    hits([])
    input.current?.blur()
  }
  useActions([
    { id: 'tree.search', label: tree.search, group: tree.act.tree, keys: '/', run: () => input.current?.select() },
    { id: 'tree.nextHit', label: tree.nextHit, group: tree.act.tree, keys: 'n', keyOnly: !asks, run: () => go(1) },
    { id: 'tree.lastHit', label: tree.lastHit, group: tree.act.tree, keys: 'shift+n', keyOnly: !asks, run: () => go(-1) },
  ])
  return (
    <search className="tree-search">
      <SearchBox
        label={tree.search}
        ref={input}
        type="text"
        enterKeyHint="search"
        value={typed}
        placeholder={narrow ? tree.searchShort : tree.searchPlaceholder}
        onChange={(event) => setTyped(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === 'Enter') {
            event.preventDefault()
            if (typed !== (q ?? '')) set({ q: typed || undefined })
            else go(event.shiftKey ? -1 : 1)
          } else if (event.key === 'Escape') close()
        }}
      >
        {typed !== '' && <IconButton icon={X} label={tree.closeSearch} onClick={close} />}
      </SearchBox>
      {asks && (
        <div className="hits">
          <div className="hits-head" role="status">
            <span>
              {error
                ? error.message
                : !data && isFetching
                  ? tree.searching
                  : found.length === 0
                    ? tree.noHit
                    : at < 0
                      ? tree.hits(found.length, !data?.complete)
                      : tree.at(at + 1, found.length)}
            </span>
            {found.length > 0 && (
              <>
                <IconButton icon={ChevronUp} label={tree.lastHit} onClick={() => go(-1)} />
                <IconButton icon={ChevronDown} label={tree.nextHit} onClick={() => go(1)} />
              </>
            )}
          </div>
          {found.length > 0 && (
            <ul className="hit-list">
              {found.map((hit, i) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: one task may be found in several places, and the list is made anew
                <li key={`${hit.taskId} ${i}`}>
                  <button
                    type="button"
                    className="hit-line"
                    aria-current={i === at ? 'true' : undefined}
                    onClick={() => {
                      setAt(i)
                      show(hit.taskId)
                    }}
                  >
                    <Hit hit={hit} words={(q ?? '').trim()} />
                  </button>
                </li>
              ))}
            </ul>
          )}
        </div>
      )}
    </search>
  )
}

function Hit({ hit, words }: { hit: SearchHit; words: string }) {
  return (
    <>
      <StatusIcon task={{ status: hit.status, reason: null, attempt: 0 }} />
      <span className="hit-words">
        <span className="hit-title">
          <Marked text={hit.title} words={words} />
        </span>
        {hit.where !== null && hit.where !== 'title' && (
          <span className="dim hit-snippet">
            {tree.where[hit.where]}: <Marked text={hit.snippet} words={words} />
          </span>
        )}
      </span>
    </>
  )
}

/** The words where they stand in the text. */
function Marked({ text, words }: { text: string; words: string }) {
  const at = words ? text.toLowerCase().indexOf(words.toLowerCase()) : -1
  if (at < 0) return text
  return (
    <>
      {text.slice(0, at)}
      <mark>{text.slice(at, at + words.length)}</mark>
      {text.slice(at + words.length)}
    </>
  )
}
