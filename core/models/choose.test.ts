import { describe, expect, it } from 'vitest'
import { defaultAnthropicModel } from './anthropic.ts'
import { chooseModels, FALLBACK_AFTER, type ModelConfig, retryDelayMs } from './choose.ts'
import { defaultOpenaiModel } from './openai.ts'
import { request, serve, stream } from './provider.suite.ts'
import { drain, type ModelFault, type Provider } from './provider.ts'

const ruled = (name: string, judges = false): Provider => ({
  name,
  judges,
  contextWindow: () => 1_000,
  async *stream() {
    yield { type: 'fault', fault: { kind: 'bad', message: 'not asked here' } }
  },
})
const models = (config: ModelConfig, extra: Provider[] = []) => chooseModels(config, ruled('playbook'), extra)
const picked = (config: ModelConfig, agentModel = 'default') => {
  const { provider, model, fallback } = models(config).pick(agentModel)
  return [provider.name, model, ...(fallback ? [fallback.provider.name, fallback.model] : [])]
}
const keys = { anthropicApiKey: 'a', openaiApiKey: 'o', openrouterApiKey: 'r' }

describe('the default model', () => {
  it.each<[string, ModelConfig, string[]]>([
    ['the playbook without a key', {}, ['playbook', 'playbook']],
    ['the playbook with empty settings', { anthropicApiKey: '', openaiBaseUrl: '', model: '' }, ['playbook', 'playbook']],
    ["Anthropic's with its key", keys, ['anthropic', defaultAnthropicModel()]],
    ["OpenRouter's choice with its key", { openrouterApiKey: 'r', openaiApiKey: 'o' }, ['openrouter', 'openrouter/auto']],
    ["OpenAI's with its key", { openaiApiKey: 'o' }, ['openai', defaultOpenaiModel()]],
    ["OpenAI's at its own address", { openaiApiKey: 'o', openaiBaseUrl: 'https://api.openai.com/v1' }, ['openai', defaultOpenaiModel()]],
    ['the first one that a server of ones own lists', { openaiBaseUrl: 'http://127.0.0.1:11434/v1' }, ['openai-compatible', 'auto']],
    ['what MODEL says', { ...keys, model: 'openrouter/meta-llama/llama-4' }, ['openrouter', 'meta-llama/llama-4']],
    ['the playbook where MODEL says so', { ...keys, model: 'playbook' }, ['playbook', 'playbook']],
    ['the usual one where MODEL is "default"', { ...keys, model: 'default' }, ['anthropic', defaultAnthropicModel()]],
  ])('is %s', (_, config, expected) => {
    expect(picked(config)).toEqual(expected)
  })
})

describe("an agent's own model", () => {
  it.each<[string, string[]]>([
    ['anthropic/claude-opus-5-5', ['anthropic', 'claude-opus-5-5']],
    ['openai/gpt-5', ['openai', 'gpt-5']],
    ['openrouter/qwen/qwen3-32b:free', ['openrouter', 'qwen/qwen3-32b:free']],
    ['openrouter/auto', ['openrouter', 'openrouter/auto']],
    ['playbook', ['playbook', 'playbook']],
    ['', ['anthropic', defaultAnthropicModel()]],
  ])('%s', (name, expected) => {
    expect(picked(keys, name)).toEqual(expected)
  })

  it('on a server of ones own is named with openai/ or as receipts name it', () => {
    const config = { openaiBaseUrl: 'http://127.0.0.1:11434/v1' }
    expect(picked(config, 'openai/llama3:8b')).toEqual(['openai-compatible', 'llama3:8b'])
    expect(picked(config, 'openai-compatible/llama3:8b')).toEqual(['openai-compatible', 'llama3:8b'])
  })

  it('may be another provider that was handed in', () => {
    const { provider, model } = models({}, [ruled('sampling', true)]).pick('sampling')
    expect([provider.name, model]).toEqual(['sampling', 'sampling'])
  })

  it.each([
    ['anthropic/claude-opus-5-5', /needs ANTHROPIC_API_KEY; set it/],
    ['openrouter/x/y', /needs OPENROUTER_API_KEY/],
    ['gpt-4o', /names no known provider; write provider\/model, such as openai\/gpt-4o/],
    ['meta-llama/llama-4', /such as openai\/meta-llama\/llama-4/],
    ['openai/', /needs OPENAI_API_KEY/],
  ])('that is %s is refused with what to do', (name, words) => {
    expect(() => models({ openaiApiKey: 'o' }).pick(name)).toThrow(
      expect.objectContaining({ code: 'invalid', message: expect.stringMatching(words) }),
    )
  })
})

