/** Puts the parts of self-modification together. The walls are tried out when they are first asked for, not at the start. */
import { existsSync } from 'node:fs'
import { chmod, mkdir, readFile, realpath, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { ReadyConfig } from '../config.ts'
import { AUTONOMY, type Autonomy } from '../contract/change.ts'
import type { Cgroups } from '../exec/cgroups.ts'
import type { Owner } from '../exec/local.ts'
import type { Settings } from '../registry/settings.ts'
import type { Store } from '../store/store.ts'
import { type Changes, openChanges } from './change.ts'
import { type Gates, openGates } from './gates.ts'
import { keeperHome } from './keeper-home.ts'
import { openPackages } from './packages.ts'
import { openSource } from './repository.ts'
import { openWalls } from './walls.ts'

/** Name under which the owner's choice is kept. */
export const AUTONOMY_SETTING = 'SELF_CHANGE_AUTONOMY'

export function openSelf(parts: {
  config: Pick<ReadyConfig, 'dataDir' | 'code' | 'commandPath' | 'npmEnvironment' | 'databaseUrl' | 'keeperWatchSeconds' | 'gateTimeFactor'>
  store: Store
  settings: Pick<Settings, 'value' | 'saveValue'>
  redact(text: string): string
  cgroups: Cgroups | null
  runAs: Owner | undefined
  now(): number
  checkout: string
  /** Where new packages come from, in the place of what this machine's npm is set to. */
  registry?: string
  isKept(): boolean
  restart(): void
  onError(error: unknown): void
  failPoint?: (name: string) => void
}): Changes {
  const { dataDir, code, databaseUrl } = parts.config
  const database = databaseUrl.startsWith('sqlite:') ? databaseUrl.slice('sqlite:'.length) : null
  const path = parts.config.commandPath ?? '/usr/local/bin:/usr/bin:/bin'
  const source = openSource({ checkout: parts.checkout, dataDir, path })
  const folder = join(dataDir, 'self', 'gates')
  let found: Promise<{ gates: Gates } | { why: string }> | undefined

  const keeper = keeperHome(dataDir)

  async function look(): Promise<{ gates: Gates } | { why: string }> {
    if (parts.isKept() && !(await keeper.fits()))
      return {
        why: 'The keeper that runs is an older one than this revision needs; run `npx banyan keeper install`, stop Banyan and start it again.',
      }
    const installed = join(code, 'node_modules')
    if (!existsSync(installed))
      return { why: 'Changing its own code needs the installed packages beside the source; run `npm start` in the checkout once.' }
    await mkdir(folder, { recursive: true, mode: 0o755 })
    const packages = await realpath(installed)
    // Others may pass through to the copies below, and list nothing.
    if (parts.runAs) await chmod(dataDir, (await stat(dataDir)).mode | 0o011)
    for (const place of [join(dataDir, 'self'), folder]) await chmod(place, 0o711)
    // The packages that run lie below it, and the walls are tried with them: by a user who cannot get there the sandbox would not start inside.
    const deps = await depsFolder()
    const walls = await openWalls({ folder, path, node: process.execPath, runAs: parts.runAs, cgroups: parts.cgroups, packages })
    if ('why' in walls) return walls
    return {
      gates: openGates({
        source,
        walls: { ...walls, run: (inside) => walls.run({ ...inside, timeoutMs: inside.timeoutMs * parts.config.gateTimeFactor }) },
        packages,
        newPackages: openPackages({
          source,
          installed: packages,
          lock: await readFile(join(code, 'package-lock.json'), 'utf8').catch(() => null), // a source without packages
          folder: deps,
          path,
          environment: parts.config.npmEnvironment,
          ...(parts.registry ? { registry: parts.registry } : {}),
        }),
        folder,
        pages: join(dataDir, 'self', 'pages'),
        copyDatabase: parts.store.kind === 'sqlite' ? parts.store.backup : null,
        databaseSize: async () => (database === null ? 0 : (await stat(database)).size),
        runAs: parts.runAs,
        redact: parts.redact,
        now: parts.now,
      }),
    }
  }

  /** The keeper's, which those who run code within the walls may pass through. */
  async function depsFolder(): Promise<string> {
    const deps = join(dataDir, 'keeper', 'deps')
    await mkdir(deps, { recursive: true, mode: 0o755 })
    if (parts.runAs) for (const place of [dirname(deps), deps]) await chmod(place, (await stat(place)).mode | 0o011)
    return deps
  }

  return openChanges({
    store: parts.store,
    source,
    gates: () => (found ??= look()),
    keeper,
    pages: join(dataDir, 'self', 'pages'),
    isKept: parts.isKept,
    watchSeconds: parts.config.keeperWatchSeconds,
    async autonomy() {
      const value = await parts.settings.value(AUTONOMY_SETTING)
      return AUTONOMY.find((one) => one === value) ?? ('texts' satisfies Autonomy)
    },
    saveAutonomy: (autonomy, by) => parts.settings.saveValue(AUTONOMY_SETTING, autonomy, by),
    restart: parts.restart,
    redact: parts.redact,
    onError: parts.onError,
    ...(parts.failPoint ? { failPoint: parts.failPoint } : {}),
  })
}
