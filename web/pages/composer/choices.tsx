/** What is said beside a goal by choosing one of a few: when it asks, how urgent it is, where it works, how it goes on. */
import { FolderTree, Footprints, Hand, SignalHigh } from 'lucide-react'
import { APPROVALS } from '../../../core/contract/goal.ts'
import { DropdownMenu } from '../../ui/dropdown-menu.tsx'
import { composer as words } from '../../words/composer.ts'
import { Chip } from './chip.tsx'
import type { Draft } from './draft.ts'
import type { Drafting } from './use-draft.ts'

export type Part = 'template' | 'url' | 'rules' | 'criteria' | 'model' | 'budget' | 'approval' | 'priority' | 'workspace' | 'mode' | 'copy'
type Props = {
  draft: Draft
  change: Drafting['change']
  /** A past goal is given again: what is not said is as it was then. */
  again: boolean
  opened: Part | null
  show: (part: Part | null) => void
}

export function Choices({ draft, change, again, opened, show }: Props) {
  const at = (part: Part) => ({ open: opened === part, setOpen: (open: boolean) => show(open ? part : null), align: 'start' as const })
  const usual = (word: string) => (again ? words.asBefore : word)
  const { approval, priority, workspace, mode } = draft
  return (
    <>
      <DropdownMenu
        {...at('approval')}
        trigger={
          <Chip
            icon={Hand}
            name={words.approval}
            value={approval ? words.approvalShort[approval] : usual(words.approvalShort.ask_risky)}
            set={approval !== undefined}
          />
        }
        items={[
          {
            kind: 'choice',
            label: words.approval,
            value: approval ?? (again ? '' : 'ask_risky'),
            options: APPROVALS.map((value) => ({ value, label: words.approvals[value], hint: words.approvalHints[value] })),
            choose: (value) => change({ approval: APPROVALS.find((one) => one === value) }),
            closes: true,
          },
        ]}
      />
      <DropdownMenu
        {...at('priority')}
        trigger={
          <Chip
            icon={SignalHigh}
            name={words.priority}
            value={priority === undefined ? usual(words.priorities['0']!.toLowerCase()) : priorityWord(priority)}
            set={priority !== undefined}
          />
        }
        items={[
          {
            kind: 'choice',
            label: words.priority,
            value: String(priority ?? (again ? '' : 0)),
            options: [50, 10, 0, -10].map((value) => ({ value: String(value), label: words.priorities[value]! })),
            choose: (value) => change({ priority: Number(value) }),
            closes: true,
          },
        ]}
      />
      <DropdownMenu
        {...at('workspace')}
        trigger={
          <Chip
            icon={FolderTree}
            name={words.workspace}
            value={workspace ? words.workspaceShort[workspace] : usual(words.workspaceShort.task)}
            set={workspace !== undefined}
          />
        }
        items={[
          {
            kind: 'choice',
            label: words.workspace,
            value: workspace ?? (again ? '' : 'task'),
            options: (['task', 'shared'] as const).map((value) => ({ value, label: words.workspaces[value] })),
            choose: (value) => change({ workspace: value === 'shared' ? 'shared' : 'task' }),
            closes: true,
          },
        ]}
      />
      <DropdownMenu
        {...at('mode')}
        trigger={
          <Chip
            icon={Footprints}
            name={words.mode}
            value={mode ? words.modeShort[mode] : usual(words.modeShort.auto)}
            set={mode !== undefined}
          />
        }
        items={[
          {
            kind: 'choice',
            label: words.mode,
            value: mode ?? (again ? '' : 'auto'),
            options: (['auto', 'step'] as const).map((value) => ({ value, label: words.modes[value] })),
            choose: (value) => change({ mode: value === 'step' ? 'step' : 'auto' }),
            closes: true,
          },
        ]}
      />
    </>
  )
}

const priorityWord = (n: number): string => words.priorities[n]?.toLowerCase() ?? words.priorityOther(String(n))
