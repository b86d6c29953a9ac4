/** What stays of a run outside the database: files that a kill cannot undo. */
import { appendFileSync, existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export type World = {
  /** Model calls made so far, in all lives, of one task, or of a tree, or all (`''`). */
  asked(taskId: string, treeId?: string): number
  /** Times that a line is in the files of effects. */
  effects(key: string): number
  /** Steps that a person asked for. */
  steps(): number
  /** Ends this process at once, as the kernel would. */
  die(): never
}

/** What a run was told and what it was promised, one JSON object a line, written before (asked) or after (acknowledged) the act. */
export type Noted =
  | { what: 'asked'; task: string; tree: string }
  | { what: 'goal'; tree: string }
  | { what: 'step' }
  | { what: 'decided'; review: string; decision: string }
  | { what: 'controlled'; task: string; verb: string }
  /** A call of an outside agent that was acknowledged. */
  | { what: 'sent'; task: string; key: string; agent: string }
  /** The outside agent that is never heard of again claimed it. */
  | { what: 'silent'; task: string }
  /** A `once` call that this life found begun and not ended. */
  | { what: 'doubt'; call: string }

export function openWorld(folder: string, die: () => never) {
  const file = join(folder, 'world.jsonl')
  const noted = (): Noted[] =>
    existsSync(file)
      ? readFileSync(file, 'utf8')
          .split('\n')
          .filter(Boolean)
          .map((line) => JSON.parse(line) as Noted)
      : []
  return {
    note: (one: Noted): void => appendFileSync(file, `${JSON.stringify(one)}\n`),
    noted,
    asked: (taskId: string, treeId?: string): number =>
      noted().filter(
        (one) => one.what === 'asked' && (taskId === '' || one.task === taskId) && (treeId === undefined || one.tree === treeId),
      ).length,
    effects: (key: string): number => effectLines(folder).filter((line) => line === key).length,
    steps: (): number => noted().filter((one) => one.what === 'step').length,
    die,
  }
}

/** All lines that commands added, in all workspaces. */
export const effectLines = (folder: string): string[] =>
  globSync('data/workspaces/**/effects.log', { cwd: folder }).flatMap((file) =>
    readFileSync(join(folder, file), 'utf8').split('\n').filter(Boolean),
  )
