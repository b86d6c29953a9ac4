/** What code of a candidate can see and do while it is judged. */
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { need } from '../../scripts/needs.ts'
import { NOBODY } from '../exec/local.ts'
import { openWalls, type Walls } from './walls.ts'

const asRoot = process.getuid?.() === 0
let folder: string
let walls: Walls
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'banyan-walls-'))
  for (const path of ['', 'source', 'source/node_modules', 'packages', 'gates']) {
    mkdirSync(join(folder, path), { recursive: true })
    chmodSync(join(folder, path), 0o755)
  }
  writeFileSync(join(folder, 'source/a.txt'), 'candidate')
  writeFileSync(join(folder, 'secret'), 'secret')
  const found = await openWalls({
    folder: join(folder, 'gates'),
    path: '/usr/bin:/bin',
    node: process.execPath,
    runAs: asRoot ? NOBODY : undefined,
    packages: join(folder, 'packages'),
  })
  if ('why' in found) throw new Error(found.why)
  walls = found
}, 120_000)
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const run = (script: string, timeoutMs = 60_000) =>
  walls.run({ source: join(folder, 'source'), packages: join(folder, 'packages'), argv: ['/bin/sh', '-c', script], timeoutMs })

describe.skipIf(!need('bubblewrap'))('the walls around a candidate', () => {
  test('show the candidate and nothing of the machine, and let nothing out', async () => {
    const tries = {
      'write to the candidate': 'echo x > a.txt',
      'write to the packages': 'echo x > node_modules/x',
      'see the folder beside it': `ls ${folder}`,
      'see the home of somebody': 'ls /root || ls /home/*',
      'see a folder of the machine': 'for d in root home run var sys boot opt srv mnt; do test -e /$d && exit 0; done; exit 1',
      'see the environment': 'test -n "$ADMIN_TOKEN$SYSTEM_SECRET_KEY$PWD_OF_BANYAN"',
      'be root': 'test "$(id -u)" = 0 && test -w /usr',
      'reach an address':
        "node -e \"require('net').connect(53, '192.0.2.1').on('error', () => process.exit(1)).on('connect', () => process.exit(0))\"",
      'see a process outside': `test -e /proc/${process.pid}/exe && test "$(cat /proc/${process.pid}/comm)" = MainThread`,
      'end a process outside': `kill -9 ${process.pid}`,
      'write to the machine': 'echo x > /usr/x || echo x > /etc/x',
    }
    const said = await Promise.all(Object.entries(tries).map(async ([name, script]) => [name, (await run(script)).code === 0] as const))
    expect(said.filter(([, worked]) => worked)).toEqual([])
    expect(readFileSync(join(folder, 'source/a.txt'), 'utf8')).toBe('candidate')
  }, 120_000)
  test('hold what a test needs: programs, Node, a place for files, its own loopback by name', async () => {
    const ended = await run(
      "cat a.txt && echo x > /tmp/x && node -e \"require('http').createServer((_, a) => a.end()).listen(0, 'localhost', function () { fetch('http://localhost:' + this.address().port).then(() => process.exit(0), () => process.exit(1)) })\"",
    )
    expect([ended.code, ended.log]).toEqual([0, 'candidate'])
  }, 120_000)
  test.skipIf(!asRoot)(
    'stand where only root may enter the folder of the packages, as below a keeper',
    async () => {
      const home = join(folder, 'keeper')
      mkdirSync(join(home, 'packages'), { recursive: true })
      chmodSync(home, 0o700)
      const [packages, path, node] = [join(home, 'packages'), '/usr/bin:/bin', process.execPath]
      const found = await openWalls({ folder: join(folder, 'gates'), path, node, runAs: NOBODY, packages })
      if ('why' in found) throw new Error(found.why)
      const script = 'test "$(id -u)" != 0 && test -r node_modules/. && node -e "process.stdout.write(\'ran\')"'
      const ended = await found.run({ source: join(folder, 'source'), packages, argv: ['/bin/sh', '-c', script], timeoutMs: 60_000 })
      expect([ended.code, ended.log]).toEqual([0, 'ran'])
    },
    120_000,
  )
  test('end what does not end, with everything that it started', async () => {
    const ended = await run('(while :; do sleep 1; done) & echo begun; wait', 4_000)
    expect(ended).toMatchObject({ code: null, timedOut: true })
  }, 120_000)
})
