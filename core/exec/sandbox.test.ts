import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { need } from '../../scripts/needs.ts'
import type { Command, CommandResult } from './exec.ts'
import type { Asked } from './fixture/runtime.ts'
import { localExec } from './local.ts'
import { type IsolationReport, openIsolation } from './probe.ts'
import type { Sandbox } from './sandbox.ts'

const NOBODY = { uid: 65_534, gid: 65_534 }
const PATH = '/usr/local/bin:/usr/bin:/bin'
const RUNTIME = join(import.meta.dirname, 'fixture/runtime.ts')
const isRoot = process.getuid?.() === 0
/** As root: root, stepping down inside, below a folder of somebody else that nobody may enter; and an ordinary user. Otherwise that user. */
const USERS = isRoot ? (['root', 'user'] as const) : (['user'] as const)
/** An ordinary user can only be played where that user may read the checkout. */
const mayPlay = !isRoot || spawnSync(process.execPath, ['--check', RUNTIME], { ...NOBODY, cwd: '/', env: {} }).status === 0

type Answer = { report: IsolationReport; results: (CommandResult & { refused?: string })[] }
type Place = { base: string; dataDir: string; workspace: string; as: (typeof USERS)[number] }

function makePlace(as: Place['as']): Place {
  const base = realpathSync(mkdtempSync(join(tmpdir(), 'banyan-walls-')))
  const dataDir = join(base, 'data')
  const workspace = join(dataDir, 'workspaces/mine')
  mkdirSync(workspace, { recursive: true })
  mkdirSync(join(dataDir, 'workspaces/other'))
  // Readable by everybody: what keeps them must be the walls, not the mode of a file.
  for (const name of ['secret-key', 'workspaces/other/notes']) writeFileSync(join(dataDir, name), 'SECRET-OF-THE-RUNTIME', { mode: 0o644 })
  symlinkSync(join(dataDir, 'secret-key'), join(workspace, 'link'))
  if (isRoot) {
    for (const path of [workspace, ...(as === 'user' ? [dataDir, join(dataDir, 'workspaces')] : [])])
      chownSync(path, NOBODY.uid, NOBODY.gid)
    if (as === 'user') chmodSync(base, 0o755)
    else {
      chownSync(base, 1_000, 1_000)
      chmodSync(base, 0o700)
    }
  }
  return { base, dataDir, workspace, as }
}
function startRuntime(place: Place, commands: Asked['commands']): ChildProcess {
  const asked: Asked = {
    dataDir: place.dataDir,
    workspace: place.workspace,
    path: PATH,
    commands,
    ...(isRoot && place.as === 'root' ? { runAs: NOBODY } : {}),
  }
  const child = spawn(process.execPath, [RUNTIME], {
    ...(isRoot && place.as === 'user' ? NOBODY : {}),
    cwd: '/',
    env: { PATH },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  child.stdin!.end(JSON.stringify(asked))
  return child
}
async function inside(place: Place, commands: Asked['commands']): Promise<Answer> {
  return JSON.parse(await text(startRuntime(place, commands).stdout!)) as Answer
}
/** Processes of this machine whose command line holds these words. */
const running = (words: string): number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').includes(words)
      } catch {
        return false // over meanwhile
      }
    })

const ARM = process.arch === 'arm64'
/** A system call by its number; perl belongs to every Debian. */
const systemCall = (number: number, ...args: (number | string)[]) =>
  `perl -e '$r = syscall(${[number, ...args].join(', ')}); print $r < 0 ? "refused: $!" : "HAPPENED"'`

