/** The checks behind `banyan doctor` and `GET /api/system/doctor`: real looks at this machine and instance, each with the mend. They change nothing. */
import { constants } from 'node:fs'
import { access, mkdtemp, rm, stat, statfs, unlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Config } from '../config.ts'
import type { System } from '../contract/api.ts'
import type { Check } from '../contract/api-system.ts'
import { openContainers } from '../exec/docker-probe.ts'
import { NOBODY } from '../exec/local.ts'
import { probeIsolation } from '../exec/probe.ts'

export const ok = (name: string, words: string): Check => ({ name, state: 'ok', words })
export const warn = (name: string, words: string): Check => ({ name, state: 'warn', words })
export const fail = (name: string, words: string): Check => ({ name, state: 'fail', words })
export const unknown = (name: string, words: string): Check => ({ name, state: 'unknown', words })

type ProviderKeys = Pick<Config, 'anthropicApiKey' | 'anthropicBaseUrl' | 'openaiApiKey' | 'openaiBaseUrl' | 'openrouterApiKey'>
const MB = 1024 * 1024

/** Node 24 from 24.15 on runs the TypeScript as it stands and loads the database binding. */
export function nodeCheck(version: string): Check {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number)
  return major === 24 && minor >= 15
    ? ok('node', version)
    : fail(
        'node',
        `${version} runs this; Node 24 (24.15 or later) is needed: start through \`npm start\` or \`npx banyan\`, which bring it.`,
      )
}

export async function folderCheck(dataDir: string): Promise<Check> {
  const code = (error: unknown) => (error as NodeJS.ErrnoException).code
  const found = await stat(dataDir).catch((error: unknown) => {
    if (code(error) === 'ENOENT') return null
    return error as NodeJS.ErrnoException
  })
  if (found instanceof Error)
    return fail('data folder', `${dataDir} cannot be looked at (${found.code}): change its owner or rights, or set DATA_DIR.`)
  if (found === null) {
    const parent = await nearest(dataDir)
    return access(parent, constants.W_OK).then(
      () => ok('data folder', `${dataDir} will be made at the first start`),
      () =>
        fail(
          'data folder',
          `${dataDir} is not there and ${parent} may not be written: change its rights, or set DATA_DIR to a folder of yours.`,
        ),
    )
  }
  if (!found.isDirectory()) return fail('data folder', `${dataDir} is not a folder: move that file away, or set DATA_DIR to another place.`)
  const probe = join(dataDir, `.doctor-${process.pid}`)
  try {
    await writeFile(probe, 'x')
    await unlink(probe)
    return ok('data folder', `${dataDir} is writable`)
  } catch (error) {
    return fail(
      'data folder',
      `${dataDir} cannot be written (${code(error)}): change its owner or rights, free space, or set DATA_DIR to another folder.`,
    )
  }
}

/** The folder itself, or the closest one above it that exists. */
async function nearest(path: string): Promise<string> {
  for (let at = path; ; at = dirname(at)) {
    const there = await stat(at).then(
      (found) => found.isDirectory(),
      () => false, // whatever is wrong with it, the one above is looked at
    )
    if (there || dirname(at) === at) return at
  }
}

export async function diskCheck(dataDir: string): Promise<Check> {
  const { bavail, bsize } = await statfs(await nearest(dataDir))
  const free = bavail * bsize
  const words = `${Math.floor(free / MB).toLocaleString('en')} MB free for ${dataDir}`
  if (free < 100 * MB) return fail('disk', `${words}: free space there, or set DATA_DIR to another disk.`)
  return free < 1024 * MB ? warn('disk', `${words}: that is little; free some.`) : ok('disk', words)
}

/** Settings were read; this tells what in them is probably not meant so. */
export const settingsCheck = ({ warnings }: Pick<Config, 'warnings'>): Check =>
  warnings.length > 0 ? warn('settings', warnings.join(' ')) : ok('settings', 'read, and every value is right')

