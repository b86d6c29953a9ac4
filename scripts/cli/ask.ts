/** `banyan change ask`: a wish, a flag or a task that went wrong goes to the agent that improves the system. */
import { randomUUID } from 'node:crypto'
import type { Command } from 'commander'
import { type Cli, examples, serverOf, wantsJson } from './context.ts'
import { submit, told } from './goal.ts'
import { call, resolveTask } from './server.ts'
import { Ended, EXIT } from './terminal.ts'

const AGENT = 'review_agent'
const WHAT_NEXT =
  'Find the first step that went wrong and its cause in this system, and make the smallest change that prevents it: a document, or a change of the source with a test that fails without it. Say so if none is needed.'

/**
 * What the agent is told. Words of other agents are named by their ids and never copied: what stands in a goal counts as typed by the
 * person, and would run.
 */
export function wishOf(about: { words: string; task?: { id: string; status: string } | undefined; review?: string | undefined }): string {
  const { words, task, review } = about
  return [
    ...(words.trim() === '' ? [] : [words.trim()]),
    ...(task
      ? [
          `It is about task ${task.id}, which is ${task.status}. query_database has its instruction, result and verdict in "tasks", and what it did in "calls" and "messages" (task_id).`,
        ]
      : []),
    ...(review ? [`It is about the item ${review} of the review queue: read its title and action in "reviews" with query_database.`] : []),
    ...(task || review ? [WHAT_NEXT] : []),
  ].join('\n\n')
}

export function addAsk(change: Command, cli: Cli): void {
  examples(
    change
      .command('ask')
      .description('Gives a wish, a task that went wrong or an item of the review queue to the agent that improves Banyan.')
      .argument('[words...]', 'what should be different')
      .option('--task <id>', 'a task to learn from')
      .option('--review <id>', 'an item of the review queue, such as a flag')
      .action(async (words: string[], options: { task?: string; review?: string }, command: Command) => {
        const server = serverOf(cli, command)
        const task =
          options.task === undefined ? undefined : await call(server, 'task', { params: { id: await resolveTask(server, options.task) } })
        const review = options.review === undefined ? undefined : (await call(server, 'review', { params: { id: options.review } })).id
        const goal = wishOf({ words: words.join(' '), task, review })
        if (goal === '') throw new Ended(EXIT.usage, 'Say what should be different, or name a task or an item: --task ID, --review ID.')
        told(cli, await submit(server, { goal, agent: AGENT }, randomUUID()), wantsJson(command))
      }),
    'banyan change ask "banyan ls should show the age of each goal"',
    'banyan change ask --task 0k3f.3a "It read the wrong file"',
    'banyan change ask --review 0k3f/7-flag',
  )
}
