/** What the container's files say, where no engine is; `npm run proof -- container` tries them in one. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
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

describe('a container that is made anew', () => {
  let folder: string
  let image: string
  let own: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'banyan-anew-'))
    image = join(folder, 'app')
    own = join(folder, 'data', 'self', 'repository.git')
    mkdirSync(image)
    git(image, 'init', '--quiet', '--initial-branch=main')
    commit(image, 'first')
    mkdirSync(join(folder, 'data', 'self'), { recursive: true })
    git(folder, 'clone', '--quiet', '--bare', image, own)
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))
  const git = (cwd: string, ...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=x', '-c', 'user.email=x@x.invalid', ...args], { cwd, encoding: 'utf8', stdio: 'pipe' }).trim()
  const commit = (cwd: string, text: string): string => {
    writeFileSync(join(cwd, 'text'), text)
    git(cwd, 'add', 'text')
    git(cwd, 'commit', '--quiet', '--message', text)
    return git(cwd, 'rev-parse', 'HEAD')
  }
  /** A commit that the image does not know. */
  const change = (text: string): string => {
    const work = join(folder, 'work')
    rmSync(work, { recursive: true, force: true })
    git(folder, 'clone', '--quiet', own, work)
    const made = commit(work, text)
    git(work, 'push', '--quiet', 'origin', 'HEAD:refs/heads/main')
    return made
  }
  const start = () => {
    const script = `import(${JSON.stringify(join(import.meta.dirname, 'container.mjs'))}).then((it) => it.joinOwnChanges(...process.argv.slice(1)))`
    execFileSync(process.execPath, ['--input-type=module', '-e', script, image, join(folder, 'data')], { stdio: 'inherit' })
    return git(image, 'for-each-ref', '--format=%(refname:short)', 'refs/heads').split('\n')
  }

  test('goes on with the newest change of its own that follows its commit, and its main branch stays', () => {
    mkdirSync(join(image, '.git/objects/info'), { recursive: true })
    writeFileSync(join(image, '.git/objects/info/alternates'), `${own}/objects\n`)
    const first = git(image, 'rev-parse', 'main')
    change('a change')
    const newest = change('another')
    expect(start()).toEqual(['banyan/main', 'main'])
    expect(git(image, 'rev-parse', 'banyan/main')).toBe(newest)
    expect(git(image, 'rev-parse', 'main')).toBe(first)
    const later = change('one more')
    start()
    expect(git(image, 'rev-parse', 'banyan/main')).toBe(later)
  })

  test('with nothing of its own, or with an image that went another way, is left as it is', () => {
    expect(start()).toEqual(['main'])
    change('a change')
    commit(image, 'a newer image')
    expect(start()).toEqual(['main'])
  })
})
