/** Follows one goal on a screen until there is nothing more to see: the tree drawn again and again, or a line per change. */
import type { Tree } from '../../core/contract/api.ts'
import { ChangeShown } from '../../core/contract/api-changes.ts'
import type { Event } from '../../core/contract/event.ts'
import type { Review } from '../../core/contract/review.ts'
import { isOver } from '../../core/contract/task.ts'
import type { View } from '../../core/contract/tree.ts'
import { type Cli, onInterrupt } from './context.ts'
import { drawTree, notesOf, total, watchingWords } from './draw.ts'
import { followTree } from './follow.ts'
import { type Known, type Standing, standingOf } from './outcome.ts'
import { all, call, type Server } from './server.ts'
import { isMilestone, logLine } from './tell.ts'
import { Ended, EXIT, openScreen } from './terminal.ts'
import { counted, decisionCommands, oneLine, plain, quoted, spent, table } from './words.ts'

export type Settled = { standing: Exclude<Standing, { kind: 'going' }>; tree: Tree; reviews: Review[] }

/** Items of a goal that wait for a person. */
export async function openReviews(server: Server, treeId?: string): Promise<Review[]> {
  const of = (state: string) => all(server, 'reviews', { query: { state, treeId, limit: '200' } })
  return [...(await of('open')), ...(await of('snoozed'))]
}

const knownOf = (view: View, rootId: string): Known => ({
  rootId,
  pausedReason: view.trees[rootId]?.pausedReason ?? null,
  tasks: Object.values(view.tasks),
  reviews: Object.values(view.reviews).filter((review) => review.treeId === rootId),
})

/**
 * Shows how a goal goes on until it is over or, with `untilStuck`, until it can go no further without a person. What counts in the end is
 * read from the server once more. `each` gets every fact of the tree and takes the place of showing it.
 */
export async function watchTree(
  cli: Cli,
  server: Server,
  treeId: string,
  how: { stream: NodeJS.WriteStream; untilStuck: boolean; each?: (event: Event) => void },
): Promise<Settled> {
  const { terminal } = cli
  const { stream } = how
  const paint = stream === process.stdout ? terminal.outPaint : terminal.sayPaint
  const screen = stream.isTTY && !how.each ? openScreen(stream) : null
  let shown: View | null = null
  const running = new Set<string>()
  /** Every turn goes through queued and running; said once, until something else happens to the task. */
  const isNews = (event: Event): boolean => {
    if (event.type !== 'task.moved') return isMilestone(event)
    if (event.to === 'pending' || event.to === 'assigned') return false
    const isNew = event.to !== 'active' || !running.has(event.taskId)
    if (event.to === 'active') running.add(event.taskId)
    else running.delete(event.taskId)
    return isNew
  }
  const show = (view: View) => {
    if (shown === view) return
    shown = view
    screen?.draw(() => {
      const tasks = Object.values(view.tasks)
      const width = terminal.width(stream)
      const notes = notesOf(tasks, { paint, width }).slice(0, 6)
      const head = view.trees[treeId]
      const line = `${counted(tasks.length, 'task')}, ${spent(total(tasks))}${watchingWords(tasks)}${head?.pausedReason ? `; held: ${oneLine(head.pausedReason)}` : ''}`
      return [...drawTree(treeId, tasks, { paint, width, rows: screen.rows() - notes.length - 1 }), ...notes, paint('dim', line)]
    })
  }
  const say = (words: string) => {
    screen?.settle()
    terminal.say(words)
  }
  const stopListening = onInterrupt(() => {
    screen?.settle()
    const root = shown?.tasks[treeId]
    if (!root || !isOver(root.status))
      terminal.say(
        '',
        `The goal goes on. Follow it: ${terminal.banyan} tree ${treeId} --watch`,
        `Stop it: ${terminal.banyan} cancel ${treeId}`,
      )
  })
  const ended = new AbortController()
  try {
    const settled = await followTree<Settled>(
      server,
      treeId,
      {
        changed(view, event) {
          if (how.each) how.each(event)
          else if (screen) show(view)
          else if (isNews(event)) stream.write(`${logLine(event, paint)}\n`)
        },
        lost: () => say(`The line to ${server.url} is lost; going on as soon as Banyan is back.`),
        back: () => say('Banyan is back.'),
      },
      async (view) => {
        show(view)
        const seen = standingOf(knownOf(view, treeId))
        if (seen.kind === 'going' || (seen.kind === 'stuck' && !how.untilStuck)) return null
        const tree = await call(server, 'tree', { params: { id: treeId } })
        const reviews = seen.kind === 'over' ? [] : await openReviews(server, treeId)
        const standing = standingOf({ rootId: treeId, pausedReason: tree.pausedReason, tasks: tree.tasks, reviews })
        return standing.kind === 'going' ? null : { standing, tree, reviews }
      },
      ended.signal,
    )
    if (settled === null) throw new Ended(EXIT.interrupted, 'Interrupted.')
    return settled
  } finally {
    stopListening()
    ended.abort()
    screen?.settle()
  }
}

