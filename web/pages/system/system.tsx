/** How the runtime and its machine are: what runs, what waits, what is stuck, who is called, what the log and the checks say. */
import { getRouteApi } from '@tanstack/react-router'
import { ROUTES } from '../../../core/contract/api.ts'
import { useActions } from '../../actions.ts'
import { useRead } from '../../read.ts'
import { useGo } from '../../route.ts'
import { writeSearch } from '../../search.ts'
import { useTitle } from '../../title.ts'
import { Badge } from '../../ui/badge.tsx'
import { Tabs } from '../../ui/tabs.tsx'
import { WhileOnline } from '../../ui/while-online.tsx'
import { system as words } from '../../words/system.ts'
import { Backups } from './backups.tsx'
import { Dead } from './dead.tsx'
import { Doctor } from './doctor.tsx'
import { Logs } from './logs.tsx'
import { Overview } from './overview.tsx'
import { Providers } from './providers.tsx'
import { Queue } from './queue.tsx'
import { Storage } from './storage.tsx'
import { SYSTEM_TABS, type SystemTab } from './tabs.ts'
import { Workers } from './workers.tsx'
import './system.css'

const route = getRouteApi('/system')
const BODIES: Record<SystemTab, () => React.ReactNode> = {
  overview: Overview,
  workers: Workers,
  queue: Queue,
  dead: Dead,
  providers: Providers,
  logs: Logs,
  doctor: Doctor,
  backups: Backups,
  storage: Storage,
}
/** Parts in which something can be done. */
const ACTS: readonly SystemTab[] = ['dead', 'providers', 'doctor', 'backups', 'storage']
/** Address of a part of this page. */
export const systemPath = (tab: SystemTab): string => `/system${writeSearch(tab === 'overview' ? {} : { tab })}`

export function System() {
  const { tab = 'overview' } = route.useSearch()
  const go = useGo()
  const dead = useRead(ROUTES.dead, { query: { limit: '200' } }, { follow: true })
  const breakers = useRead(ROUTES.breakers, undefined, { every: 10_000 })
  const stuck = dead.data?.items.length ?? 0
  const open = breakers.data?.items.filter((one) => one.state !== 'closed' || one.hold !== null).length ?? 0
  const marks: Partial<Record<SystemTab, number>> = { dead: stuck, providers: open }
  useTitle(tab === 'overview' ? null : words.part(words.tabs[tab]))
  useActions(
    SYSTEM_TABS.map((value, i) => ({
      id: `system.${value}`,
      label: words.part(words.tabs[value]),
      group: words.title,
      keys: String(i + 1),
      run: () => go(systemPath(value)),
    })),
  )
  return (
    <div className="column wide system">
      <h1>{words.title}</h1>
      <Tabs
        label={words.parts}
        value={tab}
        choose={(value) => go(systemPath(value as SystemTab))}
        tabs={SYSTEM_TABS.map((value) => {
          const Body = BODIES[value]
          const mark = marks[value] ?? 0
          return {
            value,
            label: words.tabs[value],
            body: ACTS.includes(value) ? (
              <WhileOnline>
                <Body />
              </WhileOnline>
            ) : (
              <Body />
            ),
            ...(mark > 0 ? { badge: <Badge tone="bad">{mark}</Badge> } : {}),
          }
        })}
      />
    </div>
  )
}
