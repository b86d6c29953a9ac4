/** Test runs: an agent that is not saved yet, and one call of a tool. Both are real goals with small caps; neither changes the registry. */
import * as z from 'zod'
import { Budget, type Limits } from './limits.ts'
import { Agent } from './registry.ts'
import { one, text } from './route.ts'

/** Caps of a test run that says nothing of its budget: a quarter of a dollar and ten minutes. */
export const TRIAL_LIMITS: Limits = {
  depth: 2,
  fanOut: 5,
  tasks: 10,
  turns: 20,
  tokens: 200_000,
  costMicros: 250_000,
  wallSeconds: 600,
}

/** What a test run's root task is worked with instead of what the registry has. */
export type Trial = {
  agent: Agent
  /** Exactly the call that a person typed. */
  call?: { tool: string; input: unknown }
}

const Started = z.object({ treeId: text, taskId: text, url: text })
const TryAgent = z
  .object({
    goal: text.trim().min(1, 'must say what is to be done').max(20_000),
    /** The draft; left out: the agent as it is saved. */
    agent: Agent.optional(),
    budget: Budget.optional(),
  })
  .strict()
  .meta({ id: 'TryAgentRequest' })
const TryTool = z
  .object({
    input: z.record(text, z.unknown()).default({}),
    /** How long the answer is waited for; the run goes on after that. */
    waitSeconds: z.number().int().min(0).max(60).default(20),
  })
  .strict()
  .meta({ id: 'TryToolRequest' })
/** `asks`: a rule of yours wants it decided first, at `reviewId`. `running`: it has not ended yet; look at the tree. */
const Tried = Started.extend({
  state: z.enum(['ended', 'asks', 'running']),
  ok: z.boolean().nullable(),
  text: text.nullable(),
  ms: z.number().nullable(),
  reviewId: text.nullable(),
}).meta({ id: 'TriedTool' })
export type Tried = z.output<typeof Tried>

export const TRIAL_ROUTES = {
  tryAgent: one({
    method: 'POST',
    path: '/api/agents/{id}/try',
    scope: 'registry:write',
    summary: 'Runs a goal with an agent that is not saved, as a goal of its own with small caps',
    status: 201,
    request: TryAgent,
    response: Started,
  }),
  tryTool: one({
    method: 'POST',
    path: '/api/tools/{id}/try',
    scope: 'registry:write',
    summary: "Calls a tool with your arguments in a folder of its own, under the same policy, sandbox and limits as an agent's calls",
    status: 200,
    request: TryTool,
    optionalBody: true,
    response: Tried,
  }),
} as const
