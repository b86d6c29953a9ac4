/** What the container's files say, where no engine is; `npm run proof -- container` tries them in one. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'

const read = (name: string): string => readFileSync(join(import.meta.dirname, '..', name), 'utf8')

describe('the container', () => {
  const { services, volumes } = parse(read('docker-compose.yml')) as {
    services: Record<
      string,
      { [key: string]: unknown; ports: string[]; environment: Record<string, string>; security_opt: string[]; volumes: string[] }
    >
    volumes: Record<string, unknown>
  }
  const { banyan } = services
  const dockerfile = read('Dockerfile')

  test('has no right of root and no way to one, and may build the walls of the sandbox', () => {
    expect(banyan).toMatchObject({ cap_drop: ['ALL'], init: true })
    expect(banyan!.security_opt).toEqual(['no-new-privileges', 'seccomp=unconfined', 'apparmor=unconfined', 'systempaths=unconfined'])
    expect(banyan).not.toHaveProperty('privileged')
    expect(dockerfile).toMatch(/^USER node$/m)
  })

  test('is told the port at which others reach it, since it answers for no other address', () => {
    expect(banyan!.ports).toEqual([expect.stringMatching(/^127\.0\.0\.1:(\$\{PORT:-8000\}):\1$/)])
    expect(banyan!.environment.PORT).toMatch(/^\$\{PORT:-8000\}$/)
  })

  test('keeps everything in one volume, and knows from it which changes of its own it made', () => {
    const [data] = banyan!.volumes[0]!.split(':')
    expect(volumes).toHaveProperty(data!)
    expect(banyan!.volumes).toEqual([`${data}:/data`])
    expect(dockerfile).toMatch(/^ENV DATA_DIR=\/data /m)
    // Where core/self/repository.ts keeps them.
    expect(dockerfile).toContain('echo /data/self/repository.git/objects > .git/objects/info/alternates')
    expect(read('core/self/repository.ts')).toContain("join(options.dataDir, 'self', 'repository.git')")
  })

  test('leaves room for running turns to end when it is stopped', () => {
    expect(banyan).toMatchObject({ stop_grace_period: '60s' })
    expect(dockerfile).toMatch(/^STOPSIGNAL SIGTERM$/m)
  })
})