/** The questions that hold a goal up, each with the commands that answer it. */
export function askedLines(cli: Cli, { standing, tree }: Settled): string[] {
  if (standing.kind !== 'stuck') return []
  const { banyan, sayPaint: paint } = cli.terminal
  return [
    paint('you', standing.exitCode === EXIT.budget ? '¤ The goal reached a cap and waits for you.' : '⚑ The goal waits for you.'),
    ...standing.reviews.flatMap((review) => [
      '',
      `${paint('bold', oneLine(review.title, 400))} (${review.kind}, risk ${review.risk})`,
      ...shortened(review, banyan).map((line) => `  ${line}`),
      ...decisionCommands(banyan, review).map((command) => `    ${command}`),
    ]),
    ...standing.held.flatMap((task) => [
      '',
      `${paint('bold', oneLine(task.title))} is paused${task.note ? `: ${oneLine(task.note)}` : ''}`,
      ...(tree.mode === 'step' || task.reason === 'step' ? [`    ${banyan} step ${quoted(plain(task.id))}`] : []),
      `    ${banyan} resume ${quoted(plain(task.id))}`,
    ]),
    '',
    `Then follow it: ${banyan} tree ${tree.id} --watch`,
  ]
}

/** What a review item is about, from its data: the question, the command, or the data itself. */
export function questionOf(review: Pick<Review, 'action' | 'title'>): string[] {
  const { action } = review
  if (action === null || action === undefined) return []
  if (typeof action === 'object' && !Array.isArray(action)) {
    return Object.entries(action).flatMap(([name, value]) => {
      const words = plain(wordsOf(value)).trim()
      if (words === '' || words === review.title) return []
      return words.includes('\n') ? [`${plain(name)}:`, ...words.split('\n').map((line) => `  ${line}`)] : [`${plain(name)}: ${words}`]
    })
  }
  return plain(typeof action === 'string' ? action : JSON.stringify(action)).split('\n')
}

/** Arguments of a call, each on lines of its own, so that a text among them reads as a text. */
const wordsOf = (value: unknown): string => {
  if (typeof value === 'string') return value
  const long =
    value !== null && typeof value === 'object' && Object.values(value).some((one) => typeof one === 'string' && one.includes('\n'))
  if (!long) return JSON.stringify(value)
  return Object.entries(value)
    .map(([name, one]) => `${name}: ${typeof one === 'string' ? one : JSON.stringify(one)}`)
    .join('\n')
}

/** Lines of an item that are printed without being asked for more. */
const MOST_LINES = 40

/** The same for a screen: of a change of Banyan what, why, files and gates; of anything else that is long the beginning. Says what shows the whole. */
export function shortened(review: Pick<Review, 'id' | 'kind' | 'action' | 'title'>, banyan: string): string[] {
  const change = review.kind === 'self_change' ? ChangeShown.safeParse(review.action).data : undefined
  if (change) {
    const { says } = change.author
    return [
      `why: ${oneLine(says.why, 600)}`,
      ...(says.evidence === '' ? [] : [`evidence: ${oneLine(says.evidence, 400)}`]),
      ...(says.effect === '' ? [] : [`expected: ${oneLine(says.effect, 400)}`]),
      `level: ${change.level}, ${oneLine(change.reasons.join('; '), 400)}`,
      '',
      ...table(change.files.map((file) => [file.what, `+${file.added}`, `-${file.removed}`, plain(file.path)])),
      '',
      ...table(change.gates.map((gate) => [gate.verdict, plain(gate.name), oneLine(gate.summary, 140)])),
      '',
      `The whole: ${banyan} change diff ${quoted(plain(change.change))}`,
    ]
  }
  const lines = questionOf(review)
  if (lines.length <= MOST_LINES) return lines
  const left = lines.length - MOST_LINES
  return [...lines.slice(0, MOST_LINES), `… ${counted(left, 'line')} more: ${banyan} review show ${quoted(plain(review.id))} --whole`]
}
