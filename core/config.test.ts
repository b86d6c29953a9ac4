import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ensureSecrets, isLoopback, readConfig, redacted } from './config.ts'

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'banyan-config-'))
})
afterEach(() => rmSync(root, { recursive: true, force: true }))
const dotEnv = (text: string) => writeFileSync(join(root, '.env'), text)

describe('settings', () => {
  it('are complete when nothing is set', () => {
    expect(readConfig({}, root)).toMatchObject({
      root,
      dataDir: join(root, 'data'),
      databaseUrl: `sqlite:${join(root, 'data', 'agent_system.db')}`,
      host: '127.0.0.1',
      port: 8000,
      maxConcurrentAgents: 3,
      defaultTimeoutSeconds: 300,
      supervisorCheckInterval: 60,
      environment: 'development',
      debugMode: false,
      anthropicApiKey: undefined,
      adminToken: undefined,
      warnings: [],
    })
  })

  it('come from .env, and the environment wins over it', () => {
    dotEnv('PORT=1234 # comment\r\nMODEL="some model"\r\nDEBUG_MODE=yes\r\n')
    expect(readConfig({ PORT: '0' }, root)).toMatchObject({ port: 0, model: 'some model', debugMode: true })
  })

  it('take an empty value for none, as compose files pass it', () => {
    dotEnv('ANTHROPIC_API_KEY=\n')
    expect(readConfig({ PORT: '', REDIS_URL: ' ' }, root)).toMatchObject({ port: 8000, redisUrl: undefined, anthropicApiKey: undefined })
  })

  it('come from the file that NAME_FILE names, relative to the checkout', () => {
    writeFileSync(join(root, 'key'), 'sk-1234\n')
    dotEnv('OPENAI_API_KEY=from-dot-env')
    expect(readConfig({ OPENAI_API_KEY_FILE: 'key' }, root).openaiApiKey).toBe('sk-1234')
  })

  it.each([
    ['sqlite:///data/x.db', (at: string) => `sqlite:${at}/data/x.db`],
    ['sqlite:////var/x.db', () => 'sqlite:/var/x.db'],
    ['postgresql://me:pw@host/db', () => 'postgres://me:pw@host/db'],
  ])('read DATABASE_URL=%s as the seed means it', (url, meant) => {
    expect(readConfig({ DATABASE_URL: url }, root).databaseUrl).toBe(meant(root))
  })

  it('resolve DATA_DIR against the checkout, and the database follows it', () => {
    expect(readConfig({ DATA_DIR: 'elsewhere' }, root).databaseUrl).toBe(`sqlite:${root}/elsewhere/agent_system.db`)
  })
})

