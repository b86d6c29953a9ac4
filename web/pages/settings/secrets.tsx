/** Secrets by name: set, granted, rotated, removed; never shown. */
import { Vault, X } from 'lucide-react'
import { useState } from 'react'
import { ROUTES, type SecretItem } from '../../../core/contract/api.ts'
import { titleOf } from '../../../core/contract/task.ts'
import { useActions } from '../../actions.ts'
import { useHomePart } from '../../data/use-home.ts'
import { useMay } from '../../me.ts'
import { useRead, useWrite } from '../../read.ts'
import { useToast } from '../../toasts.ts'
import { Button } from '../../ui/button.tsx'
import { Combobox } from '../../ui/combobox.tsx'
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { EmptyState } from '../../ui/empty-state.tsx'
import { Field } from '../../ui/field.tsx'
import { Reading } from '../../ui/reading.tsx'
import { RelativeTime } from '../../ui/relative-time.tsx'
import { settings } from '../../words/settings.ts'

const words = settings.secrets

export function Secrets() {
  const read = useRead(ROUTES.secrets, undefined, { follow: true })
  const may = useMay()
  const toast = useToast()
  const rotate = useWrite(ROUTES.rotateSecrets)
  /** Whose form is open: '' is a new one. */
  const [editing, setEditing] = useState<string | null>(null)
  const [rotating, setRotating] = useState(false)
  useActions(
    may('admin') ? [{ id: 'secrets.add', label: words.add, group: settings.sections.secrets, keys: 'n', run: () => setEditing('') }] : [],
  )
  const before = read.data?.items.find((one) => one.name === editing)
  return (
    <div className="settings-part">
      <div className="setting-head">
        <p className="dim grow">{words.intro}</p>
        {may('admin') && (
          <Button look="primary" onClick={() => setEditing('')}>
            {words.add}
          </Button>
        )}
      </div>
      <Reading read={read} label={settings.reading} failed={settings.failed} effect={settings.effect}>
        {({ items }) =>
          items.length === 0 ? (
            <EmptyState icon={Vault} title={words.none}>
              {words.noneHow}
            </EmptyState>
          ) : (
            <ul className="setting-list">
              {items.map((secret) => (
                <Secret key={secret.id} secret={secret} edit={() => setEditing(secret.name)} />
              ))}
            </ul>
          )
        }
      </Reading>
      {may('admin') && (
        <section className="card setting-card">
          <p className="dim">{words.rotateHint}</p>
          <div className="actions">
            <Button look="danger" onClick={() => setRotating(true)}>
              {words.rotate}
            </Button>
          </div>
        </section>
      )}
      <Dialog sends open={editing !== null} setOpen={(open) => !open && setEditing(null)} title={editing ? words.edit(editing) : words.add}>
        {editing !== null && <SecretForm key={editing} before={before} close={() => setEditing(null)} />}
      </Dialog>
      <ConfirmDialog
        open={rotating}
        setOpen={setRotating}
        title={`${words.rotate}?`}
        yes={words.rotate}
        word={words.rotateWord}
        onYes={() =>
          rotate.mutate(
            {},
            {
              onSuccess: ({ values }) => toast(words.rotated(values), { tone: 'good' }),
              onError: (fault) => toast(fault.message, { tone: 'bad' }),
            },
          )
        }
      >
        {words.rotateHint}
      </ConfirmDialog>
    </div>
  )
}

