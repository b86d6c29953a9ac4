/** Goals kept as templates: begin with one, keep this one, remove one. */
import { LayoutTemplate, Trash2 } from 'lucide-react'
import { useId, useState } from 'react'
import { ROUTES } from '../../../core/contract/api.ts'
import type { Template } from '../../../core/contract/api-templates.ts'
import { preview } from '../../format.ts'
import { sentence } from '../../live.ts'
import { useRead, useWrite } from '../../read.ts'
import { useToast } from '../../toasts.ts'
import { Button } from '../../ui/button.tsx'
import { ErrorState } from '../../ui/error-state.tsx'
import { IconButton } from '../../ui/icon-button.tsx'
import { Popover } from '../../ui/popover.tsx'
import { Skeleton } from '../../ui/skeleton.tsx'
import { composer as words } from '../../words/composer.ts'
import { kit } from '../../words/kit.ts'
import { Chip } from './chip.tsx'
import type { Draft } from './draft.ts'
import { KeepTemplate } from './keep-template.tsx'

type Props = {
  draft: Draft
  use: (template: Template) => void
  leave: () => void
  kept: (name: string) => void
  open: boolean
  setOpen: (open: boolean) => void
}

export function TemplateChip(props: Props) {
  const { draft, open, setOpen } = props
  return (
    <Popover
      label={words.templates}
      open={open}
      setOpen={setOpen}
      trigger={<Chip icon={LayoutTemplate} name={words.template} value={draft.template} set={draft.template !== undefined} />}
    >
      <div className="templates">
        <Choice {...props} />
      </div>
    </Popover>
  )
}

function Choice({ draft, use, leave, kept, setOpen }: Props) {
  const { data, error, refetch } = useRead(ROUTES.templates)
  const [typed, setTyped] = useState('')
  const id = useId()
  const wanted = typed.trim().toLowerCase()
  const fits = (data?.items ?? []).filter((one) => `${one.id} ${one.description} ${one.goal}`.toLowerCase().includes(wanted))
  const done = (act: () => void) => () => {
    act()
    setOpen(false)
  }
  if (error) return <ErrorState title={words.templatesFailed} cause={error.message} retry={() => void refetch()} />
  if (!data) return <Skeleton lines={3} label={kit.loading} />
  return (
    <>
      {data.items.length > 6 && (
        <>
          <label className="hidden" htmlFor={id}>
            {words.templateSearch}
          </label>
          <input
            id={id}
            type="search"
            value={typed}
            placeholder={words.templateSearch}
            onChange={(event) => setTyped(event.target.value)}
          />
        </>
      )}
      {data.items.length === 0 && <p className="dim">{words.templatesEmpty}</p>}
      {fits.length > 0 && (
        <ul className="template-list" aria-label={words.templates}>
          {fits.map((template) => (
            <li key={template.id}>
              <button
                type="button"
                className="template"
                aria-label={words.templateUse(template.id)}
                aria-pressed={template.id === draft.template}
                onClick={done(() => use(template))}
              >
                <strong>{template.id}</strong>
                <span className="dim">{template.description || preview(template.goal, 90)}</span>
                {template.variables.length > 0 && <span className="dim">{words.places(template.variables.length)}</span>}
              </button>
              <Remove template={template} />
            </li>
          ))}
        </ul>
      )}
      {data.items.length > 0 && fits.length === 0 && <p className="dim">{kit.nothingFits}</p>}
      <div className="actions">
        {draft.template !== undefined && (
          <Button small onClick={done(leave)}>
            {words.templateLeave}
          </Button>
        )}
      </div>
      {draft.goal.trim() !== '' && (
        <KeepTemplate draft={draft} there={data.items.map((one) => one.id)} kept={(name) => done(() => kept(name))()} />
      )}
    </>
  )
}

/** Gone at once, and back by the message that tells it. */
function Remove({ template }: { template: Template }) {
  const toast = useToast()
  const remove = useWrite(ROUTES.removeTemplate, [ROUTES.templates])
  const save = useWrite(ROUTES.saveTemplate, [ROUTES.templates])
  const bad = (cause: unknown) => toast(sentence(cause), { tone: 'bad' })
  const { id, variables: _, author: _author, createdAt: _made, updatedAt: _changed, ...body } = template
  return (
    <IconButton
      icon={Trash2}
      label={words.templateRemove(id)}
      disabled={remove.isPending}
      onClick={() =>
        remove
          .mutateAsync({ params: { id } })
          .then(() => toast(words.templateRemoved(id), { undo: () => void save.mutateAsync({ params: { id }, body }).catch(bad) }))
          .catch(bad)
      }
    />
  )
}
