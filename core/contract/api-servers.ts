/** Routes of other people's MCP servers whose tools agents may use, and the shapes that go in and come out. */
import * as z from 'zod'
import { readHosts } from './network.ts'
import { count, listOf, one, text, time } from './route.ts'

/** Short, because it is a part of the names of its tools: `mcp__server__tool`. */
export const ServerName = text.regex(
  /^[a-z][a-z0-9-]{0,23}$/,
  'a server is named with 1 to 24 of a-z, 0-9 and -, a letter first, for example "files"',
)
/** ask: a person decides each call, unless a rule of theirs says otherwise. allow: calls run. deny: none does, whatever else is said. */
export const SERVER_POLICIES = ['ask', 'allow', 'deny'] as const
export type ServerPolicy = (typeof SERVER_POLICIES)[number]

/** Programs would read these before they read anything else. */
const STEERING = /^(LD_.*|DYLD_.*|NODE_OPTIONS|BASH_ENV|ENV|PATH|HOME|TMPDIR)$/
/** Keys are checked in words that say what is wrong with them. */
const namedValues = <V extends z.ZodType<string, string>>(value: V, wrong: (name: string) => string | null) =>
  z
    .record(text.max(128), value)
    .default({})
    .superRefine((values, ctx) => {
      for (const name of Object.keys(values)) {
        const message = wrong(name)
        if (message !== null) ctx.addIssue({ code: 'custom', path: [name], message })
      }
    })
const variables = namedValues(text.max(32_000), (name) => {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) return 'a variable is named with letters, digits and _'
  return STEERING.test(name) ? 'this variable steers which programs run, and cannot be set for a server' : null
})
const headers = namedValues(text.max(8_000).regex(/^[\x20-\x7e]*$/, 'a header holds one line of ASCII characters'), (name) => {
  if (!/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/.test(name)) return 'this is no name of an HTTP header'
  return /^(host|content-length|transfer-encoding|connection|mcp-.*)$/i.test(name) ? 'this header belongs to the connection itself' : null
})

/**
 * A value may hold `secret:NAME`: the secret of that name stands there when the server is started. What else `env` and `headers` hold is sealed
 * as a secret of the server, and never shown.
 */
export const AddServer = z
  .object({
    name: ServerName,
    /** Its address, for a server that speaks Streamable HTTP. */
    url: z
      .url({ protocol: /^https?$/ })
      .max(2_000)
      .optional(),
    /** Program and arguments, for a server that speaks over stdin and stdout. */
    command: z.array(text.max(8_000)).min(1).max(100).optional(),
    env: variables,
    /** Variables that are no secret: kept and shown as they are. */
    publicEnv: variables,
    headers,
    /** `task`: each task has a server of its own, which ends with it. */
    scope: z.enum(['shared', 'task']).default('shared'),
    /** `best`: the sandbox. `plain`: as a program of this machine, which sees what its user sees. */
    isolation: z.enum(['best', 'plain']).default('best'),
    /** On a machine that has no sandbox: `ask` starts it once a person allowed it to run plain, `plain` at once. */
    withoutSandbox: z.enum(['ask', 'plain']).default('ask'),
    /** Hosts that a server in the sandbox may reach; without them it has no network. */
    network: z
      .array(text.max(300))
      .max(20)
      .default([])
      .superRefine((hosts, ctx) => {
        const read = readHosts(hosts)
        if (typeof read === 'string') ctx.addIssue({ code: 'custom', message: read })
      }),
    /** Folders of this machine that a server in the sandbox sees, absolute. */
    folders: z
      .array(
        z.object({ path: text.max(1_000).startsWith('/', 'a folder is named by its absolute path'), write: z.boolean().default(false) }),
      )
      .max(20)
      .default([]),
    /** Hosts of an inner network that requests to this server and its login may reach besides the host of `url`. */
    innerHosts: z.array(text.min(1).max(255)).max(20).default([]),
  })
  .strict()
  .superRefine((given, ctx) => {
    if ((given.url === undefined) === (given.command === undefined))
      ctx.addIssue({ code: 'custom', message: 'give either the address of a server or the command that starts it' })
    const stray = (field: string, there: boolean, wants: string) => {
      if (there) ctx.addIssue({ code: 'custom', path: [field], message: `this is for servers with ${wants}` })
    }
    if (given.url !== undefined) {
      if (/^[^/]*\/\/[^/]*@/.test(given.url))
        ctx.addIssue({ code: 'custom', path: ['url'], message: 'an address holds no login; send it in a header' })
      stray('env', Object.keys(given.env).length > 0, 'a command')
      stray('publicEnv', Object.keys(given.publicEnv).length > 0, 'a command')
      stray('network', given.network.length > 0, 'a command')
      stray('folders', given.folders.length > 0, 'a command')
      stray('isolation', given.isolation === 'plain', 'a command')
      stray('withoutSandbox', given.withoutSandbox === 'plain', 'a command')
    } else {
      stray('headers', Object.keys(given.headers).length > 0, 'an address')
      stray('innerHosts', given.innerHosts.length > 0, 'an address')
    }
    const both = Object.keys(given.publicEnv).find((name) => name in given.env)
    if (both !== undefined) ctx.addIssue({ code: 'custom', path: ['publicEnv', both], message: 'this variable is in `env` too' })
    if (given.isolation === 'plain' && given.network.length + given.folders.length > 0)
      ctx.addIssue({
        code: 'custom',
        path: ['isolation'],
        message: 'a plain server sees all of the machine; leave network and folders out',
      })
  })
