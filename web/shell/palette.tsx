/** One place to go anywhere and do anything: pages, goals by words or id, and every act that is on offer now. */
import { useLocation } from '@tanstack/react-router'
import { Command } from 'cmdk'
import { MessageCircleQuestionMark } from 'lucide-react'
import { Dialog as Primitive } from 'radix-ui'
import { type ReactNode, useState } from 'react'
import { titleOf } from '../../core/contract/task.ts'
import { type Action, keysOf, useAllActions } from '../actions.ts'
import { useBanyan } from '../banyan.ts'
import { useHomePart } from '../data/use-home.ts'
import { usePrefs } from '../prefs.ts'
import { treePath, useGo } from '../route.ts'
import { Kbd } from '../ui/kbd.tsx'
import { StatusIcon } from '../ui/status-icon.tsx'
import { ask as askWords } from '../words/ask.ts'
import { shell } from '../words/shell.ts'
import { usePaletteEntries } from './palette-entries.ts'
import { type Line, ranked, type Section } from './palette-rank.ts'

/** Goals that are named before anything is typed. */
const NEWEST = 5
type Choice = Line & { icon?: ReactNode; beside?: ReactNode; run: () => void }

type Props = { open: boolean; setOpen: (open: boolean) => void; ask: (words: string) => void }

export function Palette({ open, setOpen, ask }: Props) {
  return (
    <Primitive.Root open={open} onOpenChange={setOpen}>
      <Primitive.Portal>
        <Primitive.Overlay className="veil" />
        <Primitive.Content className="palette" aria-describedby={undefined}>
          <Primitive.Title className="hidden">{shell.palette.title}</Primitive.Title>
          <Choices close={() => setOpen(false)} ask={ask} />
        </Primitive.Content>
      </Primitive.Portal>
    </Primitive.Root>
  )
}

function Choices({ close, ask }: { close: () => void; ask: (words: string) => void }) {
  const [typed, setTyped] = useState('')
  const actions = useAllActions()
  const trees = useHomePart((state) => state.trees)
  const treeId = useLocation({ select: ({ pathname }) => /^\/trees\/([^/]+)/.exec(pathname)?.[1] })
  const { data } = useBanyan().live
  const go = useGo()
  const words = typed.trim()
  const entries = usePaletteEntries(words !== '')
  const to = (path: string) => () => go(path)
  const offered = actions.filter((action) => !action.keyOnly)
  const acts = (group: string): Section<Choice> => ({
    id: `acts of ${group}`,
    heading: group,
    lines: offered
      .filter((action) => action.group === group)
      .map((action) => ({ key: action.id, label: action.label, more: action.words, run: action.run, beside: <Keys action={action} /> })),
  })
  const newest = trees.toSorted((a, b) => b.createdAt.localeCompare(a.createdAt))
  const goals = (words === '' ? newest.slice(0, NEWEST) : newest).map(
    (tree): Choice => ({
      key: tree.id,
      label: titleOf(tree.goal),
      more: tree.id,
      icon: <StatusIcon task={tree} />,
      beside: <code className="dim">{tree.id.slice(-6)}</code>,
      run: to(treePath(tree.id)),
    }),
  )
  if (looksLikeId(words) && !trees.some((tree) => tree.id === words))
    goals.push({ key: words, label: shell.palette.openId(words), more: words, run: to(`/t/${encodeURIComponent(words)}`) })
  const open = treeId === undefined || words === '' ? null : data.tree(decodeURIComponent(treeId)).store
  const tasks = (open?.all() ?? [])
    .filter((task) => task.parentId !== null)
    .map(
      (task): Choice => ({
        key: task.id,
        label: task.title,
        more: task.id,
        icon: <StatusIcon task={task} />,
        run: to(treePath(open!.treeId, task.id)),
      }),
    )
  const library = entries.all.map(
    ({ path, name, icon: Icon }): Choice => ({
      key: path,
      label: name,
      icon: <Icon aria-hidden="true" className="palette-icon" />,
      run: to(path),
    }),
  )
  // What a page offers by itself is nearer than what is there everywhere.
  const groups = [...new Set(offered.map((action) => action.group))].filter((group) => group !== shell.palette.pages)
  groups.sort((a, b) => Number(a === shell.keys.actions) - Number(b === shell.keys.actions))
  const sections = ranked<Choice>(
    [
      acts(shell.palette.pages),
      { id: 'goals', heading: shell.palette.goals, lines: goals },
      { id: 'tasks', heading: shell.palette.tasks, lines: tasks },
      { id: 'library', heading: shell.groups.library, lines: library },
      ...groups.map(acts),
    ],
    words,
  )
  // Not before the rest is there: what is chosen first stays chosen, and Enter is meant for what fits better.
  if (entries.isRead) {
    const icon = <MessageCircleQuestionMark aria-hidden="true" className="palette-icon" />
    const line = { key: 'ask:', label: askWords.entry(words), icon, run: () => ask(words) }
    sections.push({ id: 'ask', heading: askWords.entryGroup, lines: [line] })
  }
  // After the palette is gone: what an act opens or focuses must not lose the focus to it.
  const choose = (run: () => void) => () => {
    close()
    setTimeout(run)
  }
  return (
    <Command label={shell.palette.title} loop shouldFilter={false}>
      <Command.Input onValueChange={setTyped} placeholder={shell.palette.placeholder} />
      <Command.List label={shell.palette.title}>
        <Command.Empty>{shell.palette.nothing}</Command.Empty>
        {sections.map(({ id, heading, lines }) => (
          <Command.Group key={id} value={id} heading={heading}>
            {lines.map(({ key, label, icon, beside, run }) => (
              <Command.Item key={key} value={key} onSelect={choose(run)}>
                {icon}
                <span className="palette-title">{label}</span>
                {beside}
              </Command.Item>
            ))}
          </Command.Group>
        ))}
      </Command.List>
    </Command>
  )
}

const looksLikeId = (typed: string): boolean => /^[0-9a-z][0-9a-z._-]{7,}$/i.test(typed) && /\d/.test(typed)

function Keys({ action }: { action: Action }) {
  const [prefs] = usePrefs()
  const keys = keysOf(action, prefs)
  return keys ? <Kbd keys={keys} /> : null
}
