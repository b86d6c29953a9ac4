/** Below the details of a task, always in the same place: what can be done with it, and a line to its agent. */
import { CirclePlay, CircleStop, Ellipsis, Octagon, Pause, Play, RotateCcw, Send, StepForward } from 'lucide-react'
import { type RefObject, useId, useState } from 'react'
import { ROUTES } from '../../../core/contract/api.ts'
import { useBanyan } from '../../banyan.ts'
import { readLocal, writeLocal } from '../../theme.ts'
import { useAct } from '../../ui/act.ts'
import { Button } from '../../ui/button.tsx'
import { DropdownMenu, type MenuItem } from '../../ui/dropdown-menu.tsx'
import { IconButton } from '../../ui/icon-button.tsx'
import { Fault } from '../../ui/notice.tsx'
import { Tooltip } from '../../ui/tooltip.tsx'
import { tree } from '../../words/tree.ts'
import { foremost, type Move } from './moves.ts'
import { SteerTrail } from './steer-trail.tsx'
import type { Acts, Subject } from './use-acts.ts'

const ICONS: Partial<Record<Move, typeof Pause>> = {
  pause: Pause,
  resume: Play,
  step: StepForward,
  cancel: CircleStop,
  abort: Octagon,
  retry: RotateCcw,
  rerun: CirclePlay,
}

export function TaskDock(props: { subject: Subject; acts: Acts; more: readonly MenuItem[]; steer: RefObject<HTMLTextAreaElement | null> }) {
  const { subject, acts } = props
  const { node, children } = subject
  const steer = acts.act('steer')
  return (
    <section className="dock" aria-label={tree.act.bar}>
      <SteerTrail taskId={node.id} status={node.status} />
      {steer.why === null && <SteerBox key={node.id} taskId={node.id} field={props.steer} />}
      <div className="dock-acts">
        {foremost(acts.situation).map((move) => {
          const { label, hint, why, danger, run } = acts.act(move)
          const Icon = ICONS[move]
          return (
            <Tooltip key={move} text={why ?? hint} side="top">
              <Button
                look={danger ? 'danger' : 'plain'}
                small
                aria-disabled={why !== null || acts.busy !== null}
                onClick={why === null ? run : undefined}
              >
                {Icon && <Icon aria-hidden="true" />} {label}
              </Button>
            </Tooltip>
          )
        })}
        <span className="grow" />
        {children > 0 && acts.scope === 'node' && <span className="dock-scope dim">{tree.act.node}</span>}
        <DropdownMenu
          trigger={<IconButton icon={Ellipsis} label={tree.act.all} />}
          items={[
            ...acts.all.map((act) => ({
              kind: 'act' as const,
              label: act.label,
              run: act.run,
              danger: act.danger,
              disabled: act.why !== null,
              ...(act.why === null ? {} : { hint: act.why }),
              ...(act.keys === undefined ? {} : { keys: act.keys }),
            })),
            ...(children === 0
              ? []
              : [
                  { kind: 'line' as const },
                  {
                    kind: 'choice' as const,
                    label: tree.act.scope,
                    value: acts.scope,
                    options: [
                      { value: 'subtree', label: tree.act.subtree },
                      { value: 'node', label: tree.act.node },
                    ],
                    choose: (scope: string) => acts.setScope(scope === 'node' ? 'node' : 'subtree'),
                  },
                ]),
            { kind: 'line' as const },
            ...props.more,
          ]}
        />
      </div>
    </section>
  )
}

function SteerBox({ taskId, field }: { taskId: string; field: RefObject<HTMLTextAreaElement | null> }) {
  const { api } = useBanyan()
  const { busy, fault, act } = useAct()
  // The box goes while the page is not connected or the task takes no words; what was typed is there again when it comes back.
  const draft = `banyan-steer-${taskId}`
  const [words, setWords] = useState(() => readLocal(draft))
  const write = (next: string) => {
    setWords(next)
    writeLocal(draft, next)
  }
  const id = useId()
  const send = async () => {
    const message = words.trim()
    if (message && (await act(() => api.call(ROUTES.steer, { params: { id: taskId }, body: { message } })))) write('')
  }
  return (
    <form
      className="steer-box"
      onSubmit={(event) => {
        event.preventDefault()
        void send()
      }}
    >
      <label htmlFor={id} className="hidden">
        {tree.act.steerLabel}
      </label>
      <textarea
        ref={field}
        id={id}
        rows={1}
        value={words}
        maxLength={100_000}
        placeholder={tree.act.steerPlaceholder}
        onChange={(event) => write(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === 'Escape') event.currentTarget.blur()
          if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return
          event.preventDefault()
          void send()
        }}
      />
      <Button look="primary" type="submit" disabled={busy || words.trim() === ''} aria-label={tree.act.send}>
        <Send aria-hidden="true" />
      </Button>
      {fault && <Fault>{fault}</Fault>}
    </form>
  )
}