type Attack = { name: string; shell: (host: Host) => string; holds?: (result: CommandResult, host: Host) => void }
type Host = Place & { tcp: number; abstract: string; socket: string; victim: number; marker: string; connections: () => number }
/** Unless more is said: no secret came out and nothing said that it worked. */
const ATTACKS: Attack[] = [
  { name: 'read a key of the data folder', shell: (h) => `cat ${h.dataDir}/secret-key` },
  { name: 'read it through a link in the workspace', shell: () => 'cat link' },
  { name: 'read it by a way up', shell: () => 'cat ../../secret-key; ls -R ../..' },
  {
    name: 'read it through /proc',
    shell: (h) => `for p in /proc/[0-9]*; do cat $p/root${h.dataDir}/secret-key $p/cwd/../../secret-key; done`,
  },
  {
    name: 'read another workspace',
    shell: (h) => `cat ${h.dataDir}/workspaces/other/notes; ls ${h.dataDir}/workspaces`,
    holds: (r) => expect(r.stdout).toBe('mine\n'),
  },
  { name: 'make a hard link to a key', shell: (h) => `ln ${h.dataDir}/secret-key mine && echo HAPPENED` },
  {
    name: 'read the users of the machine',
    shell: () => 'cat /etc/passwd /etc/shadow /etc/group',
    holds: (r) => expect(r.stdout).not.toMatch(/^(daemon|bin|www-data|nobody):/m),
  },
  {
    name: 'look at homes, sockets and state',
    shell: () => 'ls -d /root /home /run /var /sys /boot /opt /srv /mnt',
    holds: (r) => expect(r.stdout).toBe(''),
  },
  {
    name: 'see processes of the machine',
    shell: (h) => `ls /proc/${h.victim} && echo HAPPENED; ls -d /proc/[0-9]* | wc -l`,
    holds: (r) => expect(Number(r.stdout)).toBeLessThan(10),
  },
  {
    name: 'kill a process of the machine',
    shell: (h) => `kill -9 ${h.victim} && echo HAPPENED; kill -9 -1`,
    holds: (_, h) => expect(running(`sleep ${h.marker}`)).toEqual([h.victim]),
  },
  { name: 'trace a process of the machine', shell: (h) => systemCall(ARM ? 117 : 101, 16, h.victim, 0, 0) },
  { name: 'read memory of a process of the machine', shell: (h) => `head -c 1 /proc/${h.victim}/mem && echo HAPPENED` },
  {
    name: 'connect to a port of this machine',
    shell: (h) => `perl -MIO::Socket::INET -e 'print IO::Socket::INET->new("127.0.0.1:${h.tcp}") ? "HAPPENED" : "refused: $@"'`,
    holds: (_, h) => expect(h.connections()).toBe(0),
  },
  {
    name: 'reach an address outside',
    shell: () =>
      `perl -MIO::Socket::INET -e 'print IO::Socket::INET->new(PeerAddr => "192.0.2.1:80", Timeout => 3) ? "HAPPENED" : "refused: $!"'`,
    holds: (r) => expect(r.stdout).toMatch(/unreachable/),
  },
  { name: 'see network cards', shell: () => 'cut -d: -f1 /proc/net/dev | tail -n +3', holds: (r) => expect(r.stdout.trim()).toBe('lo') },
  {
    name: 'connect to an abstract socket',
    shell: (h) =>
      `perl -MSocket -e 'socket(S, PF_UNIX, SOCK_STREAM, 0); print connect(S, pack("S a*", 1, "\\0${h.abstract}")) ? "HAPPENED" : "refused: $!"'`,
    holds: (_, h) => expect(h.connections()).toBe(0),
  },
  {
    name: 'connect to a socket of the data folder',
    shell: (h) => `perl -MIO::Socket::UNIX -e 'print IO::Socket::UNIX->new("${h.socket}") ? "HAPPENED" : "refused: $!"'`,
    holds: (_, h) => expect(h.connections()).toBe(0),
  },
  { name: 'mount', shell: () => 'mount -t tmpfs tmpfs /tmp && echo HAPPENED' },
  { name: 'mount by the newer call', shell: () => systemCall(430, '"tmpfs"', 0) },
  { name: 'make /usr writable', shell: () => 'mount -o remount,rw,bind /usr && echo HAPPENED; touch /usr/x && echo HAPPENED' },
  { name: 'take a wall away', shell: () => 'umount /etc && echo HAPPENED; umount -l /tmp && echo HAPPENED' },
  { name: 'make a user namespace', shell: () => 'unshare --user --map-root-user true && echo HAPPENED' },
  { name: 'make one by clone', shell: () => systemCall(ARM ? 220 : 56, 0x10000000 | 17, 0, 0, 0, 0) },
  { name: 'make one by clone3', shell: () => systemCall(435, '"\\0" x 88', 88) },
  { name: 'enter another namespace', shell: () => 'nsenter --target 1 --mount true && echo HAPPENED' },
  { name: 'use io_uring', shell: () => systemCall(425, 1, '"\\0" x 120') },
  { name: 'use keys of the kernel', shell: () => systemCall(ARM ? 219 : 250, 0, -3, 0) },
  { name: 'load a program into the kernel', shell: () => systemCall(ARM ? 280 : 321, 0, '"\\0" x 120', 120) },
  {
    name: 'become root',
    shell: () => 'setpriv --reuid 0 true && echo HAPPENED; su -c "echo HAPPENED"; id -u',
    holds: (r) => expect(r.stdout.trim()).not.toBe('0'),
  },
  {
    name: 'gain a capability',
    shell: () => 'grep -E "^Cap(Inh|Prm|Eff|Bnd|Amb)" /proc/self/status; grep NoNewPrivs /proc/self/status',
    holds: (r) => expect(r.stdout.replaceAll('\t', '')).toMatch(/^(Cap...:0{16}\n){5}NoNewPrivs:1\n$/),
  },
  { name: 'make a device', shell: () => 'mknod disk b 254 0 && echo HAPPENED; cat /dev/vda /dev/sda /dev/mem' },
  { name: 'use a terminal', shell: () => '{ exec 9</dev/tty; } && echo HAPPENED' },
  {
    name: 'write into the system',
    shell: () => 'for p in /x /usr/x /etc/x /bin/x /proc/sys/kernel/hostname; do { echo x > $p; } && echo HAPPENED; done',
  },
  {
    name: 'write beside the workspace',
    shell: () => 'echo x > ../beside',
    holds: (_, h) => expect(existsSync(join(h.dataDir, 'workspaces/beside'))).toBe(false),
  },
  {
    name: 'write through a link',
    shell: (h) => `ln -sfn ${h.dataDir} out; echo x > out/planted; echo x > link`,
    holds: (_, h) =>
      expect([existsSync(join(h.dataDir, 'planted')), readFileSync(join(h.dataDir, 'secret-key'), 'utf8')]).toEqual([
        false,
        'SECRET-OF-THE-RUNTIME',
      ]),
  },
  {
    name: 'leave something in /tmp of the machine',
    shell: (h) => `echo x > /tmp/planted-${h.marker}`,
    holds: (_, h) => expect(existsSync(`/tmp/planted-${h.marker}`)).toBe(false),
  },
  {
    name: 'use descriptors of the runtime',
    shell: () => 'for n in 3 4 5 6 7 8 9; do [ -e /proc/self/fd/$n ] && readlink /proc/self/fd/$n; done; true',
    holds: (r) => expect(r.stdout).toBe(''),
  },
  {
    name: 'read the environment of the runtime',
    shell: () => 'cat /proc/1/environ | tr "\\0" "\\n" | grep -v -E "^(PATH|LANG|HOME|TMPDIR|PWD|OLDPWD)="',
    holds: (r) => expect(r.stdout).toBe(''),
  },
]

