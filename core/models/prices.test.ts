import { readFileSync } from 'node:fs'
import { findProvider } from '@pydantic/genai-prices'
import { describe, expect, it } from 'vitest'
import { noUsage } from '../contract/task.ts'
import { contextWindowOf, estimateMicros, newerThanLibrary, PRICES, priceOf } from './prices.ts'

describe('the price of a call', () => {
  // Dollars a million tokens of Claude Sonnet 4: 3 in, 15 out, 3.75 cache write, 0.30 cache read.
  const sonnet4 = 'claude-sonnet-4-20250514'

  it('bills each kind of token once, at its own rate', () => {
    const usage = { input: 1_000, output: 2_000, reasoning: 0, cacheRead: 10_000, cacheWrite: 4_000 }
    // 1,000 × 3 + 2,000 × 15 + 10,000 × 0.30 + 4,000 × 3.75
    expect(priceOf('anthropic', sonnet4, usage)).toBe(3_000 + 30_000 + 3_000 + 15_000)
    expect(priceOf('anthropic', sonnet4, { ...noUsage, input: 1_000 })).toBe(3_000)
    expect(priceOf('anthropic', sonnet4, { ...noUsage, cacheRead: 10_000 })).toBe(3_000)
    expect(priceOf('anthropic', sonnet4, { ...noUsage, cacheWrite: 4_000 })).toBe(15_000)
  })

  it('does not bill reasoning beside the output that it is part of', () => {
    // GPT-5: 1.25 in, 10 out, 0.125 cache read.
    expect(priceOf('openai', 'gpt-5', { input: 1_000, output: 500, reasoning: 400, cacheRead: 8_000, cacheWrite: 0 })).toBe(
      1_250 + 5_000 + 1_000,
    )
  })

  it('rises with the tiers of long prompts, cached tokens included', () => {
    // Claude Sonnet 4.5 above 200,000 tokens of input: 6 in, 0.60 cache read.
    expect(priceOf('anthropic', 'claude-sonnet-4-5', { ...noUsage, input: 1_000, cacheRead: 300_000 })).toBe(6_000 + 180_000)
  })

  it('knows the default models', () => {
    expect(
      priceOf('anthropic', 'claude-sonnet-5-5', { input: 1_000, output: 1_000, reasoning: 0, cacheRead: 10_000, cacheWrite: 2_000 }),
    ).toBe(2_000 + 10_000 + 1_000 + 5_000)
  })

  it.each([
    ['anthropic', 'claude-someday-9'],
    ['anthropic', 'claude-fable-5-2'],
    ['openai', 'by-hand'],
    ['openai-compatible', 'gpt-4o'],
    ['openrouter', 'no/such-model'],
    ['openrouter', 'openrouter/auto'],
    ['playbook', 'playbook'],
    ['', ''],
  ])('is unknown, not 0, for %s/%s', (provider, model) => {
    expect(priceOf(provider, model, { ...noUsage, input: 1_000_000 })).toBe(null)
    expect(estimateMicros(provider, model, 1_000_000, 1_000_000)).toBe(null)
    expect(contextWindowOf(provider, model)).toBe(null)
  })

  it('is unknown, not 0, for a model that is listed without prices', () => {
    const bare = findProvider({ providerId: 'openrouter' })?.models.find(({ prices }) => JSON.stringify(prices) === '{}')
    expect(bare).toBeDefined()
    expect(priceOf('openrouter', bare!.id, { ...noUsage, input: 1_000 })).toBe(null)
  })

  it('is estimated as if nothing came from the cache', () => {
    expect(estimateMicros('anthropic', sonnet4, 10_000, 1_000)).toBe(30_000 + 15_000)
  })

  it('holds dated names for their model, not for another version', () => {
    expect(priceOf('anthropic', 'claude-haiku-4-5-20251001', { ...noUsage, input: 1_000 })).toBe(1_000)
    expect(priceOf('openai', 'gpt-5-mini-2025-08-07', { ...noUsage, input: 1_000 })).toBe(250)
  })
})

it.each(newerThanLibrary())('still has to bring the price of $model, which the library does not know', ({ provider, model }) => {
  expect(findProvider({ providerId: provider })?.models.map(({ id }) => id)).not.toContain(model)
})

it('tells the window of a model it knows', () => {
  expect(contextWindowOf('anthropic', 'claude-sonnet-5-5')).toBe(1_000_000)
  expect(contextWindowOf('openai', 'gpt-5')).toBe(400_000)
})

it('names the version of the price data that is installed', () => {
  const file = new URL(`../../node_modules/${PRICES.source}/package.json`, import.meta.url)
  expect((JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version).toBe(PRICES.version)
})