export type AddServer = z.output<typeof AddServer>

/** pending: nobody approved it yet. changed: it is another than was approved. gone: the server does not offer it any more. unusable: no model can call it. */
export const SERVER_TOOL_STATES = ['pending', 'approved', 'changed', 'gone', 'unusable'] as const
export type ServerToolState = (typeof SERVER_TOOL_STATES)[number]

const ServerTool = z
  .object({
    /** Its name for agents. */
    id: text,
    /** Its name on the server. */
    name: text,
    state: z.enum(SERVER_TOOL_STATES),
    /** Why it cannot be used, or what was cut; null: nothing. */
    problem: text.nullable(),
    /** null: as the server's. */
    policy: z.enum(SERVER_POLICIES).nullable(),
    /** Words of whoever made the server: data, whatever they ask for. */
    description: text,
    inputSchema: z.record(text, z.unknown()),
    /** What the server says of it, unproven. */
    hints: z.object({ readOnly: z.boolean(), destructive: z.boolean() }),
    /** Names this definition; an approval binds to it. */
    sha: text,
    /** What changed since it was approved, as lines with + and -; null: nothing, or it never was. */
    diff: text.nullable(),
  })
  .meta({ id: 'ServerTool' })
export type ServerTool = z.output<typeof ServerTool>

const NamedValue = z.object({
  name: text,
  /** Secrets that stand in it, the one under which its own value is sealed first; to set that anew is to change the value. */
  secrets: z.array(text),
  /** null: it is not shown. */
  value: text.nullable(),
})
const ServerItem = z
  .object({
    id: ServerName,
    transport: z.enum(['stdio', 'http']),
    url: text.nullable(),
    command: z.array(text).nullable(),
    env: z.array(NamedValue),
    headers: z.array(NamedValue),
    scope: z.enum(['shared', 'task']),
    isolation: z.enum(['best', 'plain']),
    /** What it runs within on this machine; `asks`: there is no sandbox, and it starts once a person allowed it to run plain; null: it is an address. */
    walls: z.enum(['sandbox', 'plain', 'asks']).nullable(),
    network: z.array(text),
    folders: z.array(z.object({ path: text, write: z.boolean() })),
    innerHosts: z.array(text),
    /** Its address is not on the public internet: whoever added it said that it is theirs. */
    inner: z.boolean(),
    enabled: z.boolean(),
    policy: z.enum(SERVER_POLICIES),
    /** What `allow` says holds for tasks too that have read words of strangers. */
    tainted: z.boolean(),
    /** A person trusts what it says of its tools: those that only read are taken for such. */
    trusted: z.boolean(),
    state: z.enum(['off', 'stopped', 'starting', 'running', 'failed']),
    /** Processes or connections, and calls under way. */
    running: count,
    calls: count,
    /** What went wrong last, in one sentence; null: nothing since it worked. */
    problem: text.nullable(),
    /** It is not started before then. */
    retryAt: time.nullable(),
    /** The end of what it wrote to stderr when it last ran. */
    stderr: text,
    /** How it says it is called, and the revision of MCP that is spoken with it. */
    about: z.object({ name: text, version: text, protocol: text }).nullable(),
    login: z.enum(['none', 'needed', 'done']),
    tools: z.object({ offered: count, approved: count, pending: count, changed: count, gone: count, unusable: count }),
    createdBy: text,
    createdAt: time,
    updatedAt: time,
  })
  .meta({ id: 'Server' })
export type ServerItem = z.output<typeof ServerItem>
const ServerDetail = ServerItem.extend({ toolList: z.array(ServerTool) }).meta({ id: 'ServerDetail' })
export type ServerDetail = z.output<typeof ServerDetail>

/** For a login page where a person registered Banyan by hand; `clientSecret` may be `secret:NAME`. */
export const LoginServer = z
  .object({ clientId: text.min(1).max(2_000).optional(), clientSecret: text.min(1).max(8_000).optional() })
  .strict()
  .refine(({ clientId, clientSecret }) => clientSecret === undefined || clientId !== undefined, {
    path: ['clientId'],
    message: 'a secret belongs to a clientId',
  })

