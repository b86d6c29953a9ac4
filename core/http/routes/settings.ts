/** The owner's policy, and the settings of this instance. */
import type { SettingItem } from '../../contract/api-settings.ts'
import type { Settings } from '../../registry/settings.ts'
import type { Handlers } from '../router.ts'
import { startedFrom, tagged } from './versioned.ts'

export type SettingsParts = {
  policy: Pick<Settings, 'policy' | 'savePolicy' | 'policyVersions'>
  /** Every setting, as it is now. */
  list(): Promise<SettingItem[]>
  /** Changes one that needs no restart; a Fault says what to do about the others, and what is wrong with the value. */
  save(name: string, value: string | null, by: string): Promise<SettingItem>
}
type Names = 'policy' | 'savePolicy' | 'policyVersions' | 'settings' | 'saveSetting'

export function settingsRoutes(parts: SettingsParts): Pick<Handlers, Names> {
  return {
    policy: async () => tagged(await parts.policy.policy()),
    savePolicy: ({ body, by, header }) => parts.policy.savePolicy(body, by.name, startedFrom(header)),
    policyVersions: async () => ({ items: await parts.policy.policyVersions(), nextCursor: null }),
    settings: async () => ({ items: await parts.list(), nextCursor: null }),
    saveSetting: ({ param, body, by }) => parts.save(param('id'), body.value, by.name),
  }
}
