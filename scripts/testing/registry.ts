/**
 * A registry that speaks npm's protocol on this machine's own loopback. It has the installed packages of this checkout, packed when they are asked
 * for, and packages that a test makes. For tests of steps that fetch.
 */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

const ROOT = dirname(dirname(import.meta.dirname))
type Entry = { version: string } & Partial<Record<'dependencies' | 'optionalDependencies' | 'peerDependencies', Record<string, string>>>
type Packed = { name: string; version: string; file: string; integrity: string }
export type Registry = Awaited<ReturnType<typeof openRegistry>>

/** The places of these packages, and of all that they need, in the lock file of this checkout; those of other platforms are left out. */
function closure(names: readonly string[]): Map<string, Entry> {
  const all = (JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as { packages: Record<string, Entry> }).packages
  const found = new Map<string, Entry>()
  const place = (from: string, name: string): string | null => {
    const here = `${from === '' ? '' : `${from}/`}node_modules/${name}`
    if (all[here] && existsSync(join(ROOT, here))) return here
    return from === '' ? null : place(from.slice(0, Math.max(0, from.lastIndexOf('/node_modules/'))), name)
  }
  const walk = (from: string, name: string): string | null => {
    const at = place(from, name)
    if (at === null || found.has(at)) return at
    const { version, ...entry } = all[at]!
    const kept: Entry = { version }
    found.set(at, kept)
    for (const kind of ['dependencies', 'optionalDependencies', 'peerDependencies'] as const)
      for (const [needed, range] of Object.entries(entry[kind] ?? {}))
        if (walk(at, needed) !== null && kind !== 'peerDependencies') kept[kind] = { ...kept[kind], [needed]: range }
    return at
  }
  for (const name of names) walk('', name)
  return found
}

export async function openRegistry() {
  const folder = mkdtempSync(join(tmpdir(), 'banyan-registry-'))
  const packages = new Map<string, Packed[]>()
  const asked: string[] = []
  const server = createServer((request, response) => {
    const path = decodeURIComponent(request.url ?? '').replace(/^\//, '')
    asked.push(path)
    const versions = packages.get(path)
    const packed = [...packages.values()].flat().find((one) => path === `${one.name}/-/${one.version}.tgz`)
    if (packed) response.end(readFileSync(packed.file))
    else if (versions === undefined) response.writeHead(404).end('{"error":"not found"}')
    else
      response.setHeader('content-type', 'application/json').end(
        JSON.stringify({
          name: path,
          'dist-tags': { latest: versions[0]!.version },
          versions: Object.fromEntries(
            versions.map(({ name, version, integrity }) => [
              version,
              { name, version, dist: { integrity, tarball: `${url}${name}/-/${version}.tgz` } },
            ]),
          ),
        }),
      )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`

  /** Packs a folder; nested packages are packages of their own. */
  function pack(name: string, version: string, from: string): Packed {
    const known = packages.get(name)?.find((one) => one.version === version)
    if (known) return known
    const file = join(folder, `${name.replaceAll('/', '-')}-${version}.tgz`)
    const argv = ['-C', from, '--exclude=./node_modules', '--transform=s,^\\.,package,', '-I', 'gzip -1', '-cf', file, '.']
    execFileSync('tar', argv, { stdio: ['ignore', 'ignore', 'inherit'] })
    const integrity = `sha512-${createHash('sha512').update(readFileSync(file)).digest('base64')}`
    const packed = { name, version, file, integrity }
    packages.set(name, [...(packages.get(name) ?? []), packed])
    return packed
  }

  return {
    url,
    /** Paths that were asked for. */
    asked,
    /** A package of these files, at 1.0.0. */
    publish(name: string, files: Readonly<Record<string, string>>, manifest: object = {}): void {
      const place = join(folder, 'made', name)
      mkdirSync(place, { recursive: true })
      writeFileSync(join(place, 'package.json'), JSON.stringify({ name, version: '1.0.0', type: 'module', ...manifest }))
      for (const [path, text] of Object.entries(files)) writeFileSync(join(place, path), text)
      pack(name, '1.0.0', place)
    },
    /** What a package and its lock file say that have these of this checkout, and these that were published. */
    lists(installed: readonly string[], published: readonly string[]): { dependencies: Record<string, string>; lock: string } {
      const entries: Record<string, Entry & { integrity: string }> = {}
      for (const [at, entry] of closure(installed)) {
        const name = at.slice(at.lastIndexOf('node_modules/') + 'node_modules/'.length)
        entries[at] = { ...entry, integrity: pack(name, entry.version, join(ROOT, at)).integrity }
      }
      for (const name of published) {
        const { version, integrity } = packages.get(name)![0]!
        entries[`node_modules/${name}`] = { version, integrity }
      }
      const dependencies = Object.fromEntries([...installed, ...published].map((name) => [name, entries[`node_modules/${name}`]!.version]))
      const about = { name: 'small' }
      const lock = { ...about, lockfileVersion: 3, requires: true, packages: { '': { ...about, dependencies }, ...entries } }
      return { dependencies, lock: `${JSON.stringify(lock)}\n` }
    },
    async close(): Promise<void> {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
