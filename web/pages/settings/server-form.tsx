/** Adds a server, by its address or by the command that starts it. It is started once, so that its tools can be looked at. */
import { useState } from 'react'
import { ROUTES } from '../../../core/contract/api.ts'
import { useRead, useWrite } from '../../read.ts'
import { useToast } from '../../toasts.ts'
import { Button } from '../../ui/button.tsx'
import { Combobox } from '../../ui/combobox.tsx'
import { Field } from '../../ui/field.tsx'
import { servers } from '../../words/servers.ts'
import { settings } from '../../words/settings.ts'
import { Choice } from './choice.tsx'
import { linesOf, pairsOf, wordsOf } from './server-words.ts'

const words = servers.form
type Kind = keyof typeof words.kinds
const optionsOf = <T extends string>(labels: Readonly<Record<T, string>>) =>
  (Object.entries(labels) as [T, string][]).map(([value, label]) => ({ value, label }))

export function ServerForm({ close, added }: { close: () => void; added: (name: string) => void }) {
  const [kind, setKind] = useState<Kind>('url')
  const [name, setName] = useState('')
  const [at, setAt] = useState('')
  const [pairs, setPairs] = useState('')
  const [open, setOpen] = useState('')
  const [scope, setScope] = useState<'shared' | 'task'>('shared')
  const [isolation, setIsolation] = useState<'best' | 'plain'>('best')
  const [network, setNetwork] = useState('')
  const [folders, setFolders] = useState('')
  const [inner, setInner] = useState('')
  const [wrong, setWrong] = useState<string | null>(null)
  const toast = useToast()
  const secrets = useRead(ROUTES.secrets)
  const save = useWrite(ROUTES.addServer, [ROUTES.servers])
  const isUrl = kind === 'url'
  const submit = () => {
    const command = wordsOf(at)
    const values = pairsOf(pairs, isUrl ? ':' : '=')
    if (!isUrl && command === null) return setWrong(words.commandOpen)
    const publicEnv = pairsOf(isUrl ? '' : open, '=')
    for (const read of [values, publicEnv]) if (typeof read === 'string') return setWrong(words.pairWrong(read))
    if (typeof values === 'string' || typeof publicEnv === 'string') return
    setWrong(null)
    const walls = isolation === 'best'
    save.mutate(
      {
        body: {
          name: name.trim(),
          scope,
          ...(isUrl
            ? { url: at.trim(), headers: values, innerHosts: linesOf(inner) }
            : {
                command: command ?? [],
                env: values,
                publicEnv,
                isolation,
                network: walls ? linesOf(network) : [],
                folders: walls ? linesOf(folders).map((line) => ({ path: line.replace(/:rw$/, ''), write: line.endsWith(':rw') })) : [],
              }),
        },
      },
      {
        onSuccess: (server) => {
          if (server.problem === null || server.login === 'needed') toast(words.added(server.id, server.tools.pending), { tone: 'good' })
          else toast(words.addedFailing(server.id), { tone: 'bad' })
          added(server.id)
        },
      },
    )
  }
  return (
    <form
      className="setting-form"
      onSubmit={(event) => {
        event.preventDefault()
        submit()
      }}
    >
      <Choice
        label={words.kind}
        value={kind}
        options={optionsOf(words.kinds)}
        choose={(next) => {
          setKind(next)
          setAt('')
          setPairs('')
        }}
      />
      <Field label={words.name} hint={words.nameHint}>
        {(id, described) => (
          <input
            id={id}
            value={name}
            onChange={(event) => setName(event.target.value)}
            required
            maxLength={24}
            autoComplete="off"
            spellCheck={false}
            {...described}
          />
        )}
      </Field>
      <Field label={isUrl ? words.url : words.command} hint={isUrl ? words.urlHint : words.commandHint}>
        {(id, described) => (
          <input
            id={id}
            className="mono"
            value={at}
            type={isUrl ? 'url' : 'text'}
            onChange={(event) => setAt(event.target.value)}
            required
            autoComplete="off"
            spellCheck={false}
            {...described}
          />
        )}
      </Field>
      <Field label={isUrl ? words.headers : words.env} hint={isUrl ? words.headersHint : words.pairsHint} optional>
        {(id, described) => (
          <textarea
            id={id}
            className="mono"
            rows={2}
            value={pairs}
            onChange={(event) => setPairs(event.target.value)}
            autoComplete="off"
            spellCheck={false}
            {...described}
          />
        )}
      </Field>
      {(secrets.data?.items.length ?? 0) > 0 && (
        <Field label={words.secret} optional>
          {(id) => (
            <Combobox
              id={id}
              label={words.secret}
              value=""
              options={(secrets.data?.items ?? []).map((one) => ({ value: one.name, label: one.name }))}
              choose={(secret) =>
                setPairs([...linesOf(pairs), isUrl ? `Authorization: Bearer secret:${secret}` : `${secret}=secret:${secret}`].join('\n'))
              }
            />
          )}
        </Field>
      )}
      <details>
        <summary>{words.more}</summary>
        <div className="setting-form server-more">
          <Choice label={words.scope} value={scope} options={optionsOf(servers.scopes)} choose={setScope} />
          {isUrl ? (
            <Lines label={words.inner} hint={words.networkHint.split('.')[0]!} value={inner} set={setInner} />
          ) : (
            <>
              <Lines label={words.publicEnv} hint={words.publicEnvHint} value={open} set={setOpen} />
              <Choice label={words.isolation} value={isolation} options={optionsOf(words.isolations)} choose={setIsolation} />
              {isolation === 'best' && (
                <>
                  <Lines label={words.network} hint={words.networkHint} value={network} set={setNetwork} />
                  <Lines label={words.folders} hint={words.foldersHint} value={folders} set={setFolders} />
                </>
              )}
            </>
          )}
        </div>
      </details>
      {(wrong ?? save.error) && (
        <p className="field-error" role="alert">
          {wrong ?? save.error?.message}
        </p>
      )}
      <div className="actions">
        <Button type="submit" look="primary" disabled={save.isPending}>
          {save.isPending ? words.saving : words.save}
        </Button>
        <Button onClick={close}>{settings.cancel}</Button>
      </div>
    </form>
  )
}

function Lines(props: { label: string; hint: string; value: string; set: (value: string) => void }) {
  return (
    <Field label={props.label} hint={props.hint} optional>
      {(id, described) => (
        <textarea
          id={id}
          className="mono"
          rows={2}
          value={props.value}
          onChange={(event) => props.set(event.target.value)}
          spellCheck={false}
          {...described}
        />
      )}
    </Field>
  )
}
