/** Tokens for programs: made with what they may do, shown once, revoked. */
import { Ticket } from 'lucide-react'
import { useState } from 'react'
import { SCOPES, type Scope } from '../../../core/contract/access.ts'
import { ROUTES } from '../../../core/contract/api.ts'
import type { TokenItem } from '../../../core/contract/api-access.ts'
import { useActions } from '../../actions.ts'
import { useNow } from '../../banyan.ts'
import { useMay } from '../../me.ts'
import { useRead, useWrite } from '../../read.ts'
import { useToast } from '../../toasts.ts'
import { Badge } from '../../ui/badge.tsx'
import { Button } from '../../ui/button.tsx'
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx'
import { CopyButton } from '../../ui/copy-button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { EmptyState } from '../../ui/empty-state.tsx'
import { Field } from '../../ui/field.tsx'
import { Reading } from '../../ui/reading.tsx'
import { RelativeTime } from '../../ui/relative-time.tsx'
import { Select } from '../../ui/select.tsx'
import { Switch } from '../../ui/switch.tsx'
import { settings } from '../../words/settings.ts'

const words = settings.tokens
const DAY_MS = 86_400_000

export function Tokens() {
  const may = useMay()
  const [everybody, setEverybody] = useState(false)
  const [making, setMaking] = useState(false)
  const [made, setMade] = useState<{ name: string; token: string } | null>(null)
  const read = useRead(ROUTES.tokens, { query: { of: everybody ? 'everybody' : 'me' } })
  const now = useNow()
  useActions([{ id: 'tokens.add', label: words.add, group: settings.sections.tokens, keys: 'n', run: () => setMaking(true) }])
  const isOver = (one: TokenItem) => one.revokedAt !== null || (one.expiresAt !== null && Date.parse(one.expiresAt) <= now)
  return (
    <div className="settings-part">
      <div className="setting-head">
        <p className="dim grow">{words.intro}</p>
        <Button look="primary" onClick={() => setMaking(true)}>
          {words.add}
        </Button>
      </div>
      {made && (
        <section className="card made-token" aria-label={words.made(made.name)}>
          <h2>{words.made(made.name)}</h2>
          <p>{words.madeHint}</p>
          <div className="made-value">
            <input className="mono" readOnly value={made.token} aria-label={words.value} onFocus={(event) => event.target.select()} />
            <CopyButton text={made.token} label={words.copy} />
          </div>
          <div className="actions">
            <Button onClick={() => setMade(null)}>{words.done}</Button>
          </div>
        </section>
      )}
      {may('admin') && <Switch label={words.everybody} on={everybody} set={setEverybody} />}
      <Reading read={read} label={settings.reading} failed={settings.failed} effect={settings.effect}>
        {({ items }) => {
          const over = items.filter(isOver)
          const live = items.filter((one) => !isOver(one))
          return (
            <>
              {live.length === 0 ? (
                <EmptyState icon={Ticket} title={words.none}>
                  {words.noneHow}
                </EmptyState>
              ) : (
                <ul className="setting-list">
                  {live.map((one) => (
                    <Token key={one.id} token={one} everybody={everybody} />
                  ))}
                </ul>
              )}
              {over.length > 0 && (
                <details>
                  <summary>{words.old(over.length)}</summary>
                  <ul className="setting-list">
                    {over.map((one) => (
                      <Token key={one.id} token={one} everybody={everybody} over />
                    ))}
                  </ul>
                </details>
              )}
            </>
          )
        }}
      </Reading>
      <Dialog sends open={making} setOpen={setMaking} title={words.add}>
        <TokenForm
          close={() => setMaking(false)}
          made={(token) => {
            setMade(token)
            setMaking(false)
          }}
        />
      </Dialog>
    </div>
  )
}

