/** The settings: a list of their parts and the part that is open. On a narrow screen one of the two. */
import { useParams } from '@tanstack/react-router'
import {
  Activity,
  ArrowLeft,
  Blocks,
  Cable,
  Cpu,
  Info,
  KeyRound,
  Keyboard as Keys,
  type LucideIcon,
  Palette,
  ShieldCheck,
  Ticket,
  Users,
  Vault,
  Wallet,
} from 'lucide-react'
import { ROUTES } from '../../../core/contract/api.ts'
import { useActions } from '../../actions.ts'
import { useRead } from '../../read.ts'
import { useGo } from '../../route.ts'
import { useTitle } from '../../title.ts'
import { EmptyState } from '../../ui/empty-state.tsx'
import { Link } from '../../ui/link.tsx'
import { WhileOnline } from '../../ui/while-online.tsx'
import { settings as words } from '../../words/settings.ts'
import { About } from './about.tsx'
import { Appearance } from './appearance.tsx'
import { Budgets } from './budgets.tsx'
import { Clients } from './clients.tsx'
import { Keyboard } from './keyboard.tsx'
import { People } from './people.tsx'
import { Policies } from './policies.tsx'
import { Providers } from './providers.tsx'
import { Runtime } from './runtime.tsx'
import { Secrets } from './secrets.tsx'
import { SECTION_GROUPS, SECTION_KEYS, SECTIONS, type Section } from './sections.ts'
import { Servers } from './servers.tsx'
import { Tokens } from './tokens.tsx'
import './settings.css'

const PARTS: Record<Section, { icon: LucideIcon; body: () => React.ReactNode }> = {
  providers: { icon: KeyRound, body: Providers },
  policies: { icon: ShieldCheck, body: Policies },
  budgets: { icon: Wallet, body: Budgets },
  clients: { icon: Cable, body: Clients },
  servers: { icon: Blocks, body: Servers },
  secrets: { icon: Vault, body: Secrets },
  tokens: { icon: Ticket, body: Tokens },
  people: { icon: Users, body: People },
  runtime: { icon: Cpu, body: Runtime },
  about: { icon: Info, body: About },
  appearance: { icon: Palette, body: Appearance },
  keyboard: { icon: Keys, body: Keyboard },
}

/** What is kept in this browser or only read. */
const LOCAL: readonly Section[] = ['about', 'appearance', 'keyboard']

export function Settings() {
  const asked = useParams({ strict: false }).section
  const section = asked === undefined ? SECTIONS[0]! : SECTIONS.find((one) => one === asked)
  const go = useGo()
  // Read once for all parts: who may do what decides what they offer.
  useRead(ROUTES.me)
  useTitle(section && asked ? words.part(words.sections[section]) : null)
  useActions(
    SECTIONS.map((one) => ({
      id: `settings.${one}`,
      label: words.part(words.sections[one]),
      group: words.title,
      keys: SECTION_KEYS[one],
      run: () => go(`/settings/${one}`),
    })),
  )
  const Body = section && PARTS[section].body
  return (
    <div className="column wide settings" data-list={asked === undefined ? 'open' : 'closed'}>
      <nav className="settings-list" aria-label={words.parts}>
        {asked === undefined ? <h1>{words.title}</h1> : <p className="settings-name">{words.title}</p>}
        {Object.entries(SECTION_GROUPS).map(([group, sections]) => (
          <div key={group}>
            <p id={`settings-${group}`} className="settings-group">
              {words.groups[group as keyof typeof SECTION_GROUPS]}
            </p>
            <ul aria-labelledby={`settings-${group}`}>
              {sections.map((one) => {
                const { icon: Icon } = PARTS[one]
                return (
                  <li key={one}>
                    <Link to={`/settings/${one}`} className="place" aria-current={one === section ? 'page' : undefined}>
                      <Icon aria-hidden="true" />
                      <span>{words.sections[one]}</span>
                    </Link>
                  </li>
                )
              })}
            </ul>
          </div>
        ))}
      </nav>
      <div className="settings-body">
        <Link to="/settings" className="settings-back">
          <ArrowLeft aria-hidden="true" /> {words.all}
        </Link>
        {Body && section ? (
          <>
            {asked === undefined ? (
              <h2 className="settings-title">{words.sections[section]}</h2>
            ) : (
              <h1 className="settings-title">{words.sections[section]}</h1>
            )}
            {LOCAL.includes(section) ? (
              <Body key={section} />
            ) : (
              <WhileOnline>
                <Body key={section} />
              </WhileOnline>
            )}
          </>
        ) : (
          <EmptyState icon={Activity} title={words.missing(asked ?? '')} act={<Link to="/settings">{words.all}</Link>} />
        )}
      </div>
    </div>
  )
}
