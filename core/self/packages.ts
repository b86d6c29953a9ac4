/**
 * New packages for a change: fetched after a person agreed, in a step of their own that runs no line of them, into the folder that the keeper
 * takes them from. It is the only step with a network, and it asks the registry of this machine's npm alone.
 */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, realpath, rename, rm, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { Fault } from '../contract/fault.ts'
import { findProgram } from '../exec/find-program.ts'
import { keepEnds } from '../exec/output.ts'
import type { Source } from './repository.ts'

export type Packages = ReturnType<typeof openPackages>
const LOCK = 'package-lock.json'
const FETCH_MS = 10 * 60_000

/** As `scripts/keeper/README.md` tells it; the pinned Node is in the lock file, so it is part of the key. */
export const packagesKey = (lock: string): string =>
  createHash('sha256').update(`${process.platform} ${process.arch}\n`).update(lock).digest('hex')

export function openPackages(parts: {
  source: Pick<Source, 'text'>
  /** The packages of the revision that runs, and its lock file; null: it has none. */
  installed: string
  lock: string | null
  /** DATA_DIR/keeper/deps. */
  folder: string
  path: string
  /** How npm gets to its registry: proxies, certificates. */
  environment?: Readonly<Record<string, string>>
  /** In the place of what this machine's npm is set to. */
  registry?: string
}) {
  const lockOf = (tree: string): Promise<string | null> => parts.source.text(tree, LOCK)
  const place = (lock: string): string => join(parts.folder, packagesKey(lock))
  /** Packages of a tree, or null as long as they were not fetched. */
  async function of(tree: string): Promise<string | null> {
    const lock = await lockOf(tree)
    if (lock === null || lock === parts.lock) return parts.installed
    const there = join(place(lock), 'node_modules')
    return existsSync(there) ? realpath(there) : null
  }
  return {
    of,
    /** Fetches them unless they are there. Rejects with a Fault that says what npm said and what mends it. */
    async fetch(tree: string, signal: AbortSignal): Promise<void> {
      if ((await of(tree)) !== null) return
      const [lock, manifest] = await Promise.all([lockOf(tree), parts.source.text(tree, 'package.json')])
      if (lock === null || manifest === null) throw new Fault('unprocessable', 'There is no package.json or no lock file to install from.')
      const faults = lockFaults(lock)
      if (faults.length > 0) throw new Fault('forbidden', `The lock file is not taken: ${faults[0]}.`)
      const npm = await findProgram('npm', `${dirname(process.execPath)}:${parts.path}`)
      if (npm === null) throw new Fault('unavailable', 'New packages need npm, which is not here; install it and propose the change again.')
      const draft = `${place(lock)}.new`
      await rm(draft, { recursive: true, force: true })
      await mkdir(draft, { recursive: true, mode: 0o755 })
      try {
        await writeFile(join(draft, 'package.json'), manifest)
        await writeFile(join(draft, LOCK), lock)
        await install(npm, draft, signal)
        if (!existsSync(join(draft, 'node_modules'))) await mkdir(join(draft, 'node_modules'))
        await rename(draft, place(lock))
      } finally {
        await rm(draft, { recursive: true, force: true })
      }
    },
  }

  async function install(npm: string, folder: string, signal: AbortSignal): Promise<void> {
    const said = keepEnds(20_000)
    const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--no-update-notifier', '--fetch-retries=1', '--fetch-timeout=30000']
    const child = spawn(npm, ['ci', ...flags, ...(parts.registry ? [`--registry=${parts.registry}`] : [])], {
      cwd: folder,
      // The machine's npm settings say which registry; nothing else of the runtime's environment goes along.
      env: { ...parts.environment, PATH: `${dirname(process.execPath)}:${parts.path}`, HOME: homedir(), NO_COLOR: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
      signal: AbortSignal.any([signal, AbortSignal.timeout(FETCH_MS)]),
      killSignal: 'SIGKILL',
    })
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => said.add(chunk))
    const code = await new Promise<number | null>((resolve) => {
      child.once('error', () => resolve(null)) // stopped, or it took too long
      child.once('close', resolve)
    })
    signal.throwIfAborted()
    if (code === 0) return
    const words = said
      .text()
      .split('\n')
      .filter((line) => /^npm (?:error|ERR!)/.test(line) && !/complete log|\.npm\/_logs/.test(line))
    const about = words
      .map((line) => line.replace(/^npm (?:error|ERR!)\s*/, ''))
      .join(' ')
      .slice(0, 300)
    throw new Fault(
      'unavailable',
      `The new packages could not be fetched (${about || 'npm did not end in time'}); let this machine reach its npm registry and propose the change again.`,
    )
  }
}

type Entry = { resolved?: unknown; integrity?: unknown; link?: unknown; inBundle?: unknown; version?: unknown }
/** What a lock file may not ask for: anything that is no checked package of a registry. Pure. */
export function lockFaults(text: string): string[] {
  let packages: Record<string, Entry>
  try {
    const lock = JSON.parse(text) as { lockfileVersion?: unknown; packages?: Record<string, Entry> }
    if (lock.lockfileVersion !== 3 || typeof lock.packages !== 'object') return ['it is not of version 3, which npm ≥ 9 writes']
    packages = lock.packages
  } catch {
    return ['it is not JSON']
  }
  const faults: string[] = []
  for (const [place, entry] of Object.entries(packages)) {
    if (place === '') continue
    if (!/^node_modules\/[\w@./-]+$/.test(place) || place.split('/').includes('..'))
      faults.push(`${place.slice(0, 80)} does not lie in node_modules`)
    else if (entry.link) faults.push(`${place} is a link`)
    else if (entry.resolved !== undefined && !/^https:\/\/registry\.npmjs\.org\//.test(String(entry.resolved)))
      faults.push(`${place} comes from ${String(entry.resolved).slice(0, 80)} and not from the registry`)
    else if (!entry.inBundle && !/^sha512-/.test(String(entry.integrity))) faults.push(`${place} has no checksum`)
  }
  return faults
}

const LISTS = ['dependencies', 'devDependencies', 'optionalDependencies']
const WORDS = ['description', 'keywords', 'version', 'homepage']
/** What a change of package.json touches beside words and lists of packages; null: nothing. Pure. */
export function beyondPackages(before: string | undefined, after: string | undefined): string | null {
  const read = (text: string | undefined) => JSON.parse(text ?? '{}') as Record<string, unknown>
  try {
    const [was, is] = [read(before), read(after)]
    const differ = [...new Set([...Object.keys(was), ...Object.keys(is)])].find(
      (key) => ![...LISTS, ...WORDS].includes(key) && JSON.stringify(was[key]) !== JSON.stringify(is[key]),
    )
    if (differ !== undefined) return `"${differ}"`
    for (const list of LISTS)
      for (const [name, version] of Object.entries((is[list] ?? {}) as Record<string, unknown>))
        if (
          JSON.stringify((was[list] as Record<string, unknown> | undefined)?.[name]) !== JSON.stringify(version) &&
          !/^[\w.+~^-]+$/.test(String(version))
        )
          return `${name}, which is no version of a registry`
    return null
  } catch {
    return 'what is no JSON'
  }
}
/** Whether the lists of packages differ. Pure. */
export function otherPackages(before: string | undefined, after: string | undefined): boolean {
  const lists = (text: string | undefined) => {
    const read = JSON.parse(text ?? '{}') as Record<string, unknown>
    return JSON.stringify(LISTS.map((list) => read[list] ?? {}))
  }
  return lists(before) !== lists(after)
}
