/** What can be done with a goal from a list of goals. */
import { Ellipsis } from 'lucide-react'
import { useState } from 'react'
import { ROUTES, type TreeItem } from '../../../core/contract/api.ts'
import { isOver, titleOf } from '../../../core/contract/task.ts'
import { useBanyan } from '../../banyan.ts'
import { sentence } from '../../live.ts'
import { useWrite } from '../../read.ts'
import { useGo } from '../../route.ts'
import { useToast } from '../../toasts.ts'
import { Button } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { DropdownMenu } from '../../ui/dropdown-menu.tsx'
import { Field } from '../../ui/field.tsx'
import { composer } from '../../words/composer.ts'
import { goals as words } from '../../words/goals.ts'

export const againPath = (treeId: string): string => `/goals/new?from=${encodeURIComponent(treeId)}`

export function GoalMenu({ tree }: { tree: TreeItem }) {
  const { api } = useBanyan()
  const go = useGo()
  const toast = useToast()
  const [keeping, setKeeping] = useState(false)
  const title = titleOf(tree.goal)
  const stop = () => {
    api.control(tree.id, 'cancel').then(
      () => toast(composer.stopped),
      (cause: unknown) => toast(composer.notStopped(sentence(cause)), { tone: 'bad' }),
    )
  }
  return (
    <>
      <DropdownMenu
        trigger={
          <button type="button" className="quiet icon goal-more" aria-label={words.more(title)}>
            <Ellipsis aria-hidden="true" />
          </button>
        }
        items={[
          { kind: 'act', label: words.again, run: () => go(againPath(tree.id)) },
          { kind: 'act', label: words.keep, run: () => setKeeping(true) },
          ...(isOver(tree.status) ? [] : [{ kind: 'line' as const }, { kind: 'act' as const, label: words.stop, danger: true, run: stop }]),
        ]}
      />
      {keeping && <KeepDialog treeId={tree.id} close={() => setKeeping(false)} />}
    </>
  )
}

const NAME = /^[a-z][a-z0-9_-]{0,63}$/

function KeepDialog({ treeId, close }: { treeId: string; close: () => void }) {
  const [name, setName] = useState('')
  const [about, setAbout] = useState('')
  const keep = useWrite(ROUTES.keepAsTemplate, [ROUTES.templates])
  const toast = useToast()
  const save = () =>
    keep.mutate(
      { params: { id: treeId }, body: { name, ...(about.trim() ? { description: about.trim() } : {}) } },
      {
        onSuccess: () => {
          toast(words.kept(name), { tone: 'good' })
          close()
        },
      },
    )
  return (
    <Dialog sends open setOpen={close} title={words.keepTitle} description={words.keepHow}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault()
          if (NAME.test(name)) save()
        }}
      >
        <Field
          label={composer.templateName}
          hint={composer.templateNameHint}
          error={keep.error?.message ?? (name !== '' && !NAME.test(name) ? composer.templateNameHint : null)}
        >
          {(id, described) => (
            <input id={id} {...described} value={name} autoComplete="off" onChange={(event) => setName(event.target.value)} />
          )}
        </Field>
        <Field label={composer.templateAbout} optional>
          {(id) => <input id={id} value={about} maxLength={1_000} autoComplete="off" onChange={(event) => setAbout(event.target.value)} />}
        </Field>
        <div className="actions">
          <Button type="submit" look="primary" disabled={!NAME.test(name) || keep.isPending}>
            {composer.templateSave}
          </Button>
        </div>
      </form>
    </Dialog>
  )
}
