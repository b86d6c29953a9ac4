/** The questions that come before an act: abort, run again, start as a new goal, undo files. */
import { useState } from 'react'
import { ROUTES } from '../../../core/contract/api.ts'
import type { TaskNode } from '../../../core/contract/node.ts'
import type { Goal } from '../../data/tree-store.ts'
import { useTask } from '../../data/use-task.ts'
import { useRead, useWrite } from '../../read.ts'
import { treePath, useGo } from '../../route.ts'
import { useToast } from '../../toasts.ts'
import { Button } from '../../ui/button.tsx'
import { Combobox } from '../../ui/combobox.tsx'
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { Field } from '../../ui/field.tsx'
import { Fault } from '../../ui/notice.tsx'
import { Skeleton } from '../../ui/skeleton.tsx'
import { kit } from '../../words/kit.ts'
import { tree } from '../../words/tree.ts'
import { microsOf } from './filter.ts'
import { RerunDialog } from './rerun-dialog.tsx'
import type { Acts } from './use-acts.ts'

/** `tasks`: how many there are at and below the task. */
export function TaskDialogs({ goal, node, tasks, acts }: { goal: Goal; node: TaskNode; tasks: number; acts: Acts }) {
  const shut = () => acts.setAsking(null)
  switch (acts.asking) {
    case 'abort':
      return (
        <ConfirmDialog
          open
          setOpen={shut}
          title={tree.act.abortTitle}
          yes={tree.act.abortYes}
          no={kit.cancel}
          onYes={() => {
            shut()
            void acts.call('abort')
          }}
        >
          <p>{tree.act.abortAsk(node.title, acts.scope === 'node' ? 0 : tasks - 1)}</p>
          <p className="dim">{tree.act.abortInstead}</p>
        </ConfirmDialog>
      )
    case 'rerun':
      return <RerunDialog taskId={node.id} scope={acts.situation.scope} shut={shut} fork={() => acts.setAsking('fork')} />
    case 'fork':
      return <ForkDialog goal={goal} node={node} shut={shut} />
    case 'undo':
      return <UndoDialog node={node} scope={acts.situation.scope} shut={shut} />
    default:
      return null
  }
}

function ForkDialog({ goal, node, shut }: { goal: Goal; node: TaskNode; shut: () => void }) {
  const isRoot = node.parentId === null
  const { task } = useTask(node.id)
  const words = isRoot ? goal.goal : task?.instruction
  return (
    <Dialog sends open setOpen={shut} title={tree.fork.title} description={tree.fork.about} size="large">
      {words === undefined ? <Skeleton lines={4} label={kit.loading} /> : <ForkForm from={goal} words={words} shut={shut} />}
    </Dialog>
  )
}

function ForkForm({ from, words, shut }: { from: Goal; words: string; shut: () => void }) {
  const [goal, setGoal] = useState(words)
  const [agent, setAgent] = useState('')
  const [model, setModel] = useState('')
  const [dollars, setDollars] = useState('')
  const agents = useRead(ROUTES.agents)
  const fork = useWrite(ROUTES.fork, [ROUTES.trees])
  const go = useGo()
  const toast = useToast()
  const micros = microsOf(dollars)
  const wrong = dollars.trim() !== '' && micros === null
  const send = async () => {
    const made = await fork
      .mutateAsync({
        params: { id: from.id },
        body: {
          goal,
          ...(agent ? { agent } : {}),
          ...(model.trim() ? { model: model.trim() } : {}),
          ...(micros === null ? {} : { budget: { dollars: micros / 1_000_000 } }),
        },
      })
      .catch(() => null) // told below the form
    if (!made) return
    shut()
    toast(tree.fork.started, { tone: 'good' })
    go(treePath(made.treeId))
  }
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault()
        if (!wrong && goal.trim()) void send()
      }}
    >
      <Field label={tree.fork.goal}>
        {(id) => <textarea id={id} className="tall" value={goal} onChange={(event) => setGoal(event.target.value)} />}
      </Field>
      <div className="fields">
        <Field label={tree.fork.agent}>
          {(id) => (
            <Combobox
              id={id}
              label={tree.fork.agent}
              value={agent}
              options={[
                { value: '', label: tree.fork.asBefore },
                ...(agents.data?.items ?? []).map((one) => ({ value: one.id, label: one.id })),
              ]}
              choose={setAgent}
            />
          )}
        </Field>
        <Field label={tree.fork.model}>
          {(id) => (
            <input
              id={id}
              value={model}
              placeholder={from.model ?? tree.fork.asBefore}
              onChange={(event) => setModel(event.target.value)}
            />
          )}
        </Field>
        <Field label={tree.fork.budget} error={wrong ? tree.fork.badBudget : null}>
          {(id, about) => (
            <input
              id={id}
              {...about}
              inputMode="decimal"
              value={dollars}
              placeholder={tree.fork.asBefore}
              onChange={(event) => setDollars(event.target.value)}
            />
          )}
        </Field>
      </div>
      {fork.error && <Fault>{fork.error.message}</Fault>}
      <div className="actions">
        <Button look="primary" type="submit" disabled={fork.isPending || goal.trim() === ''}>
          {tree.fork.yes}
        </Button>
        <Button onClick={shut}>{tree.rerun.no}</Button>
      </div>
    </form>
  )
}

function UndoDialog({ node, scope, shut }: { node: TaskNode; scope: 'node' | 'subtree'; shut: () => void }) {
  const asked = { params: { id: node.id }, query: { scope } }
  const { data, error } = useRead(ROUTES.taskFiles, asked)
  const undo = useWrite(ROUTES.undoFiles, [ROUTES.taskFiles, ROUTES.treeFiles])
  const toast = useToast()
  const items = data?.items ?? []
  const can = items.filter((item) => item.whyNot === null)
  const send = async () => {
    const done = await undo.mutateAsync({ params: { id: node.id }, body: { scope } }).catch(() => null) // told below the list
    if (!done) return
    shut()
    toast(tree.undo.did(done.files.length), { tone: 'good' })
    if (done.conflicts.length > 0) {
      const { path, why } = done.conflicts[0]!
      toast(tree.undo.conflicts(done.conflicts.length, `${path}: ${why}`), { tone: 'bad' })
    }
  }
  return (
    <Dialog sends open setOpen={shut} title={tree.undo.title} description={tree.undo.about}>
      {error && <Fault>{error.message}</Fault>}
      {!data && !error && <Skeleton lines={3} label={kit.loading} />}
      {data && items.length === 0 && <p>{tree.undo.none}</p>}
      {items.length > 0 && (
        <ul className="touched">
          {items.map((item) => (
            <li key={item.n}>
              <code>{item.path}</code> <span className="dim">{tree.undo.what[item.what]}</span>
              {item.whyNot && <span className="dim"> · {tree.undo.cannot(item.whyNot)}</span>}
            </li>
          ))}
        </ul>
      )}
      {data?.nextCursor && <p className="dim">{tree.undo.more}</p>}
      {undo.error && <Fault>{undo.error.message}</Fault>}
      <div className="actions">
        <Button look="danger" disabled={can.length === 0 || undo.isPending} onClick={() => void send()}>
          {tree.undo.yes(can.length)}
        </Button>
        <Button onClick={shut}>{tree.rerun.no}</Button>
      </div>
    </Dialog>
  )
}