describe('the fallback', () => {
  it('stands beside every model but itself and the playbook', () => {
    const config = { ...keys, fallbackModel: 'openai/gpt-5' }
    expect(picked(config)).toEqual(['anthropic', defaultAnthropicModel(), 'openai', 'gpt-5'])
    expect(picked(config, 'openai/gpt-5')).toEqual(['openai', 'gpt-5'])
    expect(picked(config, 'openai/gpt-5-mini')).toEqual(['openai', 'gpt-5-mini', 'openai', 'gpt-5'])
    expect(picked(config, 'playbook')).toEqual(['playbook', 'playbook'])
  })

  it('that cannot be reached is a fault and not silence', () => {
    expect(() => picked({ anthropicApiKey: 'a', fallbackModel: 'openai/gpt-5' })).toThrow(/needs OPENAI_API_KEY/)
  })

  it('is taken after two faults', () => {
    expect(FALLBACK_AFTER).toBe(2)
  })
})

describe('the sentence for a person', () => {
  it.each<[ModelConfig, string]>([
    [{}, 'No model is connected: lists and commands run all the same'],
    [keys, `Agents are driven by anthropic/${defaultAnthropicModel()}.`],
    [{ openrouterApiKey: 'r' }, 'Agents are driven by openrouter/auto.'],
    [{ ...keys, fallbackModel: 'openai/gpt-5' }, 'with openai/gpt-5 when it fails.'],
    [{ openaiBaseUrl: 'http://me:secret@127.0.0.1:11434/v1' }, 'Agents are driven by the first model served at 127.0.0.1:11434.'],
    [
      { model: 'anthropic/claude-opus-5-5' },
      'No agent can run on its default model: the model anthropic/claude-opus-5-5 needs ANTHROPIC_API_KEY',
    ],
  ])('for %o', (config, words) => {
    expect(models(config).describe()).toContain(words)
  })
})

describe('the breaker of a provider', () => {
  it('is one for all its models, and not that of another provider', () => {
    const choice = chooseModels(keys, ruled('playbook'), [], () => 0)
    const [one, same, other] = ['anthropic/a', 'anthropic/b', 'openai/c'].map((name) => choice.breakerOf(choice.pick(name).provider))
    for (let i = 0; i < 5; i++) one!.failed({ kind: 'later', message: 'answered 500' })
    expect([same!.state(), other!.state()]).toEqual(['open', 'closed'])
  })

  it('is not shared by two instances', () => {
    const [one, two] = [models(keys), models(keys)]
    for (let i = 0; i < 5; i++) one.breakerOf(one.providers[0]!).failed({ kind: 'later', message: 'answered 500' })
    expect(two.breakerOf(two.providers[0]!).state()).toBe('closed')
  })
})

describe('the wait before the next try', () => {
  const fault: ModelFault = { kind: 'later', message: 'answered 500' }

  it('is what the provider said, however long or short', () => {
    expect(retryDelayMs(1, { ...fault, retryAfterMs: 3_600_000 }, 0.5)).toBe(3_600_000)
    expect(retryDelayMs(9, { ...fault, retryAfterMs: 0 }, 0.5)).toBe(0)
  })

  it('else doubles its range up to five minutes, anywhere in which it falls', () => {
    expect([1, 2, 3, 4, 8, 9, 1_000].map((attempt) => retryDelayMs(attempt, fault, 0.5))).toEqual([
      1_000, 2_000, 4_000, 8_000, 128_000, 150_000, 150_000,
    ])
    expect(retryDelayMs(3, fault, 0)).toBe(0)
    expect(retryDelayMs(1_000, fault, 0.999999)).toBe(300_000)
  })
})

it('drives a local server end to end, from a base URL alone', async () => {
  const server = await serve((req, res) => {
    if (req.url === '/v1/models') return void res.writeHead(200, { 'content-type': 'application/json' }).end('{"data":[{"id":"llama3"}]}')
    const chunk = { model: 'llama3', choices: [{ index: 0, delta: { content: 'hello' }, finish_reason: 'stop' }] }
    stream(res).end(`data: ${JSON.stringify(chunk)}\n\ndata: [DONE]\n\n`)
  })
  const { provider, model } = models({ openaiBaseUrl: `${server.url}/v1` }).pick('default')
  expect(await drain(provider.stream({ ...request, model }, new AbortController().signal))).toMatchObject({
    text: 'hello',
    model: 'llama3',
  })
  await server.close()
})
