/** Routes of models and of the keys of their providers. A key only comes in; it is never told. */
import * as z from 'zod'
import { listOf, one, text } from './route.ts'

/** `id` is what a goal's or an agent's `model` takes. Prices in dollars for a million tokens; null: not known. */
const ModelItem = z
  .object({
    id: text,
    provider: text,
    inputPerMillion: z.number().nullable(),
    outputPerMillion: z.number().nullable(),
    contextTokens: z.number().nullable(),
    /** It could be called now. */
    keyPresent: z.boolean(),
    /** It is what `default` means now. */
    isDefault: z.boolean(),
  })
  .meta({ id: 'ModelItem' })
export type ModelItem = z.output<typeof ModelItem>
/** `environment` wins over what is stored. `setting`: the name of the key there. */
const ProviderItem = z
  .object({ id: text, source: z.enum(['environment', 'stored', 'none']), setting: text, baseUrl: text })
  .meta({ id: 'ProviderItem' })

const given = {
  key: z
    .string()
    .regex(/^[\x21-\x7e]{8,1000}$/, 'a key is one line of 8 to 1000 printable characters without spaces')
    .optional(),
  baseUrl: z
    .url({ protocol: /^https?$/ })
    .max(500)
    .regex(/^[^?#@]*$/, 'an address without a query or a login')
    .transform((url) => url.replace(/\/+$/, ''))
    .optional(),
}
export const MODEL_ROUTES = {
  models: one({
    method: 'GET',
    path: '/api/models',
    scope: 'read',
    summary: 'Models that are known, with price and context; `ready=1`: only those that could be called now',
    status: 200,
    query: z.object({ ready: z.enum(['0', '1']).default('0') }),
    response: listOf(ModelItem),
  }),
  providers: one({
    method: 'GET',
    path: '/api/providers',
    scope: 'read',
    summary: 'Providers of models, and where their keys come from',
    status: 200,
    response: listOf(ProviderItem),
  }),
  checkProvider: one({
    method: 'POST',
    path: '/api/providers/{id}/check',
    scope: 'admin',
    summary: 'Asks a provider whether it takes a key, by a call that costs nothing; without `key` the one in use',
    status: 200,
    request: z.object(given).strict().meta({ id: 'ProviderCheck' }),
    optionalBody: true,
    response: z.object({ status: z.enum(['works', 'refused', 'unreachable']), detail: text }),
  }),
  saveProvider: one({
    method: 'PUT',
    path: '/api/providers/{id}',
    scope: 'admin',
    summary: "Keeps a provider's key, sealed, and uses it from now on",
    status: 200,
    request: z.object(given).strict().meta({ id: 'ProviderRequest' }),
    response: ProviderItem,
  }),
  removeProvider: one({
    method: 'DELETE',
    path: '/api/providers/{id}',
    scope: 'admin',
    summary: 'Forgets the key and the address that are stored',
    status: 204,
  }),
} as const
