/** A goal's tree as lines of text. Pure: colours come in as a function. */
import { labelOf } from '../../core/contract/label.ts'
import { isOver, noSpend, type Spend, type Task, WATCHING_CAP, watchShare } from '../../core/contract/task.ts'
import { watchText } from '../../core/contract/watch.ts'
import type { Paint } from './terminal.ts'
import { money, oneLine } from './words.ts'

export type Drawing = {
  paint: Paint
  /** Characters of a line; longer titles are cut. */
  width: number
  /** Lines there are; what is finished folds away first. Absent: as many as it takes. */
  rows?: number
}
type Node = { task: Task; children: Node[]; total: Spend; size: number; over: boolean }

const plus = (a: Spend, b: Spend): Spend => ({
  turns: a.turns + b.turns,
  tokens: a.tokens + b.tokens,
  costMicros: a.costMicros + b.costMicros,
  unpricedCalls: a.unpricedCalls + b.unpricedCalls,
})

/** Spend of everything there is. */
export const total = (tasks: readonly Task[]): Spend => tasks.reduce((sum, task) => plus(sum, task.spend), noSpend)

/** "watching took 12 % of the tokens (parts: at most 40 %)", or '' where nothing was watched. */
export function watchingWords(tasks: readonly Task[]): string {
  const share = watchShare(tasks)
  return share
    ? `; watching took ${Math.max(1, Math.round(share * 100))} % of the tokens (parts: at most ${WATCHING_CAP.share * 100} %)`
    : ''
}

function grow(root: Task, below: ReadonlyMap<string, Task[]>): Node {
  const children = (below.get(root.id) ?? []).map((task) => grow(task, below))
  return {
    task: root,
    children,
    total: children.reduce((sum, child) => plus(sum, child.total), root.spend),
    size: children.reduce((sum, child) => sum + child.size, 1),
    over: isOver(root.status) && children.every((child) => child.over),
  }
}

type Line = { left: string; node: Node; hidden: number }

function lay(node: Node, head: string, rest: string, fold: boolean, lines: Line[]): Line[] {
  const folded = fold && node.over && node.children.length > 0
  lines.push({ left: head, node, hidden: folded ? node.size - 1 : 0 })
  if (folded) return lines
  node.children.forEach((child, i) => {
    const last = i === node.children.length - 1
    lay(child, `${rest}${last ? '└─ ' : '├─ '}`, `${rest}${last ? '   ' : '│  '}`, fold, lines)
  })
  return lines
}

/** One line a task: shape and title, the words of its status, its cost with everything below and its own, its agent and id. */
export function drawTree(rootId: string, tasks: readonly Task[], { paint, width, rows = Number.POSITIVE_INFINITY }: Drawing): string[] {
  const root = tasks.find((task) => task.id === rootId)
  if (!root) return []
  const below = new Map<string, Task[]>()
  for (const task of tasks)
    if (task.parentId !== null && task.id !== rootId) below.set(task.parentId, [...(below.get(task.parentId) ?? []), task])
  const tree = grow(root, below)
  let lines = lay(tree, '', '', false, [])
  if (lines.length > rows) lines = lay(tree, '', '', true, [])
  const cut = lines.length > rows ? lines.slice(Math.max(1, rows - 1)) : []
  const shown = cut.length > 0 ? lines.slice(0, Math.max(1, rows - 1)) : lines

  const cells = shown.map((line) => cellsOf(line))
  const right = Math.max(...cells.map(({ word, cost }) => [...word, ...cost].length + 4))
  const space = Math.max(24, width - right)
  const column = Math.min(space, Math.max(...cells.map(({ left, title }) => left.length + 2 + [...title].length)))
  const wordColumn = Math.max(...cells.map(({ word }) => [...word].length))
  const costColumn = Math.max(...cells.map(({ cost }) => [...cost].length))
  const drawn = cells.map(({ left, title, word, cost, tail, label }) => {
    const fit = oneLine(title, Math.max(8, column - left.length - 2))
    const pad = ' '.repeat(Math.max(0, column - left.length - 2 - [...fit].length))
    const used = column + 4 + wordColumn + costColumn
    const end = width - used - 2 >= 12 ? `  ${oneLine(tail, width - used - 2)}` : ''
    return `${paint('dim', left)}${paint(label.tone, label.shape)} ${fit}${pad}  ${paint(label.tone, word.padEnd(wordColumn))}  ${cost.padEnd(costColumn)}${paint('dim', end)}`.trimEnd()
  })
  const missing = cut.reduce((sum, line) => sum + 1 + line.hidden, 0)
  return missing > 0 ? [...drawn, paint('dim', `… ${missing} more`)] : drawn
}

function cellsOf({ left, node, hidden }: Line) {
  const { task } = node
  const label = labelOf(task)
  const own = node.children.length > 0 && money(node.total) !== money(task.spend) ? ` (own ${money(task.spend)})` : ''
  return {
    left,
    title: oneLine(task.title, 120),
    word: `${label.word}${hidden > 0 ? ` +${hidden}` : ''}`,
    cost: `${money(node.total)}${own}`,
    tail: `${oneLine(task.agent, 40)} ${oneLine(task.id, 200)}`,
    label,
  }
}

/** What a person should read beside the tree: why a task asks, is held, or went wrong. */
export function notesOf(tasks: readonly Task[], { paint, width }: Pick<Drawing, 'paint' | 'width'>): string[] {
  const watched = tasks
    .filter((task) => task.watch && task.status !== 'paused')
    .map(
      (task) =>
        `${paint('you', '⟳')} ${paint('dim', oneLine(task.id, 80))} ${oneLine(`It ${watchText(task.watch!)}. ${task.watch!.words}`, Math.max(40, width - task.id.length - 4))}`,
    )
  const noted = tasks
    .filter((task) => task.note !== null && ['waiting', 'paused', 'failed', 'dead'].includes(task.status) && task.reason !== 'children')
    .map((task) => {
      const label = labelOf(task)
      return `${paint(label.tone, label.shape)} ${paint('dim', oneLine(task.id, 80))} ${oneLine(task.note!, Math.max(40, width - task.id.length - 4))}`
    })
  return [...noted, ...watched]
}
