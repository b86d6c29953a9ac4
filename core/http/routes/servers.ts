/** Other people's MCP servers. A name is a server's id. */
import { Fault } from '../../contract/fault.ts'
import type { Hub } from '../../mcp/hub.ts'
import { clientMetadata } from '../../mcp/hub-login.ts'
import type { Auth } from '../auth.ts'
import type { Handlers } from '../router.ts'

type Names =
  | 'servers'
  | 'addServer'
  | 'server'
  | 'removeServer'
  | 'enableServer'
  | 'disableServer'
  | 'allowPlainServer'
  | 'restartServer'
  | 'approveTools'
  | 'serverRules'
  | 'loginServer'
  | 'finishServerLogin'
  | 'clientMetadata'
export type ServerParts = {
  hub: Pick<Hub, 'list' | 'detail' | 'add' | 'remove' | 'enable' | 'allowPlain' | 'restart' | 'approve' | 'rules' | 'login' | 'finishLogin'>
  auth: Auth
}

export function serverRoutes({ hub, auth }: ServerParts): Pick<Handlers, Names> {
  const callback = () => `${auth.baseUrl()}/oauth/callback`
  return {
    servers: () => ({ items: hub.list(), nextCursor: null }),
    addServer: ({ body, by }) => hub.add(body, by.name),
    server: ({ param }) => hub.detail(param('id')),
    async removeServer({ param, by }): Promise<undefined> {
      await hub.remove(param('id'), by.name)
    },
    enableServer: ({ param, by }) => hub.enable(param('id'), true, by.name),
    disableServer: ({ param, by }) => hub.enable(param('id'), false, by.name),
    allowPlainServer: ({ param, by }) => hub.allowPlain(param('id'), by.name),
    restartServer: ({ param }) => hub.restart(param('id')),
    approveTools: ({ param, body, by }) => hub.approve(param('id'), body, by.name),
    serverRules: ({ param, body, by }) => hub.rules(param('id'), body, by.name),
    async loginServer({ param, body: { clientId, clientSecret } }) {
      return { url: await hub.login(param('id'), callback(), clientId === undefined ? undefined : { id: clientId, secret: clientSecret }) }
    },
    async finishServerLogin({ query, headOnly }) {
      if (headOnly) return words(200, '')
      try {
        const name = await hub.finishLogin(query)
        return words(
          200,
          `Banyan is logged in at the MCP server ${name}. Close this page; \`banyan mcp tools ${name}\` shows what it offers.\n`,
        )
      } catch (error) {
        if (!(error instanceof Fault)) throw error
        return words(400, `${error.message}\n`)
      }
    },
    clientMetadata: () => ({ client_id: `${auth.baseUrl()}/oauth/client.json`, ...clientMetadata(callback()) }),
  }
}

/** Text and nothing else: what a login page says is not ours. */
const words = (status: number, text: string): Response =>
  new Response(text, { status, headers: { 'content-type': 'text/plain; charset=utf-8', 'referrer-policy': 'no-referrer' } })