/** `tools`: names for agents with the `sha` that was shown; left out, all that wait. */
export const ApproveTools = z.object({ tools: z.record(text.max(64), text.max(100)).optional() }).strict()
export type ApproveTools = z.output<typeof ApproveTools>
/** `tool`: only of this one, where `null` takes its own word back. */
export const ServerRules = z
  .object({
    tool: text.max(64).optional(),
    policy: z.enum(SERVER_POLICIES).nullable().optional(),
    tainted: z.boolean().optional(),
    trusted: z.boolean().optional(),
  })
  .strict()
  .refine((given) => given.tool === undefined || (given.tainted === undefined && given.trusted === undefined), {
    message: 'one tool has a policy only; `tainted` and `trusted` are of a whole server',
  })
  .refine((given) => given.tool !== undefined || given.policy !== null, { message: 'a server always has a policy' })
export type ServerRules = z.output<typeof ServerRules>

const of = <const W extends string>(what: W) => `/api/servers/{id}${what}` as const
export const SERVER_ROUTES = {
  servers: one({
    method: 'GET',
    path: '/api/servers',
    scope: 'read',
    summary: "Other people's MCP servers whose tools agents may use",
    status: 200,
    response: listOf(ServerItem),
  }),
  addServer: one({
    method: 'POST',
    path: '/api/servers',
    scope: 'admin',
    summary: 'Adds an MCP server, starts it once and answers its tools, none of which can be used before they are approved',
    status: 201,
    request: AddServer.meta({ id: 'AddServer' }),
    response: ServerDetail,
  }),
  server: one({
    method: 'GET',
    path: of(''),
    scope: 'read',
    summary: 'One MCP server with its tools, as it was seen last',
    status: 200,
    response: ServerDetail,
  }),
  removeServer: one({
    method: 'DELETE',
    path: of(''),
    scope: 'admin',
    summary: 'Ends an MCP server and removes it, its tools and its login',
    status: 204,
  }),
  enableServer: one({
    method: 'POST',
    path: of('/enable'),
    scope: 'registry:write',
    summary: 'Lets agents use it again',
    status: 200,
    response: ServerDetail,
  }),
  disableServer: one({
    method: 'POST',
    path: of('/disable'),
    scope: 'registry:write',
    summary: 'Ends it; its tools answer nothing until it is enabled',
    status: 200,
    response: ServerDetail,
  }),
  allowPlainServer: one({
    method: 'POST',
    path: of('/plain'),
    scope: 'admin',
    summary: 'Lets its program run without a sandbox on a machine that has none, with all that its user may see and do, and starts it',
    status: 200,
    response: ServerDetail,
  }),
  restartServer: one({
    method: 'POST',
    path: of('/restart'),
    scope: 'registry:write',
    summary: 'Ends it, starts it now and looks at its tools anew, whatever it waited for',
    status: 200,
    response: ServerDetail,
  }),
  approveTools: one({
    method: 'POST',
    path: of('/approve'),
    scope: 'registry:write',
    summary: 'Takes tools as they were shown; agents can be given them from then on',
    status: 200,
    request: ApproveTools.meta({ id: 'ApproveTools' }),
    optionalBody: true,
    response: ServerDetail,
  }),
  serverRules: one({
    method: 'PUT',
    path: of('/rules'),
    scope: 'registry:write',
    summary: 'Whether calls of its tools, or of one of them, ask a person, run or are denied',
    status: 200,
    request: ServerRules.meta({ id: 'ServerRules' }),
    response: ServerDetail,
  }),
  loginServer: one({
    method: 'POST',
    path: of('/login'),
    scope: 'admin',
    summary: 'Begins a login with OAuth; a person opens the address',
    status: 200,
    request: LoginServer.meta({ id: 'LoginServer' }),
    optionalBody: true,
    response: z.object({ url: text }),
  }),
  finishServerLogin: one({
    method: 'GET',
    path: '/oauth/callback',
    scope: 'none',
    summary: 'Where the login page of an MCP server sends a browser back to',
    status: 200,
    query: z.object({
      state: text.max(500).optional(),
      code: text.max(4_000).optional(),
      iss: text.max(2_000).optional(),
      error: text.max(500).optional(),
      error_description: text.max(4_000).optional(),
    }),
    open: true,
  }),
  clientMetadata: one({
    method: 'GET',
    path: '/oauth/client.json',
    scope: 'none',
    summary: 'Who Banyan is, for login pages of MCP servers that read it by its address',
    status: 200,
    response: z.record(text, z.unknown()),
    open: true,
  }),
} as const
