/**
 * Every setting, read once at launch from the environment and the checkout's `.env`. This is the only file that looks at the environment;
 * everything else gets what it needs as an argument. A broken value ends the start with one sentence and never prints a secret.
 */
import { randomBytes } from 'node:crypto'
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { isIP } from 'node:net'
import { join, resolve } from 'node:path'
import { parseEnv } from 'node:util'
import * as z from 'zod'
import { Fault } from './contract/fault.ts'
import { ISOLATION_CHOICES, type IsolationChoice } from './contract/isolation.ts'
import { EXPIRY_POLICIES, type ExpiryPolicy } from './contract/review.ts'
import { WATCHDOG_CHOICES, type WatchdogChoice } from './contract/watch.ts'

const whole = (least: number, most: number) =>
  z
    .string()
    .regex(/^\d{1,15}$/)
    .transform(Number)
    .refine((n) => n >= least && n <= most)
    .meta({ wanted: `a whole number from ${least} to ${most}` })
const words = z.string().meta({ wanted: 'text' })
const yesNo = z
  .string()
  .toLowerCase()
  .regex(/^(true|false|yes|no|on|off|1|0)$/)
  .transform((text) => ['true', 'yes', 'on', '1'].includes(text))
  .meta({ wanted: 'true or false' })
/** Goes into an HTTP header, so it may hold neither spaces nor line ends. */
const secret = (least = 1) =>
  z
    .string()
    .min(least)
    .regex(/^[\x21-\x7e]+$/)
    .meta({ wanted: `one line of ${least > 1 ? `at least ${least} ` : ''}printable ASCII characters without spaces`, secret: true })
const url = (protocols: string[], wanted: string) =>
  z
    .string()
    .refine((text) => protocols.includes(parseUrl(text)?.protocol ?? ''))
    .meta({ wanted })