describe('a broken setting is refused in one sentence that', () => {
  it('names the line of .env, the value and the mend', () => {
    dotEnv('# mine\nMODEL=x\nPORT=80a\n')
    expect(() => readConfig({}, root)).toThrow(
      'PORT must be a whole number from 0 to 65535, and "80a" from .env line 3 is not: mend it, or remove the setting.',
    )
  })

  it.each(['ANTHROPIC_API_KEY', 'GOOGLE_CLIENT_SECRET', 'ADMIN_TOKEN', 'SYSTEM_SECRET_KEY', 'DATABASE_URL', 'REDIS_URL'])(
    'never shows the value of %s',
    (name) => {
      let words = ''
      try {
        readConfig({ [name]: 'hush hush' }, root)
      } catch (error) {
        words = String(error)
      }
      expect(words).toContain(`${name} must be`)
      expect(words).not.toContain('hush')
    },
  )

  it('does not show a password inside a URL', () => {
    expect(() => readConfig({ OPENAI_BASE_URL: 'http://me:hush@host/v1' }, root)).toThrow('"http://***@host/v1"')
  })

  it.each([
    { PORT: '65536' },
    { PORT: '1.5' },
    { MAX_CONCURRENT_AGENTS: '0' },
    { DATABASE_URL: 'mysql://host/db' },
    { DATABASE_URL: 'sqlite:///:memory:' },
    { DATABASE_URL: 'postgres://' },
    { OPENAI_BASE_URL: 'localhost:11434' },
    { PUBLIC_URL: 'banyan.example.org' },
    { REDIS_URL: 'http://host' },
    { HOST: 'http://0.0.0.0' },
    { ENVIRONMENT: 'prod' },
    { DEBUG_MODE: 'maybe' },
    { DATA_DIR: '~/banyan' },
  ])('comes for %o', (env) => {
    const [name] = Object.keys(env)
    expect(() => readConfig(env, root)).toThrow(
      new RegExp(`^${name} must be .* from the environment is not: mend it, or remove the setting\\.$`),
    )
  })

  it('names a NAME_FILE that cannot be read, one that is empty, and a setting given twice', () => {
    expect(() => readConfig({ ADMIN_TOKEN_FILE: 'none' }, root)).toThrow(
      'ADMIN_TOKEN_FILE in the environment names none, which cannot be read (ENOENT)',
    )
    writeFileSync(join(root, 'empty'), '\n')
    expect(() => readConfig({ ADMIN_TOKEN_FILE: 'empty' }, root)).toThrow('which is empty')
    expect(() => readConfig({ ADMIN_TOKEN_FILE: 'empty', ADMIN_TOKEN: 'x' }, root)).toThrow('are both set')
  })

  it('comes for an .env that is a folder', () => {
    mkdirSync(join(root, '.env'))
    expect(() => readConfig({}, root)).toThrow(/\.env cannot be read \(EISDIR\)/)
  })

  it('comes for a Google client without its secret', () => {
    expect(() => readConfig({ GOOGLE_CLIENT_ID: 'id' }, root)).toThrow('GOOGLE_CLIENT_SECRET is not: set both, or neither.')
  })
})

describe('a HOST that others can reach', () => {
  it.each(['0.0.0.0', '::', '[::]', '192.168.1.7', 'banyan.example.org'])('%s needs an ADMIN_TOKEN', (host) => {
    expect(() => readConfig({ HOST: host }, root)).toThrow('ADMIN_TOKEN is not set')
    expect(readConfig({ HOST: host, ADMIN_TOKEN: 'a-long-random-text-of-24' }, root).warnings).toEqual([])
    expect(readConfig({ HOST: host, ADMIN_TOKEN: 'short' }, root).warnings).toHaveLength(1)
  })

  it('is none of the loopback names', () => {
    for (const host of ['127.0.0.1', '127.8.8.8', '::1', 'localhost']) expect(isLoopback(host)).toBe(true)
    expect(isLoopback('127.evil.example')).toBe(false)
  })
})

describe('warnings', () => {
  it('name what was probably meant by a misspelt name in .env, and leave other names alone', () => {
    dotEnv('ANTROPIC_API_KEY=x\nOPENAI_API_KYE=x\nPORTS=1\nOPENAI_API_KEY_FIL=x\nMY_OWN=1\nPATH=x\n')
    expect(readConfig({}, root).warnings).toEqual([
      '.env line 1: ANTROPIC_API_KEY is not a setting and is ignored; ANTHROPIC_API_KEY was probably meant.',
      '.env line 2: OPENAI_API_KYE is not a setting and is ignored; OPENAI_API_KEY was probably meant.',
      '.env line 3: PORTS is not a setting and is ignored; PORT was probably meant.',
      '.env line 4: OPENAI_API_KEY_FIL is not a setting and is ignored; OPENAI_API_KEY_FILE was probably meant.',
    ])
  })
})

