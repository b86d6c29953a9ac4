/** Agents, documents and tools in the palette; read when something is typed. */
import { Command } from 'cmdk'
import { BookOpen, Bot, type LucideIcon, Wrench } from 'lucide-react'
import { ROUTES } from '../../core/contract/api.ts'
import { useRead } from '../read.ts'
import { shell } from '../words/shell.ts'

export type Entries = { all: { path: string; one: { name: string }; icon: LucideIcon }[]; isRead: boolean }

/** `isRead`: nothing more comes. */
export function usePaletteEntries(typed: boolean): Entries {
  const how = { when: typed }
  const agents = useRead(ROUTES.agents, {}, how)
  const documents = useRead(ROUTES.documents, {}, how)
  const tools = useRead(ROUTES.tools, {}, how)
  if (!typed) return { all: [], isRead: false }
  return {
    all: [
      ...(agents.data?.items.map((one) => ({ path: `/agents/${one.id}`, one, icon: Bot })) ?? []),
      ...(documents.data?.items.map((one) => ({ path: `/documents/${one.id}`, one, icon: BookOpen })) ?? []),
      ...(tools.data?.items.map((one) => ({ path: `/tools/${one.id}`, one, icon: Wrench })) ?? []),
    ],
    isRead: [agents, documents, tools].every((read) => !read.isPending),
  }
}

export function PaletteEntries({ all, choose }: { all: Entries['all']; choose: (path: string) => () => void }) {
  if (all.length === 0) return null
  return (
    <Command.Group heading={shell.groups.library}>
      {all.map(({ path, one, icon: Icon }) => (
        <Command.Item key={path} value={path} onSelect={choose(path)}>
          <Icon aria-hidden="true" className="palette-icon" />
          <span className="palette-title">{one.name}</span>
        </Command.Item>
      ))}
    </Command.Group>
  )
}