/** `given`: whoever asks has a token. */
/** Which ways to sign in are on. */
export function loginCheck({ login, publicUrl, host }: Pick<Config, 'login' | 'publicUrl' | 'host'>): Check {
  const named = [...(login.google ? ['Google'] : []), ...(login.github ? ['GitHub'] : []), ...(login.oidc ? [login.oidc.name] : [])]
  const ids = [...(login.google ? ['google'] : []), ...(login.github ? ['github'] : []), ...(login.oidc ? ['oidc'] : [])]
  const always = 'login links and the admin token'
  if (named.length === 0) return ok('login', `${always}; no provider is set`)
  const base = publicUrl ? new URL(publicUrl).origin : `http://${host.includes(':') ? `[${host}]` : host}:PORT`
  const words = `${always}; ${named.join(', ')}, which must know ${ids.map((id) => `${base}/login/${id}/callback`).join(' ')}`
  if (login.allowed.length === 0)
    return warn('login', `${words}. Nobody new may sign in there: set LOGIN_ALLOWED_EMAILS to addresses or @domains.`)
  if (!publicUrl) return warn('login', `${words}. Set PUBLIC_URL to the address that people type, so that they are sent back to it.`)
  return ok(
    'login',
    `${words}; ${login.allowed.length} ${login.allowed.length === 1 ? 'address or domain' : 'addresses or domains'} may sign in as ${login.role}`,
  )
}

export async function tokenCheck(settings: Pick<Config, 'adminToken'>, file: string, given: boolean): Promise<Check> {
  if (settings.adminToken !== undefined) return ok('token', 'ADMIN_TOKEN is set')
  const found = await stat(file).catch(() => null) // not there before the first start
  if (!found) return given ? ok('token', 'given') : unknown('token', `${file} is made at the first start`)
  return (found.mode & 0o077) === 0
    ? ok('token', `${file}, for this user alone`)
    : warn('token', `${file} may be read by others: chmod 600 ${file}`)
}

/** Whether this process could listen where Banyan would. */
export function portCheck({ host, port }: Pick<Config, 'host' | 'port'>): Promise<Check> {
  if (port === 0) return Promise.resolve(ok('port', 'any free one'))
  return new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', (error: NodeJS.ErrnoException) =>
      resolve(
        fail(
          'port',
          error.code === 'EADDRINUSE'
            ? `port ${port} on ${host} is used by another program: stop what listens there, or set PORT to a free one.`
            : `nothing can listen on ${host}:${port} (${error.code}): set HOST and PORT to an address of this machine.`,
        ),
      ),
    )
    probe.listen({ host, port, exclusive: true }, () => probe.close(() => resolve(ok('port', `${port} on ${host} is free`))))
  })
}

/** The same as the server tries at its start, in a folder that is gone afterwards. */
export async function tryIsolation(settings: Config): Promise<Check[]> {
  const folder = await mkdtemp(join(tmpdir(), 'banyan-doctor-'))
  const runAs = process.getuid?.() === 0 ? { runAs: NOBODY } : {}
  const { isolation: choice, containerImage: image, dockerHost, commandPath } = settings
  const [detail, container] = await Promise.all([
    probeIsolation({ folder, path: commandPath ?? '', hidden: [folder], node: process.execPath, ...runAs }),
    openContainers({ image, dockerHost, dataDir: join(folder, 'container'), host: {}, ...runAs }),
  ]).finally(() => rm(folder, { recursive: true, force: true }))
  return commandChecks({
    isolation: choice !== 'auto' ? choice : detail.sandbox.ok ? 'sandbox' : 'plain',
    isolationChoice: choice,
    isolationDetail: { ...detail, container: container.report },
  })
}