describe('secrets', () => {
  it('that nobody set are made once, for the owner alone', () => {
    mkdirSync(join(root, 'data'))
    const first = ensureSecrets(readConfig({}, root))
    expect(first.adminToken).toMatch(/^[\w-]{43}$/)
    expect(first.systemSecretKey).not.toBe(first.adminToken)
    expect(ensureSecrets(readConfig({}, root))).toEqual(first)
    for (const name of ['admin-token', 'secret-key']) expect(statSync(join(root, 'data', name)).mode & 0o777).toBe(0o600)
    expect(readFileSync(join(root, 'data', 'admin-token'), 'utf8').trim()).toBe(first.adminToken)
  })

  it('that were set are used and not written', () => {
    const ready = ensureSecrets(readConfig({ ADMIN_TOKEN: 'mine', SYSTEM_SECRET_KEY: 'random_secret_for_sessions' }, root))
    expect(ready).toMatchObject({ adminToken: 'mine', systemSecretKey: 'random_secret_for_sessions' })
  })

  it('are not in what is printed', () => {
    const env = { ANTHROPIC_API_KEY: 'hush1', ADMIN_TOKEN: 'hush2', DATABASE_URL: 'postgres://me:hush3@h/d', REDIS_URL: 'redis://:hush4@h' }
    const printed = JSON.stringify(redacted(readConfig(env, root)))
    expect(printed).not.toContain('hush')
    expect(printed).toContain('"anthropicApiKey":"(set)"')
    expect(printed).toContain('postgres://me:***@h/d')
  })
})

it('login providers are read with who may come in, and told off where they are half set', () => {
  expect(readConfig({}, root).login).toEqual({ google: null, github: null, oidc: null, allowed: [], role: 'member' })
  const env = { OIDC_ISSUER: 'https://id.example.org/realms/main', OIDC_CLIENT_ID: 'banyan', LOGIN_ROLE: 'viewer' }
  const config = readConfig({ ...env, LOGIN_ALLOWED_EMAILS: 'Ann@Example.org, @example.com' }, root)
  expect(config.login).toMatchObject({
    oidc: { name: 'id.example.org', issuer: 'https://id.example.org/realms/main', clientSecret: null },
    allowed: ['ann@example.org', '@example.com'],
    role: 'viewer',
  })
  expect(readConfig(env, root).warnings.join()).toContain('nobody new may sign in')
  expect(() => readConfig({ OIDC_ISSUER: 'http://id.example.org', OIDC_CLIENT_ID: 'x' }, root)).toThrow('OIDC_ISSUER must be')
  expect(() => readConfig({ OIDC_CLIENT_ID: 'x' }, root)).toThrow('OIDC_ISSUER is not: set both, or neither.')
  expect(() => readConfig({ GITHUB_CLIENT_SECRET: 'x' }, root)).toThrow('GITHUB_CLIENT_ID is not: set both, or neither.')
  for (const wrong of ['*', 'example.com', 'ann@', 'a b@example', 'owner', '@com', 'owner'])
    expect(() => readConfig({ LOGIN_ALLOWED_EMAILS: wrong }, root), wrong).toThrow('LOGIN_ALLOWED_EMAILS must be')
  expect(() => readConfig({ LOGIN_ROLE: 'owner' }, root)).toThrow('LOGIN_ROLE must be')
  const hushed = redacted(readConfig({ GITHUB_CLIENT_ID: 'x', GITHUB_CLIENT_SECRET: 'hush', ...env, OIDC_CLIENT_SECRET: 'hush' }, root))
  expect(JSON.stringify(hushed)).not.toContain('hush')
})

it('.env.example names every setting, and copied as it stands it changes nothing', () => {
  const text = readFileSync(join(import.meta.dirname, '..', '.env.example'), 'utf8')
  for (const name of ['ANTHROPIC_API_KEY', 'ADMIN_TOKEN', 'SUPERVISOR_CHECK_INTERVAL', 'REDIS_URL', 'PUBLIC_URL'])
    expect(text).toContain(`${name}=`)
  /** Where a value comes from differs, and only that. */
  const read = () => {
    const { settings: _, ...config } = readConfig({}, root)
    return config
  }
  const plain = read()
  dotEnv(text)
  expect(read()).toEqual(plain)
  dotEnv(text.replace(/^#([A-Z_]+=\S)/gm, '$1'))
  expect(read()).toEqual(plain)
})
