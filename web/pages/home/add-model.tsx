/** How a model is added: one sentence and a field whose key is tried at the provider while it is pasted. */
import { Check, KeyRound } from 'lucide-react'
import { useEffect, useState } from 'react'
import { ROUTES } from '../../../core/contract/api.ts'
import { useBanyan } from '../../banyan.ts'
import { sentence } from '../../live.ts'
import { useRead, useWrite } from '../../read.ts'
import { useToast } from '../../toasts.ts'
import { Button } from '../../ui/button.tsx'
import { ErrorState } from '../../ui/error-state.tsx'
import { Field } from '../../ui/field.tsx'
import { Select } from '../../ui/select.tsx'
import { addModel as words } from '../../words/home.ts'

/** A pause in typing after which the provider is asked. */
const TYPING_MS = 500
const KEY = /^[\x21-\x7e]{8,1000}$/

export function AddModel({ first }: { first: boolean }) {
  const [open, setOpen] = useState(first)
  if (!open)
    return (
      <p className="add-model-line">
        <Button look="quiet" small onClick={() => setOpen(true)}>
          <KeyRound aria-hidden="true" /> {words.open}
        </Button>
      </p>
    )
  return (
    <section className="card add-model" aria-labelledby="add-model">
      <header>
        <h2 id="add-model">{words.title}</h2>
        {!first && (
          <Button look="quiet" small onClick={() => setOpen(false)}>
            {words.later}
          </Button>
        )}
      </header>
      <p>{words.how}</p>
      <KeyForm done={() => setOpen(false)} />
    </section>
  )
}

type Checked = { status: 'none' | 'short' | 'checking' | 'works' } | { status: 'wrong'; detail: string }

function KeyForm({ done }: { done: () => void }) {
  const { live } = useBanyan()
  const toast = useToast()
  const { data, error, refetch } = useRead(ROUTES.providers)
  const [provider, setProvider] = useState('anthropic')
  const [key, setKey] = useState('')
  const [baseUrl, setBaseUrl] = useState('')
  const save = useWrite(ROUTES.saveProvider, [ROUTES.providers, ROUTES.models])
  const chosen = data?.items.find((item) => item.id === provider)
  const own = provider === 'openai'
  const given = { ...(key === '' ? {} : { key }), ...(own && baseUrl.trim() !== '' ? { baseUrl: baseUrl.trim() } : {}) }
  const check = useKeyCheck(provider, given)

  if (error) return <ErrorState title={words.failed} cause={error.message} retry={() => void refetch()} />
  const keep = () => {
    if (check.status !== 'works') return
    save.mutate(
      { params: { id: provider }, body: given },
      {
        onSuccess: () => {
          setKey('')
          toast(words.saved(words.providers[provider] ?? provider), { tone: 'good' })
          // What drives the agents is told with the system, which is read when the line is taken up.
          live.wake()
          done()
        },
      },
    )
  }
  return (
    <form
      className="key-form"
      onSubmit={(event) => {
        event.preventDefault()
        keep()
      }}
    >
      <Field label={words.provider}>
        {(id) => (
          <Select
            id={id}
            value={provider}
            options={Object.entries(words.providers).map(([value, label]) => ({ value, label }))}
            choose={setProvider}
          />
        )}
      </Field>
      <Field label={words.key} {...(own ? { hint: words.keyOptional } : {})} error={wrongOf(check)}>
        {(id, described) => (
          <input
            id={id}
            {...described}
            type="password"
            autoComplete="off"
            spellCheck={false}
            value={key}
            onChange={(event) => setKey(event.target.value.trim())}
          />
        )}
      </Field>
      {own && (
        <Field label={words.address} hint={words.addressHint} optional>
          {(id, described) => (
            <input
              id={id}
              {...described}
              type="url"
              value={baseUrl}
              autoComplete="off"
              onChange={(event) => setBaseUrl(event.target.value)}
            />
          )}
        </Field>
      )}
      <p className="key-state" role="status">
        {check.status === 'checking' && words.checking}
        {check.status === 'works' && (
          <span className="tone-good">
            <Check aria-hidden="true" /> {words.works}
          </span>
        )}
        {chosen?.source === 'environment' && words.environment(chosen.setting)}
      </p>
      {save.error && <ErrorState title={words.refused} cause={save.error.message} />}
      <Button type="submit" look="primary" disabled={check.status !== 'works' || save.isPending || chosen?.source === 'environment'}>
        {save.isPending ? words.saving : words.save}
      </Button>
    </form>
  )
}

const wrongOf = (check: Checked): string | null => (check.status === 'short' ? words.short : check.status === 'wrong' ? check.detail : null)

/** What the provider says of what is typed, asked after a pause; an answer to what was typed before is thrown away. */
function useKeyCheck(provider: string, given: { key?: string; baseUrl?: string }): Checked {
  const { api } = useBanyan()
  const [check, setCheck] = useState<Checked>({ status: 'none' })
  const { key, baseUrl } = given
  useEffect(() => {
    if (key === undefined && baseUrl === undefined) return setCheck({ status: 'none' })
    if (key !== undefined && !KEY.test(key)) return setCheck({ status: 'short' })
    const control = new AbortController()
    setCheck({ status: 'checking' })
    const timer = setTimeout(() => {
      const body = { ...(key === undefined ? {} : { key }), ...(baseUrl === undefined ? {} : { baseUrl }) }
      api.call(ROUTES.checkProvider, { params: { id: provider }, body, signal: control.signal }).then(
        ({ status, detail }) => setCheck(status === 'works' ? { status } : { status: 'wrong', detail: `${words[status]} ${detail}` }),
        (cause: unknown) => {
          if (!control.signal.aborted) setCheck({ status: 'wrong', detail: sentence(cause) })
        },
      )
    }, TYPING_MS)
    return () => {
      clearTimeout(timer)
      control.abort()
    }
  }, [api, provider, key, baseUrl])
  return check
}
