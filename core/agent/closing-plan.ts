/** Who looks at a finished task, by rule. Pure. Watching must never cost more than working. */
import { type Task, type TaskKind, type Verdict, WATCHING_CAP, withCriteria } from '../contract/task.ts'
import type { ClosingPlan } from '../tasks/closing.ts'
import type { Claim } from '../tasks/rows.ts'

export type ClosingFacts = {
  task: Task
  claim: Claim
  now: number
  /** What matters only where a model that can judge drives the system; null: there is none. */
  judged: {
    /** Model calls the task has made, this one included. */
    turns: number
    /** Subtasks it had. */
    children: number
    /** The task is the goal itself, or was handed it whole. */
    isGoal: boolean
    /** Tokens of the whole goal, and those of its watchers. */
    spent: { watchers: number; all: number }
    /** What people said while it ran: steering, answers, comments on decisions. It may change what the task asks for. */
    said: readonly string[]
    /** What was found when it ended before, and came back. */
    earlier: Verdict | null
    /** Agents for the three watcher kinds; null: there is none, or it is switched off. */
    watchers: Record<'evaluate' | 'summarize' | 'document', { agent: string; timeoutSeconds: number } | null>
  } | null
}

/** A result this short is its own summary. Characters. */
const SHORT = 1_200
/** Most of a result that a parent is given when nobody summarised it. */
const COMPUTED_SUMMARY = 8_000

export function planClosing(facts: ClosingFacts): ClosingPlan {
  const { task, claim, judged } = facts
  const bad = claim.evidence.filter((e) => !e.ok)
  const computed = (why: string): ClosingPlan => ({
    kind: 'computed',
    verdict: {
      passed: claim.status === 'success' && bad.length === 0,
      reasons: bad.length > 0 ? bad.map((e) => e.problem ?? 'evidence is missing').join('; ') : why,
      by: 'rule',
    },
    summary:
      claim.result.length > COMPUTED_SUMMARY
        ? `${claim.result.slice(0, COMPUTED_SUMMARY)}\n… (${claim.result.length - COMPUTED_SUMMARY} more characters in the result of task ${task.id})`
        : claim.result,
  })
  if (judged === null)
    return computed(
      `${claim.evidence.length > 0 ? 'all listed evidence is there' : 'no model judged it; the result is the evidence'}${
        task.criteria?.length ? '; nobody looked whether the success criteria are met, because that takes a model' : ''
      }`,
    )
  if (task.kind !== 'work') return computed('helpers and watchers are not judged themselves')
  const share = judged.spent.watchers / Math.max(1, judged.spent.all)
  if (!judged.isGoal && judged.spent.all >= WATCHING_CAP.fromTokens && share > WATCHING_CAP.share)
    return computed(`watching has used ${Math.round(share * 100)} % of the goal's tokens, and ${WATCHING_CAP.share * 100} % is the most`)
  const wanted: TaskKind[] = []
  // Commands are checked against what the log says they did; there is nothing left to judge in a short answer about them.
  const onlyCommands = claim.evidence.every((e) => e.kind === 'command')
  const small = judged.children === 0 && judged.turns <= 2 && onlyCommands && claim.result.length <= SHORT
  // Whoever said what counts as done for a goal wants to know whether it is met.
  const trivial = small && !(judged.isGoal && task.criteria?.length)
  if (claim.status === 'success' && !trivial) wanted.push('evaluate')
  if (claim.result.length > SHORT) wanted.push('summarize')
  if (judged.isGoal && !trivial) wanted.push('document')
  const watchers = wanted.flatMap((kind) => {
    const watcher = judged.watchers[kind as 'evaluate']
    if (!watcher) return []
    return [
      {
        kind,
        agent: watcher.agent,
        title: TITLES[kind as 'evaluate'],
        instruction: brief(kind, task, claim, judged),
        // Documenting holds nobody up, and may wait for a person.
        deadlineAt: kind === 'document' ? null : facts.now + watcher.timeoutSeconds * 1_000,
      },
    ]
  })
  const blocking = watchers.some((w) => w.kind !== 'document')
  if (!blocking && watchers.length === 0) return computed(trivial ? 'too small to be judged' : 'nobody is there to judge it')
  return { kind: 'watched', watchers }
}

const TITLES = { evaluate: 'Evaluate the result', summarize: 'Summarise for the parent', document: 'Document what was learnt' }
const ASKS: Record<string, string> = {
  evaluate: 'Judge whether this task was solved.',
  summarize: 'Summarise this task for the task that asked for it.',
  document: 'Write down what this task teaches that others will need again, if anything.',
}

/** All that a watcher is told. The workspace is the task's own. */
function brief(kind: TaskKind, task: Task, claim: Claim, { said, earlier }: NonNullable<ClosingFacts['judged']>): string {
  const evidence = claim.evidence.map((e) => {
    const what =
      e.kind === 'file'
        ? `file ${e.path}${e.bytes === undefined ? '' : ` (${e.bytes} bytes)`}`
        : e.kind === 'link'
          ? `link ${e.url}`
          : e.kind === 'change'
            ? `change ${e.id} of the system${e.title === undefined ? '' : ` "${e.title}", ${e.state}`}`
            : `command \`${e.command}\` with exit code ${e.exitCode}`
    return `- ${what}: ${e.ok ? 'checked' : 'NOT as claimed'}${e.problem ? ` (${e.problem})` : ''}`
  })
  return [
    ASKS[kind],
    `# The task as it was given (its id: ${task.id}; of the goal ${task.treeId}; agent: ${task.agent})\n${withCriteria(task.instruction, task.criteria)}`,
    ...(said.length
      ? [`# What people said while it ran (it changes the task where they differ)\n${said.map((words) => `- ${words}`).join('\n')}`]
      : []),
    ...(earlier?.passed === false ? [`# Why it was sent back the first time\n${earlier.reasons}`] : []),
    `# What its agent reported: ${claim.status}\n${claim.result}`,
    `# Evidence\n${evidence.join('\n') || 'None was listed: the report itself is the outcome.'}`,
  ].join('\n\n')
}
