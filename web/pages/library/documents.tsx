/** The context documents, and the page of one. */
import { getRouteApi } from '@tanstack/react-router'
import { library } from '../../words/library.ts'
import { DocumentForm } from './document-form.tsx'
import { useEntries } from './entries.ts'
import { EntryList } from './entry-list.tsx'
import { EntryPage, type Parts } from './entry-page.tsx'
import './library.css'

const list = getRouteApi('/documents')
const one = getRouteApi('/documents/$id')

export function Documents() {
  const agents = useEntries('agent').data?.items
  return (
    <EntryList
      kind="document"
      ask={list.useSearch()}
      filters={['on', 'off', 'changed', 'unused']}
      row={(item) => {
        const users = agents ? agents.filter((agent) => agent.documents.includes(item.name)).length : null
        return { badges: null, figures: users !== null && library.byAgents(users), users }
      }}
    />
  )
}

const PARTS: Parts<'document'> = {
  tabs: ['edit', 'history', 'used'],
  body: (_tab, editing) => <DocumentForm editing={editing} />,
  empty: { name: '', description: '', content: '', enabled: true },
}

export function DocumentPage() {
  const { id } = one.useParams()
  return <EntryPage key={id} kind="document" id={id} ask={one.useSearch()} parts={PARTS} />
}
