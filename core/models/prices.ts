/**
 * What a call costs, from the data that @pydantic/genai-prices carries: no network, no updates. Money is in millionths of a dollar.
 * An unknown price is null, never 0: callers show "unpriced" and count the call.
 */
import { calcPrice, findProvider, type ModelInfo, type Provider as Priced } from '@pydantic/genai-prices'
import type { Usage } from '../contract/task.ts'

/** Where prices come from, as a person is told; a test compares the version with the package's. */
export const PRICES = { source: '@pydantic/genai-prices', version: '0.1.8' } as const

/** Only these names are looked up: the library also matches loosely ("openai-compatible" would find OpenAI's prices). */
const KNOWN = ['anthropic', 'openai', 'openrouter']

/**
 * Models that the library would take for their predecessor by prefix. Claude Sonnet 5.5 costs what Sonnet 5 does except for cache reads
 * at half the rate (Anthropic's migration guide, November 2026). An entry goes when the library knows the model; a test says when.
 */
const NEWER: Record<string, ModelInfo[]> = {
  anthropic: [
    {
      id: 'claude-sonnet-5-5',
      match: { starts_with: 'claude-sonnet-5-5' },
      context_window: 1_000_000,
      prices: { input_mtok: 2, cache_write_mtok: 2.5, cache_read_mtok: 0.1, output_mtok: 10 },
    },
  ],
}

export const newerThanLibrary = (): { provider: string; model: string }[] =>
  Object.entries(NEWER).flatMap(([provider, models]) => models.map(({ id }) => ({ provider, model: id })))

/** Price of one call, or null if it is not known. Cached tokens are billed at their own rates; `reasoning` is part of `output`. */
export function priceOf(provider: string, model: string, usage: Usage): number | null {
  return micros(provider, model, {
    // The library counts cached tokens as part of the input, our buckets are disjoint.
    input_tokens: usage.input + usage.cacheRead + usage.cacheWrite,
    cache_read_tokens: usage.cacheRead,
    cache_write_tokens: usage.cacheWrite,
    output_tokens: usage.output,
  })
}

/** Price of a call before it is made, nothing of it cached; null if it is not known. */
export function estimateMicros(provider: string, model: string, inputTokens: number, outputTokens: number): number | null {
  return micros(provider, model, { input_tokens: inputTokens, output_tokens: outputTokens })
}

/** Tokens that fit into request and answer together, as the price data says; null if it does not. */
export function contextWindowOf(provider: string, model: string): number | null {
  return find(provider, model, {})?.model.context_window ?? null
}

function micros(provider: string, model: string, usage: Record<string, number>): number | null {
  const found = find(provider, model, usage)
  // A model listed without token prices sums up to 0, which is not its price.
  if (!found || (found.model_price.input_mtok === undefined && found.model_price.output_mtok === undefined)) return null
  return Math.round(found.total_price * 1_000_000)
}

function find(provider: string, model: string, usage: Record<string, number>) {
  if (!KNOWN.includes(provider)) return null
  const known = findProvider({ providerId: provider })
  if (!known) return null
  const newer = NEWER[provider]?.find(({ id }) => model === id || model.startsWith(`${id}-20`))
  const priced: Priced = newer ? { ...known, models: [newer] } : known
  const found = calcPrice(usage, model, { provider: priced })
  return found && !isOtherVersion(found.model.id, model) ? found : null
}

/** The library matches by prefix: `claude-fable-5-2` finds `claude-fable-5`, whose price says nothing about it. */
function isOtherVersion(found: string, asked: string): boolean {
  return asked.startsWith(found) && /^[-.]\d{1,2}(?!\d)/.test(asked.slice(found.length))
}

/** Models of the price data that can be named, with dollars for a million tokens of a short call. */
export function knownModels(): {
  id: string
  provider: string
  inputPerMillion: number
  outputPerMillion: number
  contextTokens: number | null
}[] {
  return KNOWN.flatMap((provider) => {
    const ids = [
      ...newerThanLibrary().flatMap((one) => (one.provider === provider ? [one.model] : [])),
      ...(findProvider({ providerId: provider })?.models ?? []).map((one) => one.id),
    ]
    return [...new Set(ids)].flatMap((model) => {
      const [input, output] = [estimateMicros(provider, model, 10_000, 0), estimateMicros(provider, model, 0, 10_000)]
      if (input === null || output === null) return []
      const id = model.startsWith(`${provider}/`) ? model : `${provider}/${model}`
      return [
        {
          id,
          provider,
          inputPerMillion: input / 10_000,
          outputPerMillion: output / 10_000,
          contextTokens: contextWindowOf(provider, model),
        },
      ]
    })
  })
}
