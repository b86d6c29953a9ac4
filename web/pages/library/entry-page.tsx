/** The page of one agent, document or tool: its head with the acts on it, its parts as tabs, and a bar while something is unsaved. */
import { Copy, Ellipsis, Power, Trash2, Undo2 } from 'lucide-react'
import { type ReactNode, useRef, useState } from 'react'
import type { Validation } from '../../../core/contract/api-registry.ts'
import { useActions } from '../../actions.ts'
import { useGo } from '../../route.ts'
import { writeSearch } from '../../search.ts'
import { useTitle } from '../../title.ts'
import { useToast } from '../../toasts.ts'
import { useAct } from '../../ui/act.ts'
import { Badge } from '../../ui/badge.tsx'
import { Button } from '../../ui/button.tsx'
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx'
import { DropdownMenu } from '../../ui/dropdown-menu.tsx'
import { EmptyState } from '../../ui/empty-state.tsx'
import { ErrorState } from '../../ui/error-state.tsx'
import { Link } from '../../ui/link.tsx'
import { Fault } from '../../ui/notice.tsx'
import { RelativeTime } from '../../ui/relative-time.tsx'
import { Skeleton } from '../../ui/skeleton.tsx'
import { Tabs } from '../../ui/tabs.tsx'
import { library } from '../../words/library.ts'
import { Author, useAuthorWords } from './author.tsx'
import { Conflict } from './conflict.tsx'
import { type Draft, startDraft, useDraft } from './draft.ts'
import {
  type Body,
  type DetailOf,
  entryPath,
  isMissing,
  type Kind,
  NEW,
  useEntry,
  useEntryActs,
  useRemoved,
  useUsedBy,
  useValidation,
} from './entries.ts'
import type { AskChange, EntryAsk, EntryTab } from './filters.ts'
import { History } from './history.tsx'
import { RemoveDialog } from './remove-dialog.tsx'
import { SaveBar } from './save-bar.tsx'
import { UsedByTab } from './used-by.tsx'

/** What the parts of a page are drawn from. `item`: null for one that is not saved yet. */
export type Editing<K extends Kind> = {
  id: string
  item: DetailOf[K] | null
  draft: Draft<K>
  validation: Validation | null
  ask: EntryAsk
  /** Address of this page with something after `?` changed. */
  to: (change: AskChange) => string
}
export type Parts<K extends Kind> = {
  /** The first is shown when the address names none. */
  tabs: readonly EntryTab[]
  body: (tab: 'edit' | 'about' | 'try', editing: Editing<K>) => ReactNode
  badges?: (item: DetailOf[K]) => ReactNode
  empty: Body<K>
}

export function EntryPage<K extends Kind>({ kind, id, ask, parts }: { kind: K; id: string; ask: EntryAsk; parts: Parts<K> }) {
  const { data, error, refetch } = useEntry(kind, id)
  const gone = useRef(false)
  const words = library.kinds[kind]
  const go = useGo()
  // Here, and not with what needs the entry: the way back is open while it is read, and when it is gone.
  useActions([{ id: 'entry.list', label: library.toList(words.title), group: library.group, keys: 'u', run: () => go(entryPath(kind)) }])
  useTitle(id === NEW ? words.new : id)
  if (id === NEW) return <Loaded kind={kind} id={id} ask={ask} parts={parts} item={null} />
  // Asking again forgets the answer for a moment; what is gone must not flicker meanwhile.
  if (data) gone.current = false
  else if (isMissing(error)) gone.current = true
  if (isMissing(error) || gone.current) return <Gone kind={kind} id={id} />
  if (data) return <Loaded kind={kind} id={id} ask={ask} parts={parts} item={data} />
  return (
    <div className="column wide library">
      <h1>{id}</h1>
      {error ? (
        <ErrorState title={library.readFailed} cause={error.message} retry={() => void refetch()} />
      ) : (
        <Skeleton lines={8} label={library.loadingOne} />
      )}
    </div>
  )
}

function Loaded<K extends Kind>({
  kind,
  id,
  ask,
  parts,
  item,
}: {
  kind: K
  id: string
  ask: EntryAsk
  parts: Parts<K>
  item: DetailOf[K] | null
}) {
  const draft = useDraft(kind, id, item, parts.empty)
  const validation = useValidation(kind, draft.body)
  const go = useGo()
  const to = (change: AskChange) => `${entryPath(kind, id)}${writeSearch({ ...ask, ...change })}`
  const editing: Editing<K> = { id, item, draft, validation, ask, to }
  const names = item ? parts.tabs : parts.tabs.filter((tab) => tab === 'edit' || tab === 'try')
  const tab = names.find((name) => name === ask.tab) ?? names[0]!
  const choose = (name: string) => go(to({ tab: name === names[0] ? undefined : (name as EntryTab), v: undefined, compare: undefined }))
  const author = useAuthorWords()
  useActions(
    names.map((name, i) => ({
      id: `entry.tab.${name}`,
      label: library.tabs[name],
      group: library.group,
      keys: String(i + 1),
      run: () => choose(name),
    })),
  )
  const bodyOfTab = (name: EntryTab): ReactNode =>
    name === 'history' ? (
      <History kind={kind} editing={editing} />
    ) : name === 'used' ? (
      <UsedByTab kind={kind} id={id} />
    ) : (
      parts.body(name, editing)
    )
  return (
    <div className="column wide library">
      <Head kind={kind} id={id} item={item} draft={draft} parts={parts} />
      {draft.conflicts.length > 0 && item && <Conflict kind={kind} item={item} draft={draft} />}
      {draft.tookIn !== null && item && (
        <p className="took-in" role="status">
          {library.tookIn(draft.tookIn, author(item.author))}
        </p>
      )}
      <Tabs
        label={library.parts}
        value={tab}
        choose={choose}
        tabs={names.map((name) => ({ value: name, label: library.tabs[name], body: bodyOfTab(name) }))}
      />
      <SaveBar kind={kind} id={id} item={item} draft={draft} validation={validation} />
    </div>
  )
}

