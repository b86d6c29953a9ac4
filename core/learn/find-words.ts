/**
 * Drafts words for instructions and documents from what was said in the history: the same reason of evaluators, the same flag that a person
 * answered, the same refusal of a tool. Pure, and the same from the same history. Nothing here can tell whether the words help.
 */
import type { LessonChange, Words } from '../contract/learning.ts'
import { CASES, type Case, type Found, GOALS, PASSED } from './find.ts'

/** `text`: the reason, the flag or the refusal. `mend`: what made it go well in the end, in words; null: nothing did. */
export type Said = Case & { agent: string; sign: Words['sign']; text: string; mend: string | null; at: number; tool?: string }
/** Agents whose words may change, and documents that they read. */
export type Reader = { name: string; documents: readonly string[] }

/** Share of words that two reasons have in common from which they are the same. */
const ALIKE = 0.5
/** Words below which a reason says too little to be compared. */
const LEAST = 3
const QUOTED = 300

/** `known`: words that are lessons already, kept or not. `readers`: agents that may learn so; `open`: documents that may. */
export function findWords(
  said: readonly Said[],
  parts: { readers: readonly Reader[]; open: readonly string[]; known: readonly Words[] },
): Found[] {
  const readers = new Map(parts.readers.map((one) => [one.name, one]))
  const groups: { key: string; sign: Words['sign']; tool: string | undefined; cases: Said[] }[] = []
  for (const one of [...said].filter(({ agent }) => readers.has(agent)).sort((a, b) => a.at - b.at)) {
    if (termsOf(one.text).size < LEAST) continue
    const fits = (key: string) => alike(termsOf(key), termsOf(one.text)) >= ALIKE
    const group = groups.find((other) => other.sign === one.sign && other.tool === one.tool && fits(other.key))
    if (group) group.cases.push(one)
    else {
      const before = parts.known.find((words) => words.sign === one.sign && fits(words.key))
      groups.push({ key: before?.key ?? quote(one.text), sign: one.sign, tool: one.tool, cases: [one] })
    }
  }
  return groups.flatMap(({ key, sign, cases }) =>
    targetsOf(cases, readers, parts.open).flatMap(({ target, of }) => draft(key, sign, target, of)),
  )
}

/** What several agents are told is a matter of a document that all of them read; otherwise each agent's own instruction. */
function targetsOf(cases: readonly Said[], readers: ReadonlyMap<string, Reader>, open: readonly string[]) {
  const agents = [...new Set(cases.map(({ agent }) => agent))]
  const shared = open.find((document) => agents.every((agent) => readers.get(agent)?.documents.includes(document)))
  return agents.length > 1 && shared !== undefined
    ? [{ target: { kind: 'document' as const, name: shared }, of: [...cases] }]
    : agents.map((name) => ({ target: { kind: 'agent' as const, name }, of: cases.filter(({ agent }) => agent === name) }))
}

function draft(key: string, sign: Words['sign'], target: Words['target'], cases: readonly Said[]): Found[] {
  const goals = new Set(cases.map(({ treeId }) => treeId)).size
  const mended = cases.filter(({ mend }) => mend !== null)
  if (cases.length < CASES || goals < GOALS) return []
  // A flag that nobody answered and a refusal that nobody came past say what is wrong, and not what to do.
  if (sign !== 'verdict' && mended.length / cases.length < PASSED) return []
  const newest = cases.at(-1)!
  const mend = mended.at(-1)?.mend ?? null
  const many = `${cases.length} tasks in ${goals} goals`
  const said = {
    verdict: {
      title: `${target.name}: evaluators give the same reason again and again`,
      why: `${many} were found not to be solved for it; solved after they had been told: ${mended.length}.`,
      text: `Before you end a task, check what earlier tasks were sent back for: "${quote(newest.text)}"`,
    },
    flag: {
      title: `${target.name}: the same is flagged again and again`,
      why: `${many} flagged it to a person; answered: ${mended.length}.`,
      text: `Earlier tasks flagged this: "${quote(newest.text)}". A person answered: "${quote(mend ?? '')}"`,
    },
    call: {
      title: `${target.name}: ${newest.tool} refuses the same again and again`,
      why: `${many} were refused so; went well with another call after it: ${mended.length}.`,
      text: `\`${newest.tool}\` refuses some calls with "${quote(newest.text)}". Such a call went well with these arguments: \`${quote(mend ?? '').replaceAll('`', "'")}\``,
    },
  }[sign]
  const change: LessonChange = { kind: 'words', words: { target, sign, key, text: said.text } }
  return [
    {
      change,
      title: said.title,
      why: said.why,
      cases: cases.map(({ treeId, taskId, callId, text }) => ({ treeId, taskId, callId, words: quote(text) })),
    },
  ]
}

/** The beginning, which says what decided, on one line. */
function quote(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim()
  if (line.length <= QUOTED) return line
  const end = line.slice(0, QUOTED).lastIndexOf('. ')
  return end > QUOTED / 3 ? line.slice(0, end + 1) : `${line.slice(0, QUOTED - 1)}…`
}

/** What a reason is about: its words, without numbers, names of files and what every sentence has. */
function termsOf(text: string): Set<string> {
  const plain = quote(text)
    .toLowerCase()
    .replace(/(?:\S*\/)?[\w-]+\.[a-z][a-z0-9]{0,7}\b/g, ' ')
    .replace(/[^\p{L}\s]+/gu, ' ')
  return new Set(
    plain
      .split(/\s+/)
      .filter((word) => word.length > 2 && !COMMON.has(word))
      .map((word) => word.replace(/(?:ing|ed|es|s|e)$/, '')),
  )
}
const COMMON = new Set('the and for was were not are but its has had have this that with from which what asks task does did any'.split(' '))

function alike(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  const both = [...a].filter((word) => b.has(word)).length
  return both / Math.max(1, a.size + b.size - both)
}
