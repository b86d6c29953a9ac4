/**
 * Keys of providers that a person gave while the system runs. They are secrets that nobody is granted, and are used from then on. What the
 * environment says of a provider wins over all of it.
 */
import { Fault } from '../contract/fault.ts'
import type { Secrets } from '../secrets/secrets.ts'
import type { Store } from '../store/store.ts'
import { type Checked, checkProvider, HOME, type ProviderName } from './check-provider.ts'
import type { ModelConfig, Models } from './choose.ts'

export const PROVIDERS = ['anthropic', 'openai', 'openrouter'] as const satisfies readonly ProviderName[]
/** `none`: no key and no address. */
export type KeySource = 'environment' | 'stored' | 'none'
export type ProviderEntry = { id: ProviderName; source: KeySource; setting: string; baseUrl: string }

const SETTING: Record<ProviderName, string> = { anthropic: 'ANTHROPIC_API_KEY', openai: 'OPENAI_API_KEY', openrouter: 'OPENROUTER_API_KEY' }
const metaKey = (name: ProviderName): string => `provider:${name}`

export type Keys = ReturnType<typeof openKeys>

export function openKeys(parts: {
  store: Store
  vault: Pick<Secrets, 'save' | 'remove' | 'list' | 'forSystem'>
  models: Pick<Models, 'connect'>
  config: ModelConfig
}) {
  const { store, vault, models, config } = parts
  const fromEnvironment = (name: ProviderName): { key?: string | undefined; baseUrl?: string | undefined } | null => {
    const own = {
      anthropic: { key: config.anthropicApiKey, baseUrl: config.anthropicBaseUrl },
      openai: { key: config.openaiApiKey, baseUrl: config.openaiBaseUrl },
      openrouter: { key: config.openrouterApiKey, baseUrl: undefined },
    }[name]
    return own.key === undefined && (name !== 'openai' || own.baseUrl === undefined) ? null : own
  }
  const known = (name: string): ProviderName => {
    const found = PROVIDERS.find((one) => one === name)
    if (!found) throw new Fault('not_found', `There is no provider ${name.slice(0, 64)}; there are ${PROVIDERS.join(', ')}.`)
    return found
  }
  async function stored(name: ProviderName): Promise<{ key?: string; baseUrl?: string } | null> {
    const row = await store.db.selectFrom('meta').select('value').where('key', '=', metaKey(name)).executeTakeFirst()
    if (!row) return null
    const { baseUrl } = JSON.parse(row.value) as { baseUrl?: string }
    const key = vault.forSystem(SETTING[name])
    return { ...(key === null ? {} : { key }), ...(baseUrl === undefined ? {} : { baseUrl }) }
  }
  const inUse = async (name: ProviderName) => fromEnvironment(name) ?? (await stored(name))

  return {
    /** Takes what is stored into use. At the start, and after every change. */
    async load(): Promise<void> {
      const [anthropic, openai, openrouter] = await Promise.all(
        PROVIDERS.map(async (name) => (fromEnvironment(name) === null ? await stored(name) : null)),
      )
      models.connect({
        anthropicApiKey: anthropic?.key,
        anthropicBaseUrl: anthropic?.baseUrl,
        openaiApiKey: openai?.key,
        openaiBaseUrl: openai?.baseUrl,
        openrouterApiKey: openrouter?.key,
      })
    },
    list: (): Promise<ProviderEntry[]> =>
      Promise.all(
        PROVIDERS.map(async (id): Promise<ProviderEntry> => {
          const own = fromEnvironment(id)
          const found = own ?? (await stored(id))
          const source = own ? 'environment' : found ? 'stored' : 'none'
          return { id, source, setting: SETTING[id], baseUrl: found?.baseUrl ?? HOME[id] }
        }),
      ),
    /** Asks the provider itself. A key at hand is only sent to the address that it is for. */
    async check(given: string, ask: { key?: string | undefined; baseUrl?: string | undefined }): Promise<Checked> {
      const name = known(given)
      const now = await inUse(name)
      const baseUrl = ask.baseUrl ?? (ask.key === undefined || name === 'openai' ? now?.baseUrl : undefined)
      const same = ask.baseUrl === undefined || ask.baseUrl === (now?.baseUrl ?? HOME[name])
      const key = ask.key ?? (same ? now?.key : undefined)
      if (key === undefined && name !== 'openai')
        throw new Fault('invalid', `There is no key for ${name} at this address to check; send one as \`key\`.`)
      return checkProvider(name, { key, baseUrl })
    },
    /** Keeps a key, an address or both; the old ones are gone with it. Used from then on. */
    async save(given: string, ask: { key?: string | undefined; baseUrl?: string | undefined }, by: string): Promise<void> {
      const name = known(given)
      if (fromEnvironment(name))
        throw new Fault(
          'conflict',
          `${name} is set in the environment (${SETTING[name]}), which wins: change it there, or take it out there first.`,
        )
      if (ask.key === undefined && (name !== 'openai' || ask.baseUrl === undefined))
        throw new Fault('invalid', `${name} needs \`key\`${name === 'openai' ? ', or `baseUrl` of a server that asks for none' : ''}.`)
      if (name === 'openrouter' && ask.baseUrl !== undefined) throw new Fault('invalid', 'OpenRouter has one address; leave `baseUrl` out.')
      const setting = SETTING[name]
      const before = (await vault.list()).find((one) => one.name === setting)
      if (before && before.grants.length > 0)
        throw new Fault(
          'conflict',
          `A secret named ${setting} is granted to tasks; revoke its grants first, a provider's key is nobody's else.`,
        )
      if (ask.key !== undefined)
        await vault.save(setting, { value: ask.key, description: `Key of ${name} for Banyan itself.`, grants: [] }, by)
      else if (before) await vault.remove(setting, by)
      const value = JSON.stringify(ask.baseUrl === undefined ? {} : { baseUrl: ask.baseUrl })
      await store.transact(
        (tx) =>
          tx.db
            .insertInto('meta')
            .values({ key: metaKey(name), value })
            .onConflict((c) => c.column('key').doUpdateSet({ value }))
            .execute(),
        { durable: true },
      )
      await this.load()
    },
    async remove(given: string, by: string): Promise<void> {
      const name = known(given)
      const gone = await store.transact(
        (tx) => tx.db.deleteFrom('meta').where('key', '=', metaKey(name)).returning('key').executeTakeFirst(),
        {
          durable: true,
        },
      )
      if (!gone) throw new Fault('not_found', `Nothing is stored for ${name}.`)
      if ((await vault.list()).some((one) => one.name === SETTING[name])) await vault.remove(SETTING[name], by)
      await this.load()
    },
  }
}
