/** Where a goal is written: one box, one line of what is said beside it, and two ways to send it. */
import { Paperclip } from 'lucide-react'
import { useEffect, useId, useRef, useState } from 'react'
import { ROUTES } from '../../../core/contract/api.ts'
import type { Limits } from '../../../core/contract/limits.ts'
import { useActions } from '../../actions.ts'
import { newKey } from '../../api.ts'
import { useBanyan } from '../../banyan.ts'
import { useConnection } from '../../data/use-connection.ts'
import { useToast } from '../../toasts.ts'
import { useAct } from '../../ui/act.ts'
import { Button } from '../../ui/button.tsx'
import { Field } from '../../ui/field.tsx'
import { Kbd } from '../../ui/kbd.tsx'
import { Fault } from '../../ui/notice.tsx'
import { composer as words } from '../../words/composer.ts'
import { BudgetChip } from './budget-chip.tsx'
import { Chip } from './chip.tsx'
import { Choices, type Part } from './choices.tsx'
import { CopyPanel } from './copy-panel.tsx'
import { CriteriaChip } from './criteria-chip.tsx'
import { type Draft, fromTemplate, isEmpty, placesOf, sendingOf } from './draft.ts'
import { Files } from './files.tsx'
import { ModelChip } from './model-chip.tsx'
import { RulesChip } from './rules-chip.tsx'
import { useStarted } from './started.ts'
import { TemplateChip } from './template-chip.tsx'
import { UrlChip } from './url-chip.tsx'
import { useDraft } from './use-draft.ts'
import { useUploads } from './use-uploads.ts'

const PART_KEYS = [
  ['template', 'o t'],
  ['model', 'o m'],
  ['criteria', 'o d'],
  ['budget', 'o b'],
  ['approval', 'o k'],
  ['rules', 'o r'],
  ['priority', 'o p'],
  ['workspace', 'o w'],
  ['mode', 'o s'],
] as const

type Props = {
  /** Under which the draft is kept. */
  name: string
  begin?: Draft
  /** Takes the place of whatever draft is kept. */
  given?: Draft
  /** A past goal that is given again, with the caps and the model that it had. */
  from?: { id: string; limits: Limits; model?: string | undefined }
  focus?: boolean
}