describe.skipIf(!need('bubblewrap')).each(USERS.filter((user) => user === 'root' || mayPlay))('a sandbox made by %s', (as) => {
  let place: Place
  let host: Host
  let servers: Server[]
  let victim: ChildProcess
  const marker = String(1_000_000 + (process.pid % 100_000) * 10 + (as === 'root' ? 1 : 0))
  beforeAll(async () => {
    place = makePlace(as)
    let connections = 0
    const counted = () => createServer((socket) => socket.end(String(++connections)))
    const abstract = `banyan-${marker}`
    const socket = join(place.dataDir, 'api.sock')
    servers = [counted().listen(0, '127.0.0.1'), counted().listen(`\0${abstract}`), counted().listen(socket)]
    await Promise.all(servers.map((server) => server.listening || once(server, 'listening')))
    chmodSync(socket, 0o777)
    victim = spawn('sleep', [marker], isRoot ? { ...NOBODY, stdio: 'ignore' } : { stdio: 'ignore' })
    await once(victim, 'spawn')
    const { port } = servers[0]!.address() as { port: number }
    host = { ...place, tcp: port, abstract, socket, victim: victim.pid!, marker, connections: () => connections }
  })
  afterAll(() => {
    victim.kill('SIGKILL')
    for (const server of servers) server.close()
    rmSync(place.base, { recursive: true, force: true })
  })

  test(`withstands ${ATTACKS.length} attacks`, async () => {
    // Whoever made the sandbox, the same attacks are possible without one: this table can fail.
    const { report, results } = await inside(
      place,
      ATTACKS.map((attack) => ({ shell: attack.shell(host), timeoutMs: 20_000 })),
    )
    expect(report.sandbox).toMatchObject({ ok: true })
    ATTACKS.forEach((attack, i) => {
      const result = results[i]!
      expect(result, attack.name).toMatchObject({ isolation: 'sandbox', timedOut: false })
      expect(result.stdout + result.stderr, attack.name).not.toMatch(/SECRET-OF-THE-RUNTIME|HAPPENED/)
      expect(() => attack.holds?.(result, host), attack.name).not.toThrow()
    })
  }, 120_000)

  test('runs the programs of the machine, with the workspace as the only place to write', async () => {
    const programs = [
      'pwd; echo $HOME; echo kept > made; f=$(mktemp) && echo "$f"; echo x > /tmp/mine; echo x > /dev/shm/mine',
      'git init -q r && cd r && git -c user.name=a -c user.email=a@b commit -q --allow-empty -m first && git log --format=%s',
      `${process.execPath} -e 'console.log(6 * 7, require("os").userInfo().username)'`,
      'perl -MIO::Socket::INET -e \'$s = IO::Socket::INET->new(Listen => 1, LocalAddr => "localhost:0") or die $!; print IO::Socket::INET->new("localhost:" . $s->sockport) ? "served" : $@\'',
      'exit 7',
      'kill -9 $$',
    ]
    const { results } = await inside(
      place,
      programs.map((shell) => ({ shell })),
    )
    expect(results[0]).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(new RegExp(`^${place.workspace}\n${place.workspace}\n${place.workspace}/.tmp/`)),
    })
    expect(readFileSync(join(place.workspace, 'made'), 'utf8')).toBe('kept\n')
    if (isRoot) expect(statSync(join(place.workspace, 'made')).uid).toBe(65_534)
    expect(results.slice(1).map((r) => [r.exitCode, r.stdout.trim(), r.stderr])).toEqual([
      [0, 'first', ''],
      [0, '42 banyan', ''],
      [0, 'served', ''],
      [7, '', ''],
      [137, '', ''],
    ])
  }, 60_000)

  test('holds what eats the machine', async () => {
    const { report, results } = await inside(place, [
      { shell: 'f() { f | f & }; f; f; sleep 1; echo over', limits: { pids: 64 }, timeoutMs: 20_000 },
      { shell: 'perl -e \'$x = "a" x (1 << 30); print "HAPPENED"\'', limits: { memoryBytes: 200 * 2 ** 20 } },
      { shell: 'head -c 1000000000 /dev/zero | tr "\\0" x' },
      { shell: 'truncate -s 3G large; stat -c %s large' },
      { shell: 'trap "" TERM; while :; do sleep 1; done', timeoutMs: 300 },
      { shell: `setsid sh -c 'trap "" TERM HUP; while :; do sleep 7${marker}; done' >/dev/null 2>&1 & sleep 0.2; echo done` },
      { shell: `setsid sh -c 'trap "" TERM HUP; while :; do sleep 8${marker}; done' & sleep 0.2; echo done` },
      { shell: 'trap "echo cleaned; exit 0" TERM; while :; do sleep 0.05; done', timeoutMs: 3_000 },
      { shell: 'head -c 700000000 /dev/zero > /tmp/large && echo HAPPENED' },
    ])
    const [bomb, memory, output, file, deaf, left, held, polite, tmp] = results
    expect(bomb!.stderr).toMatch(/fork/i)
    expect(memory).toMatchObject({ oomKilled: report.limits.memory })
    expect([memory!.stdout, memory!.exitCode === 0]).toEqual(['', false])
    expect(output).toMatchObject({ exitCode: 0, stdoutBytes: 1_000_000_000 })
    expect(Buffer.byteLength(output!.stdout)).toBeLessThan(20_200)
    expect(file!.stdout).toBe('0\n')
    expect(deaf).toMatchObject({ timedOut: true, signal: 'SIGKILL', exitCode: null })
    expect(left).toMatchObject({ exitCode: 0, stdout: 'done\n' })
    expect(held).toMatchObject({ exitCode: 0, stdout: 'done\n' })
    expect(polite).toMatchObject({ timedOut: true, stdout: 'cleaned\n' })
    expect(tmp!.stderr).toMatch(/No space left/)
    expect([running(`sleep 7${marker}`), running(`sleep 8${marker}`)]).toEqual([[], []])
    if (report.limits.via !== 'rlimit') {
      expect(output!.usage.cpuMs).toBeGreaterThan(50)
      expect(memory!.usage.peakMemoryBytes).toBeGreaterThan(100 * 2 ** 20)
      expect(memory!.usage.peakMemoryBytes).toBeLessThanOrEqual(200 * 2 ** 20)
    }
  }, 120_000)

  test('ends with a runtime that is killed with -9, also what left its session', async () => {
    const lines = [`exec sleep 5${marker}`, `setsid sh -c 'trap "" TERM HUP; sleep 5${marker}' & exec sleep 5${marker}`]
    const runtime = startRuntime(
      place,
      lines.map((shell) => ({ shell })),
    )
    await vi.waitFor(() => expect(running(`sleep 5${marker}`).length).toBeGreaterThanOrEqual(4), { timeout: 15_000, interval: 20 })
    runtime.kill('SIGKILL')
    await vi.waitFor(() => expect(running(`sleep 5${marker}`)).toEqual([]), { timeout: 10_000, interval: 20 })
  }, 40_000)
})

