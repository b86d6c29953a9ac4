/**
 * Which model answers for an agent, and when a failed call is tried again. A model's name is `provider/model`; `default` is what the
 * owner set, or what the keys at hand allow, or the embedded playbook.
 */
import { Fault } from '../contract/fault.ts'
import { anthropic, defaultAnthropicModel } from './anthropic.ts'
import { type Breaker, breaker } from './breaker.ts'
import { defaultOpenaiModel, FIRST_MODEL, OPENAI_URL, openai } from './openai.ts'
import type { ModelFault, Provider } from './provider.ts'

export type ModelConfig = {
  anthropicApiKey?: string | undefined
  anthropicBaseUrl?: string | undefined
  openaiApiKey?: string | undefined
  openaiBaseUrl?: string | undefined
  openrouterApiKey?: string | undefined
  model?: string | undefined
  fallbackModel?: string | undefined
}

export type Target = { provider: Provider; model: string }
export type Choice = Target & { fallback?: Target }

export type Models = {
  /** What answers for an agent whose setting is `agentModel`. A Fault names the setting that is missing or wrong. */
  pick(agentModel: string): Choice
  readonly providers: Provider[]
  /** Keys and addresses beside those of the environment, which win; used from the next call on. */
  connect(stored: ModelConfig): void
  /** One sentence for a person; never throws. */
  describe(): string
  breakerOf(provider: Provider): Breaker
}

/** OpenRouter chooses the model itself; unlike any name written here it cannot go out of date. */
const ROUTED = 'openrouter/auto'
/** Node's fetch gives up on a server that sends no header for 300 s; a local model that reads a long prompt may need most of it. */
const LOCAL_IDLE_MS = 300_000

const NEEDS: Record<string, string> = {
  anthropic: 'ANTHROPIC_API_KEY',
  openai: 'OPENAI_API_KEY or OPENAI_BASE_URL',
  openrouter: 'OPENROUTER_API_KEY',
}

/** `model` and `fallbackModel` are read each time. `extra`: further providers, addressed by their names. `now` is the breakers' clock. */
export function chooseModels(config: ModelConfig, playbook: Provider, extra: Provider[] = [], now: () => number = Date.now): Models {
  const environment = config
  let configured = connect(config)
  /** The same list for whoever holds it, whatever becomes of the keys. */
  const providers = [...configured.values(), playbook, ...extra]
  const breakers = new Map<string, Breaker>()

  function find(name: string): Target {
    const whole = [playbook, ...extra].find(
      (provider) => provider.name === name || (provider.outside && name.startsWith(`${provider.name}:`)),
    )
    if (whole) return { provider: whole, model: name }
    const slash = name.indexOf('/')
    const [head, rest] = [name.slice(0, slash), name.slice(slash + 1)]
    const provider = slash > 0 && rest ? (configured.get(head) ?? providers.find((each) => each.name === head)) : undefined
    if (provider) return { provider, model: name === ROUTED ? ROUTED : rest }
    const needs = NEEDS[head]
    if (needs) throw new Fault('invalid', `the model ${name} needs ${needs}; set it, or choose another model`)
    const example = `${[...configured.keys()][0] ?? 'openrouter'}/${name}`
    throw new Fault(
      'invalid',
      `the model ${name} names no known provider; write provider/model, such as ${example} (providers: ${Object.keys(NEEDS).join(', ')}, or playbook)`,
    )
  }

  function standard(): Target {
    if (environment.model && environment.model !== 'default') return find(environment.model)
    if (configured.has('anthropic')) return find(`anthropic/${defaultAnthropicModel()}`)
    if (configured.has('openrouter')) return find(ROUTED)
    const own = configured.get('openai')
    if (own) return { provider: own, model: own.name === 'openai' ? defaultOpenaiModel() : FIRST_MODEL }
    return find(playbook.name)
  }

  function pick(agentModel: string): Choice {
    const target = agentModel === '' || agentModel === 'default' ? standard() : find(agentModel)
    if (!environment.fallbackModel || !target.provider.judges) return target
    const fallback = find(environment.fallbackModel)
    return nameOf(fallback) === nameOf(target) ? target : { ...target, fallback }
  }

  return {
    pick,
    providers,
    connect(stored) {
      const more = Object.fromEntries(Object.entries(stored).filter(([, value]) => value !== undefined))
      config = { ...more, ...Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== undefined)) }
      configured = connect(config)
      providers.splice(0, providers.length, ...configured.values(), playbook, ...extra)
    },
    describe() {
      try {
        const { provider, model, fallback } = pick('default')
        if (provider.outside) return `Agents are driven by outside agents, which claim their tasks over MCP.`
        if (!provider.judges) return 'No model is connected: lists and commands run all the same, and what needs judgement is asked of you.'
        const which = model === FIRST_MODEL ? `the first model served at ${hostOf(config.openaiBaseUrl)}` : nameOf({ provider, model })
        return `Agents are driven by ${which}${fallback ? `, with ${nameOf(fallback)} when it fails` : ''}.`
      } catch (error) {
        if (error instanceof Fault) return `No agent can run on its default model: ${error.message}.`
        throw error
      }
    },
    breakerOf({ name }) {
      const known = breakers.get(name) ?? breaker({ now })
      breakers.set(name, known)
      return known
    },
  }
}

