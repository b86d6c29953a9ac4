/** The running Banyan as this command line finds it and speaks to it: typed by the table of routes, failures as one sentence. */
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type Config, isLoopback, readProcessConfig } from '../../core/config.ts'
import { type QueryOf, type RequestOf, type ResponseOf, ROUTES, type Route, type RouteName } from '../../core/contract/api.ts'
import { Ended, EXIT } from './terminal.ts'
import { plain } from './words.ts'

export const ROOT = dirname(dirname(import.meta.dirname))

export type Server = {
  readonly url: string
  token: string | null
  /** This machine's own instance, as opposed to one that was named. */
  own: boolean
  /** What to type when it does not answer. */
  mend: string
}

/** What the server said no to. `problem` is its whole answer, for --debug. */
export class Refused extends Ended {
  readonly status: number
  readonly problem: unknown
  constructor(status: number, sentence: string, problem: unknown) {
    super(status === 401 || status === 403 ? EXIT.notAllowed : EXIT.failed, sentence)
    this.name = 'Refused'
    this.status = status
    this.problem = problem
  }
}
/** Nobody answers, or the line broke. */
export class NotRunning extends Ended {
  constructor(sentence: string, options?: ErrorOptions) {
    super(EXIT.failed, sentence, options)
    this.name = 'NotRunning'
  }
}

export type Where = { url?: string | undefined; token?: string | undefined }
type Env = Readonly<Record<string, string | undefined>>

/** Settings of this checkout; a broken one is one sentence. */
export const config = (): Config => readProcessConfig(ROOT)

/**
 * --url, BANYAN_URL, what the instance of this checkout's DATA_DIR announced, HOST and PORT. --token, BANYAN_TOKEN, ADMIN_TOKEN,
 * DATA_DIR/admin-token; the last two are never sent to another machine that was only named.
 */
export function findServer(where: Where, env: Env, banyan: string): Server {
  const named = where.url ?? (env.BANYAN_URL || undefined)
  const token = where.token ?? (env.BANYAN_TOKEN || undefined)
  if (named !== undefined) {
    const url = URL.parse(named)
    if (!url || !/^https?:$/.test(url.protocol))
      throw new Ended(EXIT.usage, `${where.url === undefined ? 'BANYAN_URL' : '--url'} must be a whole URL such as http://127.0.0.1:8000.`)
    const near = isLoopback(url.hostname.replace(/^\[(.*)\]$/, '$1'))
    return {
      url: url.href.replace(/\/+$/, ''),
      token: token ?? (near ? localToken(config()) : null),
      own: false,
      mend: near ? `start it with \`npm start\` or \`${banyan} up\`` : 'check the address, and that it is started there',
    }
  }
  const settings = config()
  return {
    // Read anew each time: with PORT=0 a restart listens elsewhere, and whoever waits goes on there.
    get url() {
      return localUrl(settings)
    },
    token: token ?? localToken(settings),
    own: true,
    mend: `start it with \`npm start\` or \`${banyan} up\``,
  }
}

/** Where the instance of this data directory listens, as it announced itself; before its first start, where it will. */
export function localUrl(settings: Config): string {
  const announced = optional(join(settings.dataDir, 'url'))
  if (announced) return announced
  const host = settings.host === '0.0.0.0' ? '127.0.0.1' : settings.host === '::' ? '::1' : settings.host
  return `http://${host.includes(':') ? `[${host}]` : host}:${settings.port}`
}

const localToken = (settings: Config): string | null => settings.adminToken ?? optional(tokenFile(settings))
export const tokenFile = (settings: Config): string => join(settings.dataDir, 'admin-token')

function optional(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').trim() || null
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return null
    if (code === 'EACCES')
      throw new Ended(
        EXIT.notAllowed,
        `${path} may not be read by this user: run this as the user that runs Banyan, or set BANYAN_TOKEN and BANYAN_URL.`,
      )
    throw error
  }
}

export type Ask<N extends RouteName> = {
  params?: Readonly<Record<string, string>>
  headers?: Readonly<Record<string, string>>
  timeoutMs?: number
} & (QueryOf<N> extends undefined ? { query?: undefined } : { query?: Readonly<Record<string, string | undefined>> }) &
  (RequestOf<N> extends undefined ? { body?: undefined } : { body?: RequestOf<N> })

/** Asks a route. Throws `NotRunning` when nobody answers and `Refused` when the answer is no. */
export async function call<N extends RouteName>(server: Server, name: N, ask: Ask<N> = {} as Ask<N>): Promise<ResponseOf<N>> {
  const route: Route = ROUTES[name]
  const path = route.path.replace(/\{(\w+)\}/g, (_, key: string) => encodeURIComponent(ask.params?.[key] ?? ''))
  const query = new URLSearchParams()
  for (const [key, value] of Object.entries(ask.query ?? {})) if (value !== undefined) query.set(key, value)
  const answer = await send(server, route, `${path}${query.size > 0 ? `?${query}` : ''}`, ask)
  if (!answer.ok) throw refusalOf(server, answer.status, answer.text)
  if (!route.response) return undefined as ResponseOf<N>
  const parsed = route.response.safeParse(parseJson(answer.text))
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    throw new Ended(
      EXIT.failed,
      `What answers at ${server.url} is not a Banyan that this command line understands (${route.method} ${path}: ${issue?.path.join('.') || 'the answer'}: ${issue?.message}): check the address and that both are of the same version.`,
    )
  }
  return parsed.data as ResponseOf<N>
}