describe.skipIf(!need('bubblewrap'))('the folder of a sandbox', () => {
  test('is refused when it holds the data folder, lies outside of the workspace, or is reached by a planted link', async () => {
    const { base, dataDir, workspace } = makePlace(isRoot ? 'root' : 'user')
    symlinkSync('other', join(workspace, '../planted'))
    const runAs = isRoot ? { runAs: NOBODY } : {}
    const { sandbox } = await openIsolation({
      folder: join(dataDir, 'sandbox'),
      path: PATH,
      hidden: [dataDir],
      node: process.execPath,
      ...runAs,
    })
    const exec = localExec({ environment: { PATH }, sandbox, ...runAs })
    const attempt = (folder: string, cwd = folder) =>
      exec.run(
        { run: { shell: 'ls' }, workspace: folder, cwd, timeoutMs: 5_000, outputBytes: 100, isolation: 'sandbox' },
        new AbortController().signal,
      )
    for (const [folder, cwd] of [
      [dataDir],
      [base],
      ['/'],
      ['/usr'],
      [workspace, join(dataDir, 'workspaces/other')],
      [join(dataDir, 'workspaces/planted')],
    ] as const)
      await expect(attempt(folder, cwd), `${folder} ${cwd}`).rejects.toMatchObject({ code: 'forbidden' })
    expect((await attempt(workspace)).stdout).toBe('link\n')
    await exec.stop()
    rmSync(base, { recursive: true })
  })
})

