/** Keys of the providers, checked before they are kept, and the models that answer. */
import { useState } from 'react'
import { ROUTES } from '../../../core/contract/api.ts'
import type { Answer } from '../../api.ts'
import { useBanyan } from '../../banyan.ts'
import { useMay } from '../../me.ts'
import { useRead, useWrite } from '../../read.ts'
import { useToast } from '../../toasts.ts'
import { Badge } from '../../ui/badge.tsx'
import { Button } from '../../ui/button.tsx'
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx'
import { Field } from '../../ui/field.tsx'
import { Reading } from '../../ui/reading.tsx'
import { settings } from '../../words/settings.ts'
import { DefaultModels } from './default-models.tsx'

const words = settings.providers
type Provider = Answer<typeof ROUTES.providers>['items'][number]
type Checked = Answer<typeof ROUTES.checkProvider>
const STALE = [ROUTES.providers, ROUTES.models, ROUTES.system, ROUTES.breakers]

export function Providers() {
  const read = useRead(ROUTES.providers)
  return (
    <div className="settings-part">
      <p className="dim">{words.intro}</p>
      <Reading read={read} label={settings.reading} failed={settings.failed} effect={settings.effect}>
        {({ items }) => (
          <ul className="stack">
            {items.map((one) => (
              <ProviderCard key={one.id} provider={one} />
            ))}
          </ul>
        )}
      </Reading>
      <DefaultModels />
    </div>
  )
}

function ProviderCard({ provider }: { provider: Provider }) {
  const { id, source, setting, baseUrl } = provider
  const name = words.names[id] ?? id
  const may = useMay()
  const toast = useToast()
  const check = useWrite(ROUTES.checkProvider)
  const remove = useWrite(ROUTES.removeProvider, STALE)
  const [form, setForm] = useState(false)
  const [asking, setAsking] = useState(false)
  return (
    <li className="card setting-card">
      <div className="setting-head">
        <h2>{name}</h2>
        <Badge tone={source === 'none' ? 'idle' : 'good'}>{words.sources[source]}</Badge>
        <span className="grow" />
        {!form && may('admin') && (
          <div className="actions">
            {source !== 'none' && (
              <Button disabled={check.isPending} onClick={() => check.mutate({ params: { id } })}>
                {check.isPending ? words.checking : words.check}
              </Button>
            )}
            {source !== 'environment' && (
              <Button onClick={() => setForm(true)}>
                {source === 'none' ? words.add : words.replace}
                <span className="hidden"> {name}</span>
              </Button>
            )}
            {source === 'stored' && (
              <Button look="danger" onClick={() => setAsking(true)}>
                {words.remove}
                <span className="hidden"> {name}</span>
              </Button>
            )}
          </div>
        )}
      </div>
      <p className="dim">
        <code>{baseUrl}</code>
      </p>
      {source === 'environment' && <p className="dim">{words.byEnvironment(setting)}</p>}
      {check.data && !form && <Outcome checked={check.data} />}
      {check.error && <p className="field-error">{check.error.message}</p>}
      {form && <KeyForm provider={provider} name={name} close={() => setForm(false)} />}
      <ConfirmDialog
        open={asking}
        setOpen={setAsking}
        title={words.removeAsk(name)}
        yes={words.remove}
        onYes={() =>
          remove.mutate(
            { params: { id } },
            {
              onSuccess: () => toast(words.removed(name)),
              onError: (fault) => toast(fault.message, { tone: 'bad' }),
            },
          )
        }
      >
        {words.removeMeaning}
      </ConfirmDialog>
    </li>
  )
}

function Outcome({ checked }: { checked: Checked }) {
  return (
    <p className={checked.status === 'works' ? 'outcome tone-good' : 'outcome tone-bad'} role="status">
      {checked.detail}
    </p>
  )
}

/** The provider is asked first; what it refuses is kept only when the person says so again. */
function KeyForm({ provider, name, close }: { provider: Provider; name: string; close: () => void }) {
  const { api } = useBanyan()
  const toast = useToast()
  const [key, setKey] = useState('')
  const [url, setUrl] = useState('')
  const [checked, setChecked] = useState<Checked | null>(null)
  const [busy, setBusy] = useState(false)
  const [fault, setFault] = useState<string | null>(null)
  const save = useWrite(ROUTES.saveProvider, STALE)
  const params = { id: provider.id }
  const body = { ...(key.trim() ? { key: key.trim() } : {}), ...(url.trim() ? { baseUrl: url.trim() } : {}) }
  const keep = async () => {
    await save.mutateAsync({ params, body })
    toast(words.saved(name), { tone: 'good' })
    close()
  }
  const submit = async (anyway: boolean) => {
    setBusy(true)
    setFault(null)
    try {
      const answer = anyway ? null : await api.call(ROUTES.checkProvider, { params, body })
      setChecked(answer)
      if (answer === null || answer.status === 'works') await keep()
    } catch (error) {
      setFault((error as Error).message)
    } finally {
      setBusy(false)
    }
  }
  const changed = (set: (value: string) => void) => (event: React.ChangeEvent<HTMLInputElement>) => {
    set(event.target.value)
    setChecked(null)
  }
  return (
    <form
      className="setting-form"
      onSubmit={(event) => {
        event.preventDefault()
        void submit(false)
      }}
    >
      <Field label={words.key} error={fault} {...(provider.id === 'openai' ? { hint: words.keyOptional, optional: true } : {})}>
        {(id, described) => (
          <input
            id={id}
            type="password"
            autoComplete="off"
            spellCheck={false}
            value={key}
            onChange={changed(setKey)}
            required={provider.id !== 'openai'}
            // biome-ignore lint/a11y/noAutofocus: the person has just asked for this field
            autoFocus
            {...described}
          />
        )}
      </Field>
      {provider.id !== 'openrouter' && (
        <Field label={words.url} hint={words.urlHint} optional>
          {(id, described) => (
            <input id={id} type="url" placeholder={provider.baseUrl} value={url} onChange={changed(setUrl)} {...described} />
          )}
        </Field>
      )}
      {checked && <Outcome checked={checked} />}
      <div className="actions">
        <Button type="submit" look="primary" disabled={busy}>
          {busy ? words.checking : words.checkAndSave}
        </Button>
        {checked && checked.status !== 'works' && (
          <Button disabled={busy} onClick={() => void submit(true)}>
            {words.saveAnyway}
          </Button>
        )}
        <Button look="quiet" onClick={close}>
          {settings.cancel}
        </Button>
      </div>
    </form>
  )
}