async function send(
  server: Server,
  route: Route,
  path: string,
  ask: { headers?: Readonly<Record<string, string>>; body?: unknown; timeoutMs?: number },
) {
  try {
    const answer = await fetch(`${server.url}${path}`, {
      method: route.method,
      // A login must not follow to where somebody else points.
      redirect: 'manual',
      headers: {
        accept: 'application/json',
        ...(server.token === null || route.open ? {} : { authorization: `Bearer ${server.token}` }),
        ...(ask.body === undefined ? {} : { 'content-type': 'application/json' }),
        ...ask.headers,
      },
      ...(ask.body === undefined ? {} : { body: JSON.stringify(ask.body) }),
      signal: AbortSignal.timeout(ask.timeoutMs ?? 60_000),
    })
    return { ok: answer.ok, status: answer.status, text: await answer.text() }
  } catch (error) {
    throw notRunning(server, error)
  }
}

export function notRunning(server: Server, cause: unknown): NotRunning {
  const late = cause instanceof Error && cause.name === 'TimeoutError'
  return new NotRunning(
    late
      ? `Banyan at ${server.url} does not answer; look at its log, or ${server.mend}.`
      : `Banyan is not running at ${server.url}; ${server.mend}.`,
    { cause },
  )
}

export function refusalOf(server: Server, status: number, text: string): Refused {
  const problem = parseJson(text)
  const detail =
    problem !== null && typeof problem === 'object' && 'detail' in problem && typeof problem.detail === 'string'
      ? plain(problem.detail)
      : null
  if (status === 401) {
    return new Refused(
      status,
      server.token === null
        ? `Banyan at ${server.url} wants a token and none is known here: set BANYAN_TOKEN (to one that "banyan token create" made, or to what is in DATA_DIR/admin-token where Banyan runs).`
        : `Banyan at ${server.url} does not accept the token: check --token or BANYAN_TOKEN against DATA_DIR/admin-token where Banyan runs.`,
      problem ?? text,
    )
  }
  return new Refused(status, detail ?? `${server.url} answered ${status} and is perhaps not a Banyan: check --url.`, problem ?? text)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null // not JSON: whoever asked says what that means
  }
}

type ListName = { [N in RouteName]: ResponseOf<N> extends { items: unknown[]; nextCursor: string | null } ? N : never }[RouteName]
type ItemOf<N extends ListName> = ResponseOf<N> extends { items: (infer T)[] } ? T : never

/** Every item of a list, page after page, or the first `most`. `turn` is the query's name for where the next page begins. */
export async function all<N extends ListName>(
  server: Server,
  name: N,
  ask: { query?: Record<string, string | undefined>; params?: Record<string, string>; turn?: string; most?: number } = {},
): Promise<ItemOf<N>[]> {
  const { turn = 'cursor', most = Number.POSITIVE_INFINITY } = ask
  const items: ItemOf<N>[] = []
  let next: string | null = null
  do {
    const query: Record<string, string | undefined> = { ...ask.query, ...(next === null ? {} : { [turn]: next }) }
    const page = (await call(server, name, { params: ask.params ?? {}, query } as unknown as Ask<N>)) as {
      items: ItemOf<N>[]
      nextCursor: string | null
    }
    items.push(...page.items)
    next = page.items.length > 0 ? page.nextCursor : null
  } while (next !== null && items.length < most)
  return items.slice(0, most)
}

/** How far back goals are looked through for the beginning of an id; a whole id is found however old. */
const RECENT = 1_000

/** The goal that is meant by its id, the beginning of it, or one of its tasks. `undefined`: the newest. */
export async function resolveTree(server: Server, given: string | undefined): Promise<string> {
  if (given === undefined) {
    const [newest] = await all(server, 'trees', { query: { limit: '1' }, most: 1 })
    if (!newest) throw new Ended(EXIT.failed, 'There is no goal yet; give one with: banyan goal "…"')
    return newest.id
  }
  const task = await taskIfAny(server, given)
  return task ? task.treeId : begunBy(server, given)
}
/** The task that is meant by its id or the beginning of it; ids of tasks begin with their goal's. */
export async function resolveTask(server: Server, given: string): Promise<string> {
  const task = await taskIfAny(server, given)
  if (task) return task.id
  const dot = given.indexOf('.')
  const tree = await begunBy(server, dot < 0 ? given : given.slice(0, dot))
  if (dot < 0) return tree
  const { tasks } = await call(server, 'tree', { params: { id: tree } })
  return pick(
    tasks.map((one) => one.id),
    `${tree}${given.slice(dot)}`,
    'task',
    `banyan tree ${tree}`,
  )
}
async function taskIfAny(server: Server, id: string): Promise<ResponseOf<'task'> | null> {
  if (id === '') return null
  try {
    return await call(server, 'task', { params: { id } })
  } catch (error) {
    if (error instanceof Refused && error.status === 404) return null
    throw error
  }
}
async function begunBy(server: Server, given: string): Promise<string> {
  const trees = await all(server, 'trees', { query: { limit: '200' }, most: RECENT })
  return pick(
    trees.map((tree) => tree.id),
    given,
    'goal',
    'banyan ls',
  )
}
function pick(ids: readonly string[], given: string, noun: string, look: string): string {
  if (ids.includes(given)) return given
  const found = given === '' ? [] : ids.filter((id) => id.startsWith(given))
  if (found.length === 1) return found[0]!
  throw new Ended(
    EXIT.failed,
    found.length === 0
      ? `There is no ${noun} ${plain(given)}; see them with: ${look}`
      : `${plain(given)} could be ${found.length} ${noun}s (${found.slice(0, 4).join(', ')}${found.length > 4 ? ', …' : ''}); write more of the id.`,
  )
}
