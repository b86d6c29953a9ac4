/** A tool that an agent wrote: what it is made of, within which bounds, and what it may touch. */
import * as z from 'zod'

/**
 * pure: its input and nothing else. read_workspace: the files of the task it works for, too. write_workspace: it may change them. None has a
 * network, starts programs, or sees anything else of the machine.
 */
export const MADE_PERMISSIONS = ['pure', 'read_workspace', 'write_workspace'] as const
export type MadePermission = (typeof MADE_PERMISSIONS)[number]

/** Characters of a source, and of its tests. */
export const MADE_SOURCE_LIMIT = 60_000
/** Characters of a schema as JSON. */
export const MADE_SCHEMA_LIMIT = 20_000
/** Characters of an input or a result as JSON. */
export const MADE_VALUE_LIMIT = 200_000

export const MadeTool = z.object({
  inputSchema: z.record(z.string(), z.unknown()),
  outputSchema: z.record(z.string(), z.unknown()).optional(),
  /** TypeScript that Node can strip; its default export is the tool. */
  source: z.string().min(1).max(MADE_SOURCE_LIMIT),
  /** Tests of it for node:test. */
  tests: z.string().min(1).max(MADE_SOURCE_LIMIT),
  permission: z.enum(MADE_PERMISSIONS),
  /** The goal in which it was made; only tasks of this goal may have a version that no person approved. */
  treeId: z.string().max(100),
})
export type MadeTool = z.output<typeof MadeTool>

/** What an agent gives to make a tool. */
export const Draft = z.object({
  name: z
    .string()
    .regex(/^[a-z][a-z0-9]*(_[a-z0-9]+)*$/, 'words of a-z and 0-9 joined by single _, such as "count_words"')
    .min(3)
    .max(48),
  description: z.string().min(20).max(2_000),
  input_schema: z.record(z.string(), z.unknown()),
  output_schema: z.record(z.string(), z.unknown()).optional(),
  source: z.string().min(1).max(MADE_SOURCE_LIMIT),
  tests: z.string().min(1).max(MADE_SOURCE_LIMIT),
  permission: z.enum(MADE_PERMISSIONS),
})
export type Draft = z.output<typeof Draft>

/** How its tests went; `report` is what a person and the agent read. */
export type MadeTrial = { passed: number; failed: number; ms: number; report: string }
/** What is known of one version beside its text. */
export type MadeState = {
  version: number
  sha: string
  trial: MadeTrial
  testedAt: string
  approvedBy: string | null
  approvedAt: string | null
  /** Runs that ended with a fault of the tool's own, in a row. */
  failures: number
  runs: number
  /** Why it was taken out of use by itself. */
  broken: string | null
}
