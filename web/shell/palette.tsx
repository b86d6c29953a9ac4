/** One place to go anywhere and do anything: pages, goals by words or id, and every act that is on offer now. */
import { useLocation } from '@tanstack/react-router'
import { Command, defaultFilter } from 'cmdk'
import { MessageCircleQuestionMark } from 'lucide-react'
import { Dialog as Primitive } from 'radix-ui'
import { useState } from 'react'
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
import { PaletteEntries, usePaletteEntries } from './palette-entries.tsx'

/** Whatever was typed can be asked, after all that fits it better. */
const ASK = 'ask:'
const ranked = (value: string, typed: string, keywords?: string[]): number =>
  value === ASK ? Number.MIN_VALUE : defaultFilter(value, typed, keywords)

/** Lines of a kind; the words that are typed choose which. */
const MOST = 30

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
  const words = typed.trim().toLowerCase()
  const entries = usePaletteEntries(words !== '')
  const goals = trees
    .filter((tree) => words === '' || fits(`${titleOf(tree.goal)} ${tree.id}`, words))
    .sort((a, b) => b.createdAt.localeCompare(a.createdAt))
    .slice(0, words === '' ? 5 : MOST)
  const open = treeId === undefined ? null : data.tree(decodeURIComponent(treeId)).store
  const tasks = (open?.all() ?? [])
    .filter((task) => task.parentId !== null && words !== '' && fits(`${task.title} ${task.id}`, words))
    .slice(0, MOST)
  const offered = actions.filter((action) => !action.keyOnly)
  // What a page offers by itself is nearer than what is there everywhere.
  const groups = [...new Set(offered.map((action) => action.group))].filter((group) => group !== shell.palette.pages)
  groups.sort((a, b) => Number(a === shell.keys.actions) - Number(b === shell.keys.actions))
  // After the palette is gone: what an act opens or focuses must not lose the focus to it.
  const choose = (run: () => void) => () => {
    close()
    setTimeout(run)
  }
  return (
    <Command label={shell.palette.title} loop filter={ranked}>
      <Command.Input value={typed} onValueChange={setTyped} placeholder={shell.palette.placeholder} />
      <Command.List label={shell.palette.title}>
        <Command.Empty>{shell.palette.nothing}</Command.Empty>
        <Acts actions={offered.filter((action) => action.group === shell.palette.pages)} choose={choose} />
        {goals.length > 0 && (
          <Command.Group heading={shell.palette.goals}>
            {goals.map((tree) => (
              <Command.Item key={tree.id} value={tree.id} keywords={[titleOf(tree.goal)]} onSelect={choose(() => go(treePath(tree.id)))}>
                <StatusIcon task={tree} />
                <span className="palette-title">{titleOf(tree.goal)}</span>
                <code className="dim">{tree.id.slice(-6)}</code>
              </Command.Item>
            ))}
          </Command.Group>
        )}
        {tasks.length > 0 && (
          <Command.Group heading={shell.palette.tasks}>
            {tasks.map((task) => (
              <Command.Item
                key={task.id}
                value={task.id}
                keywords={[task.title]}
                onSelect={choose(() => go(treePath(open!.treeId, task.id)))}
              >
                <StatusIcon task={task} />
                <span className="palette-title">{task.title}</span>
              </Command.Item>
            ))}
          </Command.Group>
        )}
        <PaletteEntries all={entries.all} choose={(path) => choose(() => go(path))} />
        {looksLikeId(typed) && !trees.some((tree) => tree.id === typed.trim()) && (
          <Command.Group heading={shell.palette.goals}>
            <Command.Item value={typed.trim()} onSelect={choose(() => go(`/t/${encodeURIComponent(typed.trim())}`))}>
              {shell.palette.openId(typed.trim())}
            </Command.Item>
          </Command.Group>
        )}
        {groups.map((group) => (
          <Acts key={group} actions={offered.filter((action) => action.group === group)} choose={choose} />
        ))}
        {/* Not before the rest is there: what is chosen first stays chosen, and Enter is meant for what fits better. */}
        {entries.isRead && (
          <Command.Group heading={askWords.entryGroup}>
            <Command.Item value={ASK} onSelect={choose(() => ask(typed.trim()))}>
              <MessageCircleQuestionMark aria-hidden="true" className="palette-icon" />
              <span className="palette-title">{askWords.entry(typed.trim())}</span>
            </Command.Item>
          </Command.Group>
        )}
      </Command.List>
    </Command>
  )
}

function Acts({ actions, choose }: { actions: readonly Action[]; choose: (run: () => void) => () => void }) {
  if (actions.length === 0) return null
  return (
    <Command.Group heading={actions[0]!.group}>
      {actions.map((action) => (
        <Command.Item key={action.id} value={action.id} keywords={[action.label, action.words ?? '']} onSelect={choose(action.run)}>
          <span className="grow">{action.label}</span>
          <Keys action={action} />
        </Command.Item>
      ))}
    </Command.Group>
  )
}

/** Every word that was typed is in it, letter by letter in order; cmdk then sorts by how well. */
function fits(text: string, typed: string): boolean {
  const low = text.toLowerCase()
  return typed.split(/\s+/).every((word) => {
    let at = -1
    return [...word].every((letter) => {
      at = low.indexOf(letter, at + 1)
      return at >= 0
    })
  })
}
const looksLikeId = (typed: string): boolean => /^[0-9a-z][0-9a-z._-]{7,}$/i.test(typed.trim()) && /\d/.test(typed)

function Keys({ action }: { action: Action }) {
  const [prefs] = usePrefs()
  const keys = keysOf(action, prefs)
  return keys ? <Kbd keys={keys} /> : null
}