function Token({ token, everybody, over }: { token: TokenItem; everybody: boolean; over?: boolean }) {
  const toast = useToast()
  const revoke = useWrite(ROUTES.revokeToken, [ROUTES.tokens])
  const [asking, setAsking] = useState(false)
  return (
    <li className="setting-line">
      <div className="grow">
        <strong className="mono">{token.name}</strong> {everybody && <span className="dim">{words.by(token.by)}</span>}
        <p className="chips">
          {token.scopes.map((scope) => (
            <Badge key={scope} tone={scope === 'admin' || scope === 'evolve' ? 'you' : 'idle'}>
              {scope}
            </Badge>
          ))}
        </p>
        <p className="dim setting-note">
          {token.lastUsedAt ? (
            <>
              {words.used} <RelativeTime at={token.lastUsedAt} />
            </>
          ) : (
            words.notUsed
          )}{' '}
          ·{' '}
          {token.revokedAt ? (
            <>
              {words.revoked} <RelativeTime at={token.revokedAt} />
            </>
          ) : token.expiresAt ? (
            <>
              {over ? words.ended : words.ends} <RelativeTime at={token.expiresAt} />
            </>
          ) : (
            words.noEnd
          )}
        </p>
      </div>
      {!over && (
        <Button look="danger" onClick={() => setAsking(true)}>
          {words.revoke}
          <span className="hidden"> {token.name}</span>
        </Button>
      )}
      <ConfirmDialog
        open={asking}
        setOpen={setAsking}
        title={words.revokeAsk(token.name)}
        yes={words.revoke}
        onYes={() =>
          revoke.mutate(
            { params: { id: token.id } },
            {
              onSuccess: () => toast(words.revokeDone(token.name)),
              onError: (fault) => toast(fault.message, { tone: 'bad' }),
            },
          )
        }
      >
        {words.revokeMeaning}
      </ConfirmDialog>
    </li>
  )
}

function TokenForm({ close, made }: { close: () => void; made: (token: { name: string; token: string }) => void }) {
  const may = useMay()
  const [name, setName] = useState('')
  const [scopes, setScopes] = useState<readonly Scope[]>(['read'])
  const [days, setDays] = useState('90')
  const make = useWrite(ROUTES.makeToken, [ROUTES.tokens])
  return (
    <form
      className="setting-form"
      onSubmit={(event) => {
        event.preventDefault()
        const expiresAt = days === '0' ? null : new Date(Date.now() + Number(days) * DAY_MS).toISOString()
        make.mutate(
          { body: { name: name.trim(), scopes: SCOPES.filter((scope) => scopes.includes(scope)), expiresAt } },
          { onSuccess: made },
        )
      }}
    >
      <Field label={words.name} hint={words.nameHint} error={make.error?.message ?? null}>
        {(id, described) => (
          <input
            id={id}
            value={name}
            onChange={(event) => setName(event.target.value)}
            required
            maxLength={64}
            autoComplete="off"
            {...described}
          />
        )}
      </Field>
      <fieldset className="checks-field">
        <legend>{words.scopes}</legend>
        {SCOPES.filter(may).map((scope) => (
          <label key={scope} className="check-line">
            <input
              type="checkbox"
              checked={scopes.includes(scope)}
              onChange={(event) => setScopes(event.target.checked ? beside(scope, scopes) : scopes.filter((one) => one !== scope))}
            />
            <span>
              <code>{scope}</code> <span className="dim">{words.scope[scope]}</span>
            </span>
          </label>
        ))}
        {scopes.length === 0 && <p className="field-error">{words.scopesNeeded}</p>}
      </fieldset>
      <Field label={words.expires}>
        {(id) => (
          <Select
            id={id}
            value={days}
            options={(['7', '30', '90', '365', '0'] as const).map((value) => ({ value, label: words.lives[value] }))}
            choose={setDays}
          />
        )}
      </Field>
      <div className="actions">
        <Button type="submit" look="primary" disabled={make.isPending || scopes.length === 0}>
          {words.make}
        </Button>
        <Button onClick={close}>{settings.cancel}</Button>
      </div>
    </form>
  )
}

/** The scope of outside agents stands alone. */
const beside = (scope: Scope, scopes: readonly Scope[]): readonly Scope[] =>
  scope === 'work' ? [scope] : [...scopes.filter((one) => one !== 'work'), scope]