function Secret({ secret, edit }: { secret: SecretItem; edit: () => void }) {
  const may = useMay()
  const toast = useToast()
  const remove = useWrite(ROUTES.removeSecret, [ROUTES.secrets])
  const [asking, setAsking] = useState(false)
  const nameOf = useGrantName()
  return (
    <li className="setting-line">
      <div className="grow">
        <strong className="mono">{secret.name}</strong>
        {secret.description && <p>{secret.description}</p>}
        {!secret.readable && <p className="tone-bad">{words.unreadable}</p>}
        <p className="dim setting-note">
          {words.grants}: {secret.grants.length === 0 ? words.grantsNone : secret.grants.map(nameOf).join(', ')}
        </p>
        <p className="dim setting-note">
          {words.used} {secret.lastUsedAt ? <RelativeTime at={secret.lastUsedAt} /> : settings.never} · {words.changed}{' '}
          <RelativeTime at={secret.updatedAt} />
        </p>
      </div>
      {may('admin') && (
        <div className="actions">
          <Button onClick={edit}>
            {words.change}
            <span className="hidden"> {secret.name}</span>
          </Button>
          <Button look="danger" onClick={() => setAsking(true)}>
            {words.remove}
            <span className="hidden"> {secret.name}</span>
          </Button>
        </div>
      )}
      <ConfirmDialog
        open={asking}
        setOpen={setAsking}
        title={words.removeAsk(secret.name)}
        yes={words.remove}
        onYes={() =>
          remove.mutate(
            { params: { id: secret.name } },
            {
              onSuccess: () => toast(words.removed(secret.name)),
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

/** A grant as a person reads it; a goal by its words where the page knows them. */
function useGrantName(): (grant: string) => string {
  const trees = useHomePart((state) => state.trees)
  return (grant) => {
    const [kind, name = ''] = grant.split(/:(.*)/)
    if (kind === 'agent') return words.grantAgent(name)
    if (kind !== 'tree') return words.grantAll
    const goal = trees.find((tree) => tree.id === name)?.goal
    return words.grantTree(goal ? `“${titleOf(goal)}”` : name)
  }
}

function SecretForm({ before, close }: { before: SecretItem | undefined; close: () => void }) {
  const [name, setName] = useState(before?.name ?? '')
  const [value, setValue] = useState('')
  const [description, setDescription] = useState(before?.description ?? '')
  const [grants, setGrants] = useState<readonly string[]>(before?.grants ?? [])
  const toast = useToast()
  const save = useWrite(ROUTES.saveSecret, [ROUTES.secrets])
  const nameOf = useGrantName()
  const agents = useRead(ROUTES.agents)
  const trees = useHomePart((state) => state.trees)
  const newest = [...trees].sort((a, b) => b.createdAt.localeCompare(a.createdAt)).slice(0, 20)
  const open = ['*', ...(agents.data?.items ?? []).map((one) => `agent:${one.name}`), ...newest.map((one) => `tree:${one.id}`)].filter(
    (grant) => !grants.includes(grant),
  )
  return (
    <form
      className="setting-form"
      onSubmit={(event) => {
        event.preventDefault()
        save.mutate(
          {
            params: { id: name.trim() },
            body: { ...(value === '' ? {} : { value }), description: description.trim(), grants: [...grants] },
          },
          {
            onSuccess: () => {
              toast(settings.saved, { tone: 'good' })
              close()
            },
          },
        )
      }}
    >
      <Field label={words.name} hint={words.nameHint} error={before ? null : (save.error?.message ?? null)}>
        {(id, described) => (
          <input
            id={id}
            value={name}
            onChange={(event) => setName(event.target.value)}
            readOnly={before !== undefined}
            required
            autoComplete="off"
            spellCheck={false}
            {...described}
          />
        )}
      </Field>
      <Field
        label={words.value}
        error={before ? (save.error?.message ?? null) : null}
        {...(before ? { hint: words.valueKeep, optional: true } : {})}
      >
        {(id, described) => (
          <input
            id={id}
            type="password"
            value={value}
            onChange={(event) => setValue(event.target.value)}
            required={before === undefined}
            autoComplete="new-password"
            {...described}
          />
        )}
      </Field>
      <Field label={words.description} optional>
        {(id) => <input id={id} value={description} onChange={(event) => setDescription(event.target.value)} maxLength={1000} />}
      </Field>
      <Field label={words.grants} {...(grants.length === 0 ? { hint: words.grantsNone } : {})}>
        {(id) => (
          <Combobox
            id={id}
            label={words.grantAdd}
            value=""
            options={open.map((grant) => ({ value: grant, label: nameOf(grant) }))}
            choose={(grant) => setGrants([...grants, grant])}
          />
        )}
      </Field>
      {grants.length > 0 && (
        <ul className="chips" aria-label={words.grants}>
          {grants.map((grant) => (
            <li key={grant}>
              <Button
                small
                className="grant"
                onClick={() => setGrants(grants.filter((one) => one !== grant))}
                aria-label={words.grantTake(nameOf(grant))}
              >
                {nameOf(grant)} <X aria-hidden="true" />
              </Button>
            </li>
          ))}
        </ul>
      )}
      <div className="actions">
        <Button type="submit" look="primary" disabled={save.isPending}>
          {save.isPending ? settings.saving : settings.save}
        </Button>
        <Button onClick={close}>{settings.cancel}</Button>
      </div>
    </form>
  )
}
