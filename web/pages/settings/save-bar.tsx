/** What is changed and not saved, with the two ways on; somebody else's newer version is told before it is written over. */
import { useActions } from '../../actions.ts'
import { Button } from '../../ui/button.tsx'
import { Kbd } from '../../ui/kbd.tsx'
import { settings } from '../../words/settings.ts'
import type { PolicyForm } from './use-policy.ts'

export function SaveBar({ form, wrong }: { form: PolicyForm; wrong?: boolean }) {
  const maySave = form.changed && !form.conflict && !form.saving && !wrong
  useActions(maySave ? [{ id: 'settings.save', label: settings.save, group: settings.title, keys: 'mod+s', run: form.save }] : [])
  if (!form.changed) return null
  return (
    <div className="save-bar" role="status">
      <span className="grow">{form.conflict ? settings.policies.conflict : (form.fault ?? settings.unsaved)}</span>
      {!form.conflict && (
        <Button look="primary" disabled={!maySave} onClick={form.save}>
          {form.saving ? settings.saving : settings.save} <Kbd keys="mod+s" />
        </Button>
      )}
      <Button onClick={form.discard}>{form.conflict ? settings.policies.readNew : settings.discard}</Button>
    </div>
  )
}
