/** docs/evolution-log.md: what became of real changes of this source, one section each. Pure. */
import type { ChangeState, GateVerdict, Level } from '../../core/contract/change.ts'

export type Run = {
  name: string
  title: string
  goal: string
  id: string
  level: Level | null
  files: readonly string[]
  decidedBy: string | null
  gates: readonly { name: string; verdict: GateVerdict; ms: number }[]
  end: ChangeState
  /** The gate that must refuse it; null: it must be kept. */
  refusedBy: string | null
  note: string | null
  /** What ran in the end, and what was proposed. */
  revision: string
  commit: string | null
  at: string
  wholeMs: number
  /** From the approval until the new revision served. */
  toServingMs: number | null
  watchSeconds: number
  cores: number
  /** Of the machine when it began: processes that wanted a core, in the mean of a minute. */
  load: number
}

const HEAD = `# Changes that Banyan made to itself

Written by \`npm run proof -- good\`: each is a wish of a person, worked by an agent whose answers a person had prepared, judged by all gates, approved over HTTP, started, watched and kept by the real keeper, in a clone of this source. The window in which it was watched is shorter than the ten minutes of a real installation, and the machine did other work; both are said. Some must be refused by the gate that they are made for. Every try stands here with its end; of those before 2026-11-21 23:00 UTC only the last of each change.
`
const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`

/** Whether it ended as it must. */
export const isRight = ({ end, refusedBy, note }: Pick<Run, 'end' | 'refusedBy' | 'note'>): boolean =>
  refusedBy === null ? end === 'kept' : end === 'refused' && (note ?? '').startsWith(`the gate "${refusedBy}" failed`)

/** The names of the changes that ended as they must in one of their tries. */
export const rightIn = (log: string): string[] =>
  sectionsOf(log)
    .filter((section) => /^(?:- kept;|### .*: (?:kept|refused, as it must be)$)/m.test(section))
    .map((section) => /^## ([\w-]+)$/m.exec(section)![1]!)

/** What came of one try. */
export function tryOf(run: Run): string {
  const gates = run.gates.reduce((sum, gate) => sum + gate.ms, 0)
  const slow = run.gates.filter((gate) => gate.ms >= 1_000).toSorted((a, b) => b.ms - a.ms)
  return [
    `### ${run.at.slice(0, 16).replace('T', ' ')} UTC: ${run.end}${run.refusedBy !== null && isRight(run) ? ', as it must be' : ''}`,
    '',
    `- ${run.commit?.slice(0, 12) ?? 'nothing'} was proposed, ${run.revision} ran in the end`,
    ...(run.note && run.end !== 'kept' ? [`- why: ${run.note}`] : []),
    `- level ${run.level ?? '?'}, decided by ${run.decidedBy ?? 'nobody'}; ${run.files.length === 1 ? run.files[0] : `${run.files.length} files: ${run.files.join(', ')}`}`,
    `- gates ${seconds(gates)}${slow.length > 0 ? ` (${slow.map((gate) => `${gate.name} ${seconds(gate.ms)}`).join(', ')})` : ''}; ${run.gates.filter((gate) => gate.verdict === 'passed').length} passed, ${run.gates.filter((gate) => gate.verdict === 'skipped').length} had nothing to do`,
    ...(run.toServingMs === null
      ? []
      : [`- ${seconds(run.toServingMs)} from the decision until it served; watched for ${run.watchSeconds} s`]),
    `- ${seconds(run.wholeMs)} in all, ${run.cores} cores, load ${run.load.toFixed(1)} at its begin`,
    '',
  ].join('\n')
}

/** The log with this try after the others of the same change. */
export function withRun(log: string, run: Run): string {
  const sections = sectionsOf(log)
  const name = `## ${run.name}\n`
  if (!sections.some((section) => section.startsWith(name))) sections.push(`${name}\n**${run.title}.** The wish: "${run.goal}"\n`)
  const parts = sections.map((section) => (section.startsWith(name) ? `${section.trimEnd()}\n\n${tryOf(run)}` : section))
  return `${[HEAD, ...parts.map((part) => `${part.trimEnd()}\n`)].join('\n').trimEnd()}\n`
}

const sectionsOf = (log: string): string[] => log.split(/^(?=## )/m).filter((part) => part.startsWith('## '))
