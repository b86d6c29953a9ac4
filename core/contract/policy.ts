/** What may happen without a person, and what a person has said about it: words shared by tools, policy, queue and page. */
import * as z from 'zod'
import type { Risk } from './command-text.ts'

/** allow: it runs. ask: a person decides first. deny: it does not run, whoever approves it. */
export type PolicyVerdict = 'allow' | 'ask' | 'deny'

/** Where words came from that nobody in the tree wrote: the web, files outside the workspace, agents of other trees. */
export const TAINTS = ['web', 'files', 'agents'] as const
export type Taint = (typeof TAINTS)[number]
/** Taint only grows, and is always in the same order. */
export const joinTaint = (...lists: readonly (readonly Taint[])[]): Taint[] =>
  TAINTS.filter((taint) => lists.some((list) => list.includes(taint)))

/** What a tool says of one call, as data. What it leaves out is unknown, and the policy takes the unknown for the worse. */
export type Declared = {
  /** `person`: exactly what a person typed in their own goal. */
  by?: 'person' | 'agent'
  /** The command that would run. */
  run?: { argv: readonly string[] } | { shell: string }
  /** Folder of the command, relative to the workspace. */
  cwd?: string
  /** What the command reads as its input. */
  stdin?: string
  /** Variables that the agent sets for the command. */
  env?: Readonly<Record<string, string>>
  /** It goes on after the call is answered. */
  background?: boolean
  /** Relative to the workspace, or absolute. */
  paths?: readonly { path: string; write: boolean }[]
  /** Names, without ports; `*.name` stands for all below it. */
  hosts?: readonly string[]
  /** Whole addresses that it asks for and gets an answer from: a tainted task needs a person for one that nobody showed it. */
  urls?: readonly string[]
  /** Hosts with their ports that a command asks to reach. */
  network?: readonly string[]
  costMicros?: number
  /** How far the command is kept from the rest of the machine. */
  isolation?: string
  /** False: the command cannot reach a network. */
  online?: boolean
  /** Names of secrets that the command is given. */
  secrets?: readonly string[]
  /** It changes something outside the workspace: a push, a mail, a post, a secret that leaves, the system itself. */
  external?: boolean
  /** Tasks that it would start beside those that are there. */
  adds?: number
  /** A person decides every time: no rule, no setting of the goal and no word of a person in it stands for that. */
  reviewed?: true
  /** What kind of effect this call has, where it is another than its tool's. */
  permission?: string
  /** The tool refuses these arguments itself: nothing would happen. */
  idle?: boolean
}

/** What an always-allow may cover: exactly this action; this program with these flags; this tool in this tree. */
export const RULE_SCOPES = ['exact', 'command', 'tool-in-tree'] as const
export type RuleScope = (typeof RULE_SCOPES)[number]
/** What a narrowing rule speaks of. */
export const NARROW_SCOPES = ['tool', 'permission', 'program', 'host'] as const
export type NarrowScope = (typeof NARROW_SCOPES)[number]

/** An always-allow that an item could become, in words a person reads before choosing it. */
export type Offer = { scope: RuleScope; signature: string; label: string }

/**
 * A rule of a person. `allow` rules come from a decision and cover no more than what was shown then; `ask` and `deny` rules narrow, for the
 * whole system, for one tree, or for one agent.
 */
export type Rule = {
  id: string
  verdict: PolicyVerdict
  scope: RuleScope | NarrowScope
  /** What it covers: a hash, a program with its flags, a name. */
  signature: string
  label: string
  treeId: string | null
  agent: string | null
  /** It holds for tainted tasks too. */
  tainted: boolean
  createdBy: string
  createdAt: string
  expiresAt: string | null
  hits: number
  lastHitAt: string | null
  revokedAt: string | null
}

/** What was decided about one call and why; `rule` is the rule that decided it. */
export type Judgement = { verdict: PolicyVerdict; reason: string; rule: string | null; risk: Risk }

/** `tainted`: also where the task has read what nobody in its tree wrote. */
export const Remember = z
  .object({
    scope: z.enum(RULE_SCOPES),
    expiresInSeconds: z.number().int().min(1).max(31_536_000).optional(),
    tainted: z.boolean().optional(),
  })
  .strict()
export type Remember = z.output<typeof Remember>

const verdict = z.enum(['ask', 'deny'])
const scope = z.enum(NARROW_SCOPES)
const signature = z.string().trim().min(1).max(300)
/** A rule that narrows; what widens comes from a decision only. */
export const NewRule = z
  .object({
    verdict,
    scope,
    signature,
    treeId: z.string().max(100).optional(),
    agent: z.string().max(64).optional(),
    expiresInSeconds: z.number().int().min(1).max(31_536_000).optional(),
  })
  .strict()
export type NewRule = z.output<typeof NewRule>
/** A narrowing rule that a goal brings along; it holds for that goal alone. */
export const GoalRule = z.object({ verdict, scope, signature }).strict()
export type GoalRule = z.output<typeof GoalRule>
/** Rules that one goal may bring. */
export const GOAL_RULES = 20
