/** The agents, and the page of one. */
import { getRouteApi } from '@tanstack/react-router'
import { ROUTES } from '../../../core/contract/api.ts'
import { useRead } from '../../read.ts'
import { Badge } from '../../ui/badge.tsx'
import { library } from '../../words/library.ts'
import { AgentForm } from './agent-form.tsx'
import type { Body, ItemOf } from './entries.ts'
import { EntryList } from './entry-list.tsx'
import { EntryPage, type Parts } from './entry-page.tsx'
import { AgentFigures } from './figures.tsx'
import { TryAgent } from './try-agent.tsx'
import './library.css'

const list = getRouteApi('/agents')
const one = getRouteApi('/agents/$id')

export function Agents() {
  const figures = useRead(ROUTES.registryFigures).data?.agents
  return (
    <EntryList
      kind="agent"
      ask={list.useSearch()}
      filters={['on', 'off', 'changed']}
      row={(item) => ({
        badges: <Badges item={item} />,
        figures: figures && <AgentFigures of={figures.find((figure) => figure.name === item.name)} />,
        users: null,
      })}
    />
  )
}

function Badges({ item }: { item: ItemOf['agent'] }) {
  return (
    <>
      {item.watcher && <Badge tone="wait">{library.watcher}</Badge>}
      {item.web_search_allowed && <Badge tone="run">{library.web}</Badge>}
    </>
  )
}

const EMPTY: Body<'agent'> = {
  name: '',
  description: '',
  instruction: '',
  documents: [],
  tools: [],
  model: 'default',
  web_search_allowed: false,
  capabilities: [],
  max_turns: 60,
  max_output_tokens: 16_000,
  watcher: false,
  enabled: true,
}
const PARTS: Parts<'agent'> = {
  tabs: ['edit', 'try', 'history', 'used'],
  body: (tab, editing) => (tab === 'try' ? <TryAgent editing={editing} /> : <AgentForm editing={editing} />),
  badges: (item) => <Badges item={item} />,
  empty: EMPTY,
}

export function AgentPage() {
  const { id } = one.useParams()
  return <EntryPage key={id} kind="agent" id={id} ask={one.useSearch()} parts={PARTS} />
}
