/** Whether a provider takes a key, by the cheapest call that really shows it: none that is billed. */

export type ProviderName = 'anthropic' | 'openai' | 'openrouter'
export type Checked = { status: 'works' | 'refused' | 'unreachable'; detail: string }

const PATIENCE_MS = 15_000
export const HOME: Record<ProviderName, string> = {
  anthropic: 'https://api.anthropic.com',
  openai: 'https://api.openai.com/v1',
  openrouter: 'https://openrouter.ai/api/v1',
}
/** OpenRouter lists its models to everybody; only the page of the key itself asks for one. */
const PATH: Record<ProviderName, string> = { anthropic: '/v1/models?limit=1', openai: '/models', openrouter: '/key' }

/** Never throws; the key is in none of its words. */
export async function checkProvider(
  name: ProviderName,
  given: { key?: string | undefined; baseUrl?: string | undefined },
): Promise<Checked> {
  const base = (given.baseUrl ?? HOME[name]).replace(/\/+$/, '')
  const host = URL.canParse(base) ? new URL(base).host : base
  const auth: Record<string, string> =
    given.key === undefined
      ? {}
      : name === 'anthropic'
        ? { 'x-api-key': given.key, 'anthropic-version': '2023-06-01' }
        : { authorization: `Bearer ${given.key}` }
  try {
    const answer = await fetch(`${base}${PATH[name]}`, {
      headers: { accept: 'application/json', ...auth },
      // A key must not follow to where somebody else points.
      redirect: 'manual',
      signal: AbortSignal.timeout(PATIENCE_MS),
    })
    const text = (await answer.text()).slice(0, 100_000)
    const said = wordsIn(text, given.key)
    if (answer.status === 401 || answer.status === 403)
      return { status: 'refused', detail: `${host} does not accept the key (${answer.status})${said}; check it, or make a new one.` }
    if (!answer.ok)
      return { status: 'refused', detail: `${host} answered ${answer.status}${said}; check the key, the address and the account.` }
    if (!text.trimStart().startsWith('{'))
      return { status: 'refused', detail: `What answers at ${host} is not a server of models; check the address.` }
    return { status: 'works', detail: `${host} accepts ${given.key === undefined ? 'calls without a key' : 'the key'}.` }
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error && 'code' in error.cause ? ` (${String(error.cause.code)})` : ''
    const late = error instanceof Error && error.name === 'TimeoutError' ? ` within ${PATIENCE_MS / 1_000} seconds` : ''
    return { status: 'unreachable', detail: `${host} cannot be reached${late}${cause}; check the address and the network of this machine.` }
  }
}

function wordsIn(text: string, key: string | undefined): string {
  try {
    const { error } = JSON.parse(text) as { error?: { message?: unknown } | string }
    const words = typeof error === 'string' ? error : error?.message
    if (typeof words !== 'string') return ''
    const plain = (key ? words.replaceAll(key, '[key]') : words).replace(/\s+/g, ' ').slice(0, 200)
    return `: ${plain}`
  } catch {
    return '' // no JSON, no words
  }
}
