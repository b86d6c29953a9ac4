/** What agents may do by themselves: by what a call does, after foreign words, by tool. Rules that decisions made are a page of the reviews. */
import { X } from 'lucide-react'
import { ROUTES } from '../../../core/contract/api.ts'
import { PERMISSIONS, type SystemPolicy } from '../../../core/contract/api-settings.ts'
import { useMay } from '../../me.ts'
import { useRead } from '../../read.ts'
import { useToast } from '../../toasts.ts'
import { Button } from '../../ui/button.tsx'
import { Combobox } from '../../ui/combobox.tsx'
import { Field } from '../../ui/field.tsx'
import { IconButton } from '../../ui/icon-button.tsx'
import { Link } from '../../ui/link.tsx'
import { Reading } from '../../ui/reading.tsx'
import { RelativeTime } from '../../ui/relative-time.tsx'
import { Select } from '../../ui/select.tsx'
import { settings } from '../../words/settings.ts'
import { SaveBar } from './save-bar.tsx'
import { usePolicy } from './use-policy.ts'

const words = settings.policies
const LEVELS = Object.entries(words.levels).map(([value, label]) => ({ value, label }))
const NARROW = LEVELS.filter((one) => one.value !== 'own')
const TAINTED = Object.entries(words.taintedLevels).map(([value, label]) => ({ value, label }))
type Level = 'ask' | 'deny'
const levelOf = (value: string): Level => (value === 'deny' ? 'deny' : 'ask')

/** Without one of its names, or with it at another level. */
function put<K extends string>(all: Readonly<Partial<Record<K, Level>>>, name: K, level: string): Record<string, Level> {
  const rest = Object.fromEntries(Object.entries(all).filter(([one]) => one !== name)) as Record<string, Level>
  return level === 'own' ? rest : { ...rest, [name]: levelOf(level) }
}

export function Policies() {
  const form = usePolicy()
  const may = useMay()
  const tools = useRead(ROUTES.tools)
  const off = !may('admin')
  return (
    <div className="settings-part">
      <p className="dim">{words.intro}</p>
      <Reading read={form.read} label={settings.reading} failed={settings.failed} effect={settings.effect}>
        {(saved) => {
          const policy: SystemPolicy = form.policy ?? saved.policy
          const narrowed = Object.entries(policy.tools)
          const open = (tools.data?.items ?? []).map((one) => one.name).filter((name) => !(name in policy.tools))
          return (
            <>
              <section className="card setting-card" aria-labelledby="by-permission">
                <h2 id="by-permission">{words.permissions}</h2>
                {PERMISSIONS.map((name) => (
                  <div key={name} className="setting-row">
                    <span id={`permission-${name}`} className="grow">
                      {words.permission[name]} <code>{name}</code>
                    </span>
                    <Select
                      label={words.permission[name] ?? name}
                      value={policy.permissions[name] ?? 'own'}
                      options={LEVELS}
                      disabled={off}
                      choose={(level) => form.change({ permissions: put(policy.permissions, name, level) })}
                    />
                  </div>
                ))}
              </section>
              <section className="card setting-card">
                <Field label={words.tainted} hint={words.taintedHint}>
                  {(id) => (
                    <Select
                      id={id}
                      value={policy.tainted}
                      options={TAINTED}
                      disabled={off}
                      choose={(level) => form.change({ tainted: levelOf(level) })}
                    />
                  )}
                </Field>
              </section>
              <section className="card setting-card" aria-labelledby="by-tool">
                <h2 id="by-tool">{words.tools}</h2>
                {narrowed.length === 0 && <p className="dim">{words.toolNone}</p>}
                {narrowed.map(([name, level]) => (
                  <div key={name} className="setting-row">
                    <code className="grow">{name}</code>
                    <Select
                      label={name}
                      value={level}
                      options={NARROW}
                      disabled={off}
                      choose={(next) => form.change({ tools: put(policy.tools, name, next) })}
                    />
                    {!off && (
                      <IconButton
                        icon={X}
                        label={words.toolTake(name)}
                        onClick={() => form.change({ tools: put(policy.tools, name, 'own') })}
                      />
                    )}
                  </div>
                ))}
                {!off && (
                  <div className="setting-add">
                    <Combobox
                      label={words.toolAdd}
                      value=""
                      options={open.map((name) => ({ value: name, label: name }))}
                      choose={(name) => form.change({ tools: put(policy.tools, name, 'ask') })}
                    />
                  </div>
                )}
              </section>
              <SaveBar form={form} />
              <History take={(policy) => form.change(policy)} off={off} version={saved.version} />
            </>
          )
        }}
      </Reading>
      <p>
        <Link to="/reviews/rules" className="button">
          {words.rules}
        </Link>{' '}
        <span className="dim">{words.rulesHint}</span>
      </p>
    </div>
  )
}

function History({ take, off, version }: { take: (policy: SystemPolicy) => void; off: boolean; version: number }) {
  const read = useRead(ROUTES.policyVersions)
  const toast = useToast()
  const items = read.data?.items ?? []
  if (version === 0 || items.length === 0) return <p className="dim setting-note">{words.usual}</p>
  return (
    <details>
      <summary>
        {words.history} ({words.version(version, items[0]!.author)})
      </summary>
      <ul className="setting-list">
        {items.map((one) => (
          <li key={one.version} className="setting-line">
            <span className="grow">
              {words.version(one.version, one.author)} {one.updatedAt && <RelativeTime at={one.updatedAt} />}
            </span>
            {one.version !== version && !off && (
              <Button
                onClick={() => {
                  take(one.policy)
                  toast(words.restored)
                }}
              >
                {words.restore}
                <span className="hidden"> {words.version(one.version, one.author)}</span>
              </Button>
            )}
          </li>
        ))}
      </ul>
    </details>
  )
}