export function Composer({ name, begin, given, from, focus }: Props) {
  const { api } = useBanyan()
  const { draft, change, seal, clear } = useDraft(name, begin, given)
  const uploads = useUploads(change)
  const started = useStarted()
  const toast = useToast()
  const { busy, fault, act } = useAct()
  const { connection } = useConnection()
  // A page that is just being loaded may send already: the call itself tells whether Banyan answers.
  const stale = connection === 'reconnecting' || connection === 'offline'
  const [part, setPart] = useState<Part | null>(null)
  const [dropping, setDropping] = useState(false)
  const [asked, setAsked] = useState(false)
  const box = useRef<HTMLTextAreaElement>(null)
  const picker = useRef<HTMLInputElement>(null)
  const id = useId()
  const last = useRef(false)

  const sending = sendingOf(draft, false)
  const waits = uploads.going.some((file) => file.fault === null)
  const ready = sending.ok && !waits && !stale && !busy
  const wrong = sending.ok ? '' : sending.wrong.why
  useEffect(() => {
    if (focus) box.current?.focus()
  }, [focus])

  const send = (plan: boolean) => {
    const now = sendingOf(draft, plan)
    setAsked(true)
    if (!now.ok || waits || stale || busy) return
    last.current = plan
    // One key for one text and one way: sending again after an answer that was lost finds the goal that was made.
    const key = draft.key.startsWith(plan ? 'p' : 'r') ? draft.key : `${plan ? 'p' : 'r'}${newKey()}`
    seal(key)
    void act(async () => {
      const headers = { 'idempotency-key': key }
      const submitted = from
        ? await api.call(ROUTES.fork, { params: { id: from.id }, body: now.body, headers })
        : await api.call(ROUTES.submitGoal, { body: now.body, headers })
      clear()
      setAsked(false)
      started(submitted, now.body.goal, plan)
    })
  }
  const wipe = () => {
    const before = draft
    clear()
    toast(words.cleared, { undo: () => change(() => before) })
    box.current?.focus()
  }

  const open = (which: Part) => () => setPart(which)
  const group = words.group
  useActions([
    { id: 'goal.write', label: words.write, group, keys: 'n', run: () => box.current?.focus() },
    { id: 'goal.run', label: words.run, group, keys: 'mod+enter', run: () => send(false) },
    { id: 'goal.plan', label: words.plan, group, keys: 'mod+shift+enter', run: () => send(true) },
    { id: 'goal.attach', label: words.attachAgain, group, keys: 'o a', run: () => picker.current?.click() },
    { id: 'goal.attachUrl', label: words.attachUrl, group, keys: 'o u', words: 'attach url', run: open('url') },
    ...PART_KEYS.map(([which, keys]) => ({ id: `goal.${which}`, label: words[which], group, keys, run: open(which) })),
    { id: 'goal.copy', label: words.copyAs, group, keys: 'o c', run: open('copy') },
    { id: 'goal.clear', label: words.clear, group, words: 'delete', run: wipe },
  ])

  const places = placesOf(draft)
  return (
    <form
      className={dropping ? 'composer composer-drop' : 'composer'}
      onSubmit={(event) => {
        event.preventDefault()
        send(false)
      }}
      onDragOver={(event) => {
        if (!event.dataTransfer.types.includes('Files')) return
        event.preventDefault()
        setDropping(true)
      }}
      onDragLeave={(event) => {
        if (!event.currentTarget.contains(event.relatedTarget as Node | null)) setDropping(false)
      }}
      onDrop={(event) => {
        setDropping(false)
        if (event.dataTransfer.files.length === 0) return
        event.preventDefault()
        uploads.add(event.dataTransfer.files)
      }}
    >
      <label htmlFor={id} className="composer-label">
        {words.label}
      </label>
      <textarea
        id={id}
        ref={box}
        value={draft.goal}
        rows={3}
        placeholder={words.placeholder}
        aria-invalid={!sending.ok && sending.wrong.field === 'goal' && wrong !== '' ? true : undefined}
        onChange={(event) => {
          const goal = event.target.value
          change((before) => ({ ...before, goal, ...(goal === '' ? { example: undefined, template: undefined } : {}) }))
        }}
        onPaste={(event) => {
          // A table copied from a spreadsheet is text and a picture of it; the text is meant.
          if (event.clipboardData.files.length === 0 || event.clipboardData.getData('text/plain') !== '') return
          event.preventDefault()
          uploads.add(event.clipboardData.files)
        }}
      />
      {dropping && <p className="composer-hint">{words.filesDrop}</p>}
      {places.length > 0 && (
        <fieldset className="places">
          <legend>{words.placesTitle}</legend>
          {places.map((place) => (
            <Field key={place} label={place}>
              {(field) => (
                <input
                  id={field}
                  value={draft.values[place] ?? ''}
                  autoComplete="off"
                  aria-required="true"
                  onChange={(event) => change((before) => ({ ...before, values: { ...before.values, [place]: event.target.value } }))}
                />
              )}
            </Field>
          ))}
        </fieldset>
      )}
      <Files files={draft.attachments} going={uploads.going} remove={uploads.remove} />
      <fieldset className="says">
        <legend className="hidden">{words.options}</legend>
        <TemplateChip
          draft={draft}
          use={(template) => {
            change((before) => fromTemplate(template, before))
            box.current?.focus()
          }}
          leave={() => change({ template: undefined, values: {} })}
          kept={(template) => change({ template })}
          open={part === 'template'}
          setOpen={(is) => setPart(is ? 'template' : null)}
        />
        <Chip
          icon={Paperclip}
          name={words.attach}
          value={draft.attachments.length > 0 ? words.attached(draft.attachments.length) : undefined}
          set={draft.attachments.length > 0}
          onClick={() => picker.current?.click()}
        />
        <input
          ref={picker}
          type="file"
          multiple
          hidden
          aria-label={words.attachAgain}
          onChange={(event) => {
            uploads.add(event.target.files ?? [])
            event.target.value = ''
          }}
        />
        <UrlChip fetch={uploads.fetchFrom} open={part === 'url'} setOpen={(is) => setPart(is ? 'url' : null)} />
        <ModelChip
          model={draft.model}
          before={from && (from.model ?? words.asBefore)}
          choose={(model) => change({ model })}
          open={part === 'model'}
          setOpen={(is) => setPart(is ? 'model' : null)}
        />
        <CriteriaChip
          criteria={draft.criteria}
          change={(criteria) => change({ criteria })}
          open={part === 'criteria'}
          setOpen={(is) => setPart(is ? 'criteria' : null)}
        />
        <BudgetChip
          budget={draft.budget}
          limits={from?.limits}
          change={(budget) => change({ budget })}
          open={part === 'budget'}
          setOpen={(is) => setPart(is ? 'budget' : null)}
        />
        <Choices draft={draft} change={change} again={from !== undefined} opened={part} show={setPart} />
        <RulesChip
          rules={draft.rules}
          change={(rules) => change({ rules })}
          open={part === 'rules'}
          setOpen={(is) => setPart(is ? 'rules' : null)}
        />
      </fieldset>
      {wrong !== '' && (asked || (!sending.ok && sending.wrong.field !== 'values')) && <Fault>{wrong}</Fault>}
      {fault && <Fault again={() => send(last.current)}>{`${words.failed} ${fault}`}</Fault>}
      {stale && !isEmpty(draft) && <p className="composer-hint">{words.offline}</p>}
      <div className="composer-foot">
        <CopyPanel
          sending={sending}
          files={draft.attachments.map((file) => file.name)}
          from={from?.id}
          open={part === 'copy'}
          setOpen={(is) => setPart(is ? 'copy' : null)}
        />
        {!isEmpty(draft) && (
          <Button look="quiet" small onClick={wipe}>
            {words.clear}
          </Button>
        )}
        <span className="grow" />
        <Button disabled={!ready} onClick={() => send(true)}>
          {words.plan} <Kbd keys="mod+shift+enter" />
        </Button>
        <Button type="submit" look="primary" disabled={!ready}>
          {busy ? (last.current ? words.planning : words.running) : words.run} <Kbd keys="mod+enter" />
        </Button>
      </div>
    </form>
  )
}
