/** Secrets: names, grants and times go out; values only come in. A name is a secret's id. */
import type { SecretItem } from '../../contract/api.ts'
import { Fault } from '../../contract/fault.ts'
import type { Handlers } from '../router.ts'

export type Secrets = {
  list(): Promise<Omit<SecretItem, 'id'>[]>
  save(
    name: string,
    given: { value?: string | undefined; description?: string | undefined; grants?: string[] | undefined },
    by: string,
  ): Promise<void>
  remove(name: string, by: string): Promise<void>
}

export function secretRoutes(secrets: Secrets): Pick<Handlers, 'secrets' | 'saveSecret' | 'removeSecret'> {
  const list = async () => (await secrets.list()).map((item) => ({ ...item, id: item.name }))
  return {
    secrets: async () => ({ items: await list(), nextCursor: null }),
    async saveSecret({ param, body, by }) {
      const name = param('id')
      await secrets.save(name, body, by.name)
      const saved = (await list()).find((item) => item.name === name)
      if (!saved) throw new Fault('conflict', `The secret ${name} was removed at the same moment; set it again.`)
      return saved
    },
    async removeSecret({ param, by }): Promise<undefined> {
      await secrets.remove(param('id'), by.name)
    },
  }
}
