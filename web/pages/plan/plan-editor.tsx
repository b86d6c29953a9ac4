/** A plan with what a person does to it. Edits stay here until they are saved; only what the server has can be approved. */
import { useEffect, useRef, useState } from 'react'
import { ROUTES } from '../../../core/contract/api.ts'
import type { Plan } from '../../../core/contract/api-plans.ts'
import { flatten, type PlanItem, plainPlan } from '../../../core/contract/plan.ts'
import { useActions } from '../../actions.ts'
import { useBanyan } from '../../banyan.ts'
import { useConnection } from '../../data/use-connection.ts'
import { useWrite } from '../../read.ts'
import { treePath, useGo } from '../../route.ts'
import { useToast } from '../../toasts.ts'
import { useAct } from '../../ui/act.ts'
import { Button } from '../../ui/button.tsx'
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx'
import { Fault } from '../../ui/notice.tsx'
import { plan as words } from '../../words/plan.ts'
import { Decided, Outlook } from './outlook.tsx'
import { PlanTree } from './plan-tree.tsx'

const same = (a: readonly PlanItem[], b: readonly PlanItem[]) => JSON.stringify(plainPlan(a)) === JSON.stringify(plainPlan(b))

export function PlanEditor({ plan }: { plan: Plan }) {
  const { api } = useBanyan()
  const go = useGo()
  const toast = useToast()
  const { stale } = useConnection()
  const save = useWrite(ROUTES.savePlan, [ROUTES.plan])
  const { busy, fault, act, forget } = useAct()
  /** The plan that the edits began with. */
  const [base, setBase] = useState(plan)
  const [steps, setSteps] = useState<readonly (readonly PlanItem[])[]>([])
  const [asking, setAsking] = useState<'changes' | 'reject' | null>(null)
  const comment = useRef<HTMLTextAreaElement>(null)
  const items = steps.at(-1) ?? base.items
  const dirty = steps.length > 0 && !same(items, base.items)
  const moved = plan.hash !== base.hash
  const open = plan.state !== 'decided'

  // What others changed is shown at once where nothing is at stake.
  useEffect(() => {
    if (!dirty && moved) {
      setBase(plan)
      setSteps([])
    }
    if (!dirty && !moved && plan.state !== base.state) setBase(plan)
  }, [dirty, moved, plan, base.state])

  const edit = (next: readonly PlanItem[]) => {
    forget()
    setSteps((before) => [...before, next])
  }
  const undo = () => setSteps((before) => before.slice(0, -1))
  const keep = async () => {
    const saved = await save.mutateAsync({ params: { id: plan.id }, body: { hash: base.hash, items: plainPlan(items) } })
    setBase(saved)
    setSteps([])
    return saved
  }
  const saveNow = () => act(() => keep().then(() => toast(words.saved, { tone: 'good' })))
  const approve = () =>
    act(async () => {
      const { hash } = dirty ? await keep() : base
      await api.decide(plan.reviewId, { decision: 'approve', actionHash: hash })
      toast(words.approved, { tone: 'good' })
      go(treePath(plan.treeId))
    })
  const decide = (decision: 'changes' | 'reject', said?: string) =>
    act(async () => {
      await api.decide(plan.reviewId, { decision, actionHash: plan.hash, ...(said ? { comment: said } : {}) })
      setSteps([])
      setAsking(null)
      if (decision === 'reject') go(treePath(plan.treeId))
    })

  useActions(
    open
      ? [
          { id: 'plan.approve', label: words.approve, group: words.group, keys: 'mod+enter', run: () => void approve() },
          { id: 'plan.save', label: words.save, group: words.group, keys: 'mod+s', run: () => dirty && void saveNow() },
          { id: 'plan.undo', label: words.undo, group: words.group, keys: 'u', run: undo },
          { id: 'plan.changes', label: words.changes, group: words.group, keys: 'c', run: () => setAsking('changes') },
          { id: 'plan.reject', label: words.reject, group: words.group, keys: 'r', run: () => setAsking('reject') },
        ]
      : [],
  )

  return (
    <div className="plan-panes">
      <section aria-labelledby="plan-parts" className="plan-parts">
        <h2 id="plan-parts">
          {words.parts} <span className="dim">{words.part(flatten(items).length)}</span>
        </h2>
        {moved && dirty && (
          <Fault
            again={() => {
              setBase(plan)
              setSteps([])
            }}
          >
            {words.moved}
          </Fault>
        )}
        <PlanTree items={items} edit={open && !stale ? edit : null} />
      </section>
      <aside className="plan-side" aria-label={words.hash}>
        <Outlook plan={base} changed={dirty} />
        {open ? (
          <div className="plan-acts">
            {dirty && <p className="dim">{words.unsaved}</p>}
            {stale && <p className="dim">{words.stale}</p>}
            {fault && <Fault>{fault}</Fault>}
            <Button look="primary" disabled={busy || stale || (moved && dirty)} onClick={() => void approve()}>
              {busy ? words.approving : words.approve}
            </Button>
            {dirty && (
              <div className="actions">
                <Button disabled={busy || stale} onClick={() => void saveNow()}>
                  {words.save}
                </Button>
                <Button look="quiet" onClick={undo}>
                  {words.undo}
                </Button>
                <Button
                  look="quiet"
                  onClick={() => {
                    const before = steps
                    setSteps([])
                    toast(words.discarded, { undo: () => setSteps(before) })
                  }}
                >
                  {words.discard}
                </Button>
              </div>
            )}
            {asking === 'changes' ? (
              <form
                className="stack"
                onSubmit={(event) => {
                  event.preventDefault()
                  const said = comment.current?.value.trim()
                  if (said) void decide('changes', said)
                }}
              >
                <label htmlFor="plan-changes">{words.changesWhat}</label>
                {/* biome-ignore lint/a11y/noAutofocus: it is shown because the person asked to write here */}
                <textarea id="plan-changes" ref={comment} rows={3} required autoFocus />
                <div className="actions">
                  <Button type="submit" disabled={busy || stale}>
                    {words.changesSend}
                  </Button>
                  <Button look="quiet" onClick={() => setAsking(null)}>
                    {words.done}
                  </Button>
                </div>
              </form>
            ) : (
              <div className="actions">
                <Button disabled={busy || stale} onClick={() => setAsking('changes')}>
                  {words.changes}
                </Button>
                <Button look="danger" disabled={busy || stale} onClick={() => setAsking('reject')}>
                  {words.reject}
                </Button>
              </div>
            )}
          </div>
        ) : (
          <Decided plan={plan} />
        )}
      </aside>
      <ConfirmDialog
        open={asking === 'reject'}
        setOpen={(is) => setAsking(is ? 'reject' : null)}
        title={words.rejectTitle}
        yes={words.reject}
        onYes={() => void decide('reject')}
      >
        {words.rejectMeaning}
      </ConfirmDialog>
    </div>
  )
}
