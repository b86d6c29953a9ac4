/** One setting that holds from the moment it is saved, and the way back to what the environment says. */
import { useState } from 'react'
import { ROUTES } from '../../../core/contract/api.ts'
import type { SettingItem } from '../../../core/contract/api-settings.ts'
import { useWrite } from '../../read.ts'
import { useToast } from '../../toasts.ts'
import { Button } from '../../ui/button.tsx'
import { Field } from '../../ui/field.tsx'
import { settings } from '../../words/settings.ts'

const words = settings.runtime
const STALE = [ROUTES.settings, ROUTES.queue, ROUTES.models, ROUTES.system, ROUTES.spend]

export function ChangeSetting({ setting, label }: { setting: SettingItem; label: string }) {
  const toast = useToast()
  const save = useWrite(ROUTES.saveSetting, STALE)
  const [typed, setTyped] = useState(setting.value ?? '')
  const put = (value: string | null) =>
    save.mutate({ params: { id: setting.id }, body: { value } }, { onSuccess: () => toast(settings.saved, { tone: 'good' }) })
  const changed = typed.trim() !== (setting.value ?? '')
  return (
    <form
      className="setting-live"
      onSubmit={(event) => {
        event.preventDefault()
        if (changed) put(typed.trim() || null)
      }}
    >
      <Field label={label} error={save.error?.message ?? null}>
        {(id, described) => (
          <input
            id={id}
            value={typed}
            placeholder={words.notSet}
            onChange={(event) => setTyped(event.target.value)}
            autoComplete="off"
            {...described}
          />
        )}
      </Field>
      <div className="actions">
        <Button type="submit" look={changed ? 'primary' : 'plain'} disabled={!changed || save.isPending}>
          {settings.save}
          <span className="hidden"> {setting.id}</span>
        </Button>
        {setting.source === 'stored' && (
          <Button look="quiet" disabled={save.isPending} onClick={() => put(null)}>
            {words.back}
          </Button>
        )}
      </div>
    </form>
  )
}
