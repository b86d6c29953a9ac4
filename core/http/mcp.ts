/**
 * `/mcp` behind the same doors as everything else. A cookie is no way in: pages of a browser are not MCP clients. Whoever is not let in learns
 * where it is said what to send.
 */
import type { Context, Hono } from 'hono'
import { mustAllow } from '../auth/principal.ts'
import { SCOPES } from '../contract/access.ts'
import { type Endpoint, mcpScope, resourceMetadata } from '../mcp/endpoint.ts'
import type { Auth } from './auth.ts'
import { notLoggedIn, problemOf, problemResponse } from './problem.ts'
import type { Env } from './router.ts'

export const MCP_PATH = '/mcp'
const METADATA_PATH = '/.well-known/oauth-protected-resource'

export function mountMcp(app: Hono<Env>, { mcp, auth }: { mcp: Pick<Endpoint, 'fetch'>; auth: Auth }): void {
  for (const path of [METADATA_PATH, `${METADATA_PATH}${MCP_PATH}`])
    app.get(path, (c) => c.json(resourceMetadata(originOf(c, auth), SCOPES)))
  app.all(MCP_PATH, (c) => {
    const principal = c.get('principal')
    if (principal === null) return mcpNotLoggedIn(c, auth)
    mustAllow(principal, mcpScope(principal))
    return mcp.fetch(c.req.raw, principal)
  })
}

/** 401, with where the metadata of RFC 9728 is. */
function mcpNotLoggedIn(c: Context<Env>, auth: Auth): Response {
  const problem = problemOf('unauthorized', notLoggedIn().message, c.get('requestId'))
  return problemResponse(problem, {
    'www-authenticate': `Bearer realm="banyan", resource_metadata="${originOf(c, auth)}${METADATA_PATH}${MCP_PATH}"`,
  })
}

/** The address that the client used, which was checked to be ours: what it knows this server by. */
function originOf(c: Context<Env>, auth: Auth): string {
  const host = c.req.header('host')?.toLowerCase()
  return auth.isAtBase((name) => c.req.header(name)) || host === undefined ? auth.baseUrl() : `http://${host}`
}
