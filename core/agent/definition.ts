/**
 * What an agent's model is given before a turn, composed from rows: its prompt and its tools. The editors show the same that runs, and outside
 * agents are told the same.
 */
import type { Trial } from '../contract/api-trials.ts'
import { Fault } from '../contract/fault.ts'
import type { Habits } from '../contract/learning.ts'
import type { Agent, Document, ToolEntry, Versioned } from '../contract/registry.ts'
import type { ModelRequest } from '../models/provider.ts'
import type { Registry } from '../registry/registry.ts'
import type { Grants } from '../tasks/rows.ts'
import type { Tasks } from '../tasks/tasks.ts'
import type { Tool } from '../tool.ts'
import { estimateTokens } from './context.ts'
import { buildPrompt, type Prompt } from './prompt.ts'

/** The document that holds the one core instruction. */
export const CORE = 'core_instruction'

export type Composed = {
  prompt: Prompt
  tools: ReadonlyMap<string, Tool>
  specs: ModelRequest['tools']
  /** Of the tools that have learnt some, by their names. */
  habits: ReadonlyMap<string, Habits>
  /** Who saved its documents last. */
  authors: readonly string[]
  promptTokens: number
  specTokens: number
}

/** Documents and tools that are missing or switched off are left out. `extra`: what helpers handed over to one task. */
export async function composed(
  parts: { registry: Pick<Registry, 'get' | 'list'>; tools: ReadonlyMap<string, Tool> },
  core: string,
  agent: Agent,
  extra: { documents: readonly string[]; tools: readonly string[]; judging?: Grants['judging'] } = { documents: [], tools: [] },
): Promise<Composed> {
  const names = [...new Set([...agent.documents, ...extra.documents])]
  const documents = (await Promise.all(names.map((name) => parts.registry.get('document', name)))).filter(
    (document): document is Versioned<Document> => document?.enabled === true,
  )
  const wanted = new Set([...agent.tools, ...extra.tools])
  const may = { web: agent.web_search_allowed }
  const entries = (await parts.registry.list('tool')).filter((entry) => {
    const tool = parts.tools.get(entry.name)
    if (!entry.enabled || !tool) return false
    const judges = tool.judging === true || tool.judging === extra.judging
    if (extra.judging && !judges && (tool.fixedEffect !== 'read' || tool.permission !== 'read')) return false
    return tool.requires ? may[tool.requires] : entry.core || wanted.has(entry.name)
  })
  const tools = new Map(entries.map((entry) => [entry.name, parts.tools.get(entry.name)!]))
  const specs = entries.map((entry) => {
    const { name, description, inputSchema } = tools.get(entry.name)!
    // A tool that was made has its words in its entry, so that they are of one version with it.
    return entry.made ? { name, description: entry.description, inputSchema: entry.made.inputSchema } : { name, description, inputSchema }
  })
  const habits = new Map(entries.flatMap((entry) => (entry.habits ? [[entry.name, entry.habits] as const] : [])))
  const prompt = buildPrompt(core, agent, documents, entries)
  const authors = [...new Set(documents.map((document) => document.author))]
  return {
    prompt,
    tools,
    specs,
    habits,
    authors,
    promptTokens: estimateTokens(prompt.text),
    specTokens: estimateTokens(JSON.stringify(specs)),
  }
}

export type DefinitionParts = { registry: Pick<Registry, 'get' | 'list'>; tools: ReadonlyMap<string, Tool>; tasks: Pick<Tasks, 'trial'> }

/** Of one task: its agent, or the draft of it that is tried out, with what helpers handed over. Undefined: there is no such agent, or it is off. */
export async function definitionOf(
  parts: DefinitionParts,
  name: string,
  { documents = [], tools = [], trial: trialId, judging = false }: Grants,
): Promise<(Composed & { agent: Versioned<Agent>; trial: Trial | null }) | undefined> {
  const { agent, trial } = await agentOf(parts, name, trialId)
  if (!agent?.enabled) return undefined
  const core = await parts.registry.get('document', CORE)
  if (!core) throw new Fault('unavailable', `The document ${CORE} is missing; restore it from its versions or from the seeds.`)
  return { agent, trial, ...(await composed(parts, core.content, agent, { documents, tools, judging })) }
}

async function agentOf(
  parts: DefinitionParts,
  name: string,
  trialId: string | undefined,
): Promise<{ agent: Versioned<Agent> | undefined; trial: Trial | null }> {
  const trial = trialId === undefined ? null : await parts.tasks.trial(trialId)
  return trial
    ? { agent: { ...trial.agent, version: 0, author: 'draft', updatedAt: '' }, trial }
    : { agent: await parts.registry.get('agent', name), trial }
}

/**
 * Of the tools that a task's agent has, those that come and go while Banyan runs: made by agents, of other people's servers, or handed to this
 * task. By name.
 */
export async function arrivals(
  parts: DefinitionParts,
  name: string,
  { tools: granted = [], trial }: Grants,
): Promise<Versioned<ToolEntry>[]> {
  const { agent } = await agentOf(parts, name, trial)
  if (!agent?.enabled) return []
  const own = new Set(agent.tools)
  return (await parts.registry.list('tool')).filter(
    (entry) => entry.enabled && (granted.includes(entry.name) || (entry.origin !== undefined && (entry.core || own.has(entry.name)))),
  )
}
