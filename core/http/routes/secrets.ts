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
  /** Answers how many values are sealed with the new key. */
  rotate(by: string): Promise<number>
}

export function secretRoutes(
  secrets: Secrets,
  shutdown: (how: 'restart') => void,
): Pick<Handlers, 'secrets' | 'saveSecret' | 'removeSecret' | 'rotateSecrets'> {
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
    async rotateSecrets({ by }) {
      const values = await secrets.rotate(by.name)
      // Sessions are signed with the key that this process began with; the answer goes out first.
      setImmediate(() => shutdown('restart'))
      return { values, status: 'restarting' as const }
    },
    async removeSecret({ param, by }): Promise<undefined> {
      await secrets.remove(param('id'), by.name)
    },
  }
}
