/** Who is logged in, who may be, and the own ways to sign in. */
import { useState } from 'react'
import { ROLES } from '../../../core/contract/access.ts'
import { ROUTES } from '../../../core/contract/api.ts'
import type { PersonItem, SessionItem } from '../../../core/contract/api-access.ts'
import { useBanyan } from '../../banyan.ts'
import { useMay } from '../../me.ts'
import { useRead, useWrite } from '../../read.ts'
import { useToast } from '../../toasts.ts'
import { Badge } from '../../ui/badge.tsx'
import { Button } from '../../ui/button.tsx'
import { Reading } from '../../ui/reading.tsx'
import { RelativeTime } from '../../ui/relative-time.tsx'
import { Select } from '../../ui/select.tsx'
import { Switch } from '../../ui/switch.tsx'
import { settings } from '../../words/settings.ts'
import { browserName } from './browser-name.ts'

const words = settings.people

export function People() {
  const may = useMay()
  return (
    <div className="settings-part">
      <Sessions />
      <Ways />
      {may('admin') && <Everybody />}
      {may('admin') && <WhoMay />}
    </div>
  )
}

function Sessions() {
  const may = useMay()
  const toast = useToast()
  const [everybody, setEverybody] = useState(false)
  const read = useRead(ROUTES.sessions, { query: { of: everybody ? 'everybody' : 'me' } })
  const end = useWrite(ROUTES.endSession, [ROUTES.sessions])
  const endOthers = useWrite(ROUTES.endOtherSessions, [ROUTES.sessions])
  const failed = (fault: Error) => toast(fault.message, { tone: 'bad' })
  return (
    <section className="settings-part" aria-labelledby="sessions">
      <div className="setting-head">
        <h2 id="sessions" className="grow">
          {words.sessions}
        </h2>
        {(read.data?.items.filter((one) => !one.current).length ?? 0) > 0 && !everybody && (
          <Button
            look="danger"
            disabled={endOthers.isPending}
            onClick={() => endOthers.mutate({}, { onSuccess: ({ ended }) => toast(words.endedOthers(ended)), onError: failed })}
          >
            {words.endOthers}
          </Button>
        )}
      </div>
      {may('admin') && <Switch label={words.everybody} on={everybody} set={setEverybody} />}
      <Reading read={read} label={settings.reading} failed={settings.failed} lines={2}>
        {({ items }) => (
          <ul className="setting-list">
            {items.map((one) => (
              <li key={one.id} className="setting-line">
                <div className="grow">
                  <strong>{deviceOf(one)}</strong> {one.current && <Badge tone="good">{words.current}</Badge>}
                  <p className="dim setting-note">
                    {everybody && `${one.by} · `}
                    {words.how[one.how] ?? words.byProvider(one.how)} · {words.seen} <RelativeTime at={one.lastSeenAt} />
                  </p>
                </div>
                {!one.current && (
                  <Button
                    disabled={end.isPending}
                    onClick={() => end.mutate({ params: { id: one.id } }, { onSuccess: () => toast(words.ended), onError: failed })}
                  >
                    {words.end}
                  </Button>
                )}
              </li>
            ))}
          </ul>
        )}
      </Reading>
    </section>
  )
}
function deviceOf(session: SessionItem): string {
  const found = browserName(session.userAgent)
  return found ? words.browser(found.browser, found.system) : words.unknownBrowser
}

