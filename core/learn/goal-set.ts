/** The built-in goals on which lessons are judged. One Markdown file each, its settings on top; no model is needed for any. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parse } from 'yaml'
import * as z from 'zod'

const Head = z
  .object({ title: z.string().min(1).max(200), about: z.string().min(1).max(1_000), ends: z.enum(['done', 'failed']).default('done') })
  .strict()
export type SetGoal = {
  name: string
  title: string
  about: string
  ends: 'done' | 'failed'
  goal: string
  /** Tries of it where they differ from those of the set. */
  tries?: number
  /** A try that takes longer has failed. Milliseconds. */
  mostMs?: number
}

/** Throws with the file's name where one is not right. */
export async function readGoalSet(folder: string): Promise<SetGoal[]> {
  const files = (await readdir(folder)).filter((name) => name.endsWith('.md') && name !== 'README.md').sort()
  return Promise.all(
    files.map(async (file) => {
      const [, head, goal] = /^---\n([\s\S]*?)\n---\n([\s\S]+)$/.exec(await readFile(join(folder, file), 'utf8')) ?? []
      const settings = Head.safeParse(head === undefined ? null : parse(head))
      if (!settings.success || goal === undefined)
        throw new Error(`${join(folder, file)}: it begins with title and about between two lines of ---; the goal follows.`)
      return { name: file.slice(0, -3), ...settings.data, goal: goal.trim() }
    }),
  )
}
