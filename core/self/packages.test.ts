/** New packages of a change: what a lock file may ask for, fetching from a real registry, and what happens without one. */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { packagesKey as keeperKey } from '../../scripts/keeper/tree.mjs'
import { need } from '../../scripts/needs.ts'
import { begin, self, submit, write } from '../../scripts/testing/self.ts'
import { beyondPackages, lockFaults, openPackages, otherPackages, packagesKey } from './packages.ts'

const NAME = 'small-words'
const SUM = `sha512-${createHash('sha512').update('x').digest('base64')}`
const manifest = (dependencies: object) => `${JSON.stringify({ name: 'small', version: '1.0.0', dependencies }, null, 2)}\n`
const lockOf = (integrity: string, more: object = {}) =>
  `${JSON.stringify({
    name: 'small',
    version: '1.0.0',
    lockfileVersion: 3,
    requires: true,
    packages: {
      '': { name: 'small', version: '1.0.0', dependencies: { [NAME]: '1.0.0' } },
      [`node_modules/${NAME}`]: { version: '1.0.0', integrity, ...more },
    },
  })}\n`

describe('a lock file', () => {
  test('of checked packages of the registry is taken', () => {
    expect(lockFaults(readFileSync(join(import.meta.dirname, '../../package-lock.json'), 'utf8'))).toEqual([])
    expect(lockFaults(lockOf(SUM, { resolved: `https://registry.npmjs.org/${NAME}/-/${NAME}-1.0.0.tgz` }))).toEqual([])
  })
  test.each([
    ['another host', lockOf(SUM, { resolved: 'https://evil.example/x.tgz' }), /evil\.example/],
    ['a host that begins alike', lockOf(SUM, { resolved: 'https://registry.npmjs.org.evil.example/x.tgz' }), /not from the registry/],
    ['a repository', lockOf(SUM, { resolved: 'git+ssh://git@github.com/a/b.git#c' }), /not from the registry/],
    ['a folder', lockOf(SUM, { resolved: 'file:../x' }), /not from the registry/],
    ['a link', lockOf(SUM, { link: true }), /is a link/],
    ['no checksum', lockOf(''), /no checksum/],
    ['a weak checksum', lockOf('sha1-AAAA'), /no checksum/],
    ['a way out of node_modules', lockOf(SUM).replace(`node_modules/${NAME}`, 'node_modules/../../core/x'), /does not lie/],
    ['an old version', lockOf(SUM).replace('"lockfileVersion":3', '"lockfileVersion":1'), /version 3/],
    ['no JSON', 'x', /not JSON/],
  ])('with %s is refused', (_, text, says) => expect(lockFaults(text).join()).toMatch(says))

  test('package.json may name other versions of a registry, and nothing else may change in it', () => {
    expect(beyondPackages(manifest({}), manifest({ [NAME]: '1.0.0' }))).toBeNull()
    expect(otherPackages(manifest({}), manifest({ [NAME]: '1.0.0' }))).toBe(true)
    expect(otherPackages(manifest({}), manifest({}).replace('"small"', '"big"'))).toBe(false)
    for (const version of ['file:../x', 'git+https://x.example/y.git', 'https://x.example/y.tgz', 'npm:other@1', 'a/b'])
      expect(beyondPackages(manifest({}), manifest({ [NAME]: version })), version).toMatch(/no version of a registry/)
    expect(beyondPackages('{}', '{ "scripts": { "test": "true" } }')).toBe('"scripts"')
    expect(beyondPackages('{}', '{ "allowScripts": { "x": true } }')).toBe('"allowScripts"')
  })

  test('has the key under which the keeper looks for its packages', () => {
    expect(packagesKey('{}')).toBe(keeperKey('{}'))
  })
})

