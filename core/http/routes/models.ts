/** Models and the keys of their providers. */
import type { ModelItem } from '../../contract/api-models.ts'
import type { Models } from '../../models/choose.ts'
import type { Keys } from '../../models/keys.ts'
import { knownModels } from '../../models/prices.ts'
import type { Handlers } from '../router.ts'

export type ModelParts = { models: Pick<Models, 'pick' | 'providers'>; keys: Keys }
type Names = 'models' | 'providers' | 'checkProvider' | 'saveProvider' | 'removeProvider'

export function modelRoutes({ models: { models, keys } }: { models: ModelParts }): Pick<Handlers, Names> {
  return {
    async models({ query }) {
      const present = new Set((await keys.list()).filter((one) => one.source !== 'none').map((one) => one.id as string))
      const { provider, model } = models.pick('default')
      const standard = model === provider.name || model.startsWith(`${provider.name}/`) ? model : `${provider.name}/${model}`
      const free = models.providers.find((one) => !one.judges)
      const items: ModelItem[] = free
        ? [
            {
              id: free.name,
              provider: free.name,
              inputPerMillion: 0,
              outputPerMillion: 0,
              contextTokens: null,
              keyPresent: true,
              isDefault: standard === free.name,
            },
          ]
        : []
      for (const { name, outside } of models.providers)
        if (outside)
          items.push({
            id: name,
            provider: name,
            inputPerMillion: 0,
            outputPerMillion: 0,
            contextTokens: null,
            keyPresent: true,
            isDefault: standard === name,
          })
      for (const one of knownModels()) items.push({ ...one, keyPresent: present.has(one.provider), isDefault: one.id === standard })
      if (!items.some((one) => one.isDefault))
        items.push({
          id: standard,
          provider: provider.name,
          inputPerMillion: null,
          outputPerMillion: null,
          contextTokens: null,
          keyPresent: true,
          isDefault: true,
        })
      for (const { name, lends } of models.providers)
        if (lends && !items.some((one) => one.id === name))
          items.push({
            id: name,
            provider: name,
            inputPerMillion: 0,
            outputPerMillion: 0,
            contextTokens: null,
            keyPresent: lends(),
            isDefault: false,
          })
      return { items: query.ready === '1' ? items.filter((one) => one.keyPresent) : items, nextCursor: null }
    },
    providers: async () => ({ items: await keys.list(), nextCursor: null }),
    checkProvider: ({ param, body }) => keys.check(param('id'), body),
    async saveProvider({ param, body, by }) {
      await keys.save(param('id'), body, by.name)
      return (await keys.list()).find((one) => one.id === param('id'))!
    },
    async removeProvider({ param, by }): Promise<undefined> {
      await keys.remove(param('id'), by.name)
    },
  }
}
