/** Change what was asked, look at the change, approve that. The server checks it before anything happens, so it is sent at once. */
import { useEffect, useRef, useState } from 'react'
import { ROUTES } from '../../../core/contract/api.ts'
import type { Review } from '../../../core/contract/review.ts'
import { useBanyan } from '../../banyan.ts'
import { useRead } from '../../read.ts'
import { useAct } from '../../ui/act.ts'
import { Button } from '../../ui/button.tsx'
import { CodeEditor } from '../../ui/code-editor.tsx'
import { DiffView } from '../../ui/diff-view.tsx'
import { Fault } from '../../ui/notice.tsx'
import { Skeleton } from '../../ui/skeleton.tsx'
import { Tabs } from '../../ui/tabs.tsx'
import { reviews as words } from '../../words/reviews.ts'
import { Form } from './edit-form.tsx'
import { effectOf } from './effect.ts'

type Data = Record<string, unknown>
const json = (value: unknown) => JSON.stringify(value, null, 2)
const say = words.decide

export function Edit({ review, close, done }: { review: Review; close: () => void; done: () => void }) {
  const asks = review.kind === 'permission'
  const call = useRead(
    ROUTES.call,
    { params: { id: review.taskId, callId: review.callId?.split('/').at(-1) ?? '' }, query: { full: '1' } },
    { when: asks && review.callId !== null },
  )
  if (asks && call.error)
    return (
      <section className="review-bar" aria-label={say.editTitle}>
        <Fault>{call.error.message}</Fault>
        <Button onClick={close}>{say.close}</Button>
      </section>
    )
  if (asks && !call.data)
    return (
      <section className="review-bar" aria-label={say.editTitle}>
        <Skeleton label={say.editReading} />
      </section>
    )
  const base = asks ? (JSON.parse(call.data!.input.json) as Data) : baseOf(review)
  return <Editing review={review} base={base} close={close} done={done} />
}

/** What an edit of it replaces. Money of a day is set in dollars. */
function baseOf(review: Review): Data {
  if (review.kind === 'plan') return { items: effectOf(review).plan ?? [] }
  const budget = effectOf(review).budget
  if (!budget) return {}
  return budget.day === null ? { ...budget.raised } : { dailyDollars: budget.day / 1_000_000 }
}

function Editing({ review, base, close, done }: { review: Review; base: Data; close: () => void; done: () => void }) {
  const { api, outbox } = useBanyan()
  const { busy, fault, act } = useAct()
  const before = json(base)
  const place = useRef<HTMLElement>(null)
  useEffect(() => {
    place.current?.scrollIntoView({ block: 'start' })
    place.current?.querySelector<HTMLElement>('input, textarea')?.focus({ preventScroll: true })
  }, [])
  const [text, setText] = useState(before)
  const [tab, setTab] = useState(review.kind === 'plan' ? 'json' : 'form')
  const read = parsed(text)
  const changed = read.data !== null && json(read.data) !== before
  const send = async () => {
    const { data } = read
    if (data === null) return
    const sent = await act(async () => {
      if (review.kind !== 'plan') return api.decide(review.id, { decision: 'approve', actionHash: review.actionHash, edit: data })
      const plan = await api.call(ROUTES.plan, { params: { id: review.treeId } })
      if (plan.reviewId !== review.id) throw new Error(say.editOtherPlan)
      const saved = await api.call(ROUTES.savePlan, {
        params: { id: plan.id },
        body: { hash: plan.hash, items: data.items as typeof plan.items },
      })
      return api.decide(review.id, { decision: 'approve', actionHash: saved.hash })
    })
    if (!sent) return
    outbox.tookAlready(review, 'approve')
    done()
  }
  return (
    <section className="review-bar review-edit" aria-label={say.editTitle} ref={place}>
      <h3>{say.editTitle}</h3>
      <p className="dim">{say.editHint}</p>
      <Tabs
        label={say.editTitle}
        value={tab}
        choose={setTab}
        tabs={[
          {
            value: 'form',
            label: say.editForm,
            body:
              read.data === null ? (
                <p className="field-error">{read.problem}</p>
              ) : (
                <Form value={read.data} change={(data) => setText(json(data))} />
              ),
          },
          {
            value: 'json',
            label: say.editJson,
            body: <CodeEditor label={say.editJson} value={text} onChange={setText} language="json" most={18} />,
          },
          {
            value: 'diff',
            label: say.editDiff,
            body: changed ? (
              <DiffView files={[{ path: say.editDiff, before, after: json(read.data), language: 'json' }]} />
            ) : (
              <p className="dim">{read.problem ?? say.editNone}</p>
            ),
          },
        ]}
      />
      {read.problem && tab !== 'form' && <p className="field-error">{read.problem}</p>}
      {fault && <Fault>{fault}</Fault>}
      <div className="review-buttons">
        <Button look="primary" disabled={busy || !changed} onClick={() => void send()}>
          {review.kind === 'plan' ? say.editPlan : say.editSend}
        </Button>
        <Button onClick={close}>{say.close}</Button>
      </div>
    </section>
  )
}

function parsed(text: string): { data: Data; problem: null } | { data: null; problem: string } {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { data: value as Data, problem: null }
    return { data: null, problem: say.editObject }
  } catch (fault) {
    return { data: null, problem: say.editBad(fault instanceof Error ? fault.message : String(fault)) }
  }
}
