/** Whether the watchdog looks after this goal, and how soon it helps; as long as the goal is not over. */
import { ROUTES } from '../../../core/contract/api.ts'
import { isOver } from '../../../core/contract/task.ts'
import type { Goal, TreeStore } from '../../data/tree-store.ts'
import { useNodePart } from '../../data/use-tree.ts'
import { useWrite } from '../../read.ts'
import { useToast } from '../../toasts.ts'
import { Select } from '../../ui/select.tsx'
import { useAway } from '../../ui/while-online.tsx'
import { tree } from '../../words/tree.ts'

const words = tree.head.watchdog
const CHOICES = ['on', 'patient', 'off'] as const
type Choice = (typeof CHOICES)[number]
const isChoice = (value: string): value is Choice => (CHOICES as readonly string[]).includes(value)

export function WatchdogSwitch({ store, goal }: { store: TreeStore; goal: Goal }) {
  const toast = useToast()
  const away = useAway()
  const save = useWrite(ROUTES.saveWatched)
  const over = useNodePart(store, goal.id, (root) => root === undefined || isOver(root.node.status))
  if (over) return null
  const now: Choice = goal.watched === false ? 'off' : goal.patient ? 'patient' : 'on'
  const set = (choice: Choice, undo: boolean) =>
    save.mutate(
      { params: { id: goal.id }, body: { on: choice !== 'off', patient: choice === 'patient' } },
      {
        onSuccess: () => toast(words.saved[choice], undo ? { undo: () => set(now, false) } : {}),
        onError: (fault) => toast(fault.message, { tone: 'bad' }),
      },
    )
  return (
    <span className="goal-watchdog">
      <Select
        label={words.label}
        value={now}
        disabled={away || save.isPending}
        options={CHOICES.map((value) => ({ value, ...words.choices[value] }))}
        choose={(value) => isChoice(value) && set(value, true)}
      />
    </span>
  )
}
