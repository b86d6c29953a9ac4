/** What an editor asks before and after a save: whether an entry is right, who uses it, and what a tool is and how it does. Changes nothing. */
import type { ToolDetail, UsedBy, Validation } from '../contract/api-registry.ts'
import { Fault } from '../contract/fault.ts'
import type { Agent, RegistryKind } from '../contract/registry.ts'
import type { MadeTools } from '../made/made.ts'
import type { Models } from '../models/choose.ts'
import { figures } from '../registry/figures.ts'
import { type Registry, SCHEMAS } from '../registry/registry.ts'
import { usedBy } from '../registry/used-by.ts'
import type { Store } from '../store/store.ts'
import type { Tool } from '../tool.ts'
import { CORE, composed } from './definition.ts'

/** Calls that the figures of a tool are made of. */
const CALLS = 1_000
const ERRORS = 5
/** Share of a model's window from which a prompt alone is worth a word. */
const LARGE = 0.25

export type Editors = ReturnType<typeof openEditors>

export function openEditors(parts: {
  store: Store
  registry: Registry
  tools: ReadonlyMap<string, Tool>
  models: Pick<Models, 'pick'>
  made: Pick<MadeTools, 'has' | 'states'>
  /** Agents that the system itself calls. */
  system: readonly string[]
}) {
  const { store, registry, tools, models } = parts
  type Problem = Validation['problems'][number]
  const warning = (field: string, message: string): Problem => ({ field, level: 'warning', message })

  async function inAgent(agent: Agent): Promise<{ problems: Problem[]; tokens: Validation['tokens'] }> {
    const problems: Problem[] = []
    for (const [field, kind] of [
      ['documents', 'document'],
      ['tools', 'tool'],
    ] as const)
      for (const [i, name] of agent[field].entries()) {
        const entry = await registry.get(kind, name)
        const at = `${field}.${i}`
        if (!entry) problems.push({ field: at, level: 'error', message: `There is no ${kind} "${name}".` })
        else if (!entry.enabled) problems.push(warning(at, `The ${kind} "${name}" is switched off, so the agent does not get it.`))
        else if (kind === 'tool' && !tools.has(name))
          problems.push(warning(at, `There is no file tools/${name}.ts, so the agent does not get the tool.`))
        else if (kind === 'tool' && tools.get(name)?.requires === 'web' && !agent.web_search_allowed)
          problems.push(warning(at, `The tool "${name}" needs web_search_allowed, which is off.`))
      }
    const core = await registry.get('document', CORE)
    const made = core ? await composed(parts, core.content, agent) : null
    const tokens = made ? { prompt: made.promptTokens, tools: made.specTokens } : null
    try {
      const { provider, model } = models.pick(agent.model)
      const window = provider.contextWindow(model)
      const used = (tokens ? tokens.prompt + tokens.tools : 0) + agent.max_output_tokens
      if (used > window)
        problems.push(
          warning('instruction', `Prompt, tools and longest answer are ${used} tokens, more than the ${window} that ${model} takes.`),
        )
      else if (tokens && tokens.prompt + tokens.tools > window * LARGE)
        problems.push(
          warning('instruction', `Prompt and tools alone are ${tokens.prompt + tokens.tools} of the ${window} tokens that ${model} takes.`),
        )
    } catch (error) {
      if (!(error instanceof Fault)) throw error
      problems.push(warning('model', `No task could run with it now: ${error.message}.`))
    }
    return { problems, tokens }
  }

  return {
    /** Every problem of a body that would be saved under its name. */
    async validate(kind: RegistryKind, body: unknown): Promise<Validation> {
      const parsed = SCHEMAS[kind].safeParse(body)
      if (!parsed.success)
        return {
          ok: false,
          problems: parsed.error.issues.map((issue) => ({ field: issue.path.join('.'), level: 'error', message: issue.message })),
          tokens: null,
        }
      const { problems, tokens } = kind === 'agent' ? await inAgent(parsed.data as Agent) : { problems: [], tokens: null }
      if (kind === 'tool' && !tools.has(parsed.data.name))
        problems.push(warning('name', `There is no file tools/${parsed.data.name}.ts, so no agent gets the tool.`))
      return { ok: !problems.some((problem) => problem.level === 'error'), problems, tokens }
    },
    usedBy: async (kind: RegistryKind, name: string): Promise<UsedBy> =>
      usedBy({ store, registry, system: kind === 'agent' ? parts.system : kind === 'document' ? [CORE] : [] }, kind, name),
    figures: () => figures(store),
    /** What a tool is beside its entry, and how its newest calls went. */
    async tool(name: string): Promise<Omit<ToolDetail, 'id' | keyof Awaited<ReturnType<typeof registry.list<'tool'>>>[number]>> {
      const tool = tools.get(name)
      return {
        inputSchema: tool?.inputSchema ?? null,
        permission: tool?.permission ?? null,
        effect: tool?.fixedEffect ?? null,
        requires: tool?.requires ?? null,
        words: tool?.description ?? null,
        states: parts.made.has(name) ? await parts.made.states(name) : null,
        stats: await statsOf(store, name),
      }
    },
  }
}

async function statsOf(store: Store, tool: string): Promise<ToolDetail['stats']> {
  const calls = await store.db
    .selectFrom('calls')
    .select(['id', 'task_id', 'begun_at', 'ended_at', 'ok', 'waits'])
    .where('tool', '=', tool)
    .where('ended_at', 'is not', null)
    .orderBy('ended_at', 'desc')
    .limit(CALLS)
    .execute()
  const times = calls
    .filter((call) => call.begun_at !== null && call.waits === null)
    .map((call) => Number(call.ended_at) - Number(call.begun_at))
    .sort((a, b) => a - b)
  const at = (share: number) => (times.length === 0 ? null : times[Math.min(times.length - 1, Math.floor(times.length * share))]!)
  const failed = calls.filter((call) => Number(call.ok) === 0)
  const lastErrors: ToolDetail['stats']['lastErrors'] = []
  for (const call of failed.slice(0, ERRORS)) {
    const messages = await store.db
      .selectFrom('messages')
      .select('body')
      .where('task_id', '=', call.task_id)
      .where('role', '=', 'tool')
      .execute()
    const said = messages
      .map(({ body }) => JSON.parse(body) as { callId: string; text: string })
      .find((message) => message.callId === call.id)
    lastErrors.push({
      callId: call.id,
      taskId: call.task_id,
      at: new Date(Number(call.ended_at)).toISOString(),
      text: (said?.text ?? '').slice(0, 1_000),
    })
  }
  return { calls: calls.length, failures: failed.length, p50Ms: at(0.5), p95Ms: at(0.95), lastErrors }
}
