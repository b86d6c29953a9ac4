/** Every setting as a person sees it, and those that can be changed while the system runs. What each means is read from `.env.example`. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Config, checkSetting } from '../config.ts'
import type { SettingItem } from '../contract/api-settings.ts'
import { Fault } from '../contract/fault.ts'
import type { Settings } from '../registry/settings.ts'

/** What may change without a restart. Read where it is used, each time. */
export type LiveSettings = Pick<
  Config,
  'maxConcurrentAgents' | 'defaultTimeoutSeconds' | 'model' | 'fallbackModel' | 'dailyMicros' | 'watchdog'
>
const LIVE = {
  MAX_CONCURRENT_AGENTS: 'maxConcurrentAgents',
  DEFAULT_TIMEOUT_SECONDS: 'defaultTimeoutSeconds',
  MODEL: 'model',
  FALLBACK_MODEL: 'fallbackModel',
  DAILY_BUDGET_DOLLARS: 'dailyMicros',
  WATCHDOG: 'watchdog',
} as const satisfies Record<string, keyof LiveSettings>
type LiveName = keyof typeof LIVE
const isLive = (name: string): name is LiveName => Object.hasOwn(LIVE, name)

export type SettingsList = Awaited<ReturnType<typeof openSettingsList>>

export async function openSettingsList(config: Config, settings: Pick<Settings, 'value' | 'saveValue'>) {
  const base: LiveSettings = {
    maxConcurrentAgents: config.maxConcurrentAgents,
    defaultTimeoutSeconds: config.defaultTimeoutSeconds,
    model: config.model,
    fallbackModel: config.fallbackModel,
    dailyMicros: config.dailyMicros,
    watchdog: config.watchdog,
  }
  const stored = new Map<LiveName, string>()
  const current: LiveSettings = { ...base }
  for (const name of Object.keys(LIVE) as LiveName[]) {
    const value = await settings.value(name)
    if (value !== null) put(name, value)
  }
  function put(name: LiveName, value: string | null): void {
    if (value === null) stored.delete(name)
    else stored.set(name, value)
    Object.assign(current, { [LIVE[name]]: value === null ? base[LIVE[name]] : keptOf(name, value) })
  }

  async function list(): Promise<SettingItem[]> {
    const about = aboutIn(await readFile(join(config.code, '.env.example'), 'utf8').catch(() => '')) // a package without it still runs
    return config.settings.map((one): SettingItem => {
      const own = isLive(one.name) ? stored.get(one.name) : undefined
      return {
        id: one.name,
        about: about.get(one.name) ?? '',
        value: own ?? one.value,
        secret: one.secret,
        source: own === undefined ? one.source : 'stored',
        from: own === undefined ? one.from : null,
        live: isLive(one.name),
        change: isLive(one.name) ? 'Change it here; it holds from now on.' : `Set ${one.name} in .env and restart.`,
      }
    })
  }
  return {
    /** As they are now. The same object for good. */
    current: current as Readonly<LiveSettings>,
    list,
    /**
     * Changes one for good; null takes the change back. `works` tries the new value and throws a Fault where it cannot be used: then nothing
     * is changed. Other processes on the same database have it from their next start.
     */
    async save(name: string, value: string | null, by: string, works: () => void): Promise<SettingItem> {
      if (!config.settings.some((one) => one.name === name)) throw new Fault('not_found', `There is no setting ${JSON.stringify(name)}.`)
      if (!isLive(name)) throw new Fault('conflict', `${name} is read at the start only: set ${name} in .env and restart.`)
      const before = stored.get(name) ?? null
      put(name, value)
      try {
        works()
        await settings.saveValue(name, value, by)
      } catch (error) {
        put(name, before)
        throw error
      }
      return (await list()).find((one) => one.id === name)!
    },
  }
}

/** What the text of a setting means where it is used: money is in millionths of a dollar. */
function keptOf(name: LiveName, text: string): string | number | undefined {
  const value = checkSetting(name, text)
  return name === 'DAILY_BUDGET_DOLLARS' ? Math.round(Number(value) * 1_000_000) : value
}

/** The comment above each name, or that of its section. */
export function aboutIn(text: string): Map<string, string> {
  const about = new Map<string, string>()
  let [section, words, open] = ['', '', false]
  for (const line of text.split('\n')) {
    const [, title] = /^# --- (.*)$/.exec(line) ?? []
    const [, name] = /^#?\s*([A-Z][A-Z0-9_]+)=/.exec(line) ?? []
    const [, comment] = /^#\s+(.*)$/.exec(line) ?? []
    if (title !== undefined) [section, words, open] = [title, '', false]
    else if (name !== undefined) {
      about.set(name, words || section)
      open = false
    } else if (comment !== undefined) {
      words = open ? `${words} ${comment}` : comment
      open = true
    } else [words, open] = ['', false]
  }
  return about
}
