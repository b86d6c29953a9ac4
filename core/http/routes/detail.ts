/** One task taken apart: its facts, the contents of files that it changed, its jobs, what its model calls cost. */
import type { FileContents, Job, WorktreeDiff } from '../../contract/api-detail.ts'
import { Fault } from '../../contract/fault.ts'
import type { Task } from '../../contract/task.ts'
import type { Held, History } from '../../exec/history/shapes.ts'
import { type JobRow, jobsOf } from '../../exec/job-rows.ts'
import type { WorktreeChanges } from '../../git/shapes.ts'
import { PRICES } from '../../models/prices.ts'
import type { Store } from '../../store/store.ts'
import { factsOfTask, spendOfTask } from '../../tasks/facts.ts'
import type { Tasks } from '../../tasks/tasks.ts'
import type { Handlers } from '../router.ts'

/** Bytes of a file that are still shown as text. */
const SHOWN = 1_000_000

/** What the git work trees of a task hold beyond where they began. */
export type Worktrees = (task: Pick<Task, 'id' | 'treeId' | 'workspace' | 'agent'>) => Promise<WorktreeChanges[]>

export function detailRoutes(
  store: Store,
  history: Pick<History, 'contents'>,
  tasks: Pick<Tasks, 'task'>,
  worktrees: Worktrees,
): Pick<Handlers, 'taskFacts' | 'fileContents' | 'taskJobs' | 'taskWorktrees' | 'taskSpend'> {
  return {
    async taskFacts({ param, query: { after, limit } }) {
      const { items, more } = await factsOfTask(store, param('id'), after, limit)
      return { items, nextCursor: more ? String(items.at(-1)!.seq) : null }
    },
    async fileContents({ param, query: { to } }) {
      const n = Number(param('n'))
      if (!Number.isSafeInteger(n)) throw new Fault('invalid', 'The number of a change is a whole number.')
      const { path, before, after } = await history.contents(param('id'), n, to ?? n)
      return { path, before: before && shown(before), after: after && shown(after) }
    },
    async taskWorktrees({ param }) {
      return { items: (await worktrees(await tasks.task(param('id')))).map(toDiff), nextCursor: null }
    },
    async taskJobs({ param }) {
      const { id } = await tasks.task(param('id'))
      return { items: (await jobsOf(store, id)).map(toJob), nextCursor: null }
    },
    async taskSpend({ param }) {
      return { ...(await spendOfTask(store, param('id'))), prices: PRICES }
    },
  }
}

const toDiff = ({ files, cut, ...rest }: WorktreeChanges): WorktreeDiff => ({
  ...rest,
  files: files.map(({ path, text }) => {
    // What comes before the first hunk names the file and has lines that begin with these signs too.
    const lines = text.slice(Math.max(0, text.indexOf('\n@@'))).split('\n')
    const beginning = (sign: string) => lines.filter((line) => line.startsWith(sign)).length
    return { path, patch: text, added: beginning('+'), removed: beginning('-') }
  }),
  complete: !cut,
})
const toJob = (row: JobRow): Job => ({
  id: row.id,
  name: row.name,
  command: row.command,
  cwd: row.cwd,
  isolation: row.isolation,
  state: row.state === 'running' ? 'running' : 'ended',
  ending: row.ending,
  exitCode: row.exit_code === null ? null : Number(row.exit_code),
  startedAt: new Date(Number(row.started_at)).toISOString(),
  endedAt: row.ended_at === null ? null : new Date(Number(row.ended_at)).toISOString(),
  output: row.output,
  outputBytes: Number(row.output_bytes),
})

function shown({ content, bytes, why }: Held): NonNullable<FileContents['before']> {
  if (!content) return { text: null, bytes, why }
  if (content.byteLength > SHOWN) return { text: null, bytes, why: 'it is longer than 1 MB' }
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(content)
    return text.includes('\0') ? { text: null, bytes, why: 'it is not text' } : { text, bytes, why: null }
  } catch {
    return { text: null, bytes, why: 'it is not text' } // a fatal decoder throws for nothing but what is not UTF-8
  }
}
