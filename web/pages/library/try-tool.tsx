/** One call of a tool with arguments that a person fills in, and its answer. */
import { FlaskConical } from 'lucide-react'
import { useMemo, useRef, useState } from 'react'
import { ROUTES } from '../../../core/contract/api.ts'
import type { Tried } from '../../../core/contract/api-trials.ts'
import { useActions } from '../../actions.ts'
import { useBanyan } from '../../banyan.ts'
import { duration } from '../../format.ts'
import { useGo } from '../../route.ts'
import { readLocal, writeLocal } from '../../theme.ts'
import { useAct } from '../../ui/act.ts'
import { AnsiText } from '../../ui/ansi-text.tsx'
import { Badge } from '../../ui/badge.tsx'
import { Button } from '../../ui/button.tsx'
import { CodeEditor } from '../../ui/code-editor.tsx'
import { CopyButton } from '../../ui/copy-button.tsx'
import { EmptyState } from '../../ui/empty-state.tsx'
import { Kbd } from '../../ui/kbd.tsx'
import { Link } from '../../ui/link.tsx'
import { Fault } from '../../ui/notice.tsx'
import { library } from '../../words/library.ts'
import { reviewPath } from '../reviews/queue.ts'
import { ArgsForm } from './args-form.tsx'
import type { Editing } from './entry-page.tsx'
import { RunView } from './run-view.tsx'
import { argsOf, inputOf, type Typed, typedOf } from './schema.ts'

const words = library.tryTool
const keyOf = (id: string) => `banyan-try-tool-${id}`

export function TryTool({ editing }: { editing: Editing<'tool'> }) {
  const { id, item, ask, to } = editing
  const { api } = useBanyan()
  const args = useMemo(() => argsOf(item?.inputSchema ?? null), [item?.inputSchema])
  const [json, setJson] = useState(() => readLocal(keyOf(id)) || '{}')
  const [typed, setTyped] = useState<Typed>(() => typedOf(args, objectIn(json) ?? {}).typed)
  const [asJson, setAsJson] = useState(() => typedOf(args, objectIn(json) ?? {}).unknown.length > 0)
  const [shown, setShown] = useState(false)
  const [tried, setTried] = useState<Tried | null>(null)
  const { busy, fault, act } = useAct()
  const go = useGo()
  const answer = useRef<HTMLDivElement>(null)
  const formed = inputOf(args, typed)
  const input = asJson ? objectIn(json) : Object.keys(formed.problems).length === 0 ? formed.input : null
  const run = () => {
    setShown(true)
    if (input === null || busy || !item?.enabled) return
    writeLocal(keyOf(id), JSON.stringify(input))
    setTried(null)
    void act(async () => {
      const made = await api.call(ROUTES.tryTool, { params: { id }, body: { input } })
      setTried(made)
      go(to({ run: made.treeId }), 'replace')
      // Below the form on a narrow screen, where nobody would see that it came.
      if (matchMedia('(max-width: 64rem)').matches) requestAnimationFrame(() => answer.current?.scrollIntoView())
    })
  }
  const turn = (next: boolean) => {
    if (next === asJson) return
    if (next) setJson(JSON.stringify(formed.input, null, 2))
    else {
      const read = objectIn(json)
      if (read === null) return setShown(true)
      setTyped(typedOf(args, read).typed)
    }
    setAsJson(next)
  }
  useActions([{ id: 'entry.try', label: library.keys.try, group: library.group, keys: 'mod+enter', run }])
  if (!item?.inputSchema) return <p className="empty">{library.tool.noFile}</p>
  const fresh = tried !== null && tried.treeId === ask.run ? tried : null
  return (
    <div className="try-two">
      <form
        className="card stack"
        onSubmit={(event) => {
          event.preventDefault()
          run()
        }}
      >
        <div className="editor-head">
          <h2>{library.tool.schema}</h2>
          <fieldset className="segments" aria-label={words.mode}>
            <button type="button" aria-pressed={!asJson} onClick={() => turn(false)}>
              {words.form}
            </button>
            <button type="button" aria-pressed={asJson} onClick={() => turn(true)}>
              {words.json}
            </button>
          </fieldset>
        </div>
        <p className="dim field-hint">{words.how}</p>
        {asJson ? (
          <>
            <CodeEditor label={words.jsonLabel} language="json" value={json} most={24} onChange={setJson} />
            {shown && input === null && (
              <p className="field-error" role="alert">
                {words.badJson}
              </p>
            )}
          </>
        ) : (
          <ArgsForm
            args={args}
            typed={typed}
            set={(name, text) => setTyped((all) => ({ ...all, [name]: text }))}
            problems={shown ? formed.problems : {}}
          />
        )}
        <div className="actions">
          <Button type="submit" look="primary" disabled={busy || !item.enabled}>
            {busy ? words.running : words.run} <Kbd keys="mod+enter" />
          </Button>
        </div>
        {!item.enabled && <p className="field-warning">{words.switchedOff}</p>}
        {fault && <Fault>{fault}</Fault>}
      </form>
      <div className="stack answer" ref={answer} aria-live="polite">
        {fresh && <Answer tried={fresh} />}
        {ask.run && fresh?.state !== 'ended' && <RunView key={ask.run} treeId={ask.run} title={id} />}
        {!ask.run && (
          <EmptyState icon={FlaskConical} title={words.empty}>
            {words.emptyHow}
          </EmptyState>
        )}
      </div>
    </div>
  )
}

function Answer({ tried }: { tried: Tried }) {
  if (tried.state !== 'ended') {
    const asks = tried.state === 'asks'
    return (
      <section className={asks ? 'card stack answer-asks' : 'card stack'}>
        <h2>{asks ? words.asks : words.still}</h2>
        <p>{asks ? words.asksHow : words.stillHow}</p>
        {asks && (
          <Link to={tried.reviewId === null ? '/reviews' : reviewPath(tried.reviewId)} className="button primary">
            {words.decide}
          </Link>
        )}
      </section>
    )
  }
  const text = tried.text ?? ''
  return (
    <section className="card stack">
      <div className="editor-head">
        <h2>{words.ended}</h2>
        <span className="facts answer-facts">
          <Badge tone={tried.ok ? 'good' : 'bad'}>{tried.ok ? words.ok : words.failed}</Badge>
          {tried.ms !== null && words.took(duration(tried.ms))}
          {text !== '' && <CopyButton text={text} />}
        </span>
      </div>
      {text === '' ? <p className="dim">{words.emptyAnswer}</p> : <AnsiText text={text} />}
    </section>
  )
}

function objectIn(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : null
  } catch {
    return null // said at the field
  }
}
