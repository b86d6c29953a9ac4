/**
 * What Banyan offers over MCP, without a word of any SDK: tools, resources, prompts and tasks as plain values over the same doors that the
 * HTTP routes call. `server.ts` puts them on the wire; whoever else serves them (tests, a later worker's surface) makes another surface.
 */
import type * as z from 'zod'
import type { Principal } from '../auth/principal.ts'
import type { Scope } from '../contract/access.ts'

/** A question to the person at the client, as a form of flat fields. */
export type Question = {
  /** Unique for ever: an answer to it can be for nothing else. */
  key: string
  message: string
  /** JSON Schema of an object of flat fields. */
  form: { type: 'object'; properties: Record<string, Record<string, unknown>>; required?: string[] }
}
/** `decline` and `cancel` are final: nobody asks the same again. */
export type Reply = { action: 'accept'; content: Record<string, unknown> } | { action: 'decline' | 'cancel' }

export type Call = {
  by: Principal
  /** Aborts when nobody waits for the answer any more. Work goes on. */
  signal: AbortSignal
  /** The client shows forms to a person. */
  mayAsk: boolean
  /** The client follows tasks by itself. */
  mayFollow: boolean
  /** To what was asked in the round before. */
  replies: ReadonlyMap<string, Reply>
  /** What the round before kept; nobody between could change it. */
  kept: unknown
  /** How it stands; told to the client with the next sign of life. */
  tell(words: string): void
}
export type Answer =
  /** `data` fits the tool's output schema; `text` says all of it that a model needs. */
  | { kind: 'done'; data: Record<string, unknown>; text: string; isError?: boolean }
  /** The client goes on with the task of this id. */
  | { kind: 'task'; task: FollowedTask }
  /** The same call comes again with the replies and with `keep`. */
  | { kind: 'ask'; questions: Question[]; keep: unknown }

export type McpTool = {
  name: string
  title: string
  description: string
  scope: Scope
  input: z.ZodObject
  /** JSON Schemas of what it takes and of what it answers. */
  schemas: { input: object; output: object }
  hints: { reads: boolean; destroys?: boolean; repeatable?: boolean }
  /** `input` has passed the schema. Throws a `Fault` with what the caller did wrong. */
  run(input: never, call: Call): Promise<Answer>
}

export type ResourceItem = { uri: string; name: string; title: string; description?: string; mimeType: string }
export type ResourceTemplate = { uriTemplate: string; name: string; title: string; description: string; mimeType: string }
export type Resources = {
  templates: readonly ResourceTemplate[]
  list(cursor: string | undefined): Promise<{ items: ResourceItem[]; nextCursor: string | null }>
  /** Null: there is nothing at this URI. */
  read(uri: string): Promise<{ mimeType: string; text: string } | null>
  /** Values that begin with `value`, at most a hundred. */
  complete(uriTemplate: string, name: string, value: string): Promise<string[]>
}

export type PromptArgument = { name: string; description: string; required: boolean }
export type Prompt = {
  name: string
  title: string
  description: string
  arguments: readonly PromptArgument[]
  /** The text of the user's message. */
  text(given: Readonly<Record<string, string>>): Promise<string>
  complete(name: string, value: string): Promise<string[]>
}

export const TASK_STATES = ['working', 'input_required', 'completed', 'failed', 'cancelled'] as const
/** A task as the extension `io.modelcontextprotocol/tasks` tells it. */
export type FollowedTask = {
  taskId: string
  status: (typeof TASK_STATES)[number]
  statusMessage?: string
  createdAt: string
  lastUpdatedAt: string
  /** null: kept for ever. */
  ttlMs: number | null
  pollIntervalMs: number
  /** With `input_required`: what a person is asked. */
  questions?: Question[]
  /** With `completed`: what the tool call would have answered. */
  result?: { data?: Record<string, unknown>; text: string; isError?: boolean }
  /** With `failed`: why there is no result at all. */
  error?: { code: number; message: string }
}
export type FollowedTasks = {
  /** Null: there is no such task. */
  get(id: string, by: Principal): Promise<FollowedTask | null>
  /** Replies to questions that are open no more are passed over. */
  reply(id: string, replies: ReadonlyMap<string, Reply>, by: Principal): Promise<void>
  cancel(id: string, by: Principal): Promise<void>
}

export type Shown = { tools: readonly McpTool[]; mark: string }
export type Surface = {
  name: string
  title: string
  version: string
  /** For the model at the other end: what this is for and how to begin. */
  instructions: string
  tools: readonly McpTool[]
  /** The tools as this caller is shown them now, where that changes while Banyan runs. `mark` is another whenever they are. */
  shown?(by: Principal): Promise<Shown>
  resources: Resources
  prompts: readonly Prompt[]
  /** Absent: no call here answers with a task to follow. */
  tasks?: FollowedTasks
}