describe.skipIf(!need('bubblewrap'))('walls that cannot be built this time', () => {
  test('stop a command that needs them before anything of it ran, and let any other run plain with the reason', async () => {
    const place = makePlace('user')
    const folder = join(place.dataDir, 'workspaces/mine')
    const { sandbox } = await openIsolation({
      folder: join(place.dataDir, 'sandbox'),
      path: PATH,
      hidden: [place.dataDir],
      node: process.execPath,
    })
    if (!('enclose' in sandbox)) throw new Error('there is a sandbox here')
    const broken: Sandbox = {
      ...sandbox,
      async enclose(command) {
        const whole = await sandbox.enclose(command)
        return { ...whole, argv: whole.argv.toSpliced(1, 0, '--ro-bind', '/nowhere', '/nowhere') }
      },
    }
    const exec = localExec({ environment: { PATH }, sandbox: broken })
    const attempt = (line: string, more: Partial<Command> = {}) =>
      exec.run({ run: { shell: line }, cwd: folder, timeoutMs: 5_000, outputBytes: 100, ...more }, new AbortController().signal)
    await expect(attempt('touch ran', { isolation: 'sandbox' })).rejects.toMatchObject({
      code: 'unavailable',
      message: /could not be built \(.*nowhere/,
    })
    expect(existsSync(join(folder, 'ran'))).toBe(false)
    expect(await attempt('exit 3')).toMatchObject({ exitCode: 3, isolation: 'plain', unsandboxed: expect.stringMatching(/nowhere/) })
    await exec.stop()
    rmSync(place.base, { recursive: true })
  })
})

test.each([
  ['No permissions to create new namespace', /does not work: .*No permissions/, /user namespaces/],
  [
    "Can't mount proc on /newroot/proc: Operation not permitted",
    /does not work: .*mount proc/,
    /In a container .*"systempaths=unconfined"/,
  ],
])('a machine whose bubblewrap says "%s" is told the mend', async (words, why, mend) => {
  const folder = mkdtempSync(join(tmpdir(), 'banyan-walls-'))
  mkdirSync(join(folder, 'bin'))
  writeFileSync(
    join(folder, 'bin/bwrap'),
    `#!/bin/sh\ncase $1 in --version | --help) echo bubblewrap 0.8.0; exit;; esac\necho "bwrap: ${words}" >&2; exit 1\n`,
    { mode: 0o755 },
  )
  const { report, sandbox } = await openIsolation({ folder, path: join(folder, 'bin'), hidden: [], node: process.execPath })
  expect(report.sandbox).toMatchObject({
    ok: false,
    why: expect.stringMatching(why),
    mend: expect.stringMatching(mend),
  })
  expect('why' in sandbox).toBe(true)
  rmSync(folder, { recursive: true })
})
