/** The model that agents use by default, and the one that answers when it keeps failing. */
import { ROUTES } from '../../../core/contract/api.ts'
import type { ModelItem } from '../../../core/contract/api-models.ts'
import type { SettingItem } from '../../../core/contract/api-settings.ts'
import { useMay } from '../../me.ts'
import { useRead, useWrite } from '../../read.ts'
import { useToast } from '../../toasts.ts'
import { Button } from '../../ui/button.tsx'
import { Combobox } from '../../ui/combobox.tsx'
import { Field } from '../../ui/field.tsx'
import { Reading } from '../../ui/reading.tsx'
import { settings } from '../../words/settings.ts'
import { usd } from '../../words/words.ts'

const words = settings.providers
/** Stands for no choice; a model's id has no such sign. */
const NONE = '*none'

export function DefaultModels() {
  const may = useMay()
  const models = useRead(ROUTES.models, { query: { ready: '1' } })
  const list = useRead(ROUTES.settings, undefined, { when: may('admin') })
  if (!may('admin')) return null
  return (
    <section className="card setting-card" aria-labelledby="default-models">
      <h2 id="default-models">{words.models}</h2>
      <Reading read={list} label={settings.reading} failed={settings.failed} lines={2}>
        {({ items }) => (
          <div className="setting-pair">
            <Choice
              setting={items.find((one) => one.id === 'MODEL')}
              models={models.data?.items ?? []}
              label={words.model}
              hint={words.modelHint}
              none={words.automatic}
            />
            <Choice
              setting={items.find((one) => one.id === 'FALLBACK_MODEL')}
              models={models.data?.items ?? []}
              label={words.fallback}
              hint={words.fallbackHint}
              none={words.noFallback}
            />
          </div>
        )}
      </Reading>
    </section>
  )
}

function Choice(props: { setting: SettingItem | undefined; models: readonly ModelItem[]; label: string; hint: string; none: string }) {
  const { setting, models, label } = props
  const toast = useToast()
  const save = useWrite(ROUTES.saveSetting, [ROUTES.settings, ROUTES.models, ROUTES.system])
  if (!setting) return null
  const change = (value: string | null) => {
    const before = setting.source === 'stored' ? setting.value : null
    const put = (to: string | null, told: () => void) =>
      save.mutate(
        { params: { id: setting.id }, body: { value: to } },
        { onSuccess: told, onError: (fault) => toast(fault.message, { tone: 'bad' }) },
      )
    put(value, () => toast(settings.saved, { tone: 'good', undo: () => put(before, () => undefined) }))
  }
  const value = setting.value ?? NONE
  const options = [
    ...(setting.value === null ? [{ value: NONE, label: props.none }] : []),
    ...(models.some((one) => one.id === value) || value === NONE ? [] : [{ value, label: value }]),
    ...models.map((one) => ({ value: one.id, label: one.id, hint: priceOf(one) })),
  ]
  return (
    <div className="setting-choice">
      <Field label={label} hint={props.hint}>
        {(id) => (
          <Combobox
            id={id}
            label={label}
            value={value}
            options={options}
            disabled={save.isPending}
            choose={(chosen) => chosen !== value && change(chosen === NONE ? null : chosen)}
          />
        )}
      </Field>
      {setting.source === 'stored' ? (
        <p className="dim setting-note">
          {words.storedHere}{' '}
          <Button look="quiet" small onClick={() => change(null)}>
            {words.back}
          </Button>
        </p>
      ) : (
        setting.source !== 'default' && <p className="dim setting-note">{words.setIn(setting.id, setting.from ?? setting.source)}</p>
      )}
    </div>
  )
}

function priceOf(model: ModelItem): string {
  if (model.inputPerMillion === null || model.outputPerMillion === null) return words.unpriced
  if (model.inputPerMillion === 0 && model.outputPerMillion === 0) return words.free
  return words.price(usd(model.inputPerMillion * 1_000_000), usd(model.outputPerMillion * 1_000_000))
}
