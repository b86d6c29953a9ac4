/** Above the tree: which view, which tasks, and the way to words in it. Everything chosen here is in the address. */
import { ChevronsDownUp, ChevronsUpDown, Crosshair, ListFilter, X } from 'lucide-react'
import { useState } from 'react'
import type { TreeStore } from '../../data/tree-store.ts'
import { Button } from '../../ui/button.tsx'
import { Combobox } from '../../ui/combobox.tsx'
import { Field } from '../../ui/field.tsx'
import { IconButton } from '../../ui/icon-button.tsx'
import { Popover } from '../../ui/popover.tsx'
import { tree } from '../../words/tree.ts'
import { usd } from '../../words/words.ts'
import { type TreeAsk, type useTreeAddress, VIEWS, type View } from './address.ts'
import { microsOf, ONLY, onlyIn, toggled } from './filter.ts'
import { TreeSearch } from './tree-search.tsx'

type Set = ReturnType<typeof useTreeAddress>['set']

export function TreeTools(props: {
  store: TreeStore
  ask: TreeAsk
  set: Set
  view: View
  seen: number | null
  narrow: boolean
  show: (taskId: string) => void
  hits: (ids: readonly string[]) => void
}) {
  const { store, ask, set, view } = props
  const only = onlyIn(ask.f)
  const follow = ask.follow === '1'
  return (
    <section className="tree-tools" aria-label={tree.tools}>
      <fieldset className="segments" aria-label={tree.view}>
        {VIEWS.map((one) => (
          <button
            key={one}
            type="button"
            aria-pressed={view === one}
            onClick={() => set({ view: one === 'tree' ? undefined : one }, 'push')}
          >
            {tree.views[one]}
          </button>
        ))}
      </fieldset>
      <fieldset className="chips" aria-label={tree.filters}>
        {ONLY.map((one) => (
          <button
            key={one}
            type="button"
            className="chip"
            aria-pressed={only.includes(one)}
            onClick={() => set({ f: toggled(ask.f, one) })}
          >
            {tree.only[one]}
          </button>
        ))}
        <Chosen ask={ask} set={set} />
        <MoreFilters key={`${ask.agent} ${ask.tool} ${ask.cost} ${ask.since}`} store={store} ask={ask} set={set} seen={props.seen} />
      </fieldset>
      <TreeSearch treeId={store.treeId} q={ask.q} set={set} show={props.show} hits={props.hits} />
      {!props.narrow && (
        <>
          <IconButton
            icon={Crosshair}
            label={`${tree.follow}: ${tree.followHint}`}
            aria-pressed={follow}
            onClick={() => set({ follow: follow ? undefined : '1' })}
          />
          <IconButton icon={ChevronsDownUp} label={tree.foldAll} onClick={() => store.foldAll(false)} />
          <IconButton icon={ChevronsUpDown} label={tree.unfoldAll} onClick={() => store.foldAll(true)} />
        </>
      )}
    </section>
  )
}

/** Filters with a word of their own; each is taken away by a click. */
function Chosen({ ask, set }: { ask: TreeAsk; set: Set }) {
  const chosen = [
    ask.agent && { label: tree.ofAgent(ask.agent), without: { agent: undefined } },
    ask.tool && { label: tree.called(ask.tool), without: { tool: undefined } },
    ask.cost && { label: tree.over(usd(microsOf(ask.cost) ?? 0)), without: { cost: undefined } },
    ask.since && { label: tree.changed, without: { since: undefined } },
  ]
  return chosen.map(
    (one) =>
      one && (
        <button
          key={one.label}
          type="button"
          className="chip"
          aria-pressed="true"
          aria-label={tree.without(one.label)}
          onClick={() => set(one.without)}
        >
          {one.label} <X aria-hidden="true" />
        </button>
      ),
  )
}

function MoreFilters({ store, ask, set, seen }: { store: TreeStore; ask: TreeAsk; set: Set; seen: number | null }) {
  const [open, setOpen] = useState(false)
  const [agent, setAgent] = useState(ask.agent ?? '')
  const [tool, setTool] = useState(ask.tool ?? '')
  const [cost, setCost] = useState(ask.cost ?? '')
  const agents = open ? [...new Set(store.all().map((node) => node.agent))].sort() : []
  const wrong = cost.trim() !== '' && microsOf(cost) === null
  const apply = (since: string | undefined) => {
    if (wrong) return
    setOpen(false)
    set({ agent: agent || undefined, tool: tool.trim() || undefined, cost: cost.trim() || undefined, since })
  }
  return (
    <Popover
      label={tree.more}
      open={open}
      setOpen={setOpen}
      trigger={
        <button type="button" className="chip">
          <ListFilter aria-hidden="true" /> {tree.more}
        </button>
      }
    >
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault()
          apply(ask.since)
        }}
      >
        <Field label={tree.agent}>
          {(id) => (
            <Combobox
              id={id}
              label={tree.agent}
              value={agent}
              options={[{ value: '', label: tree.anyAgent }, ...agents.map((name) => ({ value: name, label: name }))]}
              choose={setAgent}
            />
          )}
        </Field>
        <Field label={tree.tool} hint={tree.toolHint}>
          {(id, about) => <input id={id} {...about} value={tool} autoCapitalize="off" onChange={(event) => setTool(event.target.value)} />}
        </Field>
        <Field label={tree.costOver} error={wrong ? tree.fork.badBudget : null}>
          {(id, about) => <input id={id} {...about} inputMode="decimal" value={cost} onChange={(event) => setCost(event.target.value)} />}
        </Field>
        <div className="actions">
          <Button look="primary" type="submit">
            {tree.apply}
          </Button>
          {seen !== null && <Button onClick={() => apply(String(seen))}>{tree.changed}</Button>}
        </div>
      </form>
    </Popover>
  )
}
