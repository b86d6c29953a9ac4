/**
 * The HTTP interface. Order matters and is this: the address a request was sent to, who sends it, then its route, and what it brings.
 * Failures are problem+json everywhere.
 */
import { Hono } from 'hono'
import { methodNotAllowed } from 'hono/method-not-allowed'
import { requestId } from 'hono/request-id'
import { NONCE, secureHeaders } from 'hono/secure-headers'
import type { Editors } from '../agent/editors.ts'
import type { Trials } from '../agent/trials.ts'
import type { Logins } from '../auth/logins.ts'
import type { People } from '../auth/people.ts'
import { type GoalExample, ROUTES, type Route } from '../contract/api.ts'
import type { Lessons } from '../learn/lessons.ts'
import type { MadeTools } from '../made/made.ts'
import type { Endpoint } from '../mcp/endpoint.ts'
import type { Monitor } from '../observe/monitor.ts'
import type { Retention } from '../observe/retention.ts'
import type { Registry } from '../registry/registry.ts'
import type { Changes } from '../self/change.ts'
import type { Backups } from '../store/backups.ts'
import type { Store } from '../store/store.ts'
import type { Tasks } from '../tasks/tasks.ts'
import type { Web } from '../web/web.ts'
import type { Auth } from './auth.ts'
import type { Live } from './live.ts'
import { MCP_PATH, mountMcp } from './mcp.ts'
import { isPagePath, openPage } from './page.ts'
import { headersOf, notLoggedIn, problemOf, problemOfError, problemResponse } from './problem.ts'
import { type Env, NotJson, register } from './router.ts'
import { accessRoutes } from './routes/access.ts'
import { type AskSystem, askRoutes } from './routes/asks.ts'
import { backupRoutes } from './routes/backups.ts'
import { changeRoutes } from './routes/changes.ts'
import { detailRoutes, type Worktrees } from './routes/detail.ts'
import { eventRoutes } from './routes/events.ts'
import { type FileParts, fileRoutes } from './routes/files.ts'
import { goalRoutes, type SubmitGoal } from './routes/goals.ts'
import { lessonRoutes } from './routes/lessons.ts'
import { loginRoutes } from './routes/login.ts'
import { lookRoutes } from './routes/look.ts'
import { type ModelParts, modelRoutes } from './routes/models.ts'
import { monitorRoutes } from './routes/monitor.ts'
import { outsideRoutes } from './routes/outside.ts'
import { type PlanParts, planRoutes } from './routes/plans.ts'
import { registryRoutes } from './routes/registry.ts'
import { retentionRoutes } from './routes/retention.ts'
import { reviewRoutes } from './routes/reviews.ts'
import { type Secrets, secretRoutes } from './routes/secrets.ts'
import { type ServerParts, serverRoutes } from './routes/servers.ts'
import { type SettingsParts, settingsRoutes } from './routes/settings.ts'
import { spendRoutes } from './routes/spend.ts'
import { type Description, systemRoutes } from './routes/system.ts'
import { taskRoutes } from './routes/tasks.ts'
import { templateRoutes } from './routes/templates.ts'
import { trialRoutes } from './routes/trials.ts'
import { type UploadParts, uploadRoutes } from './routes/uploads.ts'
import { watchRoutes } from './routes/watch.ts'

export type AppParts = {
  store: Store
  tasks: Tasks
  files: FileParts
  uploads: UploadParts
  worktrees: Worktrees
  web: Pick<Web, 'download'>
  plans: PlanParts
  models: ModelParts
  registry: Registry
  made: Pick<MadeTools, 'approve' | 'rollback'>
  editors: Editors
  trials: Trials
  changes: Changes
  lessons: Lessons
  settings: SettingsParts
  secrets: Secrets
  hub: ServerParts['hub']
  auth: Auth
  people: People
  logins: Logins
  live: Live
  monitor: Monitor
  retention: Pick<Retention, 'preview' | 'run' | 'export'>
  backups: Pick<Backups, 'list' | 'make' | 'check' | 'askRestore'>
  mcp: Pick<Endpoint, 'fetch' | 'clients'>
  version: string
  revision: string
  nodeVersion: string
  /** Seconds that the process runs. */
  uptime: () => number
  describe: () => Description | Promise<Description>
  /** Resolves when the goal is on stable storage. */
  submitGoal: SubmitGoal
  ask: AskSystem
  examples: readonly GoalExample[]
  /** Called after the answer went out. */
  shutdown: (how: 'stop' | 'restart') => void
  /** The built web page. */
  pageFolder: string
  log: (words: string, cause: unknown) => void
}

