/** What an agent wrote for a person, apart from the facts and marked as its own. */
import { Bot } from 'lucide-react'
import { Markdown } from '../../ui/markdown.tsx'
import { reviews } from '../../words/reviews.ts'

const say = reviews.item

export function AgentWords({ text, by }: { text: string; by?: string }) {
  return (
    <figure className="agent-words">
      <figcaption>
        <Bot aria-hidden="true" />
        <strong>{say.agentSays}</strong>
        {by && <code>{by}</code>}
        <span className="dim">{say.agentHint}</span>
      </figcaption>
      <Markdown text={text} />
    </figure>
  )
}