describe('packages', () => {
  let home: string
  let server: Server | undefined
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'banyan-packages-'))
  })
  afterEach(async () => {
    await new Promise((resolve) => (server ? server.close(resolve) : resolve(null)))
    server = undefined
    rmSync(home, { recursive: true, force: true })
  })
  /** A registry with one package, whose install script would leave a mark. */
  async function registry(): Promise<{ url: string; integrity: string; mark: string }> {
    const [folder, mark] = [join(home, 'made'), join(home, 'install-script-ran')]
    mkdirSync(folder)
    writeFileSync(
      join(folder, 'package.json'),
      JSON.stringify({ name: NAME, version: '1.0.0', main: 'x.js', scripts: { install: `touch ${mark}` } }),
    )
    writeFileSync(join(folder, 'x.js'), "module.exports = 'word'\n")
    execFileSync('npm', ['pack', '--silent', '--pack-destination', home], { cwd: folder, stdio: 'ignore' })
    const tarball = readFileSync(join(home, `${NAME}-1.0.0.tgz`))
    const integrity = `sha512-${createHash('sha512').update(tarball).digest('base64')}`
    server = createServer((request, response) => {
      const at = `http://127.0.0.1:${(server!.address() as AddressInfo).port}`
      if (request.url?.endsWith('.tgz')) response.end(tarball)
      else
        response.setHeader('content-type', 'application/json').end(
          JSON.stringify({
            name: NAME,
            'dist-tags': { latest: '1.0.0' },
            versions: { '1.0.0': { name: NAME, version: '1.0.0', dist: { integrity, tarball: `${at}/${NAME}/-/${NAME}-1.0.0.tgz` } } },
          }),
        )
    })
    await new Promise<void>((resolve) => server!.listen(0, '127.0.0.1', resolve))
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, integrity, mark }
  }
  const open = (files: Record<string, string>, url: string, environment = {}, folder = 'deps') =>
    openPackages({
      environment,
      source: { text: async (_, path) => files[path] ?? null },
      installed: '/installed',
      lock: 'the lock file that runs',
      folder: join(home, folder),
      path: '/usr/local/bin:/usr/bin:/bin',
      registry: url,
    })

  test('that run are taken as they are; new ones are fetched once, and no line of them is run', async () => {
    const { url, integrity, mark } = await registry()
    const files = { 'package.json': manifest({ [NAME]: '1.0.0' }), 'package-lock.json': lockOf(integrity) }
    const packages = open(files, url)
    expect(await open({}, url).of('tree')).toBe('/installed')
    expect(await open({ 'package-lock.json': 'the lock file that runs' }, url).of('tree')).toBe('/installed')
    expect(await packages.of('tree')).toBeNull()
    await packages.fetch('tree', new AbortController().signal)
    const at = await packages.of('tree')
    expect(at).toContain(packagesKey(files['package-lock.json']))
    expect(readFileSync(join(at!, NAME, 'x.js'), 'utf8')).toContain('word')
    expect(existsSync(mark)).toBe(false)
    await new Promise((resolve) => server!.close(resolve))
    server = undefined
    await packages.fetch('tree', new AbortController().signal)
  }, 60_000)

  test('that are not what the lock file says, or cannot be reached, are refused in a sentence and leave nothing', async () => {
    const { url } = await registry()
    const wrong = { 'package.json': manifest({ [NAME]: '1.0.0' }), 'package-lock.json': lockOf(SUM) }
    await expect(open(wrong, url).fetch('tree', new AbortController().signal)).rejects.toThrow(
      /could not be fetched \(.*(?:EINTEGRITY|integrity)/,
    )
    const fails = (packages: ReturnType<typeof open>) => expect(packages.fetch('tree', new AbortController().signal)).rejects
    await Promise.all([
      fails(open(wrong, 'http://127.0.0.1:9/')).toThrow(
        /could not be fetched \(.*ECONNREFUSED.*\); let this machine reach its npm registry/,
      ),
      // It goes the way that the machine's environment names.
      fails(open(wrong, 'http://registry.invalid/', { http_proxy: 'http://127.0.0.1:9/' }, 'proxied')).toThrow(
        /could not be fetched \(.*127\.0\.0\.1:9/,
      ),
    ])
    expect(await open(wrong, url).of('tree')).toBeNull()
  }, 60_000)

  test.skipIf(!need('bubblewrap'))(
    'of a change are a person’s to decide before anything of it runs, and without a registry it is refused',
    async () => {
      const files = { 'package.json': manifest({ [NAME]: '1.0.0' }), 'package-lock.json': lockOf(SUM) }
      const s = await self(
        {
          packages: [
            begin,
            ...Object.entries(files).map(([path, text]) =>
              write(path, path === 'package.json' ? text.replace('{', '{"type":"module","private":true,') : text),
            ),
            submit(),
          ],
        },
        { registry: 'http://127.0.0.1:9/' },
      )
      try {
        const id = await s.goal('packages')
        const change = await s.until(id, 'review')
        expect(change.level).toBe(3)
        const { gates } = await s.runtime.changes.get(change.id)
        expect(gates.find(({ name }) => name === 'dependencies')!.summary).toMatch(/A person decides first/)
        expect(gates.filter(({ verdict }) => verdict === 'passed').map(({ name }) => name)).toEqual([
        'protected paths', 'test integrity', 'secrets', 'dependencies', 'migrations',
      ]) // biome-ignore format: one row
        await s.approve(await s.item(id))
        expect((await s.until(id, 'refused')).note).toMatch(/could not be fetched.*let this machine reach its npm registry/)
      } finally {
        expect(await s.end()).toEqual([])
      }
    },
    120_000,
  )
})