/** Providers for which there is a key or an address, under the names that settings use for them. */
function connect(config: ModelConfig): Map<string, Provider> {
  const found = new Map<string, Provider>()
  const { anthropicApiKey, anthropicBaseUrl, openaiApiKey, openaiBaseUrl, openrouterApiKey } = config
  if (anthropicApiKey)
    found.set('anthropic', anthropic({ apiKey: anthropicApiKey, ...(anthropicBaseUrl ? { baseUrl: anthropicBaseUrl } : {}) }))
  if (openrouterApiKey) found.set('openrouter', openai({ name: 'openrouter', apiKey: openrouterApiKey }))
  if (openaiBaseUrl && hostOf(openaiBaseUrl) !== hostOf(OPENAI_URL)) {
    // Under a name of its own, because what it charges, if anything, is not OpenAI's price.
    const local = { name: 'openai-compatible', apiKey: openaiApiKey || undefined, baseUrl: openaiBaseUrl }
    found.set('openai', openai(isLoopback(openaiBaseUrl) ? { ...local, idleTimeoutMs: LOCAL_IDLE_MS } : local))
  } else if (openaiApiKey) found.set('openai', openai({ name: 'openai', apiKey: openaiApiKey, baseUrl: openaiBaseUrl || OPENAI_URL }))
  return found
}

const nameOf = ({ provider, model }: Target): string =>
  model === provider.name || model.startsWith(`${provider.name}/`) || model.startsWith(`${provider.name}:`)
    ? model
    : `${provider.name}/${model}`

const hostOf = (url: string | undefined): string => (url && URL.canParse(url) ? new URL(url).host : String(url))

const isLoopback = (url: string): boolean => URL.canParse(url) && /^(localhost|127\.|\[::1\])/.test(new URL(url).hostname)

/** After so many faults of kind `later` in a row a task's next call goes to the fallback model, if there is one. */
export const FALLBACK_AFTER = 2

const FIRST_DELAY_MS = 2_000
const LONGEST_DELAY_MS = 300_000

/**
 * Wait before the next try after the `attempt`-th fault in a row (from 1). A provider's retry-after is kept exactly, however long; else
 * exponential with full jitter, so that tasks that failed together do not come back together. `random` is in [0, 1).
 */
export function retryDelayMs(attempt: number, fault: ModelFault, random: number): number {
  if (fault.retryAfterMs !== undefined) return fault.retryAfterMs
  return Math.round(random * Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** (Math.max(1, attempt) - 1)))
}
