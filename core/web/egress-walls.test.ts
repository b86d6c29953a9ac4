/** Commands within real walls, with real programs, at the proxy. */
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { need } from '../../scripts/needs.ts'
import { type AllowedHost, networkWords, readHosts } from '../contract/network.ts'
import { builtEnvironment } from '../exec/environment.ts'
import type { CommandResult } from '../exec/exec.ts'
import { localExec, NOBODY } from '../exec/local.ts'
import { openIsolation } from '../exec/probe.ts'
import { type Hosts, openHosts } from './fixture/hosts.ts'

const NPM = existsSync('/usr/bin/npm') || existsSync('/usr/local/bin/npm')
const runAs = process.getuid?.() === 0 ? NOBODY : undefined

describe.skipIf(!need('bubblewrap'))('a command within walls that may reach hosts', () => {
  let hosts: Hosts
  let exec: ReturnType<typeof localExec>
  let site: string
  beforeAll(async () => {
    hosts = await openHosts({
      answer: (request, response) => {
        // A repository as any web server gives it ("dumb" HTTP), below /repo.git.
        const path = URL.parse(request.url ?? '/', 'http://x')!.pathname
        if (path === '/tiny') {
          const version = { name: 'tiny', version: '1.2.3', dist: { tarball: 'http://allowed.example/tiny.tgz', shasum: '0'.repeat(40) } }
          return void response.end(JSON.stringify({ name: 'tiny', 'dist-tags': { latest: '1.2.3' }, versions: { '1.2.3': version } }))
        }
        if (!path.startsWith('/repo.git/')) return void response.end(`hello from ${request.headers.host}`)
        try {
          response.end(readFileSync(join(site, path)))
        } catch {
          response.writeHead(404).end() // git asks for what may not be there
        }
      },
    })
    site = join(hosts.base, 'site')
    mkdirSync(site)
    const isolation = await openIsolation({
      folder: join(hosts.base, 'sandbox'),
      path: '/usr/bin:/bin',
      hidden: [join(hosts.base, 'egress')],
      node: process.execPath,
      ...(runAs ? { runAs } : {}),
    })
    exec = localExec({
      environment: builtEnvironment({ PATH: `${join(process.execPath, '..')}:/usr/local/bin:/usr/bin:/bin` }),
      sandbox: isolation.sandbox,
      cgroups: isolation.cgroups,
      egress: hosts.egress,
      ...(runAs ? { runAs } : {}),
    })
  })
  afterAll(async () => {
    await exec?.stop()
    await hosts?.end()
  })

  let made = 0
  function room(): string {
    const folder = join(hosts.base, `work-${++made}`)
    mkdirSync(folder)
    cpSync(hosts.certificate, join(folder, 'cert.pem'))
    if (runAs) chownSync(folder, runAs.uid, runAs.gid)
    return folder
  }
  const run = (shell: string, allowed: string[] | undefined, cwd = room(), signal = new AbortController().signal): Promise<CommandResult> =>
    exec.run(
      {
        run: { shell },
        cwd,
        isolation: 'sandbox',
        timeoutMs: 60_000,
        outputBytes: 20_000,
        ...(allowed ? { network: readHosts(allowed) as AllowedHost[] } : {}),
      },
      signal,
    )

  test('reads a page by http and by https, and what it did is told', async () => {
    const result = await run('curl -sS http://allowed.example/one && echo && curl -sS --cacert cert.pem https://allowed.example/two', [
      'allowed.example',
    ])
    expect(result.stderr).toBe('')
    expect(result.stdout).toBe('hello from allowed.example\nhello from allowed.example')
    expect(result.network).toMatchObject({
      total: 2,
      connections: [
        { host: 'allowed.example', port: 80, verdict: 'ok' },
        { port: 443, verdict: 'ok' },
      ],
    })
    expect(result.network!.down).toBeGreaterThan(300)
  }, 30_000)

  test('reads by the programs that builds use: Node with fetch, and git over http', async () => {
    const repo = join(hosts.base, 'repo')
    const git = (...args: string[]) =>
      execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.org', ...args], { cwd: repo, stdio: 'ignore' })
    mkdirSync(repo)
    git('init', '-q')
    writeFileSync(join(repo, 'read.me'), 'from the repository')
    git('add', '.')
    git('commit', '-q', '-m', 'one')
    git('clone', '-q', '--bare', repo, join(site, 'repo.git'))
    execFileSync('git', ['update-server-info'], { cwd: join(site, 'repo.git') })

    const cwd = room()
    const result = await run(
      [
        'git clone -q http://allowed.example/repo.git cloned 2>&1 && cat cloned/read.me',
        'export NODE_EXTRA_CA_CERTS=$PWD/cert.pem',
        `node -e 'fetch("https://allowed.example/").then((a) => a.text()).then(console.log)'`,
      ].join('\necho\n'),
      ['allowed.example'],
      cwd,
    )
    expect(result).toMatchObject({ exitCode: 0, stderr: '' })
    expect(result.stdout.split('\n').filter(Boolean)).toEqual(['from the repository', 'hello from allowed.example'])
    expect(result.network!.connections.every((one) => one.host === 'allowed.example' && one.verdict === 'ok')).toBe(true)
  }, 60_000)

  test.skipIf(!NPM)(
    'reads from a registry by npm, with and without TLS',
    async () => {
      const view = (from: string) => `npm view tiny version --registry ${from} 2>&1`
      const lines = ['export NODE_EXTRA_CA_CERTS=$PWD/cert.pem', view('http://allowed.example/'), view('https://allowed.example/')]
      const { stdout, network } = await run(lines.join('\n'), ['allowed.example'])
      expect(stdout).toBe('1.2.3\n1.2.3\n')
      expect(new Set(network!.connections.map((one) => `${one.host}:${one.port} ${one.verdict}`))).toEqual(
        new Set(['allowed.example:80 ok', 'allowed.example:443 ok']),
      )
    },
    60_000,
  )

  test('learns what was refused and why, and so does whoever reads its answer', async () => {
    const result = await run('curl -sS http://evil.example/; curl -sS -o /dev/null https://evil.example/', ['allowed.example'])
    expect(result.stdout).toContain('evil.example:80 is not among the hosts of this command (allowed.example)')
    expect(result.stderr).toMatch(/403/)
    expect(networkWords(result.network!)).toMatch(/^refused: evil\.example:80, evil\.example:443 \(evil\.example:80 is not among/)
  }, 30_000)

  test.each<[string, string]>([
    ['a public address', '/dev/tcp/93.184.216.34/80'],
    ['a name', '/dev/tcp/allowed.example/80'],
    ['a server of this machine', '/dev/tcp/127.0.0.1/PORT'],
    ['a name server', '/dev/udp/9.9.9.9/53'],
    ['the metadata of a cloud', '/dev/tcp/169.254.169.254/80'],
  ])(
    'reaches %s in no other way',
    async (_name, place) => {
      const server = createServer(() => undefined).listen(0, '127.0.0.1')
      await once(server, 'listening')
      const to = place.replace('PORT', String((server.address() as AddressInfo).port))
      const { stdout } = await run(`bash -c 'echo hello > ${to}' 2>/dev/null && echo REACHED || echo cut off`, ['allowed.example'])
      server.close()
      expect(stdout).toBe('cut off\n')
    },
    30_000,
  )

  test('finds no socket but its own, no way by an address in the kernel, and no programs that could make one', async () => {
    const other = await hosts.egress.open(readHosts(['evil.example']) as AllowedHost[])
    const { stdout } = await run(
      [
        'find / \\( -path /proc -o -path /usr -o -path /sys -o -path /dev \\) -prune -o -print 2>/dev/null | while read -r f; do [ -S "$f" ] && echo "$f"; done',
        `curl -s --unix-socket ${other.socket} http://x/ -o /dev/null || echo no other socket`,
        'ip link 2>/dev/null | grep -c "^[0-9]" || cat /proc/net/dev | grep -c ":"',
        'unshare -rn true 2>/dev/null || echo no namespaces',
      ].join('\n'),
      ['allowed.example'],
    )
    expect(stdout.split('\n').filter(Boolean)).toEqual(['/run/banyan/proxy.sock', 'no other socket', '1', 'no namespaces'])
    await other.close()
  }, 30_000)

  test('sees nothing of another command that runs meanwhile, nor can use what it learned', async () => {
    const stop = new AbortController()
    const mine = room()
    const first = run('echo $http_proxy > token; exec sleep 60', ['evil.example'], mine, stop.signal)
    await vi.waitFor(() => expect(readFileSync(join(mine, 'token'), 'utf8')).toMatch(/task:\S+@/), 20_000)
    const url = readFileSync(join(mine, 'token'), 'utf8').trim()
    const token = /task:([^@]+)@/.exec(url)![1]!
    const searched = await run(
      `for p in /proc/[0-9]*; do tr '\\0' '\\n' < $p/environ 2>/dev/null; tr '\\0' ' ' < $p/cmdline 2>/dev/null; done`,
      ['allowed.example'],
    )
    expect(searched.stdout).toMatch(/http_proxy=/)
    expect(searched.stdout).not.toContain(token)
    const used = await run(`curl -s -o /dev/null -w '%{http_code}' -x '${url}' http://evil.example/`, ['allowed.example'])
    expect(used.stdout).toBe('407')
    stop.abort()
    expect(await first).toMatchObject({ aborted: true })
    expect(readdirSync(join(hosts.base, 'egress'))).toEqual([])
  }, 60_000)

  test('keeps its token out of the process that forwards, and loses only its own network by ending that', async () => {
    const { stdout, exitCode } = await run(
      [
        "pid=$(pgrep -f 'proxy[.]sock')",
        'tr "\\0" "\\n" < /proc/$pid/environ | grep -c proxy; tr "\\0" " " < /proc/$pid/cmdline | grep -c task:',
        'kill -9 $pid; curl -s http://allowed.example/ || echo no way; exit 7',
      ].join('\n'),
      ['allowed.example'],
    )
    expect([stdout, exitCode]).toEqual(['0\n0\nno way\n', 7])
  }, 30_000)

  test('ends as any other: at once, with its own exit code, its time-out or its signal', async () => {
    const began = performance.now()
    expect(await run('cat; exit 3', ['allowed.example'])).toMatchObject({ exitCode: 3, network: { total: 0 } })
    expect(performance.now() - began).toBeLessThan(5_000)
    expect(await run('kill -9 $$', ['allowed.example'])).toMatchObject({ exitCode: 137 })
    expect(await run('wait; jobs; echo ready=$ready', ['allowed.example'])).toMatchObject({ exitCode: 0, stdout: 'ready=\n' })
  }, 30_000)

  test('without hosts has neither a socket nor a proxy in its environment', async () => {
    const { stdout, network } = await run('ls /run 2>&1; env | grep -ic proxy; curl -s http://allowed.example/ || echo none', undefined)
    expect(stdout).toMatch(/No such file[\s\S]*\n0\nnone\n$/)
    expect(network).toBeNull()
  }, 30_000)

  test('is not started where no walls are, unless it was allowed to run plain, where nothing holds it', async () => {
    const plain = localExec({ environment: builtEnvironment({}), egress: hosts.egress })
    const command = { run: { shell: 'env | grep -ic proxy' }, cwd: room(), timeoutMs: 20_000, outputBytes: 1_000 }
    const network = readHosts(['allowed.example']) as AllowedHost[]
    const never = new AbortController().signal
    await expect(plain.run({ ...command, network }, never)).rejects.toThrow(/must run in a sandbox and was not started/)
    expect(await plain.run({ ...command, network, isolation: 'plain' }, never)).toMatchObject({ stdout: '0\n', network: null })
    await plain.stop()
  }, 30_000)
})