function Ways() {
  const { api } = useBanyan()
  const toast = useToast()
  const me = useRead(ROUTES.me)
  const ways = useRead(ROUTES.loginWays)
  const unlink = useWrite(ROUTES.unlinkIdentity, [ROUTES.me, ROUTES.people])
  const failed = (fault: unknown) => toast((fault as Error).message, { tone: 'bad' })
  const link = (provider: string) => api.call(ROUTES.linkIdentity, { params: { provider } }).then(({ url }) => location.assign(url), failed)
  return (
    <section className="settings-part" aria-labelledby="ways">
      <h2 id="ways">{words.ways}</h2>
      <Reading read={ways} label={settings.reading} failed={settings.failed} lines={1}>
        {({ providers }) =>
          providers.length === 0 ? (
            <p className="dim">{words.waysNone}</p>
          ) : (
            <ul className="setting-list">
              {providers.map(({ id, name }) => {
                const own = me.data?.person.identities.find((one) => one.provider === id)
                return (
                  <li key={id} className="setting-line">
                    <div className="grow">
                      <strong>{name}</strong>
                      {own && (
                        <p className="dim setting-note">
                          {own.email} · {words.linked} <RelativeTime at={own.createdAt} />
                        </p>
                      )}
                    </div>
                    {own ? (
                      <Button
                        onClick={() =>
                          unlink.mutate({ params: { provider: id } }, { onSuccess: () => toast(words.unlinked(name)), onError: failed })
                        }
                      >
                        {words.unlink(name)}
                      </Button>
                    ) : (
                      <Button onClick={() => void link(id)}>{words.link(name)}</Button>
                    )}
                  </li>
                )
              })}
            </ul>
          )
        }
      </Reading>
    </section>
  )
}

function Everybody() {
  const read = useRead(ROUTES.people)
  return (
    <section className="settings-part" aria-labelledby="people">
      <h2 id="people">{words.people}</h2>
      <Reading read={read} label={settings.reading} failed={settings.failed} lines={2}>
        {({ items }) => (
          <ul className="setting-list">
            {items.map((one) => (
              <Person key={one.id} person={one} />
            ))}
          </ul>
        )}
      </Reading>
    </section>
  )
}

function Person({ person }: { person: PersonItem }) {
  const toast = useToast()
  const change = useWrite(ROUTES.changePerson, [ROUTES.people])
  const put = (body: { role?: 'member' | 'viewer'; disabled?: boolean }) =>
    change.mutate(
      { params: { id: person.id }, body },
      {
        onSuccess: () => toast(words.changed(person.name), { tone: 'good' }),
        onError: (fault) => toast(fault.message, { tone: 'bad' }),
      },
    )
  return (
    <li className="setting-line">
      <div className="grow">
        <strong>{person.name}</strong> {person.role === 'owner' && <Badge>{words.roles.owner}</Badge>}
        {person.disabled && <Badge tone="bad">{words.noAccess}</Badge>}
        <p className="dim setting-note">
          {person.email && `${person.email} · `}
          {words.lastLogin} {person.lastLoginAt ? <RelativeTime at={person.lastLoginAt} /> : settings.never}
        </p>
      </div>
      {person.role !== 'owner' && (
        <div className="setting-controls">
          <Select
            label={words.role(person.name)}
            value={person.role}
            disabled={change.isPending}
            options={ROLES.filter((role) => role !== 'owner').map((role) => ({
              value: role,
              label: words.roles[role],
              hint: words.rolesHint[role],
            }))}
            choose={(role) => put({ role: role === 'member' ? 'member' : 'viewer' })}
          />
          <Switch
            label={words.access(person.name)}
            on={!person.disabled}
            set={(on) => put({ disabled: !on })}
            disabled={change.isPending}
          />
        </div>
      )}
    </li>
  )
}

function WhoMay() {
  const read = useRead(ROUTES.settings)
  return (
    <section className="settings-part" aria-labelledby="who">
      <h2 id="who">{words.who}</h2>
      <Reading read={read} label={settings.reading} failed={settings.failed} lines={1}>
        {({ items }) => {
          const of = (id: string) => items.find((one) => one.id === id)
          const allowed = of('LOGIN_ALLOWED_EMAILS')
          const role = of('LOGIN_ROLE')?.value ?? 'member'
          return (
            <>
              {allowed?.value ? (
                <>
                  <ul className="chips">
                    {allowed.value.split(/[\s,;]+/).map((one) => (
                      <li key={one}>
                        <Badge>{one}</Badge>
                      </li>
                    ))}
                  </ul>
                  <p className="dim setting-note">{allowed.change}</p>
                </>
              ) : (
                <p className="dim">{words.whoNobody}</p>
              )}
              <p className="dim setting-note">{words.whoRole(role)}</p>
            </>
          )
        }}
      </Reading>
    </section>
  )
}