function Head<K extends Kind>(props: { kind: K; id: string; item: DetailOf[K] | null; draft: Draft<K>; parts: Parts<K> }) {
  const { kind, id, item, draft } = props
  const words = library.kinds[kind]
  const acts = useEntryActs(kind)
  const { busy, fault, act } = useAct()
  const toast = useToast()
  const go = useGo()
  const [asking, setAsking] = useState(false)
  const [off, setOff] = useState(false)
  const used = useUsedBy(kind, id, item !== null)
  const switchIt = () =>
    void act(async () => {
      if (!item) return
      const enabled = !item.enabled
      const made = await acts.save({ ...item, enabled } as unknown as Body<K>, item.version)
      toast(enabled ? library.switchedOn(id) : library.switchedOff(id), {
        tone: 'good',
        undo: () => void act(() => acts.save({ ...item } as unknown as Body<K>, made.version)),
      })
    })
  const toggle = () => (item?.enabled && used.data?.system ? setOff(true) : switchIt())
  const remove = () =>
    void act(async () => {
      if (!item) return
      await acts.remove(id, item.version)
      draft.discard()
      go(entryPath(kind))
      toast(library.removedNow(id), {
        undo: () =>
          void acts.restore(id, item.version).then(
            () => toast(library.back(id), { tone: 'good' }),
            (cause: Error) => toast(cause.message, { tone: 'bad' }),
          ),
      })
    })
  const duplicate = () => {
    startDraft(kind, NEW, { ...draft.body, name: copyName(draft.body.name) })
    go(entryPath(kind, NEW))
  }
  const may = item !== null && kind !== 'tool'
  useActions([
    ...(may ? [{ id: 'entry.duplicate', label: library.duplicate, group: library.group, keys: 'shift+d', run: duplicate }] : []),
    ...(item
      ? [
          { id: 'entry.toggle', label: item.enabled ? library.switchOff : library.switchOn, group: library.group, keys: 'o', run: toggle },
          { id: 'entry.remove', label: library.remove, group: library.group, keys: '#', run: () => setAsking(true) },
        ]
      : []),
  ])
  return (
    <header className="entry-head">
      <nav aria-label={words.title}>
        <Link to={entryPath(kind)}>{words.title}</Link>
      </nav>
      <div className="page-head">
        <h1>{item ? id : words.new}</h1>
        {item && (
          <div className="actions">
            <Button disabled={busy} onClick={toggle} className="with-icon">
              <Power aria-hidden="true" /> {item.enabled ? library.switchOff : library.switchOn}
            </Button>
            {may && (
              <Button onClick={duplicate} className="with-icon wide-only">
                <Copy aria-hidden="true" /> {library.duplicate}
              </Button>
            )}
            <DropdownMenu
              trigger={
                <button type="button" className="quiet icon" aria-label={library.actions}>
                  <Ellipsis aria-hidden="true" />
                </button>
              }
              items={[
                ...(may ? [{ kind: 'act' as const, label: library.duplicate, keys: 'shift+d', run: duplicate }] : []),
                { kind: 'act', label: library.remove, keys: '#', danger: true, run: () => setAsking(true) },
              ]}
            />
          </div>
        )}
      </div>
      {item && (
        <p className="entry-facts">
          {item.enabled ? null : <Badge tone="stop">{library.off}</Badge>}
          {props.parts.badges?.(item)}
          <span>{library.version(item.version)}</span>
          <Author name={item.author} />
          <RelativeTime at={item.updatedAt} />
        </p>
      )}
      {fault && <Fault>{fault}</Fault>}
      <ConfirmDialog open={off} setOpen={setOff} title={library.offAsk(id)} yes={library.switchOff} onYes={switchIt}>
        <p>{library.removeSystem}</p>
      </ConfirmDialog>
      {item && <RemoveDialog name={id} open={asking} setOpen={setAsking} used={used.data ?? null} onYes={remove} />}
    </header>
  )
}

/** "writer" → "writer_copy"; a name has at most 64 signs. */
const copyName = (name: string): string => `${name.slice(0, 59)}_copy`

function Gone({ kind, id }: { kind: Kind; id: string }) {
  const words = library.kinds[kind]
  const was = useRemoved(kind).find((item) => item.id === id)
  const { restore } = useEntryActs(kind)
  const { busy, fault, act } = useAct()
  return (
    <div className="column wide library">
      <header className="entry-head">
        <nav aria-label={words.title}>
          <Link to={entryPath(kind)}>{words.title}</Link>
        </nav>
        <h1>{id}</h1>
      </header>
      <EmptyState
        icon={Trash2}
        title={library.missing(words.one, id)}
        act={
          <div className="actions">
            {was && (
              <Button look="primary" disabled={busy} onClick={() => void act(() => restore(id, was.version))} className="with-icon">
                <Undo2 aria-hidden="true" /> {library.bringBack}
              </Button>
            )}
            <Link to={entryPath(kind)} className="button">
              {library.toList(words.title)}
            </Link>
          </div>
        }
      >
        {library.missingHow}
      </EmptyState>
      {fault && <Fault>{fault}</Fault>}
    </div>
  )
}
