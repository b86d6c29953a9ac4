/** Who would notice a change of an entry. */
import { Unplug } from 'lucide-react'
import type { ReactNode } from 'react'
import { EmptyState } from '../../ui/empty-state.tsx'
import { ErrorState } from '../../ui/error-state.tsx'
import { Link } from '../../ui/link.tsx'
import { Skeleton } from '../../ui/skeleton.tsx'
import { library } from '../../words/library.ts'
import { entryPath, type Kind, useUsedBy } from './entries.ts'

export function UsedByTab({ kind, id }: { kind: Kind; id: string }) {
  const { data, error, refetch } = useUsedBy(kind, id)
  if (error && !data) return <ErrorState title={library.usedFailed} cause={error.message} retry={() => void refetch()} />
  if (!data) return <Skeleton lines={5} label={library.loadingOne} />
  const { agents, documents, rules, secrets, system, tasks } = data
  if (agents.length + documents.length + rules.length + secrets.length + tasks.length === 0 && !system) {
    return (
      <EmptyState icon={Unplug} title={library.usedByNobody}>
        {library.usedByNobodyHow}
      </EmptyState>
    )
  }
  const most = Math.max(1, ...tasks.map((one) => one.tasks))
  return (
    <div className="used">
      {system && <p className="used-system">{kind === 'tool' ? library.usedSystemTool : library.usedSystem}</p>}
      <Part title={library.usedAgents} any={agents.length}>
        {agents.map((agent) => (
          <li key={agent.name}>
            <Link to={entryPath('agent', agent.name)}>{agent.name}</Link>
            <span className="dim">{library[agent.how]}</span>
          </li>
        ))}
      </Part>
      <Part title={library.usedDocuments} any={documents.length}>
        {documents.map((document) => (
          <li key={document.name}>
            <Link to={entryPath('document', document.name)}>{document.name}</Link>
          </li>
        ))}
      </Part>
      <Part title={library.usedTasks} how={library.usedTasksHow} any={tasks.length}>
        {tasks.map((one) => (
          <li key={one.version}>
            <span>{one.version === 0 ? library.draftRuns : library.version(one.version)}</span>
            <progress max={most} value={one.tasks} aria-label={library.tasks(one.tasks)} />
            <span className="dim">{library.tasks(one.tasks)}</span>
          </li>
        ))}
      </Part>
      <Part title={library.usedRules} any={rules.length}>
        {rules.map((rule) => (
          <li key={rule.id}>{rule.label}</li>
        ))}
      </Part>
      <Part title={library.usedSecrets} any={secrets.length}>
        {secrets.map((name) => (
          <li key={name}>
            <code>{name}</code>
          </li>
        ))}
      </Part>
    </div>
  )
}

function Part(props: { title: string; how?: string; any: number; children: ReactNode }) {
  if (props.any === 0) return null
  return (
    <section className="card stack">
      <h2>{props.title}</h2>
      {props.how && <p className="facts">{props.how}</p>}
      <ul className="used-list">{props.children}</ul>
    </section>
  )
}