const OPEN = (Object.values(ROUTES) as Route[])
  .filter((route) => route.open)
  .map(({ method, path }) => ({ method, path: new RegExp(`^${path.replaceAll('.', '\\.').replace(/\{\w+\}/g, '[^/]+')}$`) }))
const isOpen = (method: string, path: string): boolean =>
  OPEN.some((route) => route.method === (method === 'HEAD' ? 'GET' : method) && route.path.test(path))

export function app(parts: AppParts): Hono<Env> {
  const { auth, log } = parts
  const app = new Hono<Env>()
  const page = openPage(parts.pageFolder)

  app.use(requestId())
  app.use(async (c, next) => {
    await next()
    c.res.headers.set('x-request-id', c.get('requestId'))
    if (!isPagePath(c.req.path)) c.res.headers.set('cache-control', 'no-store')
  })
  app.use(
    secureHeaders({
      contentSecurityPolicy: {
        defaultSrc: ["'self'"],
        scriptSrc: ["'self'"],
        // Dialogs and the editor make style sheets as they open; the page's own nonce lets those through and no others.
        styleSrc: ["'self'", NONCE],
        imgSrc: ["'self'", 'data:'],
        objectSrc: ["'none'"],
        baseUri: ["'none'"],
        formAction: ["'self'"],
        frameAncestors: ["'none'"],
      },
      // Whoever puts TLS in front decides about this for the whole host.
      strictTransportSecurity: false,
      // `no-referrer` would make browsers send `Origin: null` with our own forms.
      referrerPolicy: 'same-origin',
      xFrameOptions: 'DENY',
    }),
  )
  app.use(async (c, next) => {
    auth.checkAddress((name) => c.req.header(name))
    await next()
  })
  app.use(
    methodNotAllowed({
      app,
      onMethodNotAllowed: (c, methods) => {
        const allow = { allow: [...methods, 'OPTIONS'].join(', ') }
        if (c.req.method === 'OPTIONS') return new Response(null, { status: 204, headers: allow })
        return problemResponse(
          problemOf('method_not_allowed', `${c.req.path} takes ${methods.join(', ')}; not ${c.req.method}.`, c.get('requestId')),
          allow,
        )
      },
    }),
  )
  app.use(async (c, next) => {
    const looks = c.req.method === 'GET' || c.req.method === 'HEAD'
    const free = isOpen(c.req.method, c.req.path) || (looks && isPagePath(c.req.path))
    c.set('address', c.env?.incoming?.socket.remoteAddress)
    const mcp = c.req.path === MCP_PATH
    const nobody = free || (mcp && c.req.header('authorization') === undefined)
    c.set('principal', nobody ? null : await auth.identify((name) => c.req.header(name), !looks, c.get('address')))
    if (!free && !mcp && c.get('principal') === null) throw notLoggedIn()
    await next()
  })
  register(app, {
    ...goalRoutes(parts),
    ...uploadRoutes(parts),
    ...planRoutes(parts),
    ...templateRoutes(parts),
    ...modelRoutes(parts),
    ...spendRoutes(parts),
    ...watchRoutes(parts),
    ...askRoutes(parts),
    ...taskRoutes(parts.tasks, parts.files.history, (name) => void parts.models.models.pick(name)),
    ...fileRoutes(parts),
    ...reviewRoutes(parts.tasks),
    ...registryRoutes(parts.registry, parts.editors, parts.made),
    ...trialRoutes(parts.trials, auth),
    ...changeRoutes(parts),
    ...lessonRoutes(parts),
    ...secretRoutes(parts.secrets, parts.shutdown),
    ...serverRoutes(parts),
    ...eventRoutes(parts.store, parts.live),
    ...lookRoutes(parts.store),
    ...detailRoutes(parts.store, parts.files.history, parts.tasks, parts.worktrees),
    ...systemRoutes(parts),
    ...monitorRoutes(parts.monitor, parts.tasks),
    ...backupRoutes(parts),
    ...retentionRoutes(parts.retention),
    ...settingsRoutes(parts.settings),
    ...loginRoutes(parts),
    ...accessRoutes(parts),
    ...outsideRoutes(parts),
  })

  mountMcp(app, parts)

  app.notFound(async (c) => {
    const looks = c.req.method === 'GET' || c.req.method === 'HEAD'
    const found = looks && isPagePath(c.req.path) ? await page(c) : undefined
    return found ?? problemResponse(problemOf('not_found', `There is nothing at ${c.req.path.slice(0, 200)}.`, c.get('requestId')))
  })
  app.onError((error, c) => {
    const id = c.get('requestId')
    return problemResponse(
      error instanceof NotJson ? problemOf('unsupported_media_type', error.message, id) : problemOfError(error, id, log),
      headersOf(error),
    )
  })
  return app
}
