/** Example goals: `<name>.md`, front matter for the person who chooses, and below it the goal as they would type it. */
import * as z from 'zod'
import { Fault } from '../contract/fault.ts'
import { Name } from '../contract/registry.ts'
import { checked, filesIn, splitFront } from './read-seeds.ts'

const Front = z.strictObject({
  title: z.string().min(1).max(200),
  description: z.string().min(1).max(1_000),
  /** Folders of the checkout, not paths: an example may not reach for anything else. */
  copy: z
    .array(z.string().regex(/^\w[\w-]*$/, 'a folder of the checkout, by its name alone'))
    .max(20)
    .default([]),
  /** Whether it can only ask a question when no model is connected. */
  needs_model: z.boolean().default(false),
})

/** `copy`: folders of the checkout that are copied into the new tree's workspace. */
export type ExampleGoal = { name: string; title: string; description: string; goal: string; copy: string[] }

/** All example goals of a folder, ordered by name. Rejects with a Fault `invalid` that names the file and the field when one cannot be used. */
export async function readGoals(folder: string): Promise<ExampleGoal[]> {
  return (await filesIn(folder, '.md')).map(({ file, stem, text }) => {
    const { front, body } = splitFront(text, file)
    const { title, description, copy } = checked(Front, front, file)
    if (!Name.safeParse(stem).success) throw new Fault('invalid', `${file}: the name of the file may have only a to z, digits, _ and -.`)
    const goal = body.trim()
    if (!goal) throw new Fault('invalid', `${file}: the goal is missing; it belongs below the front matter.`)
    return { name: stem, title, description, goal, copy }
  })
}