const webUrl = url(['http:', 'https:'], 'a whole URL beginning with http:// or https://')
  .refine((text) => !/[?#@]/.test(text))
  .transform((text) => text.replace(/\/+$/, ''))
  .meta({ wanted: 'a whole URL beginning with http:// or https://, without a query or a login' })

/** Names are the seed's; what each means is said in `.env.example`. */
const Settings = z.object({
  ANTHROPIC_API_KEY: secret().optional(),
  ANTHROPIC_BASE_URL: webUrl.optional(),
  OPENAI_API_KEY: secret().optional(),
  OPENAI_BASE_URL: webUrl.optional(),
  OPENROUTER_API_KEY: secret().optional(),
  MODEL: words.optional(),
  FALLBACK_MODEL: words.optional(),
  GOOGLE_CLIENT_ID: words.optional(),
  GOOGLE_CLIENT_SECRET: secret().optional(),
  GITHUB_CLIENT_ID: words.optional(),
  GITHUB_CLIENT_SECRET: secret().optional(),
  OIDC_ISSUER: url(['http:', 'https:'], 'a whole URL beginning with http:// or https://')
    .refine((text) => text.startsWith('https:') || isLoopback(new URL(text).hostname))
    .meta({ wanted: 'the issuer of your OpenID provider, a whole URL beginning with https://, as its discovery document writes it' })
    .optional(),
  OIDC_CLIENT_ID: words.optional(),
  OIDC_CLIENT_SECRET: secret().optional(),
  OIDC_NAME: words.optional(),
  LOGIN_ALLOWED_EMAILS: z
    .string()
    .toLowerCase()
    .transform((text) => text.split(/[\s,;]+/).filter((one) => one !== ''))
    .refine((list) => list.every((one) => /^[^@\s]*@[^@\s]+\.[^@\s.]+$/.test(one)))
    .meta({ wanted: 'addresses and domains with commas between, such as ann@example.org, @example.com' })
    .optional(),
  LOGIN_ROLE: z.enum(['member', 'viewer']).meta({ wanted: 'member or viewer' }).optional(),
  SYSTEM_SECRET_KEY: secret(16).optional(),
  SYSTEM_SECRET_KEY_OLD: secret().optional(),
  PUBLIC_URL: webUrl.optional(),
  DATABASE_URL: z
    .string()
    .regex(/^(sqlite:\/\/\/[^:?#]|postgres(ql)?:\/\/.)/)
    .refine((text) => text.startsWith('sqlite:') || parseUrl(text) !== null)
    .meta({
      wanted: 'sqlite:///file (relative to the checkout), sqlite:////folder/file (absolute) or postgres://user:password@host/database',
      secret: true,
    })
    .optional(),
  SEARXNG_URL: webUrl.optional(),
  REDIS_URL: url(['redis:', 'rediss:'], 'a URL beginning with redis:// or rediss://')
    .meta({
      wanted: 'a URL beginning with redis:// or rediss://',
      secret: true,
    })
    .optional(),
  MAX_CONCURRENT_AGENTS: whole(1, 1_000).optional(),
  DEFAULT_TIMEOUT_SECONDS: whole(1, 31_536_000).optional(),
  SUPERVISOR_CHECK_INTERVAL: whole(1, 86_400).optional(),
  WATCHDOG: z.enum(WATCHDOG_CHOICES).meta({ wanted: 'normal, patient or off' }).optional(),
  ISOLATION: z
    .enum(ISOLATION_CHOICES)
    .meta({ wanted: ISOLATION_CHOICES.join(', ').replace(/, (?=[^,]*$)/, ' or ') })
    .optional(),
  CONTAINER_IMAGE: z
    .string()
    .max(300)
    .regex(/^[a-z0-9][a-z0-9._:/-]*[a-zA-Z0-9._-]*(@sha256:[0-9a-f]{64})?$/)
    .meta({ wanted: 'the name of an image such as node:24-bookworm' })
    .optional(),
  // Other programs read it too, so what does not fit is told by those who would use it.
  DOCKER_HOST: words.optional(),
  DAILY_BUDGET_DOLLARS: z
    .string()
    .regex(/^\d{1,7}(\.\d{1,6})?$/)
    .transform(Number)
    .meta({ wanted: 'dollars, such as 10 or 2.50' })
    .optional(),
  REVIEW_EXPIRY: z.enum(EXPIRY_POLICIES).optional(),
  REVIEW_EXPIRY_SECONDS: whole(1, 31_536_000).optional(),
  ALERT_PERCENT: whole(1, 100).optional(),
  ALERT_WEBHOOK: url(['http:', 'https:'], 'a whole URL beginning with http:// or https://')
    .meta({ wanted: 'a whole URL beginning with http:// or https://', secret: true })
    .optional(),
  ALERT_WEBHOOK_SECRET: z
    .string()
    .regex(/^whsec_[A-Za-z0-9+/]{24,}={0,2}$/)
    .meta({ wanted: 'whsec_ and at least 24 characters of base64', secret: true })
    .optional(),
  RETENTION_DAYS: whole(14, 36_500).optional(),
  RETENTION_EXPORT: yesNo.optional(),
  DISK_RESERVE_MB: whole(0, 1_000_000).optional(),
  OTEL_EXPORTER_OTLP_ENDPOINT: webUrl.optional(),
  OTEL_EXPORTER_OTLP_HEADERS: z
    .string()
    .regex(/^[^=,\s%]+=([^,%]|%[2-7][0-9a-fA-F])*(,[^=,%]+=([^,%]|%[2-7][0-9a-fA-F])*)*$/)
    .transform((text) =>
      Object.fromEntries(
        text.split(',').map((pair) => {
          const at = pair.indexOf('=')
          return [pair.slice(0, at).trim(), decodeURIComponent(pair.slice(at + 1).trim())]
        }),
      ),
    )
    .meta({ wanted: 'name=value pairs with commas between', secret: true })
    .optional(),
  OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT: yesNo.optional(),
  BACKUP_INTERVAL_HOURS: whole(0, 8_760).optional(),
  BACKUP_KEEP: whole(1, 1_000).optional(),
  KEEPER_WATCH_SECONDS: whole(1, 86_400).optional(),
  KEEPER_WATCH_TASKS: whole(1, 1_000_000).optional(),
  GATE_TIME_FACTOR: whole(1, 100).optional(),
  SAFE_MODE: yesNo.optional(),
  ENVIRONMENT: z.enum(['development', 'production', 'test']).meta({ wanted: 'development, production or test' }).optional(),
  DEBUG_MODE: yesNo.optional(),
  HOST: z
    .string()
    .transform((text) => text.replace(/^\[(.*)\]$/, '$1'))
    .refine((text) => isIP(text) > 0 || /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i.test(text))
    .meta({ wanted: 'an address of this machine such as 127.0.0.1, without http:// and port' })
    .optional(),
  PORT: whole(0, 65_535).optional(),
  DATA_DIR: z
    .string()
    .regex(/^[^~\0]/)
    .meta({ wanted: 'a folder, absolute or relative to the checkout ("~" is not expanded)' })
    .optional(),
  ADMIN_TOKEN: secret().optional(),
})
type Name = keyof typeof Settings.shape
/** One without the other is a mistake. */
const PAIRS = [
  ['GOOGLE_CLIENT_ID', 'GOOGLE_CLIENT_SECRET'],
  ['GITHUB_CLIENT_ID', 'GITHUB_CLIENT_SECRET'],
  ['OIDC_ISSUER', 'OIDC_CLIENT_ID'],
] as const satisfies [Name, Name][]
const NAMES = Object.keys(Settings.shape) as Name[]

export type Config = {
  /** The checkout: `.env` lies there and relative paths begin there. */
  root: string
  /** Where the running revision lies: its code, seeds and page. The checkout, or a slot of the keeper. */
  code: string
  /** What the keeper calls the running revision; null: nobody said, so git is asked. */
  revision: string | null
  /** Absolute. */
  dataDir: string
  /** `sqlite:` and an absolute path, or a `postgres://` URL. */
  databaseUrl: string
  redisUrl: string | undefined
  /** Unset: the web is searched with DuckDuckGo. */
  searxngUrl: string | undefined
  host: string
  /** 0: any free one. */
  port: number
  publicUrl: string | undefined
  anthropicApiKey: string | undefined
  anthropicBaseUrl: string | undefined
  openaiApiKey: string | undefined
  openaiBaseUrl: string | undefined
  openrouterApiKey: string | undefined
  model: string | undefined
  fallbackModel: string | undefined
  googleClientId: string | undefined
  googleClientSecret: string | undefined
  /** Providers that people can sign in with, Google's two again among them. */
  login: {
    google: { clientId: string; clientSecret: string } | null
    github: { clientId: string; clientSecret: string } | null
    oidc: { name: string; issuer: string; clientId: string; clientSecret: string | null } | null
    /** Addresses and `@domains`, in small letters. */
    allowed: readonly string[]
    /** Of whoever comes in by that list. */
    role: 'member' | 'viewer'
  }
  maxConcurrentAgents: number
  defaultTimeoutSeconds: number
  supervisorCheckInterval: number
  /** How soon a task that repeats itself is helped; `off`: never. */
  watchdog: WatchdogChoice
  isolation: IsolationChoice
  /** Null: commands cannot run in containers. */
  containerImage: string | null
  dockerHost: string | undefined
  /** What becomes of what a call asks a person when nobody decides it within `reviewExpirySeconds`; null: it waits for ever. */
  reviewExpiry: ExpiryPolicy
  reviewExpirySeconds: number | null
  /** What all goals together may spend in a day, in millionths of a dollar; null: no limit. */
  dailyMicros: number | null
  /** Use of processor, memory or disk above which there is an alert. */
  alertPercent: number
  /** Told of alerts and pauses; null: nobody is. */
  alertWebhook: { url: string; secret: string | null } | null
  /** Ended goals stay in the database so long; null: for good. */
  retentionDays: number | null
  /** They are written to DATA_DIR/exports before they go. */
  retentionExport: boolean
  /** Kept back on the disk of the data, in MB, and the line at which everything pauses; 0: the disk is not guarded. */
  diskReserveMb: number
  /** Where traces and metrics are sent; null: nowhere. */
  otlp: { endpoint: string; headers: Readonly<Record<string, string>>; content: boolean } | null
  environment: 'development' | 'production' | 'test'
  debugMode: boolean
  /** Nothing is claimed: for looking, reviewing and going back. */
  safeMode: boolean
  /** Between two backups of an embedded database; 0: only before changes. */
  backupIntervalHours: number
  /** Backups of one kind that are kept. */
  backupKeep: number
  /** How long, or for how many ended tasks, the keeper watches a new revision. */
  keeperWatchSeconds: number
  keeperWatchTasks: number
  /** How many times its usual limit a gate may take, on a machine that is slow or does much else. */
  gateTimeFactor: number
  /** Absent until `ensureSecrets`. */
  systemSecretKey: string | undefined
  /** What values may still be sealed with; the start seals them anew. */
  systemSecretKeyOld: string | undefined
  adminToken: string | undefined
  /** Of the environment that started it: all that commands get of it. */
  commandPath: string | undefined
  /** How npm gets to its registry on this machine: proxies, certificates, another registry. */
  npmEnvironment: Readonly<Record<string, string>>
  commandLang: string | undefined
  /** What a person should know and nothing fails of. */
  warnings: readonly string[]
  /** Every setting as it was found, for showing. */
  settings: readonly SettingRead[]
}
/** `value` is never a secret: `***` stands for one that is set. `from` names the place, such as a line of `.env`. */
export type SettingRead = {
  name: string
  value: string | null
  secret: boolean
  source: 'environment' | '.env' | 'file' | 'default'
  from: string | null
}
export type ReadyConfig = Config & {
  systemSecretKey: string
  /** Where it is kept when nobody set it. */
  secretKeyFile: string | null
  adminToken: string
}

/** What runs, where that is not the checkout itself. */
/** Of the environment, what npm reads to find its registry and to trust it. */
const NPM_WAY = /^(?:(?:https?|no)_proxy|NODE_EXTRA_CA_CERTS|npm_config_(?:registry|cafile|proxy|https_proxy|noproxy))$/i

export type Running = { code: string; revision: string | null }

/** Of this process. `root` is the checkout: `.env` lies there and relative paths begin there. */
export function readProcessConfig(root: string, running?: Running): Config {
  return readConfig(process.env, root, running)
}

/** Pure apart from reading `.env` and the files that `NAME_FILE` settings name. An empty value is the same as none. */
export function readConfig(
  env: Readonly<Record<string, string | undefined>>,
  root: string,
  running: Running = { code: root, revision: null },
): Config {
  const file = readDotEnv(root)
  const found = new Map<Name, { value: string; from: string }>()
  for (const name of NAMES) {
    const one = fromSource(name, env, () => 'the environment', root) ?? fromSource(name, file.values, file.where, root)
    if (one) found.set(name, one)
  }
  const parsed = Settings.safeParse(Object.fromEntries(NAMES.map((name) => [name, found.get(name)?.value])))
  if (!parsed.success) throw new Fault('invalid', refusal(parsed.error.issues[0]!.path[0] as Name, found))
  const s = parsed.data
  const dataDir = resolve(root, s.DATA_DIR ?? 'data')
  const host = s.HOST ?? '127.0.0.1'

  if (!isLoopback(host) && s.ADMIN_TOKEN === undefined) {
    throw new Fault(
      'invalid',
      `HOST is ${host} (${found.get('HOST')!.from}), which other machines can reach, and ADMIN_TOKEN is not set: set ADMIN_TOKEN to a long random text, or HOST to 127.0.0.1.`,
    )
  }
  for (const [one, other] of PAIRS) {
    if ((s[one] === undefined) === (s[other] === undefined)) continue
    const [there, absent] = s[one] === undefined ? [other, one] : [one, other]
    throw new Fault('invalid', `${there} is set (${found.get(there)!.from}) and ${absent} is not: set both, or neither.`)
  }
  if (s.ISOLATION === 'container' && s.CONTAINER_IMAGE === undefined) {
    throw new Fault(
      'invalid',
      `ISOLATION is container (${found.get('ISOLATION')!.from}) and CONTAINER_IMAGE is not set: set it to an image with the programs that commands need, such as node:24-bookworm.`,
    )
  }
  const warnings = [...file.warnings]
  if (!isLoopback(host) && s.ADMIN_TOKEN!.length < 16)
    warnings.push('ADMIN_TOKEN is short for a HOST that other machines can reach: use at least 16 random characters.')

  const hasProvider = s.GOOGLE_CLIENT_ID !== undefined || s.GITHUB_CLIENT_ID !== undefined || s.OIDC_ISSUER !== undefined
  if (hasProvider && !s.LOGIN_ALLOWED_EMAILS?.length)
    warnings.push(
      'A login provider is set and LOGIN_ALLOWED_EMAILS is not, so nobody new may sign in with it: list addresses or @domains there.',
    )

  const config = {
    root,
    ...running,
    dataDir,
    databaseUrl: databaseUrl(s.DATABASE_URL, root, dataDir),
    redisUrl: s.REDIS_URL,
    searxngUrl: s.SEARXNG_URL,
    host,
    port: s.PORT ?? 8000,
    publicUrl: s.PUBLIC_URL,
    anthropicApiKey: s.ANTHROPIC_API_KEY,
    anthropicBaseUrl: s.ANTHROPIC_BASE_URL,
    openaiApiKey: s.OPENAI_API_KEY,
    openaiBaseUrl: s.OPENAI_BASE_URL,
    openrouterApiKey: s.OPENROUTER_API_KEY,
    model: s.MODEL,
    fallbackModel: s.FALLBACK_MODEL,
    googleClientId: s.GOOGLE_CLIENT_ID,
    googleClientSecret: s.GOOGLE_CLIENT_SECRET,
    login: {
      google: s.GOOGLE_CLIENT_ID && s.GOOGLE_CLIENT_SECRET ? { clientId: s.GOOGLE_CLIENT_ID, clientSecret: s.GOOGLE_CLIENT_SECRET } : null,
      github: s.GITHUB_CLIENT_ID && s.GITHUB_CLIENT_SECRET ? { clientId: s.GITHUB_CLIENT_ID, clientSecret: s.GITHUB_CLIENT_SECRET } : null,
      oidc:
        s.OIDC_ISSUER && s.OIDC_CLIENT_ID
          ? {
              name: s.OIDC_NAME ?? new URL(s.OIDC_ISSUER).host,
              issuer: s.OIDC_ISSUER,
              clientId: s.OIDC_CLIENT_ID,
              clientSecret: s.OIDC_CLIENT_SECRET ?? null,
            }
          : null,
      allowed: s.LOGIN_ALLOWED_EMAILS ?? [],
      role: s.LOGIN_ROLE ?? 'member',
    },
    maxConcurrentAgents: s.MAX_CONCURRENT_AGENTS ?? 3,
    defaultTimeoutSeconds: s.DEFAULT_TIMEOUT_SECONDS ?? 300,
    supervisorCheckInterval: s.SUPERVISOR_CHECK_INTERVAL ?? 60,
    watchdog: s.WATCHDOG ?? 'normal',
    isolation: s.ISOLATION ?? 'auto',
    containerImage: s.CONTAINER_IMAGE ?? null,
    dockerHost: s.DOCKER_HOST,
    reviewExpiry: s.REVIEW_EXPIRY ?? 'park',
    reviewExpirySeconds: s.REVIEW_EXPIRY_SECONDS ?? null,
    dailyMicros: s.DAILY_BUDGET_DOLLARS === undefined ? null : Math.round(s.DAILY_BUDGET_DOLLARS * 1_000_000),
    alertPercent: s.ALERT_PERCENT ?? 90,
    alertWebhook: s.ALERT_WEBHOOK === undefined ? null : { url: s.ALERT_WEBHOOK, secret: s.ALERT_WEBHOOK_SECRET ?? null },
    retentionDays: s.RETENTION_DAYS ?? null,
    retentionExport: s.RETENTION_EXPORT ?? true,
    diskReserveMb: s.DISK_RESERVE_MB ?? 64,
    otlp:
      s.OTEL_EXPORTER_OTLP_ENDPOINT === undefined
        ? null
        : {
            endpoint: s.OTEL_EXPORTER_OTLP_ENDPOINT,
            headers: s.OTEL_EXPORTER_OTLP_HEADERS ?? {},
            content: s.OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT ?? false,
          },
    environment: s.ENVIRONMENT ?? 'development',
    debugMode: s.DEBUG_MODE ?? false,
    safeMode: s.SAFE_MODE ?? false,
    backupIntervalHours: s.BACKUP_INTERVAL_HOURS ?? 24,
    backupKeep: s.BACKUP_KEEP ?? 7,
    keeperWatchSeconds: s.KEEPER_WATCH_SECONDS ?? 600,
    keeperWatchTasks: s.KEEPER_WATCH_TASKS ?? 50,
    gateTimeFactor: s.GATE_TIME_FACTOR ?? 1,
    systemSecretKey: s.SYSTEM_SECRET_KEY,
    systemSecretKeyOld: s.SYSTEM_SECRET_KEY_OLD,
    adminToken: s.ADMIN_TOKEN,
    commandPath: env.PATH,
    npmEnvironment: Object.fromEntries(Object.entries(env).filter((pair): pair is [string, string] => NPM_WAY.test(pair[0]) && !!pair[1])),
    commandLang: env.LANG,
    warnings,
  }
  return { ...config, settings: NAMES.map((name) => shownSetting(name, found.get(name), config)) }
}

/** What a person sees of a setting; a default is that of the finished config. */
function shownSetting(name: Name, found: { value: string; from: string } | undefined, config: object): SettingRead {
  const { secret = false } = ((Settings.shape[name].unwrap() as z.ZodType).meta() ?? {}) as { secret?: boolean }
  const key = name.toLowerCase().replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
  const otherwise = (config as Record<string, unknown>)[key]
  const words = found?.value ?? (['string', 'number', 'boolean'].includes(typeof otherwise) ? String(otherwise) : null)
  const source = !found ? 'default' : found.from.includes('_FILE in ') ? 'file' : found.from.startsWith('.env') ? '.env' : 'environment'
  return {
    name,
    value: words === null ? null : secret && found ? '***' : withoutPassword(words),
    secret,
    source,
    from: found?.from ?? null,
  }
}

/** The value of a setting that a person gives as text, or a Fault that says what it must be. */
export function checkSetting(
  name: 'MODEL' | 'FALLBACK_MODEL' | 'MAX_CONCURRENT_AGENTS' | 'DEFAULT_TIMEOUT_SECONDS' | 'DAILY_BUDGET_DOLLARS' | 'WATCHDOG',
  text: string,
): string | number | undefined {
  const value = text.trim()
  const parsed = Settings.shape[name].safeParse(value)
  if (!value || !parsed.success) throw new Fault('invalid', refusal(name, new Map([[name, { value, from: 'the request' }]])))
  return parsed.data
}

/**
 * The secrets that nobody set are made once and kept in DATA_DIR, readable by its owner alone. Call it as the owner of DATA_DIR: two at
 * once would each make their own.
 */
export function ensureSecrets(config: Config): ReadyConfig {
  const secretKeyFile = config.systemSecretKey === undefined ? join(config.dataDir, 'secret-key') : null
  return {
    ...config,
    secretKeyFile,
    systemSecretKey: config.systemSecretKey ?? kept(join(config.dataDir, 'secret-key')),
    adminToken: config.adminToken ?? kept(join(config.dataDir, 'admin-token')),
  }
}

/** For printing: whether a secret is set, never what it is. */
export function redacted(config: Config): Record<string, unknown> {
  const secrets = [
    'anthropicApiKey',
    'openaiApiKey',
    'openrouterApiKey',
    'googleClientSecret',
    'systemSecretKey',
    'systemSecretKeyOld',
    'adminToken',
  ] as const
  const hidden = Object.fromEntries(secrets.map((name) => [name, config[name] === undefined ? undefined : '(set)']))
  return {
    ...config,
    ...hidden,
    alertWebhook: config.alertWebhook && '(set)',
    otlp: config.otlp && { ...config.otlp, headers: Object.keys(config.otlp.headers) },
    login: {
      ...config.login,
      ...Object.fromEntries(
        (['google', 'github', 'oidc'] as const).flatMap((name) => {
          const one = config.login[name]
          return one ? [[name, { ...one, clientSecret: one.clientSecret === null ? null : '(set)' }]] : []
        }),
      ),
    },
    databaseUrl: withoutPassword(config.databaseUrl),
    redisUrl: config.redisUrl && withoutPassword(config.redisUrl),
  }
}

/** True for addresses that only this machine can reach. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}

type DotEnv = { values: Readonly<Record<string, string | undefined>>; where(name: string): string; warnings: string[] }

function readDotEnv(root: string): DotEnv {
  const text = readOptional(join(root, '.env'))
  const lines = text.split('\n')
  const lineOf = (name: string) => lines.findLastIndex((line) => new RegExp(`^\\s*(export\\s+)?${name}\\s*=`).test(line)) + 1
  const values = parseEnv(text)
  const known = new Set(NAMES.flatMap((name) => [name, `${name}_FILE`]))
  const strangers = Object.keys(values).filter((key) => !known.has(key))
  const warnings = strangers
    .sort((a, b) => lineOf(a) - lineOf(b))
    .flatMap((key) => {
      const meant = [...known].find((name) => isOneEditAway(key, name))
      return meant ? [`.env line ${lineOf(key)}: ${key} is not a setting and is ignored; ${meant} was probably meant.`] : []
    })
  return { values, where: (name) => `.env line ${lineOf(name)}`, warnings }
}

function readOptional(path: string): string {
  try {
    return readFileSync(path, 'utf8').replace(/^\uFEFF/, '')
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return ''
    throw new Fault('invalid', `${path} cannot be read (${codeOf(error)}): make it a file that this user may read, or remove it.`, {
      cause: error,
    })
  }
}

function fromSource(name: Name, source: DotEnv['values'], where: (name: string) => string, root: string) {
  const value = source[name]?.trim()
  const path = source[`${name}_FILE`]?.trim()
  if (value && path) {
    throw new Fault('invalid', `${name} and ${name}_FILE are both set (${where(name)}, ${where(`${name}_FILE`)}): keep one of them.`)
  }
  if (value) return { value, from: where(name) }
  if (!path) return null
  const from = `${name}_FILE in ${where(`${name}_FILE`)}`
  try {
    const text = readFileSync(resolve(root, path), 'utf8').trim()
    if (text) return { value: text, from }
  } catch (error) {
    throw new Fault(
      'invalid',
      `${from} names ${path}, which cannot be read (${codeOf(error)}): mend the path or the file's permissions, or remove the setting.`,
      {
        cause: error,
      },
    )
  }
  throw new Fault('invalid', `${from} names ${path}, which is empty: write the value into it, or remove the setting.`)
}

function refusal(name: Name, found: ReadonlyMap<Name, { value: string; from: string }>): string {
  const { value, from } = found.get(name)!
  const schema = Settings.shape[name].unwrap() as z.ZodType
  const { wanted, secret } = (schema.meta() ?? {}) as { wanted?: string; secret?: boolean }
  const shown = secret
    ? 'the value (a secret, not shown)'
    : JSON.stringify((value.length > 80 ? `${value.slice(0, 80)}…` : value).replace(/\/\/.*@/, '//***@'))
  return `${name} must be ${wanted}, and ${shown} from ${from} is not: mend it, or remove the setting.`
}

function databaseUrl(set: string | undefined, root: string, dataDir: string): string {
  if (set === undefined) return `sqlite:${join(dataDir, 'agent_system.db')}`
  if (set.startsWith('sqlite:')) return `sqlite:${resolve(root, set.slice('sqlite:///'.length))}`
  return set.replace(/^postgresql:/, 'postgres:')
}

/** Written whole before it has its name, so that a kill leaves no half of a secret. */
function kept(path: string): string {
  try {
    const text = readFileSync(path, 'utf8').trim()
    if (text) return text
    throw new Fault('invalid', `${path} is empty: restore it from a backup, or remove it to have a new one made.`)
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error
  }
  const made = randomBytes(32).toString('base64url')
  const fresh = `${path}.new`
  const file = openSync(fresh, 'w', 0o600)
  try {
    writeSync(file, `${made}\n`)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  renameSync(fresh, path)
  return made
}

const codeOf = (error: unknown) => (error instanceof Error && 'code' in error ? String(error.code) : null)

function parseUrl(text: string): URL | null {
  const parsed = URL.parse(text)
  return parsed?.hostname ? parsed : null
}

function withoutPassword(text: string): string {
  const parsed = text.startsWith('sqlite:') ? null : URL.parse(text)
  if (!parsed?.password) return text
  parsed.password = '***'
  return parsed.href
}

/** One letter more, less or other, or two neighbours changed. */
function isOneEditAway(a: string, b: string): boolean {
  let start = 0
  while (start < a.length && a[start] === b[start]) start++
  const [x, y] = [a.slice(start), b.slice(start)]
  return (
    a !== b &&
    (x.slice(1) === y || x === y.slice(1) || x.slice(1) === y.slice(1) || (x.slice(2) === y.slice(2) && x[0] === y[1] && x[1] === y[0]))
  )
}
