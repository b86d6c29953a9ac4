/** All that an agent is: its instruction beside its settings. What is wrong stands at the field while it is typed. */
import { useId, useState } from 'react'
import { ROUTES } from '../../../core/contract/api.ts'
import { useRead } from '../../read.ts'
import { CodeEditor } from '../../ui/code-editor.tsx'
import { Combobox } from '../../ui/combobox.tsx'
import { Field } from '../../ui/field.tsx'
import type { Option } from '../../ui/select.tsx'
import { Switch } from '../../ui/switch.tsx'
import { library } from '../../words/library.ts'
import { entryPath, useEntries } from './entries.ts'
import type { Editing } from './entry-page.tsx'
import { type Choice, Picker } from './picker.tsx'
import { problemsOf } from './problems.ts'
import { NameAndDescription, NumberField } from './text-fields.tsx'

const words = library.fields

export function AgentForm({ editing }: { editing: Editing<'agent'> }) {
  const { item, draft, validation } = editing
  const { body, set } = draft
  const tools = useEntries('tool')
  const documents = useEntries('document')
  const models = useModels(body.model)
  const title = useId()
  const fresh = item === null
  const instruction = problemsOf(validation, 'instruction', fresh && body.instruction === '')
  const model = problemsOf(validation, 'model')
  const choices = (items: readonly { name: string; description: string; enabled: boolean }[] | undefined): Choice[] =>
    items?.map(({ name, description, enabled }) => ({ value: name, about: description, off: !enabled })) ?? []
  return (
    <div className="form-two">
      <div className="stack">
        <NameAndDescription kind="agent" editing={editing} />
        <section className="stack" aria-labelledby={title}>
          <div className="editor-head">
            <h2 id={title}>{words.instruction}</h2>
            {validation?.tokens && (
              <span className="facts" title={library.tokensHint}>
                <strong>{library.tokens(validation.tokens.prompt + validation.tokens.tools)}</strong>{' '}
                {library.tokensParts(validation.tokens.prompt, validation.tokens.tools)}
              </span>
            )}
          </div>
          <p className="dim field-hint">{words.instructionHint}</p>
          <CodeEditor
            label={words.instruction}
            value={body.instruction}
            language="markdown"
            most={38}
            onChange={(text) => set({ instruction: text })}
          />
          {(instruction.error ?? instruction.warning) && (
            <p className={instruction.error ? 'field-error' : 'field-warning'} role="alert">
              {instruction.error ?? instruction.warning}
            </p>
          )}
        </section>
      </div>
      <div className="settings">
        <Field label={words.model} hint={words.modelHint} error={model.error ?? model.warning}>
          {(id) => <Combobox id={id} label={words.model} value={body.model} options={models} choose={(value) => set({ model: value })} />}
        </Field>
        <Picker
          label={words.tools}
          hint={words.toolsHint}
          chosen={body.tools}
          choices={choices(tools.data?.items.filter((tool) => !tool.core))}
          set={(chosen) => set({ tools: chosen })}
          problems={problemsOf(validation, 'tools')}
          pathOf={(name) => entryPath('tool', name)}
        />
        <Picker
          label={words.documents}
          hint={words.documentsHint}
          chosen={body.documents}
          choices={choices(documents.data?.items)}
          set={(chosen) => set({ documents: chosen })}
          problems={problemsOf(validation, 'documents')}
          pathOf={(name) => entryPath('document', name)}
        />
        <Switch label={words.web} hint={words.webHint} on={body.web_search_allowed} set={(on) => set({ web_search_allowed: on })} />
        <fieldset className="limits">
          <legend>{words.limits}</legend>
          <NumberField
            label={words.max_turns}
            field="max_turns"
            value={body.max_turns}
            set={(value) => value !== undefined && set({ max_turns: value })}
            validation={validation}
          />
          <NumberField
            label={words.timeout_seconds}
            field="timeout_seconds"
            value={body.timeout_seconds}
            set={(value) => set({ timeout_seconds: value })}
            validation={validation}
            optional
          />
          <NumberField
            label={words.max_output_tokens}
            field="max_output_tokens"
            value={body.max_output_tokens}
            set={(value) => value !== undefined && set({ max_output_tokens: value })}
            validation={validation}
          />
        </fieldset>
        <Capabilities
          value={body.capabilities}
          set={(capabilities) => set({ capabilities })}
          error={problemsOf(validation, 'capabilities').error}
        />
        <Switch label={words.watcher} hint={words.watcherHint} on={body.watcher} set={(on) => set({ watcher: on })} />
        {fresh && <Switch label={words.enabled} hint={words.enabledHint} on={body.enabled} set={(on) => set({ enabled: on })} />}
      </div>
    </div>
  )
}

/** Words with commas between; read when the field is left, so that a comma that is typed stays. */
function Capabilities({ value, set, error }: { value: readonly string[]; set: (words: string[]) => void; error: string | null }) {
  const joined = value.join(', ')
  const [typed, setTyped] = useState<string | null>(null)
  const read = (text: string) => [...new Set(text.split(',').map((word) => word.trim()))].filter(Boolean)
  return (
    <Field label={words.capabilities} hint={words.capabilitiesHint} error={error} optional>
      {(id, described) => (
        <input
          id={id}
          {...described}
          value={typed ?? joined}
          autoComplete="off"
          onChange={(event) => {
            setTyped(event.target.value)
            set(read(event.target.value))
          }}
          onBlur={() => setTyped(null)}
        />
      )}
    </Field>
  )
}

/** What there is to choose from, and what is chosen even if nobody sells it any more. */
function useModels(chosen: string): Option[] {
  const { data } = useRead(ROUTES.models)
  const normal = data?.items.find((model) => model.isDefault)
  const known: Option[] = [
    { value: 'default', label: 'default', ...(normal ? { hint: normal.id } : {}) },
    { value: 'playbook', label: 'playbook', hint: library.playbookHint },
    ...(data?.items.filter((model) => model.id !== 'playbook').map((model) => ({ value: model.id, label: model.id, ...hintOf(model) })) ??
      []),
  ]
  return known.some((option) => option.value === chosen) ? known : [...known, { value: chosen, label: chosen }]
}
function hintOf(model: { inputPerMillion: number | null; outputPerMillion: number | null; keyPresent: boolean }): { hint?: string } {
  const hint = [
    model.inputPerMillion === null || model.outputPerMillion === null ? '' : library.prices(model.inputPerMillion, model.outputPerMillion),
    model.keyPresent ? '' : library.noKey,
  ].filter(Boolean)
  return hint.length > 0 ? { hint: hint.join(' · ') } : {}
}
