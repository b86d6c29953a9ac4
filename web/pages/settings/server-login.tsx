/** A login with OAuth: the server is asked where its login page is, a person sees the address, and opens it in a tab of its own. */
import { useEffect, useState } from 'react'
import { ROUTES } from '../../../core/contract/api.ts'
import type { ServerDetail } from '../../../core/contract/api-servers.ts'
import { useActions } from '../../actions.ts'
import { useWrite } from '../../read.ts'
import { Button } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { Field } from '../../ui/field.tsx'
import { Fault } from '../../ui/notice.tsx'
import { servers as words } from '../../words/servers.ts'
import { settings } from '../../words/settings.ts'

export function ServerLogin({ server }: { server: ServerDetail }) {
  const [open, setOpen] = useState(false)
  const [clientId, setClientId] = useState('')
  const [clientSecret, setClientSecret] = useState('')
  const begin = useWrite(ROUTES.loginServer)
  const isNeeded = server.login === 'needed'
  const show = () => {
    begin.reset()
    setOpen(true)
  }
  useActions(isNeeded ? [{ id: 'server.login', label: words.login, group: settings.sections.servers, keys: 'l', run: show }] : [])
  // The login comes back in another tab; the live line tells this one.
  useEffect(() => {
    if (!isNeeded) setOpen(false)
  }, [isNeeded])
  const url = begin.data?.url
  const host = url === undefined ? null : webHost(url)
  if (!isNeeded) return null
  return (
    <>
      <Button look="primary" onClick={show}>
        {words.login}
      </Button>
      <Dialog sends open={open} setOpen={setOpen} title={words.loginTitle(server.id)} description={words.loginHow}>
        {url === undefined ? (
          <form
            className="setting-form"
            onSubmit={(event) => {
              event.preventDefault()
              const id = clientId.trim()
              begin.mutate({
                params: { id: server.id },
                body: id === '' ? {} : { clientId: id, ...(clientSecret === '' ? {} : { clientSecret }) },
              })
            }}
          >
            <details>
              <summary>{words.loginOwn}</summary>
              <div className="setting-form server-more">
                <Field label={words.clientId} optional>
                  {(id) => <input id={id} value={clientId} autoComplete="off" onChange={(event) => setClientId(event.target.value)} />}
                </Field>
                <Field label={words.clientSecret} hint={words.clientSecretHint} optional>
                  {(id, described) => (
                    <input
                      id={id}
                      type="password"
                      value={clientSecret}
                      autoComplete="new-password"
                      onChange={(event) => setClientSecret(event.target.value)}
                      {...described}
                    />
                  )}
                </Field>
              </div>
            </details>
            {begin.error && <Fault>{begin.error.message}</Fault>}
            <div className="actions">
              <Button type="submit" look="primary" disabled={begin.isPending}>
                {words.loginBegin}
              </Button>
            </div>
          </form>
        ) : host === null ? (
          <Fault>{words.loginUnsafe}</Fault>
        ) : (
          <div className="setting-form">
            <p>
              {words.loginAt} <strong className="mono server-host">{host}</strong>
            </p>
            <p className="dim">{words.loginThen}</p>
            <div className="actions">
              <a className="button primary" href={url} target="_blank" rel="noopener noreferrer">
                {words.loginOpen}
              </a>
              {/* An address works once: after a refusal only a new one leads anywhere. */}
              <Button onClick={() => begin.reset()}>{words.loginAgain}</Button>
            </div>
          </div>
        )}
      </Dialog>
    </>
  )
}

/** The host of a web address; null: it is none, and pressing it could run something. */
function webHost(url: string): string | null {
  const read = URL.canParse(url) ? new URL(url) : null
  return read && /^https?:$/.test(read.protocol) ? read.host : null
}
