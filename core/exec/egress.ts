/**
 * How a command within walls reaches the few hosts that it was allowed: what a rung of isolation needs to know of it. The proxy itself is in
 * `core/web/egress.ts`. Outside the walls there is a unix socket of this one command; a rung shows it inside, where a small program
 * (forward.mjs) listens on the command's own loopback and hands every connection to the socket. The walls themselves stay without a network.
 */
import type { AllowedHost, NetworkUse } from '../contract/network.ts'

/** One command's way out. It ends with the command, and so does its token. */
export type Door = {
  /** Path of the socket outside the walls, which only this command may be shown. */
  socket: string
  token: string
  use(): NetworkUse
  /** Breaks off what is open; the token is worth nothing afterwards. Never rejects. */
  close(): Promise<void>
}
export type Egress = {
  open(hosts: readonly AllowedHost[]): Promise<Door>
  close(): Promise<void>
}

/** Where things of the door are inside the walls. */
export const DOOR_FOLDER = '/run/banyan'
export const DOOR_SOCKET = `${DOOR_FOLDER}/proxy.sock`
export const DOOR_FORWARDER = `${DOOR_FOLDER}/forward.mjs`
/** On the command's own loopback, which nobody else has. */
export const DOOR_PORT = 23_128

/** Shell lines that start the forwarder and wait until it listens; what follows them is the command. `node`: its path inside the walls. */
export const forwarding = (node: string): string =>
  [
    // Its own child's child, with an environment of its own: a command that waits for its children never meets it.
    `ready=$( ( exec /usr/bin/env -i ${quoted(node)} ${DOOR_FORWARDER} ${DOOR_SOCKET} ${DOOR_PORT} </dev/null 2>/dev/null & ) )`,
    '[ "$ready" = ready ] || { echo "The way to the network could not be opened, so the command was not started." >&2; exit 125; }',
    'unset ready',
    '',
  ].join('\n')
const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`

/** What tells programs of the proxy: the names that curl, git, npm, pip, Go, Cargo, Yarn and Node look for. */
export function egressEnvironment(token: string): Record<string, string> {
  const url = `http://task:${token}@127.0.0.1:${DOOR_PORT}`
  const none = 'localhost,127.0.0.1,::1'
  const names = ['http_proxy', 'https_proxy', 'all_proxy', 'HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY']
  const tools = ['npm_config_proxy', 'npm_config_https_proxy', 'YARN_HTTP_PROXY', 'YARN_HTTPS_PROXY', 'PIP_PROXY', 'CARGO_HTTP_PROXY']
  return {
    ...Object.fromEntries([...names, ...tools].map((name) => [name, url])),
    no_proxy: none,
    NO_PROXY: none,
    NODE_USE_ENV_PROXY: '1',
    GIT_TERMINAL_PROMPT: '0',
  }
}
