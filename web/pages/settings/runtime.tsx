/** Every setting with its value, where that comes from, and how it is changed: here at once, or by which variable. */
import { FileSearch, Search } from 'lucide-react'
import { useDeferredValue, useId, useState } from 'react'
import { ROUTES } from '../../../core/contract/api.ts'
import type { SettingItem } from '../../../core/contract/api-settings.ts'
import { useRead } from '../../read.ts'
import { Badge } from '../../ui/badge.tsx'
import { EmptyState } from '../../ui/empty-state.tsx'
import { Reading } from '../../ui/reading.tsx'
import { settings } from '../../words/settings.ts'
import { ChangeSetting } from './change-setting.tsx'

const words = settings.runtime

export function Runtime() {
  const read = useRead(ROUTES.settings)
  const id = useId()
  const [typed, setTyped] = useState('')
  const asked = useDeferredValue(typed).toLowerCase().split(/\s+/).filter(Boolean)
  const fits = (one: SettingItem) => asked.every((word) => `${one.id} ${one.about}`.toLowerCase().includes(word))
  return (
    <div className="settings-part">
      <p className="dim">{words.intro}</p>
      <div className="search-box">
        <Search aria-hidden="true" />
        <label className="hidden" htmlFor={id}>
          {words.search}
        </label>
        <input
          id={id}
          type="search"
          value={typed}
          placeholder={words.searchPlaceholder}
          onChange={(event) => setTyped(event.target.value)}
        />
      </div>
      <Reading read={read} label={settings.reading} failed={settings.failed} effect={settings.effect} lines={8}>
        {({ items }) => {
          const live = items.filter((one) => one.live && fits(one))
          const rest = items.filter((one) => !one.live && fits(one))
          if (live.length + rest.length === 0) return <EmptyState icon={FileSearch} title={words.none} />
          return (
            <>
              {live.length > 0 && (
                <section className="settings-part" aria-labelledby="live-settings">
                  <h2 id="live-settings">{words.live}</h2>
                  <ul className="setting-list">
                    {live.map((one) => (
                      <LiveSetting key={`${one.id} ${one.value}`} setting={one} />
                    ))}
                  </ul>
                </section>
              )}
              {rest.length > 0 && (
                <section className="settings-part" aria-labelledby="start-settings">
                  <h2 id="start-settings">{words.restart}</h2>
                  <ul className="setting-list">
                    {rest.map((one) => (
                      <li key={one.id} className="setting-line">
                        <About setting={one} />
                        <Value setting={one} />
                      </li>
                    ))}
                  </ul>
                </section>
              )}
            </>
          )
        }}
      </Reading>
    </div>
  )
}

function About({ setting }: { setting: SettingItem }) {
  return (
    <div className="grow">
      <strong className="mono">{setting.id}</strong>
      <p className="dim setting-note">{setting.about}</p>
      {!setting.live && setting.source !== 'default' && <p className="dim setting-note">{setting.change}</p>}
    </div>
  )
}

function Value({ setting }: { setting: SettingItem }) {
  return (
    <div className="setting-value">
      {setting.secret && setting.value !== null ? (
        <span>{words.secret}</span>
      ) : setting.value === null ? (
        <span className="dim">{words.notSet}</span>
      ) : (
        <code>{setting.value}</code>
      )}
      {(setting.value !== null || setting.source !== 'default') && (
        <span title={setting.from ?? undefined}>
          <Badge tone={setting.source === 'default' ? 'idle' : 'run'}>{words.sources[setting.source]}</Badge>
        </span>
      )}
    </div>
  )
}

function LiveSetting({ setting }: { setting: SettingItem }) {
  return (
    <li className="setting-line">
      <About setting={setting} />
      <ChangeSetting setting={setting} label={words.change(setting.id)} />
    </li>
  )
}
