/** The surface of whoever runs Banyan from another program. */
import { openFollowed } from './followed.ts'
import { type Doors, operatorTools } from './operator-tools.ts'
import { operatorPrompts } from './prompts.ts'
import { operatorResources } from './resources.ts'
import type { Surface } from './surface.ts'

const INSTRUCTIONS = `Banyan carries out goals: a goal becomes a tree of tasks that agents work on, on this machine, for minutes or days, and that survives restarts.
Begin with start_goal, then call wait_task again and again until over is true; it answers within 45 seconds each time. get_goal shows the whole tree.
Agents ask people before they do what is risky. When wait_task or list_reviews shows an item, show it to the person, and decide it (decide_review) only with their words.
What it knows of itself is in documents (search_documents, read_document).`

export function operatorSurface(doors: Doors, version: string): Surface {
  return {
    name: 'banyan',
    title: 'Banyan',
    version,
    instructions: INSTRUCTIONS,
    tools: operatorTools(doors),
    resources: operatorResources(doors),
    prompts: operatorPrompts(doors),
    tasks: openFollowed(doors.tasks, doors.baseUrl),
  }
}
