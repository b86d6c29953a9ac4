/** What stands in place of every page for somebody without a session: every way to get one, and back to where they were. */
import { KeyRound } from 'lucide-react'
import { type FormEvent, useState } from 'react'
import { LOGIN_REFUSALS } from '../../../core/contract/access.ts'
import { ROUTES } from '../../../core/contract/api.ts'
import { useBanyan } from '../../banyan.ts'
import { useRead } from '../../read.ts'
import { Button } from '../../ui/button.tsx'
import { CopyButton } from '../../ui/copy-button.tsx'
import { Field } from '../../ui/field.tsx'
import { Fault } from '../../ui/notice.tsx'
import { login as words } from '../../words/login.ts'

/** Why the login before did not work; only codes that we know become words. */
const refusalIn = (query: string): string | null => {
  const code = new URLSearchParams(query).get('login')
  return Object.entries(LOGIN_REFUSALS).find(([known]) => known === code)?.[1] ?? null
}
const OPEN = 'npx banyan open'

export function Login() {
  const { api } = useBanyan()
  const ways = useRead(ROUTES.loginWays)
  const [wrong, setWrong] = useState<string | null>(null)
  const [busy, setBusy] = useState(false)
  const refusal = refusalIn(location.search)
  const here = `${location.pathname}${location.search}${location.hash}`
  const back = refusal === null ? here : '/'
  const providers = ways.data?.providers ?? []

  async function logIn(event: FormEvent<HTMLFormElement>): Promise<void> {
    event.preventDefault()
    const token = String(new FormData(event.currentTarget).get('token') ?? '').trim()
    setBusy(true)
    setWrong(null)
    try {
      await api.tokenLogin(token)
      // An address with a # in it is not loaded anew by going to it.
      if (back === here) location.reload()
      else location.replace(back)
    } catch (error) {
      setWrong((error as Error).message)
      setBusy(false)
    }
  }

  return (
    <div className="login">
      <div className="login-card">
        <img src="/favicon.svg" alt="" width="44" height="44" />
        <h1>{words.title}</h1>
        {back !== '/' && <p className="dim">{words.back}</p>}
        {refusal && <Fault>{refusal}</Fault>}
        {ways.error && <Fault again={() => void ways.refetch()}>{ways.error.message}</Fault>}
        {providers.length > 0 && (
          <>
            <div className="login-providers">
              {providers.map(({ id, name }) => (
                <a key={id} className="button primary" href={`/login/${encodeURIComponent(id)}?${new URLSearchParams({ return: back })}`}>
                  {words.withProvider(name)}
                </a>
              ))}
            </div>
            <p className="login-or">{words.orToken}</p>
          </>
        )}
        <form onSubmit={(event) => void logIn(event)}>
          {/* A password manager keeps a token by the name beside it. */}
          <input
            type="text"
            name="username"
            autoComplete="username"
            defaultValue="owner"
            hidden
            readOnly
            tabIndex={-1}
            aria-hidden="true"
          />
          <Field label={words.token} hint={words.tokenHint} error={wrong}>
            {(id, described) => <input id={id} type="password" name="token" autoComplete="current-password" required {...described} />}
          </Field>
          <Button type="submit" look={providers.length > 0 ? 'plain' : 'primary'} disabled={busy}>
            <KeyRound aria-hidden="true" /> {busy ? words.busy : words.logIn}
          </Button>
        </form>
        <details className="login-help" open={providers.length === 0}>
          <summary>{words.noToken}</summary>
          <p>{words.link}</p>
          <p className="login-command">
            <code>{OPEN}</code> <CopyButton text={OPEN} />
          </p>
          <Button look="quiet" onClick={() => location.reload()}>
            {words.done}
          </Button>
        </details>
      </div>
    </div>
  )
}
