/** One door in front of all ways to run a command: plain, in a sandbox, in a container. It never goes down a rung by itself. */
import { Fault } from '../contract/fault.ts'
import type { IsolationChoice } from '../contract/isolation.ts'
import type { DockerExec } from './docker.ts'
import type { Exec, Isolation } from './exec.ts'

export type Rungs = {
  choice: IsolationChoice
  /** Plain and sandbox. */
  local: Exec & { stop(): Promise<void> }
  /** `why` there is none, as a sentence with the mend. */
  container: DockerExec | { why: string }
}

export function ladder({ choice, local, container }: Rungs): Exec & { stop(): Promise<void> } {
  const chosen: Isolation | undefined = choice === 'auto' ? undefined : choice
  return {
    isolation: chosen ?? local.isolation,
    async run(command, signal) {
      // A command with a bound on its network is never let down to plain by a setting.
      const level = command.isolation ?? (chosen === 'plain' && command.network !== undefined ? undefined : chosen)
      if (level !== 'container') return local.run(level === undefined ? command : { ...command, isolation: level }, signal)
      if (command.live)
        throw new Fault(
          'unavailable',
          'A command in a container cannot run in the background; run it without "background", or ask a person to set ISOLATION to sandbox.',
        )
      if ('why' in container) throw new Fault('unavailable', `The command must run in a container and was not started. ${container.why}`)
      return container.run(command, signal)
    },
    async stop() {
      await Promise.all([local.stop(), ...('why' in container ? [] : [container.stop()])])
    },
  }
}
