/** The tools, and the page of one. */
import { getRouteApi } from '@tanstack/react-router'
import { ROUTES } from '../../../core/contract/api.ts'
import { useRead } from '../../read.ts'
import { Badge } from '../../ui/badge.tsx'
import { Switch } from '../../ui/switch.tsx'
import { library } from '../../words/library.ts'
import { useEntries } from './entries.ts'
import { EntryList } from './entry-list.tsx'
import { type Editing, EntryPage, type Parts } from './entry-page.tsx'
import { ToolFigures } from './figures.tsx'
import { NameAndDescription } from './text-fields.tsx'
import { ToolAbout } from './tool-about.tsx'
import { TryTool } from './try-tool.tsx'
import './library.css'

const list = getRouteApi('/tools')
const one = getRouteApi('/tools/$id')

export function Tools() {
  const agents = useEntries('agent').data?.items
  const figures = useRead(ROUTES.registryFigures).data?.tools
  return (
    <EntryList
      kind="tool"
      ask={list.useSearch()}
      filters={['on', 'off', 'changed', 'unused', 'file', 'made', 'server']}
      row={(item) => {
        const users = agents && !item.core ? agents.filter((agent) => agent.tools.includes(item.name)).length : null
        return {
          badges: (
            <>
              {item.core && <Badge>{library.core}</Badge>}
              {item.origin === 'made' && <Badge>{library.made.badge}</Badge>}
              {item.origin === 'server' && <Badge tone="wait">{library.fromServer}</Badge>}
            </>
          ),
          origin: item.origin ?? 'file',
          figures: (
            <>
              {figures && <ToolFigures of={figures.find((figure) => figure.name === item.name)} />}
              <span>{item.core ? library.byAll : users !== null && library.byAgents(users)}</span>
            </>
          ),
          users,
        }
      }}
    />
  )
}

function ToolForm({ editing }: { editing: Editing<'tool'> }) {
  const { draft } = editing
  return (
    <div className="stack narrow">
      <NameAndDescription kind="tool" editing={editing} />
      <Switch label={library.fields.core} hint={library.fields.coreHint} on={draft.body.core} set={(on) => draft.set({ core: on })} />
    </div>
  )
}

const PARTS: Parts<'tool'> = {
  tabs: ['about', 'try', 'edit', 'history', 'used'],
  body: (tab, editing) =>
    tab === 'try' ? (
      <TryTool editing={editing} />
    ) : tab === 'edit' ? (
      <ToolForm editing={editing} />
    ) : (
      editing.item && <ToolAbout item={editing.item} />
    ),
  badges: (item) => (
    <>
      {item.core && <Badge>{library.core}</Badge>}
      {item.made && <Badge>{library.made.badge}</Badge>}
      {item.origin === 'server' && <Badge tone="wait">{library.fromServer}</Badge>}
      {item.inputSchema === null && <Badge tone="bad">{library.noFile}</Badge>}
    </>
  ),
  empty: { name: '', description: '', core: false, enabled: true },
}

export function ToolPage() {
  const { id } = one.useParams()
  return <EntryPage key={id} kind="tool" id={id} ask={one.useSearch()} parts={PARTS} />
}
