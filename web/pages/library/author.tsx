/** Who made a version: Banyan's own delivery, an agent, or a person. */
import { Bot, Sprout, User } from 'lucide-react'
import { library } from '../../words/library.ts'
import { useEntries } from './entries.ts'

export function useAuthorWords(): (author: string) => string {
  const { data } = useEntries('agent')
  return (author) =>
    author === 'seed' ? library.by.seed : data?.items.some((agent) => agent.name === author) ? library.by.agent(author) : author
}

export function Author({ name }: { name: string }) {
  const words = useAuthorWords()(name)
  const Icon = name === 'seed' ? Sprout : words === name ? User : Bot
  return (
    <span className="author" title={name === 'seed' ? library.by.seedHint : undefined}>
      <Icon aria-hidden="true" /> {words}
    </span>
  )
}
