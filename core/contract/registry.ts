/** Agents, documents and tools are rows; every save is a version. */
import * as z from 'zod'
import { Habits } from './learning.ts'
import { MadeTool } from './made-tool.ts'

export const Name = z.string().regex(/^[a-z][a-z0-9_-]{0,63}$/, 'a name is 1 to 64 of a-z, 0-9, _ and -, and starts with a letter')
export const REGISTRY_KINDS = ['agent', 'document', 'tool'] as const
export type RegistryKind = (typeof REGISTRY_KINDS)[number]

/** Everything about an agent. Nothing about any agent is in code. */
export const Agent = z.object({
  name: Name,
  description: z.string().min(1).max(1_000),
  instruction: z.string().min(1).max(100_000),
  /** Names of context documents that are always in its prompt. */
  documents: z.array(Name).max(50).default([]),
  /** Names of optional tools; the core toolkit is always there. */
  tools: z.array(Name).max(100).default([]),
  /** `default`, `playbook`, or `provider/model`. */
  model: z.string().max(200).default('default'),
  web_search_allowed: z.boolean().default(false),
  capabilities: z.array(z.string().max(64)).max(50).default([]),
  max_turns: z.number().int().min(1).max(10_000).default(60),
  timeout_seconds: z.number().int().min(1).max(31_536_000).optional(),
  max_output_tokens: z.number().int().min(256).max(200_000).default(16_000),
  /** Watchers judge or describe other tasks; their instructions are changed only by a person. */
  watcher: z.boolean().default(false),
  enabled: z.boolean().default(true),
})
export type Agent = z.output<typeof Agent>

export const Document = z.object({
  name: Name,
  description: z.string().min(1).max(1_000),
  content: z.string().max(500_000),
  enabled: z.boolean().default(true),
})
export type Document = z.output<typeof Document>

/** A row of the tool registry: whether agents may have the tool. The schema and the words for the model come from the tool file itself. */
export const ToolEntry = z.object({
  name: Name,
  description: z.string().min(1).max(2_000),
  /** Core tools are in every agent's hands; the others are listed in an agent's `tools` or granted by `request_tools`. */
  core: z.boolean().default(false),
  enabled: z.boolean().default(true),
  /** Absent: a file in `tools/`. `made`: an agent wrote it at run time. `server`: it belongs to somebody else's MCP server. */
  origin: z.enum(['made', 'server']).optional(),
  /** What a tool that an agent wrote consists of, so that every version holds all of it. */
  made: MadeTool.optional(),
  /** How it goes about its calls, as learnt from its own history. */
  habits: Habits.optional(),
})
export type ToolEntry = z.output<typeof ToolEntry>

export type EntryOf = { agent: Agent; document: Document; tool: ToolEntry }
/** What made a version beside its author: the task that an agent was at, a lesson of the history, or the version that it brings back. */
export const Cause = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('task'), taskId: z.string() }),
  z.object({ kind: z.literal('lesson'), lesson: z.string() }),
  z.object({ kind: z.literal('restore'), version: z.number().int() }),
])
export type Cause = z.output<typeof Cause>

/** `author` is `seed`, a person's or an agent's name. */
export type Versioned<T> = T & { version: number; author: string; updatedAt: string }
