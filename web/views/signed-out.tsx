/** What somebody sees who has no session: every way to get one. The token is in a form that password managers know. */
import { type FormEvent, useEffect, useState } from 'react'
import { LOGIN_REFUSALS } from '../../core/contract/access.ts'
import { useBanyan } from '../banyan.ts'
import { Button } from '../ui/button.tsx'
import { Field } from '../ui/field.tsx'
import { Fault } from '../ui/notice.tsx'
import { signedOut as words } from '../words/signed-out.ts'

/** Why the login before did not work; only codes that we know become words. */
const refusalIn = (query: string): string | null => {
  const code = new URLSearchParams(query).get('login')
  return Object.entries(LOGIN_REFUSALS).find(([known]) => known === code)?.[1] ?? null
}

export function SignedOut() {
  const { api } = useBanyan()
  const [providers, setProviders] = useState<{ id: string; name: string }[]>([])
  const [fault, setFault] = useState(() => refusalIn(location.search))
  const [wrong, setWrong] = useState<string | null>(null)
  const [busy, setBusy] = useState(false)
  const here = `${location.pathname}${location.search}${location.hash}`
  const back = refusalIn(location.search) === null ? here : '/'

  useEffect(() => {
    const gone = new AbortController()
    api.loginWays().then(
      (ways) => gone.signal.aborted || setProviders(ways.providers),
      (error: Error) => gone.signal.aborted || setFault(error.message),
    )
    return () => gone.abort()
  }, [api])

  async function logIn(event: FormEvent<HTMLFormElement>): Promise<void> {
    event.preventDefault()
    const token = String(new FormData(event.currentTarget).get('token') ?? '').trim()
    setBusy(true)
    setWrong(null)
    try {
      await api.tokenLogin(token)
      location.replace(back)
    } catch (error) {
      setWrong((error as Error).message)
      setBusy(false)
    }
  }

  return (
    <div className="notice signed-out">
      <h1>{words.title}</h1>
      {fault && <Fault>{fault}</Fault>}
      {providers.map(({ id, name }) => (
        <a key={id} className="button primary" href={`/login/${encodeURIComponent(id)}?${new URLSearchParams({ return: back })}`}>
          {words.withProvider(name)}
        </a>
      ))}
      <form onSubmit={(event) => void logIn(event)}>
        <input type="text" name="username" autoComplete="username" defaultValue="owner" hidden readOnly tabIndex={-1} aria-hidden="true" />
        <Field label={words.token} hint={words.tokenHint} error={wrong}>
          {(id, described) => <input id={id} type="password" name="token" autoComplete="current-password" required {...described} />}
        </Field>
        <Button type="submit" look={providers.length > 0 ? 'plain' : 'primary'} disabled={busy}>
          {busy ? words.busy : words.logIn}
        </Button>
      </form>
      <p>
        {words.or} <code>npx banyan open</code> {words.link}
      </p>
      <Button look="quiet" onClick={() => location.reload()}>
        {words.done}
      </Button>
    </div>
  )
}
