/** Connects a program: a token of its own, the exact text for its settings, and word of its first call. */
import { useRef, useState } from 'react'
import type { Scope } from '../../../core/contract/access.ts'
import { ROUTES } from '../../../core/contract/api.ts'
import { CLIENT, CLIENTS, snippet } from '../../../core/contract/mcp-clients.ts'
import { useActions } from '../../actions.ts'
import { useMay } from '../../me.ts'
import { useRead, useWrite } from '../../read.ts'
import { Button } from '../../ui/button.tsx'
import { CopyButton } from '../../ui/copy-button.tsx'
import { Field } from '../../ui/field.tsx'
import { Fault } from '../../ui/notice.tsx'
import { Select } from '../../ui/select.tsx'
import { Drawn } from '../../ui/shape.tsx'
import { clients as words } from '../../words/clients.ts'
import { settings } from '../../words/settings.ts'

const DAY_MS = 86_400_000
const LIVES_DAYS = 365
const PROGRAMS = [...CLIENTS, 'inspector', 'other'] as const
type Program = (typeof PROGRAMS)[number]
const titleOf = (program: Program): string =>
  program === 'inspector' || program === 'other' ? words.others[program] : CLIENT[program].title
const SCOPES_OF: Readonly<Record<keyof typeof words.mays, Scope[]>> = {
  read: ['read'],
  goals: ['read', 'goals:write'],
  decide: ['read', 'goals:write', 'review:decide'],
  work: ['work'],
}
type Made = { id: string; token: string; program: Program; works: boolean }

export function Connect() {
  const may = useMay()
  const [program, setProgram] = useState<Program>('claude-code')
  const [rights, setRights] = useState<keyof typeof words.mays>('goals')
  const [made, setMade] = useState<Made | null>(null)
  const make = useWrite(ROUTES.makeToken, [ROUTES.tokens])
  const place = useRef<HTMLElement>(null)
  const start = () =>
    make.mutate(
      {
        body: {
          name: `${program}-${crypto.getRandomValues(new Uint16Array(1))[0]!.toString(36)}`,
          scopes: SCOPES_OF[rights],
          expiresAt: new Date(Date.now() + LIVES_DAYS * DAY_MS).toISOString(),
        },
      },
      { onSuccess: ({ id, token }) => setMade({ id, token, program, works: rights === 'work' }) },
    )
  useActions([
    {
      id: 'clients.connect',
      label: words.connect,
      group: settings.sections.clients,
      keys: 'n',
      run: () => (made ? setMade(null) : place.current?.querySelector<HTMLElement>('button')?.focus()),
    },
  ])
  if (made) return <Ready made={made} close={() => setMade(null)} />
  const allowed = (Object.keys(SCOPES_OF) as (keyof typeof SCOPES_OF)[]).filter((one) => SCOPES_OF[one].every(may))
  return (
    <section ref={place} className="card setting-card" aria-labelledby="connect">
      <h2 id="connect">{words.connect}</h2>
      <div className="setting-pair">
        <Field label={words.program}>
          {(id) => (
            <Select
              id={id}
              value={program}
              options={PROGRAMS.map((value) => ({ value, label: titleOf(value) }))}
              choose={(value) => setProgram(value as Program)}
            />
          )}
        </Field>
        <Field label={words.may}>
          {(id) => (
            <Select
              id={id}
              value={rights}
              options={allowed.map((value) => ({ value, label: words.mays[value] }))}
              choose={(value) => setRights(value as keyof typeof words.mays)}
            />
          )}
        </Field>
      </div>
      {make.error && <Fault>{make.error.message}</Fault>}
      <div className="actions">
        <Button look="primary" disabled={make.isPending} onClick={start}>
          {make.isPending ? words.making : words.make}
        </Button>
      </div>
    </section>
  )
}

function Ready({ made, close }: { made: Made; close: () => void }) {
  const { program, token } = made
  const url = `${location.origin}/mcp`
  const header = `Bearer ${token}`
  const read = useRead(ROUTES.mcpClients, undefined, { follow: true })
  const seen = read.data?.items.find((one) => one.token?.id === made.id)
  const known = program === 'inspector' || program === 'other' ? null : CLIENT[program]
  const entry = known?.entry({ kind: 'http', url, headers: { Authorization: header } }) ?? null
  const install = `BANYAN_TOKEN=${token} npx banyan mcp install ${program}`
  return (
    <section className={`card setting-card client-ready ${seen ? 'client-connected' : ''}`} aria-label={words.connectOne(titleOf(program))}>
      <h2>{words.connectOne(titleOf(program))}</h2>
      <p>{words.once}</p>
      {known === null ? (
        <>
          <p>{program === 'inspector' ? words.forInspector : words.forOther}</p>
          <Block label={words.address} text={url} />
          <Block label={words.header} text={`Authorization: ${header}`} />
        </>
      ) : entry === null ? (
        <>
          <p>{words.byCommand}</p>
          <Block label={titleOf(program)} text={install} />
        </>
      ) : (
        <>
          <p>{words.into(known.file({ home: '~', platform: platformHere(), env: {} }))}</p>
          <Block label={titleOf(program)} text={snippet(known, 'banyan', entry).trimEnd()} />
          <details>
            <summary>{words.orCommand}</summary>
            <Block label={words.orCommand} text={install} />
          </details>
        </>
      )}
      {made.works && <p>{words.forWork}</p>}
      <p className="client-first" role="status">
        <span className={`status tone-${seen ? 'good' : 'wait'}`}>
          <span className="shape" aria-hidden="true">
            <Drawn shape={seen ? '✓' : '⧗'} />
          </span>
          <span className="word">{seen ? words.connected(`${seen.name} ${seen.version}`.trim()) : words.waiting}</span>
        </span>
        {!seen && <span className="dim setting-note">{words.waitingHow}</span>}
      </p>
      <div className="actions">
        <Button look={seen ? 'primary' : 'plain'} onClick={close}>
          {seen ? words.another : words.done}
        </Button>
      </div>
    </section>
  )
}

function Block({ label, text }: { label: string; text: string }) {
  return (
    <div className="client-block">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it may scroll, and keys must be able to */}
      <section tabIndex={0} aria-label={label}>
        <pre className="text">{text}</pre>
      </section>
      <CopyButton text={text} label={words.copy} />
    </div>
  )
}

/** The system of whoever looks: most connect a program on the same machine. */
function platformHere(): string {
  const { userAgent } = navigator
  return /Windows/.test(userAgent) ? 'win32' : /Mac OS/.test(userAgent) ? 'darwin' : 'linux'
}