/** How far commands are kept from the machine, and from eating it. */
export function commandChecks(system: Pick<System, 'isolation' | 'isolationChoice' | 'isolationDetail'>): Check[] {
  const { isolation, isolationChoice: choice = 'auto', isolationDetail: detail } = system
  const open = "with limits, but not kept from the rest of this user's files; look before you approve"
  if (!detail) return [isolation === 'plain' ? warn('commands', `run plain: ${open}`) : ok('commands', `run ${isolation}`)]
  const { sandbox, container, limits } = detail
  const commands = () => {
    if (isolation === 'container')
      return container?.ok
        ? ok(
            'commands',
            `run in containers of their own (Docker ${container.version}, image ${container.image}): only the workspace and the programs of the image, no network`,
          )
        : fail('commands', `none runs: ISOLATION is container. ${container ? `${container.why} ${container.mend}` : ''}`)
    if (choice === 'plain') return warn('commands', `run plain, because ISOLATION is plain: ${open}`)
    if (sandbox.ok)
      return ok(
        'commands',
        `run in a sandbox of their own (bubblewrap ${sandbox.version}): only the workspace and the programs of this machine, no network`,
      )
    return choice === 'sandbox'
      ? fail('commands', `none runs: ISOLATION is sandbox. ${sandbox.why} ${sandbox.mend}`)
      : warn('commands', `run plain: ${open}. No sandbox: ${sandbox.why} ${sandbox.mend}`)
  }
  return [
    commands(),
    ...(container && isolation !== 'container'
      ? [
          container.ok
            ? ok('containers', `work here too (Docker ${container.version}, image ${container.image}): ISOLATION=container uses them`)
            : unknown('containers', `${container.why} ${container.mend}`),
        ]
      : []),
    isolation !== 'container' && limits.via === 'rlimit'
      ? warn(
          'limits',
          'on each process of a command, not on all of them together: this user may not write control groups; as a systemd service, Delegate=yes and DelegateSubgroup=engine mend it.',
        )
      : ok(
          'limits',
          `on memory, processes and CPU of each command, all its processes together (${isolation === 'container' ? 'Docker' : limits.via})`,
        ),
  ]
}

export function modelCheck(settings: ProviderKeys): Check {
  const names = [
    ...(settings.anthropicApiKey ? ['Anthropic'] : []),
    ...(settings.openrouterApiKey ? ['OpenRouter'] : []),
    ...(settings.openaiApiKey || settings.openaiBaseUrl ? ['an OpenAI-compatible endpoint'] : []),
  ]
  return names.length > 0
    ? ok('model', `configured: ${names.join(', ')}`)
    : warn(
        'model',
        'none: the playbook runs lists and commands and asks you where judgement is needed; set ANTHROPIC_API_KEY or OPENAI_BASE_URL for more.',
      )
}

/** Lists models, which every provider answers to a good key and which costs nothing. */
export async function keyChecks(settings: ProviderKeys): Promise<Check[]> {
  const asks: [string, string, Record<string, string>][] = []
  if (settings.anthropicApiKey)
    asks.push([
      'anthropic',
      `${settings.anthropicBaseUrl ?? 'https://api.anthropic.com'}/v1/models`,
      { 'x-api-key': settings.anthropicApiKey, 'anthropic-version': '2023-06-01' },
    ])
  if (settings.openrouterApiKey)
    asks.push(['openrouter', 'https://openrouter.ai/api/v1/key', { authorization: `Bearer ${settings.openrouterApiKey}` }])
  if (settings.openaiApiKey || settings.openaiBaseUrl)
    asks.push([
      'openai',
      `${settings.openaiBaseUrl ?? 'https://api.openai.com/v1'}/models`,
      settings.openaiApiKey ? { authorization: `Bearer ${settings.openaiApiKey}` } : {},
    ])
  return Promise.all(asks.map(([name, url, headers]) => keyCheck(name, url, headers)))
}

async function keyCheck(name: string, url: string, headers: Record<string, string>): Promise<Check> {
  const host = new URL(url).host
  try {
    const { status } = await fetch(url, { headers, redirect: 'manual', signal: AbortSignal.timeout(15_000) })
    if (status === 401 || status === 403) return fail(name, `${host} refuses the key (${status}): set a key that is good.`)
    return status < 400 ? ok(name, `${host} answers`) : warn(name, `${host} answered ${status}, so the key could not be checked.`)
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error && 'code' in error.cause ? ` (${error.cause.code})` : ''
    return fail(name, `${host} cannot be reached${cause}: check the network and the base URL.`)
  }
}
