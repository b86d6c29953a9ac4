/** What is unsaved, what is wrong with it and what it costs, with the acts on it; at the bottom of the screen while there is something. */
import { CircleCheck, TriangleAlert } from 'lucide-react'
import { useState } from 'react'
import type { Validation } from '../../../core/contract/api-registry.ts'
import { useActions } from '../../actions.ts'
import { useLive } from '../../banyan.ts'
import { useGo } from '../../route.ts'
import { useToast } from '../../toasts.ts'
import { useAct } from '../../ui/act.ts'
import { Button } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { DiffView } from '../../ui/diff-view.tsx'
import { Kbd } from '../../ui/kbd.tsx'
import { Fault } from '../../ui/notice.tsx'
import { library } from '../../words/library.ts'
import { shell } from '../../words/shell.ts'
import type { Draft } from './draft.ts'
import { type Body, type DetailOf, entryPath, isStale, type Kind, NEW, useEntryActs } from './entries.ts'
import { filesOf } from './files.ts'

export function SaveBar<K extends Kind>(props: {
  kind: K
  id: string
  item: DetailOf[K] | null
  draft: Draft<K>
  validation: Validation | null
}) {
  const { kind, id, item, draft, validation } = props
  const acts = useEntryActs(kind)
  const { busy, fault, act, forget } = useAct()
  const toast = useToast()
  const go = useGo()
  const connection = useLive((state) => state.connection)
  const [comparing, setComparing] = useState(false)
  const isNew = id === NEW
  const open = isNew || draft.dirty.length > 0
  const may = open && !busy && draft.conflicts.length === 0 && validation?.ok !== false
  const save = () => {
    if (!may) return
    void act(async () => {
      try {
        const made = await acts.save(draft.body, draft.from)
        draft.discard()
        if (isNew) go(entryPath(kind, made.name), 'replace')
        const before = draft.from
        toast(library.saved(made.name, made.version), {
          tone: 'good',
          ...(before === null
            ? {}
            : { undo: () => void act(() => acts.restore(id, before).then(() => toast(library.savedBack, { tone: 'good' }))) }),
        })
      } catch (cause) {
        // The newer version is read by now, and the page shows the two beside each other: that says more than the refusal.
        if (!isStale(cause)) throw cause
      }
    })
  }
  useActions(open ? [{ id: 'entry.save', label: library.save, group: library.group, keys: 'mod+s', run: save }] : [])
  const errors = validation?.problems.filter((problem) => problem.level === 'error').length ?? 0
  const warnings = validation?.problems.filter((problem) => problem.level === 'warning').length ?? 0
  if (!open && !fault) return null
  return (
    <section className="save-bar" aria-label={isNew ? library.unsavedNew : library.unsaved(draft.dirty.length)}>
      {fault && <Fault>{fault}</Fault>}
      <div className="save-line">
        <p className="save-words">
          <strong>{isNew ? library.unsavedNew : library.unsaved(draft.dirty.length)}</strong>
          <span className="dim">{connection === 'live' ? library.kept : `${shell.connection[connection]} · ${library.kept}`}</span>
          <span className={errors > 0 ? 'tone-bad' : warnings > 0 ? 'tone-you' : 'tone-good'} role="status">
            {errors + warnings > 0 ? <TriangleAlert aria-hidden="true" /> : <CircleCheck aria-hidden="true" />}{' '}
            {validation === null
              ? library.checking
              : errors > 0
                ? library.errors(errors)
                : warnings > 0
                  ? library.warnings(warnings)
                  : library.ok}
          </span>
        </p>
        <div className="actions">
          {!isNew && (
            <Button onClick={() => setComparing(true)} className="wide-only">
              {library.review}
            </Button>
          )}
          <Button
            disabled={busy}
            onClick={() => {
              forget()
              draft.discard()
              toast(library.discarded, { undo: () => draft.set(draft.body) })
              if (isNew) go(entryPath(kind))
            }}
          >
            {library.discard}
          </Button>
          <Button look="primary" disabled={!may} onClick={save}>
            {busy ? library.saving : isNew ? library.create : library.saveAs((item?.version ?? 0) + 1)} <Kbd keys="mod+s" />
          </Button>
        </div>
      </div>
      {item && (
        <Dialog open={comparing} setOpen={setComparing} title={library.review} size="large">
          <DiffView files={filesOf(kind, item as unknown as Body<K>, draft.body)} />
        </Dialog>
      )}
    </section>
  )
}
