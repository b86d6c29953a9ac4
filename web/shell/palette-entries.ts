/** Agents, documents and tools in the palette; read when something is typed. */
import { BookOpen, Bot, type LucideIcon, Wrench } from 'lucide-react'
import { ROUTES } from '../../core/contract/api.ts'
import { useRead } from '../read.ts'

/** `isRead`: nothing more comes. */
export function usePaletteEntries(typed: boolean): { all: { path: string; name: string; icon: LucideIcon }[]; isRead: boolean } {
  const how = { when: typed }
  const agents = useRead(ROUTES.agents, {}, how)
  const documents = useRead(ROUTES.documents, {}, how)
  const tools = useRead(ROUTES.tools, {}, how)
  if (!typed) return { all: [], isRead: false }
  return {
    all: [
      ...(agents.data?.items.map(({ id, name }) => ({ path: `/agents/${id}`, name, icon: Bot })) ?? []),
      ...(documents.data?.items.map(({ id, name }) => ({ path: `/documents/${id}`, name, icon: BookOpen })) ?? []),
      ...(tools.data?.items.map(({ id, name }) => ({ path: `/tools/${id}`, name, icon: Wrench })) ?? []),
    ],
    isRead: [agents, documents, tools].every((read) => !read.isPending),
  }
}
