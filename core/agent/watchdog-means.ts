/** By what means the watchdog may help: another model, and the supervisor. */
import type { Models } from '../models/choose.ts'
import type { WatchdogParts } from '../observe/watchdog/watchdog.ts'
import type { Registry } from '../registry/registry.ts'
import { HELPERS } from './capabilities.ts'
import { targetOf } from './target.ts'

/** How long a supervisor may take where its agent says nothing. Seconds. */
const SUPERVISOR_SECONDS = 300

/** `fallback`: the name of the other model, where the owner set one. */
export function watchdogMeans(parts: {
  registry: Pick<Registry, 'get'>
  models: Models
  fallback(): string | undefined
}): Pick<WatchdogParts, 'judges' | 'otherModel' | 'supervisor'> {
  const { registry, models } = parts
  return {
    judges: (name) => models.providers.find((provider) => provider.name === name)?.judges ?? false,
    async otherModel(task) {
      const agent = await registry.get('agent', task.agent)
      const other = parts.fallback()
      // An agent with a model of its own keeps it: a person chose it for that kind of work.
      if (!agent || other === undefined || (agent.model !== '' && agent.model !== 'default')) return null
      return targetOf(models, task.model, agent.model).fallback ? other : null
    },
    async supervisor() {
      const agent = await registry.get('agent', HELPERS.supervise)
      if (!agent?.enabled) return null
      const { provider } = targetOf(models, null, agent.model)
      if (!provider.judges || provider.outside) return null // nobody would come in time
      return { agent: agent.name, timeoutSeconds: agent.timeout_seconds ?? SUPERVISOR_SECONDS }
    },
  }
}
